"""What our documents do to a clearing account: their sum before a moment, and one by one."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.postings import State
from ml_connector.store.tables import balance_transactions, postings

_DAY = func.coalesce(postings.c.body["day"].astext, postings.c.read_back["day"].astext)
"""The day that we gave a document; of one that is dated by others, that of its payment."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One document of ours in the ledger; `day` is its own date, where it has one."""

    key: PostingKey
    kind: str
    transaction: StripeId
    erp_type: str
    erp_number: str
    day: date | None
    amount: Money


async def before(
    tx: AsyncConnection, connection: ConnectionId, currency: str, moment: datetime
) -> Money:
    """The sum of all documents of a currency that were read back before a moment."""
    question = select(func.coalesce(func.sum(postings.c.clearing_minor), 0)).where(
        postings.c.connection == connection,
        postings.c.currency == currency,
        postings.c.state == State.VERIFIED,
        postings.c.verified_at < moment,
    )
    return Money(int((await tx.execute(question)).scalar_one()), currency)


async def effects(tx: AsyncConnection, connection: ConnectionId, currency: str) -> list[Effect]:
    """Every document of a currency that is in the ledger and moves clearing, by key."""
    question = (
        select(
            postings.c.key,
            postings.c.kind,
            postings.c.transaction_id,
            postings.c.erp_type,
            postings.c.erp_number,
            _DAY,
            postings.c.clearing_minor,
        )
        .where(
            postings.c.connection == connection,
            postings.c.currency == currency,
            postings.c.state.in_((State.RELEASED, State.VERIFIED)),
            postings.c.clearing_minor != 0,
        )
        .order_by(postings.c.key)
    )
    return [
        Effect(
            PostingKey(key), kind, StripeId(transaction), erp_type or "", erp_number or "",
            None if day is None else date.fromisoformat(day), Money(minor, currency),
        )
        for key, kind, transaction, erp_type, erp_number, day, minor in await tx.execute(question)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Net:
    """A balance transaction as we know it: what it is, and what it changed the balance by."""

    id: StripeId
    state: str
    amount: Money


async def nets(tx: AsyncConnection, connection: ConnectionId, currency: str) -> list[Net]:
    """Every balance transaction that we know of a currency, by id."""
    table = balance_transactions
    question = (
        select(table.c.id, table.c.state, table.c.net_minor)
        .where(table.c.connection == connection, table.c.currency == currency)
        .order_by(table.c.id)
    )
    return [
        Net(StripeId(row_id), state, Money(minor, currency))
        for row_id, state, minor in await tx.execute(question)
    ]
