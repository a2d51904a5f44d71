"""The troubles: what stands in the way of a resource, why, and what to try."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money, totals
from ml_connector.store.rows import record, records
from ml_connector.store.tables import troubles as table


@dataclass(frozen=True, slots=True)
class Trouble:
    """One resource that cannot go on; `tries` counts since it was last free of trouble."""

    connection: ConnectionId
    kind: str
    resource: str
    filed: str
    cause: str
    sentence: str
    remedy: str
    amount_minor: int | None
    currency: str | None
    first_seen: datetime
    last_seen: datetime
    tries: int
    next_try: datetime | None
    open: bool

    @property
    def money(self) -> Money | None:
        """The money that waits because of it, when that is known."""
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class TroubleGroup:
    """The open troubles of one cause; the sentence and remedy are those of the latest."""

    cause: str
    filed: str
    sentence: str
    remedy: str
    count: int
    first_seen: datetime
    money: tuple[Money, ...]


async def raise_(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    kind: str,
    resource: str,
    error: ConnectorError,
    money: Money | None,
    now: datetime,
    *,
    next_try: datetime | None = None,
) -> Trouble:
    """Opens the trouble of a resource, or counts one more try of it."""
    facts = {
        "filed": error.filed,
        "cause": error.cause,
        "sentence": error.sentence,
        "remedy": error.remedy,
        "amount_minor": None if money is None else money.minor,
        "currency": None if money is None else money.currency,
        "last_seen": now,
        "next_try": next_try,
        "open": True,
    }
    where = {"connection": connection, "kind": kind, "resource": resource}
    statement = insert(table).values(**where, **facts, first_seen=now, tries=1)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.connection, table.c.kind, table.c.resource],
        set_={
            **facts,
            "first_seen": case((table.c.open, table.c.first_seen), else_=now),
            "tries": case((table.c.open, table.c.tries + 1), else_=1),
        },
    )
    return record(Trouble, (await tx.execute(statement.returning(table))).mappings().one())


async def close(tx: AsyncConnection, connection: ConnectionId, kind: str, resource: str) -> bool:
    """The cause is gone; whether there was a trouble to close."""
    statement = update(table).where(
        table.c.connection == connection,
        table.c.kind == kind,
        table.c.resource == resource,
        table.c.open,
    )
    return (await tx.execute(statement.values(open=False, next_try=None))).rowcount == 1


async def get(
    tx: AsyncConnection, connection: ConnectionId, kind: str, resource: str
) -> Trouble | None:
    """The trouble of a resource, open or closed; None when it never had one."""
    same = and_(
        table.c.connection == connection, table.c.kind == kind, table.c.resource == resource
    )
    row = (await tx.execute(select(table).where(same))).mappings().one_or_none()
    return None if row is None else record(Trouble, row)


async def open_ones(tx: AsyncConnection, connection: ConnectionId) -> list[Trouble]:
    """Everything that cannot go on, oldest first."""
    question = select(table).where(table.c.connection == connection, table.c.open)
    ordered = question.order_by(table.c.first_seen, table.c.kind, table.c.resource)
    return records(Trouble, (await tx.execute(ordered)).mappings())


async def grouped(tx: AsyncConnection, connection: ConnectionId) -> list[TroubleGroup]:
    """The open troubles by cause, the most frequent first: mended once, all go on."""
    groups: dict[str, list[Trouble]] = {}
    for trouble in await open_ones(tx, connection):
        groups.setdefault(trouble.cause, []).append(trouble)
    found = [_group(cause, members) for cause, members in groups.items()]
    return sorted(found, key=lambda group: (-group.count, group.cause))


def _group(cause: str, members: list[Trouble]) -> TroubleGroup:
    latest = max(members, key=lambda trouble: trouble.last_seen)
    sums = totals(trouble.money for trouble in members if trouble.money is not None)
    return TroubleGroup(
        cause=cause,
        filed=latest.filed,
        sentence=latest.sentence,
        remedy=latest.remedy,
        count=len(members),
        first_seen=members[0].first_seen,
        money=tuple(sums.values()),
    )
