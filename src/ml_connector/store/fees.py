"""Fees that are posted apart from their balance transactions: which posting carries each."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.postings import IN_THE_LEDGER, Purpose
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import record, records
from ml_connector.store.tables import balance_transactions as table
from ml_connector.store.tables import postings
from ml_connector.store.transactions import SETTLED, BalanceTransactionRow

NOBODY = PostingKey("")
"""The fee waits: its payout is not composed yet."""


async def hold(
    tx: AsyncConnection, connection: ConnectionId, row_id: StripeId
) -> BalanceTransactionRow | None:
    """One balance transaction, kept from other writers until the end of `tx`."""
    question = select(table).where(table.c.connection == connection, table.c.id == row_id)
    row = (await tx.execute(question.with_for_update())).mappings().one_or_none()
    return None if row is None else record(BalanceTransactionRow, row)


async def hold_members(
    tx: AsyncConnection, connection: ConnectionId, ids: Sequence[StripeId]
) -> list[BalanceTransactionRow]:
    """Those of some transactions whose fee nobody carries apart, kept from other writers."""
    return await _hold(tx, connection, table.c.id.in_(ids))


async def hold_available(
    tx: AsyncConnection, connection: ConnectionId, currency: str, until: datetime
) -> list[BalanceTransactionRow]:
    """What was available by an instant and is in no payout that Stripe names, kept likewise."""
    available = and_(
        table.c.currency == currency, table.c.available_on <= until, table.c.payout.is_(None)
    )
    return await _hold(tx, connection, available)


async def _hold(
    tx: AsyncConnection, connection: ConnectionId, which: ColumnElement[bool]
) -> list[BalanceTransactionRow]:
    free = or_(
        table.c.fee_key == NOBODY,
        and_(table.c.fee_key.is_(None), table.c.state.not_in([str(one) for one in SETTLED])),
    )
    question = select(table).where(
        table.c.connection == connection, table.c.fee_minor != 0, which, free
    )
    # In one order everywhere, so that two workers never wait for each other in a ring.
    held = await tx.execute(question.order_by(table.c.id).with_for_update())
    return records(BalanceTransactionRow, held.mappings())


async def planned_among(
    tx: AsyncConnection, connection: ConnectionId, ids: Sequence[StripeId]
) -> set[StripeId]:
    """Those of some transactions for which any posting is stored."""
    question = select(postings.c.transaction_id).where(
        postings.c.connection == connection, postings.c.transaction_id.in_(ids)
    )
    return {StripeId(row) for (row,) in await tx.execute(question.distinct())}


async def carry(
    tx: AsyncConnection,
    connection: ConnectionId,
    ids: Sequence[StripeId],
    key: PostingKey | None,
) -> None:
    """Stores who carries the fees of some transactions."""
    mine = and_(table.c.connection == connection, table.c.id.in_(ids))
    await tx.execute(update(table).where(mine).values(fee_key=key))


async def waiting(tx: AsyncConnection, connection: ConnectionId) -> list[BalanceTransactionRow]:
    """What is posted but for its fee, which is not in the ledger yet, oldest first."""
    carried = exists().where(
        postings.c.connection == connection,
        postings.c.key == table.c.fee_key,
        postings.c.state.in_([str(one) for one in IN_THE_LEDGER]),
    )
    question = select(table).where(
        table.c.connection == connection,
        table.c.fee_key.is_not(None),
        table.c.state.in_([str(one) for one in SETTLED]),
        ~carried,
    )
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def shares(
    tx: AsyncConnection, connection: ConnectionId, key: PostingKey, currency: str
) -> Money:
    """The fees that a posting carries, added up from the transactions that name it."""
    question = select(func.coalesce(func.sum(table.c.fee_minor), 0)).where(
        table.c.connection == connection, table.c.fee_key == key
    )
    return Money(int((await tx.execute(question)).scalar_one()), currency)


async def carried_by(
    tx: AsyncConnection, connection: ConnectionId, key: PostingKey
) -> list[BalanceTransactionRow]:
    """The transactions whose fees a posting carries, by id, kept from other writers."""
    question = select(table).where(table.c.connection == connection, table.c.fee_key == key)
    held = await tx.execute(question.order_by(table.c.id).with_for_update())
    return records(BalanceTransactionRow, held.mappings())


async def being_taken_back(tx: AsyncConnection, connection: ConnectionId) -> list[PostingRow]:
    """What reverses the journal of a payout's fees and is not in the ledger yet, by key."""
    question = select(postings).where(
        postings.c.connection == connection,
        postings.c.key.startswith(f"{Purpose.UNDO}:{Purpose.FEES_OF_PAYOUT}:", autoescape=True),
        postings.c.state.not_in([str(one) for one in IN_THE_LEDGER]),
    )
    return records(PostingRow, (await tx.execute(question.order_by(postings.c.key))).mappings())
