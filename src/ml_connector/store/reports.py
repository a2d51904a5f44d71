"""Questions that span tables: what the flows, the commands and the screens ask."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, StripeId
from ml_connector.books.postings import Purpose
from ml_connector.books.records import PAYOUT_ENDED
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, records
from ml_connector.store.tables import balance_transactions, links, payouts, postings, troubles


async def troubled_by(
    tx: AsyncConnection, connection: ConnectionId, cause: str
) -> list[tuple[str, str]]:
    """The kind and resource of each open trouble with a cause, in order."""
    question = (
        select(troubles.c.kind, troubles.c.resource)
        .where(troubles.c.connection == connection, troubles.c.cause == cause, troubles.c.open)
        .order_by(troubles.c.kind, troubles.c.resource)
    )
    return [(kind, resource) for kind, resource in await tx.execute(question)]


async def probed_by_another(
    tx: AsyncConnection, connection: ConnectionId, cause: str, resource: str, *, until: datetime
) -> bool:
    """Whether another resource with the same cause is tried again by then, and so probes for it."""
    question = select(
        exists().where(
            troubles.c.connection == connection,
            troubles.c.cause == cause,
            troubles.c.open,
            troubles.c.resource != resource,
            troubles.c.next_try <= until,
        )
    )
    return bool((await tx.execute(question)).scalar_one())


async def unproven_payouts(tx: AsyncConnection, connection: ConnectionId) -> list[StripeId]:
    """The payouts whose proof may still come, in order.

    Stripe never names the members of a payout made by hand: once it has ended nothing comes of
    another look, and should it fail later, that is money which the sweep finds.
    """
    by_hand = and_(payouts.c.automatic.is_(False), payouts.c.status.in_(PAYOUT_ENDED))
    question = (
        select(payouts.c.id)
        .where(payouts.c.connection == connection, payouts.c.proven_at.is_(None), ~by_hand)
        .order_by(payouts.c.id)
    )
    return [StripeId(row) for (row,) in await tx.execute(question)]


async def open_disputes(tx: AsyncConnection, connection: ConnectionId) -> list[StripeId]:
    """The disputes whose money is away and whose end is not in our books, in order.

    What came back at another rate is not away.
    """
    moved = balance_transactions
    ended = exists().where(
        postings.c.connection == moved.c.connection,
        postings.c.transaction_id == moved.c.id,
        postings.c.purpose.in_((Purpose.DISPUTE_LOSS, Purpose.DISPUTE_UNDONE)),
    )
    back_otherwise = exists().where(
        postings.c.connection == moved.c.connection,
        postings.c.transaction_id == moved.c.id,
        postings.c.purpose == Purpose.DISPUTE_EXCHANGE,
    )
    returned = func.count().filter(moved.c.amount_minor > 0)
    away = returned * 2 < func.count()
    question = (
        select(moved.c.source)
        .where(
            moved.c.connection == connection,
            moved.c.category.in_(("dispute", "dispute_reversal")),
            moved.c.source.is_not(None),
        )
        .group_by(moved.c.source)
        .having(func.sum(moved.c.amount_minor) < 0)
        .having(~func.bool_or(ended.correlate(moved)))
        .having(or_(away, ~func.bool_or(back_otherwise.correlate(moved))))
        .order_by(moved.c.source)
    )
    return [StripeId(str(row)) for (row,) in await tx.execute(question)]


async def payouts_in(
    tx: AsyncConnection, connection: ConnectionId, statuses: Collection[str]
) -> frozenset[StripeId]:
    """The payouts that stand in one of these statuses at Stripe."""
    question = select(payouts.c.id).where(
        payouts.c.connection == connection, payouts.c.status.in_(statuses)
    )
    return frozenset(StripeId(row) for (row,) in await tx.execute(question))


async def last_drawn(
    tx: AsyncConnection, connection: ConnectionId, statuses: Collection[str]
) -> dict[str, datetime]:
    """When, by currency, the last payout in these statuses was made that has no members."""
    transfer = balance_transactions
    question = (
        select(payouts.c.currency, func.max(transfer.c.created).label("drawn"))
        .join(
            transfer,
            and_(
                transfer.c.connection == payouts.c.connection,
                transfer.c.source == payouts.c.id,
                transfer.c.type == "payout",
            ),
        )
        .where(
            payouts.c.connection == connection,
            payouts.c.status.in_(statuses),
            payouts.c.automatic.is_(False),
        )
        .group_by(payouts.c.currency)
    )
    found = await tx.execute(question)
    return {str(row.currency): row.drawn for row in found}


@dataclass(frozen=True, slots=True)
class Found:
    """Where a number that somebody typed occurs: the kind of record and its own name."""

    what: str
    name: str


async def look_up(tx: AsyncConnection, connection: ConnectionId, number: str) -> list[Found]:
    """Every record that bears a number: of either side, whole or without its type."""
    found: list[Found] = []
    for what, name, condition in (
        ("link", links.c.erp_ref, or_(links.c.stripe_id == number, _refers(links.c.erp_ref, number),
                                      links.c.detail["number"].astext == number)),
        ("transaction", balance_transactions.c.id,
         or_(balance_transactions.c.id == number, balance_transactions.c.source == number)),
        ("posting", postings.c.key,
         or_(postings.c.erp_number == number, postings.c.key == number,
             postings.c.tag == number, postings.c.key.endswith(f":{number}"))),
        ("payout", payouts.c.id, payouts.c.id == number),
    ):  # fmt: skip
        table = name.table
        question = select(name).where(table.c.connection == connection, condition).distinct()
        found += [Found(what, str(row)) for (row,) in await tx.execute(question.order_by(name))]
    return found


def _refers(column: ColumnElement[str], number: str) -> ColumnElement[bool]:
    """Whether a reference of joined keys (`Invoice|000123`) is a number, whole or by its last."""
    return or_(column == number, func.split_part(column, "|", 2) == number)


async def payments_of(
    tx: AsyncConnection, connection: ConnectionId, ref: ErpRef
) -> list[PostingKey]:
    """The keys of our payments that settle an ERP document, in order."""
    wanted: JsonObject = {"applications": [{"document": ref}]}
    question = select(postings.c.key).where(
        postings.c.connection == connection, postings.c.body.contains(wanted)
    )
    return [PostingKey(key) for (key,) in await tx.execute(question.order_by(postings.c.key))]


async def posted_on(
    tx: AsyncConnection, connection: ConnectionId, account: str, currency: str, clearing: str
) -> list[PostingRow]:
    """The postings that touch an account in a currency; of the clearing account, all that move it.

    Documents that are no journals name a cash account, which stands for the clearing account.
    """
    wanted: JsonObject = {"lines": [{"account": account}]}
    touches = postings.c.body.contains(wanted)
    if account == clearing:
        touches = or_(touches, and_(postings.c.kind != "journal", postings.c.clearing_minor != 0))
    question = select(postings).where(
        postings.c.connection == connection, postings.c.currency == currency, touches
    )
    return records(PostingRow, (await tx.execute(question)).mappings())
