"""Finalized sales invoices mirrored to Stripe: three calls each, and only when they add up."""

from dataclasses import replace

from ml_connector.basics.errors import Refused, TryAgain
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.mirror import (
    LONGEST_NUMBER,
    DoesNotAddUp,
    InvoicePlan,
    Selection,
    check_customer_balance,
    check_finalized,
    paid_without_money,
    plan_invoice,
)
from ml_connector.books.records import ErpInvoice, StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.mirror.adoption import adopted, refuse_marked_otherwise
from ml_connector.flows.mirror.customers import retire_if_deleted
from ml_connector.flows.mirror.due_dates import DUE, said_due
from ml_connector.flows.mirror.left_out import leave_out
from ml_connector.flows.mirror.level import erp_invoice, keep_level
from ml_connector.flows.mirror.mirror_writes import invoice_write
from ml_connector.flows.mirror.mirrored import (
    CUSTOMER,
    DRAFT,
    FORMER,
    INTENT,
    INVOICE,
    SENT,
    Sent,
    invoice_link,
    sent_of,
    settled_of,
    times_voided,
    url_of,
    withdraw,
)
from ml_connector.flows.mirror.write_back import plan_write_back
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.gate import Write, permit
from ml_connector.flows.writing.write_ahead import announced, settle
from ml_connector.store import approvals, audit, links
from ml_connector.store.applied import applied_to
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject
from ml_connector.stripe.errors import Missing, NumberTaken

INVOICE_TYPE = "Invoice"
VOID = "void"
NO_SUCH = ("stripe.resource_missing", "stripe.missing")


class WaitsForCustomer(TryAgain):
    """The invoice's customer is not in Stripe yet; customers go first."""


async def mirror(c: Connected, ref: ErpRef) -> None:
    """Makes Stripe ask for what the ERP invoice is owed; does nothing when it is level.

    Raises OnHold, WaitsForCustomer, CannotMirror, DoesNotAddUp, or what `keep_level` raises.
    """
    c.mapping.hold.refuse_invoice(ref.partition("|")[2])
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, INVOICE, ref)
    if known and sent_of(known[0]).state == SENT:
        c.mapping.hold.refuse_invoice(ref.partition("|")[2], sent_of(known[0]).customer_id)
        if not await keep_level(c, known[0]):
            return
        known = []
    invoice = await erp_invoice(c, ref)
    owed = is_owed(invoice)
    why_not = await left_out(c, invoice) if owed else ""
    if owed:
        await leave_out(c, ref, why_not)
    if owed and not why_not:
        c.mapping.hold.refuse_invoice(invoice.number, invoice.customer_id)
        await _send(c, invoice, known[0] if known else None)
    elif known:
        await _abandon(c, invoice, known[0])


def is_owed(invoice: ErpInvoice) -> bool:
    """Whether a document is what the mirror is for: a released sales invoice, not settled."""
    is_invoice = invoice.ref.partition("|")[0] == INVOICE_TYPE
    return is_invoice and invoice.finalized and bool(invoice.balance)


async def left_out(c: Connected, invoice: ErpInvoice) -> str:
    """Why the firm does not want an invoice mirrored; empty when it does."""
    if invoice.issued < c.record.start_date:
        return (
            f"Invoice {invoice.number} is of {invoice.issued}, before the connection's start on"
            f" {c.record.start_date}."
        )
    return c.mapping.mirror.leaves_out(invoice) or await _customer_left_out(c, invoice)


async def _customer_left_out(c: Connected, invoice: ErpInvoice) -> str:
    """The same of its customer; a call where the class is not known, or an attribute decides."""
    policies = c.mapping.mirror
    if policies.customer_classes == Selection() and not policies.opt_out:
        return ""
    ref = ErpRef(invoice.customer_id)
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, CUSTOMER, ref)
    if known and not policies.opt_out:
        return policies.leaves_out_customer(ref, str(known[0].detail.get("customer_class", "")), "")
    customer = await c.acumatica.customer(ref, policies.opt_out)
    return policies.leaves_out_customer(ref, customer.customer_class, customer.opt_out)


async def sending(c: Connected, invoice: ErpInvoice) -> Write:
    """The write that sends an invoice, as a person approves it."""
    async with c.store.statement() as tx:
        return invoice_write(invoice, await times_voided(tx, c.id, invoice.ref))


async def _send(c: Connected, invoice: ErpInvoice, draft: Link | None) -> None:
    converted = invoice.balance.currency in c.mapping.transit
    plan = plan_invoice(invoice, connection=c.id, now=c.clock.now(), converted=converted)
    await permit(c, await sending(c, invoice))
    customer = await _customer_of(c, invoice)
    try:
        made = await _draft(c, invoice, customer, plan, draft)
    except (Missing, Refused) as error:
        if error.cause.startswith(NO_SUCH) and await retire_if_deleted(c, customer):
            await _customer_of(c, invoice)  # asks for a new one, and waits for it
        raise
    if made.status == DRAFT:
        made = await _fill(c, invoice, made, plan)
        made = await c.stripe.finalize_invoice(made.id)
    try:
        check_finalized(invoice, made)
    except DoesNotAddUp:
        await _take_back(c, invoice, made)
        raise
    if c.mapping.mirror.send:
        await c.stripe.send_invoice(made.id)
    await _remember(c, invoice, made, SENT)


async def _take_back(c: Connected, invoice: ErpInvoice, made: StripeInvoice) -> None:
    """Nobody shall pay what does not add up, nor with the next invoice what was marked as paid."""
    if paid_without_money(made):
        # It is kept as sent, or each look would finalize one more.
        await c.stripe.forgive_debt(made.customer, made.id)
        await _remember(c, invoice, made, SENT)
        return
    await c.stripe.void_invoice(made.id)
    await _forget(c, invoice, made.id, voided=True)


async def _abandon(c: Connected, invoice: ErpInvoice, draft: Link) -> None:
    """An interrupted run's invoice is not wanted any more: nobody may be left able to pay it."""
    left = await _left(c, draft.stripe_id)
    if left is None or left.status in {DRAFT, VOID}:
        if left is not None and left.status == DRAFT:
            await c.stripe.delete_draft(left.id)
        voided = left is not None and left.status == VOID
        await _forget(c, invoice, draft.stripe_id, voided=voided)
        return
    await _remember(c, invoice, left, SENT)
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, INVOICE, invoice.ref)
    await keep_level(c, known[0])


async def _customer_of(c: Connected, invoice: ErpInvoice) -> Link:
    ref = ErpRef(invoice.customer_id)
    async with c.store.transaction() as tx:
        found = await links.by_erp(tx, c.id, CUSTOMER, ref)
        if not found:
            await look(tx, c.id, Look(Kind.CUSTOMER, ref), priority=1)
    if not found:
        raise WaitsForCustomer(
            f"Invoice {invoice.number} waits until customer {ref} is in Stripe.",
            cause=f"invoice.waits_for_customer:{ref}",
            remedy="Customers go first. One that is inactive or on hold in Acumatica is not sent:"
            f" set {ref} to Active.",
        )
    return found[0]


async def _draft(
    c: Connected, invoice: ErpInvoice, owner: Link, plan: InvoicePlan, link: Link | None
) -> StripeInvoice:
    """The draft of this invoice: new, or what an interrupted run or people have left."""
    if link is not None:
        left = await _left(c, link.stripe_id)
        if left is not None and left.status != VOID:
            return left
        await _forget(c, invoice, link.stripe_id, voided=left is not None)
    plan, customer = await _numbered(c, invoice, plan), owner.stripe_id
    await _require_no_balance(c, invoice, customer)
    what = f"invoice:{invoice.ref}"
    again = await announced(c, what, {"total": str(plan.total)})
    found = await _found(c, customer, invoice) if again else []
    refuse_marked_otherwise(c, invoice, found)
    theirs = None if found else await adopted(c, invoice, owner)
    made = found[0] if found else theirs or await _made(c, invoice, customer, plan)
    await _remember(c, invoice, made, DRAFT)
    await settle(c, what)
    return made


async def _made(
    c: Connected, invoice: ErpInvoice, customer: StripeId, plan: InvoicePlan
) -> StripeInvoice:
    """A new draft, or the one that bears its number and our mark though we forgot of it."""
    try:
        return await c.stripe.create_invoice(plan, customer)
    except NumberTaken:
        found = await _found(c, customer, invoice)
        if not found:
            raise
        return found[0]


async def _found(c: Connected, customer: StripeId, invoice: ErpInvoice) -> list[StripeInvoice]:
    """The Stripe invoices of a document that bear our mark and are not history."""
    async with c.store.statement() as tx:
        former = {one.stripe_id for one in await links.by_erp(tx, c.id, FORMER, invoice.ref)}
    found = await c.stripe.find_invoices(customer, invoice.ref)
    return [one for one in found if one.id not in former]


async def _left(c: Connected, draft: StripeId) -> StripeInvoice | None:
    """What an interrupted run has left; None when it was deleted since."""
    try:
        return await c.stripe.invoice(draft)
    except Missing:
        return None


async def _numbered(c: Connected, invoice: ErpInvoice, plan: InvoicePlan) -> InvoicePlan:
    """The plan with a number that is free: a voided invoice keeps the one that it had."""
    async with c.store.statement() as tx:
        before = await times_voided(tx, c.id, invoice.ref)
    if not before:
        return plan
    suffix = f"-{before + 1}"
    return replace(plan, number=f"{plan.number[: LONGEST_NUMBER - len(suffix)]}{suffix}")


async def _require_no_balance(c: Connected, invoice: ErpInvoice, customer: StripeId) -> None:
    """What was withdrawn once is not sent and withdrawn at each new try: a call, only then."""
    async with c.store.statement() as tx:
        before = await times_voided(tx, c.id, invoice.ref)
    if before:
        now = await c.stripe.customer(customer)
        check_customer_balance(invoice, customer, now.balance)


async def _fill(
    c: Connected, invoice: ErpInvoice, draft: StripeInvoice, plan: InvoicePlan
) -> StripeInvoice:
    """Puts the lines in, unless they are; the draft is thrown away when it does not add up."""
    filled = draft if draft.total else await c.stripe.add_lines(draft.id, plan)
    if filled.total != plan.total:
        await c.stripe.delete_draft(filled.id)
        await _forget(c, invoice, filled.id)
        raise DoesNotAddUp(
            f"Invoice {plan.number} is {plan.total} in Acumatica but {filled.total} in Stripe.",
            cause=f"invoice.amount_differs:{plan.metadata['erp_ref']}",
            remedy="Look for rounding of lines or taxes in Acumatica, then replay it.",
        )
    return filled


async def _remember(c: Connected, invoice: ErpInvoice, made: StripeInvoice, state: str) -> None:
    asked = made.amount_due if state == SENT else invoice.balance
    async with c.store.transaction() as tx:
        applied = await applied_to(tx, c.id, invoice.ref, asked.currency)
        whole = asked + applied.in_the_ledger
        sent = Sent(state, invoice.customer_id, whole, made.number, made.hosted_url)
        link = invoice_link(c.id, made.id, invoice.ref, sent)
        known = settled_of(applied) | {DUE: said_due(invoice)} | url_of(c, made)
        await links.add(tx, replace(link, detail=link.detail | known))
        if made.payment_intent is not None:
            await links.add(
                tx, invoice_link(c.id, made.payment_intent, invoice.ref, sent, kind=INTENT)
            )
        if state == SENT:
            await plan_write_back(c, tx, invoice.ref)
            detail: JsonObject = {
                "stripe": made.id,
                "amount": str(asked),
                "number": made.number,
            }
            await approvals.spend(tx, c.id, f"invoice:{invoice.ref}")
            await audit.write(
                tx, c.id, "connector", "invoice sent", invoice.ref, detail, c.clock.now()
            )


async def _forget(
    c: Connected, invoice: ErpInvoice, gone: StripeId, *, voided: bool = False
) -> None:
    """An invoice that was voided or deleted is no mirror; the next try makes a new one."""
    sent = Sent(DRAFT, invoice.customer_id, invoice.balance, "", "")
    async with c.store.transaction() as tx:
        link = invoice_link(c.id, gone, invoice.ref, sent)
        await withdraw(tx, link, voided=voided, now=c.clock.now())
