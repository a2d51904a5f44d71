"""What hangs together with records of ours, asked for a whole set of them at once."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.links import Link
from ml_connector.store.payouts import PayoutRow
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, records
from ml_connector.store.tables import balance_transactions, links, payouts, postings
from ml_connector.store.transactions import BalanceTransactionRow

AT_ONCE = 100
"""Documents per question about what settles them: each is a look into the index of its own."""
INVOICES = ("invoice", "former")
SETTLES = ("applications", "wanted")
"""Where a payment names what it settles, and what it was to settle."""


async def links_of(
    tx: AsyncConnection,
    connection: ConnectionId,
    *,
    refs: Collection[str] = (),
    customers: Collection[str] = (),
) -> list[Link]:
    """The links of some ERP records, and those of the invoices of some customers, oldest first."""
    theirs = links.c.detail["customer_id"].astext.in_(customers)
    which = or_(links.c.erp_ref.in_(refs), links.c.kind.in_(INVOICES) & theirs)
    question = select(links).where(links.c.connection == connection, which)
    ordered = question.order_by(links.c.created_at, links.c.stripe_id)
    return records(Link, (await tx.execute(ordered)).mappings())


async def transactions_of(
    tx: AsyncConnection,
    connection: ConnectionId,
    *,
    ids: Collection[str] = (),
    objects: Collection[str] = (),
    inside: Collection[str] = (),
    fee_keys: Collection[str] = (),
) -> list[BalanceTransactionRow]:
    """Some transactions, oldest first, by themselves or by what they belong to.

    `objects` are charges with what was given back of them, refunds, disputes and payouts; `inside`
    are payouts with their members, `fee_keys` postings that carry fees.
    """
    table = balance_transactions
    which = or_(
        table.c.id.in_(ids),
        table.c.source.in_(objects),
        table.c.charge.in_(objects),
        table.c.payout.in_(inside),
        table.c.fee_key.in_(fee_keys),
    )
    question = select(table).where(table.c.connection == connection, which)
    ordered = question.order_by(table.c.created, table.c.id)
    return records(BalanceTransactionRow, (await tx.execute(ordered)).mappings())


async def postings_of(
    tx: AsyncConnection,
    connection: ConnectionId,
    *,
    keys: Collection[str] = (),
    subjects: Collection[str] = (),
) -> list[PostingRow]:
    """Some postings by key, by themselves or by the transactions and payouts that they are for."""
    return await _postings(
        tx, connection, or_(postings.c.key.in_(keys), postings.c.transaction_id.in_(subjects))
    )


async def payments_settling(
    tx: AsyncConnection, connection: ConnectionId, refs: Collection[str]
) -> list[PostingRow]:
    """Our payments that settle, or were to settle, any of some ERP documents."""
    asked, found = sorted(refs), list[PostingRow]()
    for start in range(0, len(asked), AT_ONCE):
        wanted = [
            postings.c.body.contains(_names(where, ref))
            for ref in asked[start : start + AT_ONCE]
            for where in SETTLES
        ]
        found += await _postings(tx, connection, or_(*wanted))
    return found


def _names(where: str, ref: str) -> JsonObject:
    return {where: [{"document": ref}]}


async def payouts_of(
    tx: AsyncConnection, connection: ConnectionId, ids: Collection[str]
) -> list[PayoutRow]:
    """Some payouts, by the day of their arrival."""
    question = select(payouts).where(payouts.c.connection == connection, payouts.c.id.in_(ids))
    ordered = question.order_by(payouts.c.arrival_date, payouts.c.id)
    return records(PayoutRow, (await tx.execute(ordered)).mappings())


async def _postings(
    tx: AsyncConnection, connection: ConnectionId, which: ColumnElement[bool]
) -> list[PostingRow]:
    question = select(postings).where(postings.c.connection == connection, which)
    ordered = question.order_by(postings.c.created_at, postings.c.key)
    return records(PostingRow, (await tx.execute(ordered)).mappings())
