"""Asking both sides what was missed: watermarks with an overlap, and the sweep of all money."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.acumatica.client import Polled
from ml_connector.acumatica.documents import Changed
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.level import is_below_minimum
from ml_connector.books.records import FINALIZED, BalanceTransaction
from ml_connector.flows import intake
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.mirror.due_dates import DUE
from ml_connector.flows.mirror.invoices import INVOICE_TYPE
from ml_connector.flows.mirror.level import asks_for
from ml_connector.flows.mirror.mirrored import (
    CUSTOMER,
    INVOICE,
    SENT,
    is_settled_as_known,
    sent_of,
    with_accepted,
)
from ml_connector.flows.mirror.write_back import ending
from ml_connector.flows.promise import guardian
from ml_connector.flows.rows import transaction_row
from ml_connector.flows.signals import Kind, Look, for_transaction
from ml_connector.flows.writing.timing import wake_due
from ml_connector.store import cursors, links, reports, transactions, troubles
from ml_connector.store.applied import applied_to

OVERLAP = timedelta(minutes=5)
"""Clocks differ and long transactions commit under an earlier stamp (fact A4.4)."""
EVENTS_OVERLAP = timedelta(minutes=10)
EVENTS_KEPT = timedelta(days=29)
"""Stripe keeps events for 30 days; whoever was away longer has the sweep."""
LOOK_BACK = timedelta(hours=1)
"""How far the sweep of balance transactions looks behind the newest one it knows."""
BATCH = 100


async def customers(c: Connected) -> int:
    """Queues a look at each customer that is new or changed; returns how many."""
    return await _changes(c, "Customer", _queue_customers)


async def invoices(c: Connected) -> int:
    """Queues a look at each invoice that the mirror has not level; returns how many.

    What the list itself shows (status, balance) spares a call for every invoice that is level.
    """
    return await _changes(c, "Invoice", _queue_invoices)


async def _changes(
    c: Connected, entity: Polled, queue: Callable[[Connected, list[Changed]], Awaitable[int]]
) -> int:
    """Walks what changed since the watermark less the overlap, and moves the watermark on."""
    mark = await _watermark(c, f"acumatica.{entity.lower()}")
    newest, queued, batch = mark, 0, list[Changed]()
    async for row in c.acumatica.changed(entity, since=mark - OVERLAP):
        newest = max(newest, row.modified)
        batch.append(row)
        if len(batch) == BATCH:
            queued += await queue(c, batch)
            batch = []
    queued += await queue(c, batch)
    await _advance(c, f"acumatica.{entity.lower()}", newest)
    return queued


async def _queue_customers(c: Connected, rows: list[Changed]) -> int:
    async with c.store.transaction() as tx:
        looks = [Look(Kind.CUSTOMER, row.ref) for row in rows if await _unseen(c, tx, row)]
        return await look_all(tx, c.id, looks, priority=1)


async def _unseen(c: Connected, tx: AsyncConnection, row: Changed) -> bool:
    """Whether a listed customer has changed since it was last mirrored."""
    known = await links.by_erp(tx, c.id, CUSTOMER, row.ref)
    return not known or _stamp(known[0].detail.get("modified")) != row.modified


async def changed_customers(c: Connected) -> list[ErpRef]:
    """The customers that the next poll would queue; nothing is queued or remembered."""
    mark = await _watermark(c, "acumatica.customer")
    rows = [row async for row in c.acumatica.changed("Customer", since=mark - OVERLAP)]
    async with c.store.transaction() as tx:
        return [row.ref for row in rows if await _unseen(c, tx, row)]


async def changed_invoices(c: Connected) -> list[ErpRef]:
    """The invoices that the next poll would queue; nothing is queued or remembered."""
    mark = await _watermark(c, "acumatica.invoice")
    rows = [row async for row in c.acumatica.changed("Invoice", since=mark - OVERLAP)]
    async with c.store.transaction() as tx:
        return [row.ref for row in rows if await _asks_for_look(c, tx, row)]


def _stamp(text: object) -> datetime | None:
    """The modification instant of the customer as it was last mirrored."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


async def _queue_invoices(c: Connected, rows: list[Changed]) -> int:
    async with c.store.transaction() as tx:
        looks = [Look(Kind.INVOICE, row.ref) for row in rows if await _asks_for_look(c, tx, row)]
        return await look_all(tx, c.id, looks)


async def _asks_for_look(c: Connected, tx: AsyncConnection, row: Changed) -> bool:
    """Whether a listed document is a released sales invoice with news."""
    mine = row.type == INVOICE_TYPE and row.status in FINALIZED
    return mine and await _news(c, tx, row)


async def _news(c: Connected, tx: AsyncConnection, row: Changed) -> bool:
    """Whether a listed invoice asks for a look.

    It is owed and not mirrored, or not level any more; a trouble says that it is not; or what is
    left of it is so little that a person must be told.
    """
    if row.balance is None:
        return True
    known = await links.by_erp(tx, c.id, INVOICE, row.ref)
    if not known or sent_of(known[0]).state != SENT:
        return row.balance > 0
    asked = sent_of(known[0]).total
    found = await applied_to(tx, c.id, row.ref, asked.currency)
    applied = with_accepted(known[0], found)
    level = row.balance == asks_for(asked, applied).decimal
    dated = row.due is None or known[0].detail.get(DUE) in {None, row.due.isoformat()}
    if not (level and dated and is_settled_as_known(known[0], applied)):
        return True
    told = await troubles.get(tx, c.id, Kind.INVOICE, row.ref)
    owed, converted = Money.of(row.balance, asked.currency), asked.currency in c.mapping.transit
    return (told is not None and told.open) or is_below_minimum(owed, converted=converted)


async def sweep(c: Connected) -> int:
    """Queues a look at each balance transaction that is not known yet; returns how many.

    The list of balance transactions is the most complete truth of money (fact S6.8): what
    no event ever told is found here.
    """
    mark = await _watermark(c, "stripe.transactions")
    newest, queued, batch = mark, 0, list[BalanceTransaction]()
    async for transaction in c.stripe.transactions(created_from=mark - LOOK_BACK):
        newest = max(newest, transaction.created)
        batch.append(transaction)
    batch.reverse()
    for start in range(0, len(batch), BATCH):
        queued += await _queue_transactions(c, batch[start : start + BATCH])
    await _advance(c, "stripe.transactions", newest)
    return queued + await wake_due(c)


async def _queue_transactions(c: Connected, rows: list[BalanceTransaction]) -> int:
    async with c.store.transaction() as tx:
        new = await transactions.remember(tx, c.id, [transaction_row(c.id, row) for row in rows])
        looks = {for_transaction(row.id, row.type, row.source) for row in rows if row.id in new}
        await look_all(tx, c.id, looks)
    return len(looks)


async def events(c: Connected) -> int:
    """Takes in each event of Stripe's list that no webhook brought; returns how many were new."""
    now = c.clock.now()
    mark = await _watermark(c, "stripe.events")
    newest, new = mark, 0
    hints = [hint async for hint in c.stripe.events(created_from=mark - EVENTS_OVERLAP)]
    for hint in reversed(hints):
        newest = max(newest, hint.created)
        async with c.store.transaction() as tx:
            new += await intake.stripe_event(tx, c.id, hint, source="poll", now=now)
    await _advance(c, "stripe.events", newest)
    return new


async def payouts(c: Connected) -> int:
    """Queues a look at each payout and dispute whose end is not in the books; returns how many.

    A dispute that is lost moves no money any more: without its event only this finds it.
    """
    async with c.store.transaction() as tx:
        looks = [Look(Kind.PAYOUT, one) for one in await reports.unproven_payouts(tx, c.id)]
        looks += [Look(Kind.DISPUTE, one) for one in await reports.open_disputes(tx, c.id)]
        # What is looked at over and over gives way to news.
        await look_all(tx, c.id, looks, priority=-2)
    return len(looks)


async def contacts(c: Connected) -> int:
    """Queues a look at every mirrored customer; returns how many.

    An edit of a contact or an address alone does not always move the customer's own stamp, so
    no watermark shows it. One call to Acumatica for each customer: seldom.
    """
    async with c.store.transaction() as tx:
        known = await links.every(tx, c.id, CUSTOMER)
        looks = [Look(Kind.CUSTOMER, link.erp_ref) for link in known]
        await look_all(tx, c.id, looks, priority=-1)
    return len(known)


STREAMS: dict[str, Callable[[Connected], Awaitable[int]]] = {
    "acumatica.customers": customers,
    "acumatica.invoices": invoices,
    "acumatica.contacts": contacts,
    "acumatica.documents": guardian.changes,
    "stripe.events": events,
    "stripe.transactions": sweep,
    "stripe.payouts": payouts,
    "stripe.links": ending,
}
"""Every stream that is caught up with, by the name that a connection's cadence uses."""


async def _watermark(c: Connected, stream: str) -> datetime:
    """How far a stream was read: the start date's midnight before the first time."""
    async with c.store.statement() as tx:
        value = await cursors.read(tx, c.id, stream)
    if value is not None:
        return datetime.fromisoformat(str(value["at"]))
    return c.begins


async def _advance(c: Connected, stream: str, to: datetime) -> None:
    async with c.store.statement() as tx:
        await cursors.advance(tx, c.id, stream, {"at": to.isoformat()})
