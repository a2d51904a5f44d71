"""The payouts: money on its way to the bank, its members, and in the end its proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Boolean, ColumnElement, and_, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, StripeId
from ml_connector.basics.money import Money
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import payouts as table


@dataclass(frozen=True, slots=True)
class NewPayout:
    """A payout as Stripe shows it; `arrival_date` is a UTC calendar day."""

    connection: ConnectionId
    id: StripeId
    amount: Money
    status: str
    arrival_date: date
    automatic: bool
    reconciliation_status: str = ""


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout as stored; `members` are the balance transactions that it pays out."""

    connection: ConnectionId
    id: StripeId
    currency: str
    amount_minor: int
    status: str
    arrival_date: date
    automatic: bool
    reconciliation_status: str
    members: tuple[StripeId, ...]
    members_complete: bool
    proof: JsonObject | None
    proven_at: datetime | None
    updated_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))

    @property
    def amount(self) -> Money:
        """What arrives at the bank; negative when Stripe draws from it."""
        return Money(self.amount_minor, self.currency)


async def remember(
    tx: AsyncConnection, rows: Sequence[NewPayout], *, now: datetime | None = None
) -> list[StripeId]:
    """Stores payouts, or what Stripe changed of them; the ids not known before."""
    if not rows:
        return []
    unique = {(row.connection, row.id): row for row in rows}
    statement = insert(table).values([_columns(row, now) for _, row in sorted(unique.items())])
    changing = ("amount_minor", "status", "arrival_date", "reconciliation_status", "updated_at")
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.connection, table.c.id],
        set_={name: statement.excluded[name] for name in changing},
    )
    # A row that this statement made has no deleting transaction.
    made = literal_column("(payouts.xmax = 0)", Boolean)
    found = await tx.execute(statement.returning(table.c.id, made))
    new = {row_id for row_id, is_new in found if is_new}
    return [row_id for _, row_id in unique if row_id in new]


def _columns(row: NewPayout, now: datetime | None) -> dict[str, object]:
    return {
        "connection": row.connection,
        "id": row.id,
        "currency": row.amount.currency,
        "amount_minor": row.amount.minor,
        "status": row.status,
        "arrival_date": row.arrival_date,
        "automatic": row.automatic,
        "reconciliation_status": row.reconciliation_status,
        "updated_at": moment(now),
    }


async def get(tx: AsyncConnection, connection: ConnectionId, payout: StripeId) -> PayoutRow | None:
    """One payout; None when it was never seen."""
    row = (await tx.execute(select(table).where(_is(connection, payout)))).mappings().one_or_none()
    return None if row is None else record(PayoutRow, row)


async def every(
    tx: AsyncConnection, connection: ConnectionId, *, limit: int | None = None
) -> list[PayoutRow]:
    """The payouts of a connection, the latest arrival first."""
    question = select(table).where(table.c.connection == connection)
    ordered = question.order_by(table.c.arrival_date.desc(), table.c.id).limit(limit)
    return records(PayoutRow, (await tx.execute(ordered)).mappings())


async def set_members(
    tx: AsyncConnection,
    connection: ConnectionId,
    payout: StripeId,
    ids: Sequence[StripeId],
    *,
    complete: bool,
    now: datetime | None = None,
) -> None:
    """Stores which transactions the payout pays out; raises Bug when it was never seen."""
    await _change(tx, connection, payout, now, members=list(ids), members_complete=complete)


async def set_proof(
    tx: AsyncConnection,
    connection: ConnectionId,
    payout: StripeId,
    proof: JsonObject,
    proven_at: datetime | None,
    *,
    now: datetime | None = None,
) -> None:
    """Stores the tie-out of the payout; `proven_at` None says that it does not hold (yet)."""
    await _change(tx, connection, payout, now, proof=proof, proven_at=proven_at)


async def _change(
    tx: AsyncConnection,
    connection: ConnectionId,
    payout: StripeId,
    now: datetime | None,
    **values: object,
) -> None:
    statement = update(table).where(_is(connection, payout))
    done = await tx.execute(statement.values(**values, updated_at=moment(now)))
    if not done.rowcount:
        raise Bug(f"The payout {payout} was never seen.")


def _is(connection: ConnectionId, payout: StripeId) -> ColumnElement[bool]:
    return and_(table.c.connection == connection, table.c.id == payout)
