"""The history of the tie-out: every measurement, and since when a difference stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.store.proof_tables import tie_outs as table
from ml_connector.store.rows import record, records


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of one currency."""

    connection: ConnectionId
    currency: str
    at: datetime
    clearing_minor: int
    stripe_minor: int
    named_minor: int
    difference_minor: int

    @property
    def clearing(self) -> Money:
        """What the clearing account held."""
        return Money(self.clearing_minor, self.currency)

    @property
    def stripe(self) -> Money:
        """What Stripe held."""
        return Money(self.stripe_minor, self.currency)

    @property
    def named(self) -> Money:
        """What was known to be missing in the ledger."""
        return Money(self.named_minor, self.currency)

    @property
    def difference(self) -> Money:
        """What nobody could name."""
        return Money(self.difference_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Since:
    """How long a currency differs: seen first at `differs_from`, held last at `held_until`."""

    differs_from: datetime
    held_until: datetime | None


_COLUMNS = [column for column in table.c if column.name != "id"]


async def keep(tx: AsyncConnection, row: Measured) -> None:
    """Adds a measurement."""
    values = {column.name: getattr(row, column.name) for column in _COLUMNS}
    await tx.execute(insert(table).values(**values))


async def recent(
    tx: AsyncConnection, connection: ConnectionId, currency: str, *, limit: int = 100
) -> list[Measured]:
    """The last measurements of a currency, newest first."""
    mine = (table.c.connection == connection) & (table.c.currency == currency)
    ordered = select(*_COLUMNS).where(mine).order_by(table.c.at.desc(), table.c.id.desc())
    return records(Measured, (await tx.execute(ordered.limit(limit))).mappings())


async def since(tx: AsyncConnection, connection: ConnectionId, currency: str) -> Since | None:
    """Since when a currency differs; None when its last measurement held, or there is none."""
    mine = (table.c.connection == connection) & (table.c.currency == currency)
    good = select(table.c.at, table.c.id).where(mine, table.c.difference_minor == 0)
    held = (await tx.execute(good.order_by(table.c.id.desc()).limit(1))).one_or_none()
    bad = select(*_COLUMNS).where(mine, table.c.difference_minor != 0)
    if held is not None:
        bad = bad.where(table.c.id > held.id)
    first = (await tx.execute(bad.order_by(table.c.id).limit(1))).mappings().one_or_none()
    if first is None:
        return None
    return Since(record(Measured, first).at, None if held is None else held.at)
