"""The due date of a sent invoice follows the ERP's, as far as Stripe lets it (fact S3.7)."""

from typing import Final

from ml_connector.basics.errors import AskAPerson, Refused
from ml_connector.books.mirror import due_at
from ml_connector.books.records import ErpInvoice, StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror.mirror_writes import due_write
from ml_connector.flows.mirror.mirrored import INVOICE, sent_of, url_of
from ml_connector.flows.mirror.write_back import plan_write_back
from ml_connector.flows.writing.gate import Write, permit
from ml_connector.store import audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject

DUE: Final = "due"
"""The ERP's due date as Stripe was last told; empty where the ERP has none."""
TURNS: Final = "due_turns"
"""How often it was told anew: each time has a name of its own."""


class DueDateStays(AskAPerson):
    """Stripe does not let the due date be changed; told once, since nothing can be done there."""


def said_due(erp: ErpInvoice) -> str:
    """A document's due date as a link keeps it."""
    return "" if erp.due_date is None else erp.due_date.isoformat()


def owed(link: Link, erp: ErpInvoice) -> Write | None:
    """The write that tells Stripe a new due date; None where it is told, or nothing is owed."""
    told, now = link.detail.get(DUE), said_due(erp)
    if told is None or not now or told == now or not erp.balance:
        return None
    return due_write(erp, link.stripe_id)


async def keep_due(c: Connected, link: Link, erp: ErpInvoice) -> None:
    """Tells Stripe a due date that was changed in the ERP; two calls, and none where it was not.

    Raises HeldBack, or DueDateStays once for each new date that Stripe refuses.
    """
    write = owed(link, erp)
    if write is None:
        if link.detail.get(DUE) != said_due(erp):
            await _remember(c, link, erp)
        return
    stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    if not stripe.payable:
        await _remember(c, link, erp)
        return
    await permit(c, write)
    turn = int(str(link.detail.get(TURNS, 0)))
    try:
        told = await c.stripe.change_due(link.stripe_id, due_at(erp, c.clock.now()), turn=turn)
    except (AskAPerson, Refused) as refusal:
        await _remember(c, link, erp, turn=turn + 1, act="due date not taken")
        raise _stays(erp, refusal) from refusal
    await _remember(c, link, erp, turn=turn + 1, act="due date changed", told=told)


def _stays(erp: ErpInvoice, refusal: AskAPerson | Refused) -> DueDateStays:
    return DueDateStays(
        f"Invoice {erp.number} is due on {erp.due_date} in Acumatica, and Stripe keeps the date"
        f" that its buyer was told. {refusal.sentence}",
        cause=f"invoice.due_date:{erp.ref}",
        remedy="Nothing to do: it can be paid as before, and this is told once. Tell the buyer"
        " the new date where that matters.",
    )


async def _remember(
    c: Connected,
    link: Link,
    erp: ErpInvoice,
    *,
    turn: int | None = None,
    act: str = "",
    told: StripeInvoice | None = None,
) -> None:
    change: JsonObject = {DUE: said_due(erp)}
    if told is not None:
        change |= url_of(c, told, link.created_at)
    if turn is not None:
        change[TURNS] = turn
    async with c.store.transaction() as tx:
        if await links.by_stripe(tx, c.id, INVOICE, link.stripe_id) is None:
            return  # it was withdrawn as it was brought level
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)
        if told is not None and told.hosted_url != sent_of(link).url:
            await plan_write_back(c, tx, link.erp_ref)
        if act:
            detail: JsonObject = {"stripe": link.stripe_id, "due": said_due(erp)}
            await audit.write(tx, c.id, "connector", act, erp.ref, detail, c.clock.now())
