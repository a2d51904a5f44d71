"""The balance transactions: each change of the Stripe balance, posted or the reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Boolean, case, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import balance_transactions as table

AT_ONCE = 1000
"""Rows per statement: PostgreSQL takes 65,535 parameters."""


class TransactionState(StrEnum):
    """Where a balance transaction stands with respect to the books."""

    SEEN = "seen"
    """Known, not looked at yet."""
    OWED = "owed"
    """Its postings are planned or on their way."""
    POSTED = "posted"
    """All its postings are verified."""
    HELD = "held"
    """Waits for a person or for something else to happen."""
    UNEXPLAINED = "unexplained"
    """No rule knows this kind; its payout cannot be proven."""
    IGNORED = "ignored"
    """Needs no posting, and the reason says why."""
    UNDONE = "undone"
    """Its documents are reversed, or being reversed; owed again once a person says so."""
    OPENING = "opening"
    """Moved before our books began: in the opening position, and never anything else."""


SETTLED = (TransactionState.POSTED, TransactionState.IGNORED, TransactionState.OPENING)


@dataclass(frozen=True, slots=True)
class BalanceTransactionRow:
    """One balance transaction; amounts in minor units of `currency` (upper case)."""

    connection: ConnectionId
    id: StripeId
    type: str
    category: str
    currency: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    source: StripeId | None
    created: datetime
    available_on: datetime
    payout: StripeId | None = None
    body: JsonObject = field(default_factory=dict[str, object])
    state: TransactionState = TransactionState.SEEN
    reason: str = ""
    cause: str = ""
    edition: int = 1
    charge: StripeId | None = None
    """The payment that a refund or a dispute is of; None of anything else, and before a look."""
    fee_key: PostingKey | None = None
    """The posting that carries its fee apart: empty while none does yet, None where it is not."""
    seen_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", TransactionState(self.state))

    @property
    def amount(self) -> Money:
        """The gross amount, signed as it changes the balance."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What Stripe kept; positive when it was taken from us."""
        return Money(self.fee_minor, self.currency)

    @property
    def net(self) -> Money:
        """What the balance changed by."""
        return Money(self.net_minor, self.currency)


@dataclass(frozen=True, slots=True)
class TransactionSum:
    """The transactions of one currency and state, added up."""

    currency: str
    state: TransactionState
    count: int
    amount: Money
    fee: Money
    net: Money


async def remember(
    tx: AsyncConnection,
    connection: ConnectionId,
    rows: Sequence[BalanceTransactionRow],
    *,
    now: datetime | None = None,
) -> list[StripeId]:
    """Stores what a sweep saw; the ids not known before, in the order given.

    Of a known one only what Stripe changes, or a look tells, later is taken: its payout, charge,
    availability and body; its state in our books stays.
    """
    if any(row.connection != connection for row in rows):
        raise Bug("A balance transaction of another connection was to be remembered.")
    unique = {row.id: row for row in rows}
    # In one order everywhere, so that two sweeps never wait for each other in a ring.
    ordered = sorted(unique.values(), key=lambda row: row.id)
    new: set[str] = set()
    for start in range(0, len(ordered), AT_ONCE):
        new |= await _remember(tx, ordered[start : start + AT_ONCE], now)
    return [row_id for row_id in unique if row_id in new]


async def _remember(
    tx: AsyncConnection, rows: Sequence[BalanceTransactionRow], now: datetime | None
) -> set[str]:
    statement = insert(table).values([_columns(row, now) for row in rows])
    excluded = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.connection, table.c.id],
        set_={
            "payout": func.coalesce(excluded.payout, table.c.payout),
            "charge": func.coalesce(excluded.charge, table.c.charge),
            "available_on": excluded.available_on,
            "body": excluded.body,
            "updated_at": excluded.updated_at,
        },
        where=or_(
            excluded.body != table.c.body,
            excluded.available_on != table.c.available_on,
            excluded.payout.is_distinct_from(table.c.payout) & excluded.payout.is_not(None),
            excluded.charge.is_distinct_from(table.c.charge) & excluded.charge.is_not(None),
        ),
    )
    # A row that this statement made has no deleting transaction.
    made = literal_column("(balance_transactions.xmax = 0)", Boolean)
    found = await tx.execute(statement.returning(table.c.id, made))
    return {row_id for row_id, is_new in found if is_new}


def _columns(row: BalanceTransactionRow, now: datetime | None) -> dict[str, object]:
    return {
        "connection": row.connection,
        "id": row.id,
        "type": row.type,
        "category": row.category,
        "currency": row.currency,
        "amount_minor": row.amount_minor,
        "fee_minor": row.fee_minor,
        "net_minor": row.net_minor,
        "source": row.source,
        "created": row.created,
        "available_on": row.available_on,
        "payout": row.payout,
        "charge": row.charge,
        "state": row.state,
        "reason": row.reason,
        "cause": row.cause,
        "body": row.body,
        "seen_at": moment(now),
        "updated_at": moment(now),
    }


async def get(
    tx: AsyncConnection, connection: ConnectionId, row_id: StripeId
) -> BalanceTransactionRow | None:
    """One balance transaction; None when it was never seen."""
    question = select(table).where(table.c.connection == connection, table.c.id == row_id)
    row = (await tx.execute(question)).mappings().one_or_none()
    return None if row is None else record(BalanceTransactionRow, row)


async def mark(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    row_id: StripeId,
    state: TransactionState,
    reason: str = "",
    cause: str = "",
    *,
    now: datetime | None = None,
) -> None:
    """Sets where it stands and why; raises Bug when it was never seen.

    What was undone stays so: only `store.editions` brings it back. What is in the opening
    position stays there.
    """
    statement = update(table).where(
        table.c.connection == connection,
        table.c.id == row_id,
        table.c.state != TransactionState.UNDONE,
    )
    opening = str(TransactionState.OPENING)
    stays = case((table.c.state == opening, opening), else_=str(state))
    values = {"state": stays, "reason": reason, "cause": cause, "updated_at": moment(now)}
    done = await tx.execute(statement.values(**values))
    if not done.rowcount and await get(tx, connection, row_id) is None:
        raise Bug(f"The balance transaction {row_id} was never seen.")


async def of_payout(
    tx: AsyncConnection, connection: ConnectionId, payout: StripeId
) -> list[BalanceTransactionRow]:
    """The transactions that Stripe paid out with this payout, oldest first."""
    question = select(table).where(table.c.connection == connection, table.c.payout == payout)
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def by_source(
    tx: AsyncConnection, connection: ConnectionId, source: StripeId
) -> list[BalanceTransactionRow]:
    """The transactions that a charge, refund, dispute or payout led to, oldest first."""
    question = select(table).where(table.c.connection == connection, table.c.source == source)
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def since(
    tx: AsyncConnection, connection: ConnectionId, start: datetime
) -> list[BalanceTransactionRow]:
    """All transactions from a moment on, oldest first."""
    question = select(table).where(table.c.connection == connection, table.c.created >= start)
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def unposted(tx: AsyncConnection, connection: ConnectionId) -> list[BalanceTransactionRow]:
    """What the tie-out lists by name: neither posted nor ignored, oldest first."""
    question = select(table).where(
        table.c.connection == connection, table.c.state.not_in([str(state) for state in SETTLED])
    )
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def sums(tx: AsyncConnection, connection: ConnectionId) -> list[TransactionSum]:
    """All transactions of a connection, added up per currency and state."""
    question = (
        select(
            table.c.currency,
            table.c.state,
            func.count(),
            func.sum(table.c.amount_minor),
            func.sum(table.c.fee_minor),
            func.sum(table.c.net_minor),
        )
        .where(table.c.connection == connection)
        .group_by(table.c.currency, table.c.state)
        .order_by(table.c.currency, table.c.state)
    )
    return [
        TransactionSum(
            currency=currency,
            state=TransactionState(state),
            count=count,
            amount=Money(int(amount), currency),
            fee=Money(int(fee), currency),
            net=Money(int(net), currency),
        )
        for currency, state, count, amount, fee, net in await tx.execute(question)
    ]


async def created_between(
    tx: AsyncConnection, connection: ConnectionId, start: datetime, end: datetime
) -> list[BalanceTransactionRow]:
    """The transactions created from a moment on and before another, oldest first."""
    question = select(table).where(
        table.c.connection == connection, table.c.created >= start, table.c.created < end
    )
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def take_back_in(
    tx: AsyncConnection, connection: ConnectionId, since: datetime, *, now: datetime | None = None
) -> None:
    """What was in the opening position is owed from a moment on: the books begin earlier."""
    aside = (table.c.state == str(TransactionState.OPENING)) & (table.c.created >= since)
    statement = update(table).where(table.c.connection == connection, aside)
    await tx.execute(
        statement.values(state=str(TransactionState.SEEN), reason="", updated_at=moment(now))
    )
