"""Settled payments: a Stripe charge becomes an AR payment on its invoice, and a fee journal."""

from dataclasses import replace

from ml_connector.basics.clock import day_in
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.matching import MirroredInvoice, match, settled
from ml_connector.books.postings import Purpose, posting_key
from ml_connector.books.records import Charge
from ml_connector.books.rules import Story
from ml_connector.flows.booking import accounted_for, book, posted
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirrored import invoice_of_link, remember_intent
from ml_connector.store import links, reports


async def receive(c: Connected, charge_id: StripeId) -> None:
    """Books one charge: nothing when it is booked already, or when no money moved.

    Raises NotSettled while Stripe has not booked it, Unmatched when nobody knows whose it is.
    """
    if await posted(c, charge_id):
        return
    charge = await c.stripe.charge(charge_id)
    if charge.status == "failed" and charge.transaction is None:
        return
    transaction = settled(charge)
    if day_in(transaction.created, c.mapping.zone) < c.record.start_date:
        return  # it is in the opening balance
    async with accounted_for(c, transaction):
        invoice = await invoice_of(c, charge)
        found = match(charge, invoice)
        text = f"invoice {invoice.ref.partition('|')[2]}" if invoice else ""
        await book(c, transaction, Story(subject=charge.id, match=found, text=text))


async def invoice_of(c: Connected, charge: Charge) -> MirroredInvoice | None:
    """The ERP invoice behind a charge, as far as other payments have not settled it yet.

    Found through the charge's payment intent, which never changes.
    """
    invoice = await _paid_by(c, charge)
    return None if invoice is None else await _still_owed(c, charge, invoice)


async def _still_owed(c: Connected, charge: Charge, invoice: MirroredInvoice) -> MirroredInvoice:
    """Of an overpayment no more is applied than is owed; the rest stays on account."""
    code = invoice.total.currency
    own = posting_key(Purpose.PAYMENT, charge.id)
    async with c.store.transaction() as tx:
        applied = await reports.applied_to(tx, c.id, invoice.ref, code, besides=own)
    owed = invoice.total - applied.in_the_ledger - applied.on_the_way
    return replace(invoice, total=max(owed, Money.zero(code)))


async def _paid_by(c: Connected, charge: Charge) -> MirroredInvoice | None:
    """The mirrored invoice that a charge pays; None when there is none."""
    intent = charge.payment_intent
    if intent is None:
        return None
    async with c.store.transaction() as tx:
        known = await links.by_stripe(tx, c.id, "intent", intent)
    if known is not None:
        return invoice_of_link(known)
    payment = await c.stripe.invoice_payment_of_intent(intent)
    if payment is None:
        return None
    async with c.store.transaction() as tx:
        invoice = await links.by_stripe(tx, c.id, "invoice", payment.invoice)
        if invoice is None:
            return None
        await remember_intent(tx, invoice, intent)
    return invoice_of_link(invoice)
