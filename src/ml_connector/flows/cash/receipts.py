"""Settled payments: a Stripe charge becomes an AR payment on its invoice, and a fee journal."""

from collections.abc import Sequence
from dataclasses import replace

from ml_connector.basics.ids import ErpRef, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.matching import (
    Evidence,
    Match,
    MirroredInvoice,
    NoInvoice,
    match,
    match_by_evidence,
    named_in_metadata,
    named_payer,
    on_account,
    refuse_held,
    settled,
    words_of,
)
from ml_connector.books.policies import WhenUnmatched
from ml_connector.books.postings import Purpose
from ml_connector.books.records import Charge
from ml_connector.books.rules import Story
from ml_connector.flows.cash.booking import accounted_for, book, posted
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.mirror.invoices import INVOICE_TYPE
from ml_connector.flows.mirror.mirrored import (
    CUSTOMER,
    INVOICE,
    SENT,
    invoice_of_link,
    remember_intent,
    sent_of,
)
from ml_connector.flows.promise.opening import set_aside
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.amends import SettledMeanwhile
from ml_connector.flows.writing.editions import standing
from ml_connector.flows.writing.elsewhere import booked_elsewhere
from ml_connector.store import links
from ml_connector.store.applied import BESIDES, applied_to, claimed_in, claims_of
from ml_connector.store.links import Link


async def receive(c: Connected, charge_id: StripeId) -> None:
    """Books one charge: nothing when it is booked already, or when no money moved.

    Of a hold on a card none has: `charge.captured` leads here again.

    Raises NotSettled while Stripe has not booked it, Unmatched when nobody knows whose it is and
    the policy lets it wait.
    """
    if await posted(c, charge_id):
        return
    charge = await c.stripe.charge(charge_id)
    if charge.is_held or (charge.status == "failed" and charge.transaction is None):
        return
    transaction = settled(charge)
    if await set_aside(c, transaction):
        return
    async with accounted_for(c, transaction):
        story = await story_of(c, charge)
        await _note_if_besides(c, charge, story)
        try:
            await book(c, transaction, story)
        except SettledMeanwhile as why:
            await _otherwise(c, charge, why)


async def _otherwise(c: Connected, charge: Charge, why: SettledMeanwhile) -> None:
    """Books a charge where the policy puts it, as what it named is settled; or lets it wait."""
    story = await _by_policy(c, charge, NoInvoice(charge, why.sentence))
    await _note_if_besides(c, charge, story)
    await book(c, settled(charge), story)


async def _note_if_besides(c: Connected, charge: Charge, story: Story) -> None:
    """Keeps what a charge settles besides a Stripe invoice, which must be lowered by it at once.

    However long the payment waits for the books: nobody shall pay the same again meanwhile.
    """
    found = story.match
    applications = list(found.wanted or found.applications) if found else []
    detail, intent = claims_of(applications), charge.payment_intent
    async with c.store.transaction() as tx:
        if intent is not None and await links.by_stripe(tx, c.id, "intent", intent) is not None:
            return
        known = await links.by_stripe(tx, c.id, BESIDES, charge.id)
        if known.detail == detail if known else not applications:
            return
        ref = known.erp_ref if known else applications[0].document
        await links.add(tx, Link(c.id, BESIDES, charge.id, ref, "by evidence", detail))
        before = claimed_in(known.detail) if known else set[ErpRef]()
        concerned = before | {one.document for one in applications}
        await look_all(tx, c.id, [Look(Kind.INVOICE, one) for one in concerned])


async def story_of(c: Connected, charge: Charge) -> Story:
    """Whose payment a charge is and what it settles, or where the policy puts it instead.

    Raises Unmatched, HeldByHand, OnHold or BookedElsewhere where it is to wait.
    """
    refuse_held(charge)
    c.mapping.hold.refuse_charge(charge.id, f"The payment {charge.id} of {charge.amount}")
    story = await _placed(c, charge)
    if story.match is not None:
        c.mapping.hold.refuse_match(story.match)
    return story


async def _placed(c: Connected, charge: Charge) -> Story:
    invoice = await _paid_by(c, charge)
    looks = invoice is None or await _was_tried(c, charge)
    booked = await booked_elsewhere(c, charge) if looks else None
    if booked is not None:
        return Story(subject=charge.id, booked=booked)
    try:
        found = await _match(c, charge, invoice)
    except NoInvoice as why:
        return await _by_policy(c, charge, why)
    numbers = [one.document.partition("|")[2] for one in found.applications]
    text = f"invoice {' '.join(numbers)}" if numbers else ""
    return Story(subject=charge.id, match=found, text=text)


async def _was_tried(c: Connected, charge: Charge) -> bool:
    """Whether its payment was planned before and did not come to stand: others may have been at it.

    Only then is a payment of a mirrored invoice looked for; at first that would cost a call each.
    """
    own = await standing(c, Purpose.PAYMENT, charge.id)
    return own is not None and not own.taken


async def _match(c: Connected, charge: Charge, invoice: MirroredInvoice | None) -> Match:
    """By the payment intent, which never changes; else by what the charge says."""
    if invoice is not None:
        return match(charge, await _still_owed(c, charge, invoice))
    return match_by_evidence(charge, await evidence_of(c, charge))


async def _by_policy(c: Connected, charge: Charge, why: NoInvoice) -> Story:
    """Where money goes that no invoice claims; raises `why` where it is to wait.

    Who names its customer at the charge has decided: then it stands on that account.
    """
    named = named_payer(charge)
    if named is not None:
        return Story(subject=charge.id, match=on_account(charge, named))
    policy = c.mapping.policies.unmatched
    customer = await _customer_of(c, charge)
    c.mapping.hold.refuse_customer(customer, f"The payment {charge.id} of {charge.amount}")
    if policy is WhenUnmatched.SUSPENSE:
        return Story(subject=charge.id, aside=True, text=charge.description)
    if policy is WhenUnmatched.UNAPPLIED and customer is not None:
        return Story(subject=charge.id, match=on_account(charge, customer))
    raise why


async def evidence_of(c: Connected, charge: Charge) -> Evidence:
    """What we know of the charge's payer and of the invoices that it names."""
    customer = await _customer_of(c, charge)
    return Evidence(
        customer_id=customer,
        named=await _numbered(c, charge, named_in_metadata(charge)),
        described=await _numbered(c, charge, words_of(charge)),
        owed=await _owed_by(c, charge, customer) if customer else (),
    )


async def _customer_of(c: Connected, charge: Charge) -> str | None:
    """The ERP customer that the charge names, else the one behind its Stripe customer."""
    named = named_payer(charge)
    if named is not None:
        return named
    if charge.customer is None:
        return None
    async with c.store.statement() as tx:
        link = await links.by_stripe(tx, c.id, CUSTOMER, charge.customer)
    return None if link is None else str(link.erp_ref)


async def _numbered(
    c: Connected, charge: Charge, numbers: Sequence[str]
) -> tuple[MirroredInvoice, ...]:
    """The mirrored invoices among numbers, with what is still owed of each."""
    async with c.store.transaction() as tx:
        rows = [
            row
            for number in numbers
            for row in (await links.by_erp(tx, c.id, INVOICE, erp_ref(INVOICE_TYPE, number)))[-1:]
        ]
    return await _with_rest(c, charge, rows)


async def _owed_by(c: Connected, charge: Charge, customer: str) -> tuple[MirroredInvoice, ...]:
    """The customer's mirrored invoices that are still owed."""
    async with c.store.statement() as tx:
        rows = await links.with_detail(tx, c.id, INVOICE, {"customer_id": customer})
    found = await _with_rest(c, charge, rows)
    return tuple(one for one in found if one.total)


async def _with_rest(
    c: Connected, charge: Charge, rows: Sequence[Link]
) -> tuple[MirroredInvoice, ...]:
    sent = [invoice_of_link(row) for row in rows if sent_of(row).state == SENT]
    return tuple([await _still_owed(c, charge, invoice) for invoice in sent])


async def _still_owed(c: Connected, charge: Charge, invoice: MirroredInvoice) -> MirroredInvoice:
    """Of an overpayment no more is applied than is owed; the rest stays on account."""
    code = invoice.total.currency
    async with c.store.transaction() as tx:
        applied = await applied_to(tx, c.id, invoice.ref, code, besides=charge.id)
    owed = invoice.total - applied.in_the_ledger - applied.coming - applied.claimed
    return replace(invoice, total=max(owed, Money.zero(code)))


async def _paid_by(c: Connected, charge: Charge) -> MirroredInvoice | None:
    """The mirrored invoice that a charge pays; None when there is none."""
    intent = charge.payment_intent
    if intent is None:
        return None
    async with c.store.statement() as tx:
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
