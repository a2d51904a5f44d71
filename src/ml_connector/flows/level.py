"""A sent invoice kept level: what the ERP is still owed is what Stripe still asks for."""

from dataclasses import dataclass

from ml_connector.acumatica.errors import Missing
from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money, total
from ml_connector.books.level import Action, CreditNote, PayOutOfBand, TellAPerson, Void, level
from ml_connector.books.records import ErpInvoice, StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.flows.gate import permit
from ml_connector.flows.mirror_writes import level_write, said_of
from ml_connector.flows.mirrored import (
    DOUBTED,
    INTENT,
    INVOICE,
    SETTLED,
    is_doubted,
    sent_of,
    withdraw,
)
from ml_connector.flows.write_ahead import announced, settle
from ml_connector.store import audit, links, reports
from ml_connector.store.links import Link
from ml_connector.store.reports import Applied
from ml_connector.store.rows import JsonObject

STEPS = "steps"
"""How many times an invoice was brought level: each step has a name of its own."""


class ChangedAfterSending(AskAPerson):
    """The ERP document no longer says what the buyer was sent, and we may not make it so."""


class BeingPosted(TryAgain):
    """A payment is on its way into the ERP: its balance is not to be judged yet."""


class MovedMeanwhile(TryAgain):
    """Stripe's side changed while it was brought level."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Both sides at one moment, and what our postings say of the money between them."""

    erp: ErpInvoice
    stripe: StripeInvoice
    applied: Applied

    def actions(self) -> list[Action]:
        """What is to be done; raises BeingPosted while that hangs on a posting under way."""
        waiting = self.stripe.paid_by_charges - self.applied.in_the_ledger
        found = level(self.erp, self.stripe, waiting)
        under_way = self.applied.on_the_way
        if not found or not under_way or not level(self.erp, self.stripe, waiting - under_way):
            return found if not under_way else []
        raise BeingPosted(
            f"A payment of {under_way} on invoice {self.erp.number} is being posted.",
            cause=f"invoice.being_posted:{self.erp.ref}",
            remedy="The invoice is looked at again when the payment is in the ledger.",
        )


async def applied_of(c: Connected, link: Link) -> Applied:
    """What our payments settle of a sent invoice."""
    async with c.store.transaction() as tx:
        currency = sent_of(link).total.currency
        return await reports.applied_to(tx, c.id, link.erp_ref, currency)


async def erp_invoice(c: Connected, ref: ErpRef) -> ErpInvoice:
    """The ERP's document through the chosen form, or through AR301000, which shows them all."""
    source = c.mapping.mirror.source
    try:
        return await c.acumatica.invoice(ref, source)
    except Missing:
        if source == "Invoice":
            raise
        return await c.acumatica.invoice(ref)


async def keep_level(c: Connected, link: Link) -> None:
    """Brings Stripe's side level with the ERP's; one call when nothing changed.

    Raises ChangedAfterSending where a person must decide, BeingPosted or MovedMeanwhile to come
    back.
    """
    seen = await compared(c, link)
    if seen is None:
        return
    erp, stripe, actions = seen.erp, seen.stripe, seen.actions()
    for action in actions:
        if not isinstance(action, TellAPerson):
            await permit(c, level_write(erp, stripe.id, step_of(link), action))
            stripe = await _take(c, link, erp, stripe, action)
    for action in actions:
        if isinstance(action, TellAPerson):
            raise ChangedAfterSending(
                action.sentence, cause=f"invoice.{action.why}:{erp.ref}", remedy=action.remedy
            )
    if not actions:
        await _agreed(c, link, stripe)


async def compared(c: Connected, link: Link) -> Seen | None:
    """Both sides as they stand; None when what we remember says that they are level."""
    before = await applied_of(c, link)
    erp = await erp_invoice(c, link.erp_ref)
    if not is_doubted(link) and erp.balance in asks_for(sent_of(link).total, before):
        return None
    stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    if await applied_of(c, link) != before:
        raise _moved(erp)
    return Seen(erp, stripe, before)


async def _take(
    c: Connected, link: Link, erp: ErpInvoice, stripe: StripeInvoice, action: Action
) -> StripeInvoice:
    """One step, named before it is taken; then Stripe is read again. Returns how it stands."""
    step = step_of(link)
    what = f"level:{stripe.id}:{step}"
    again = await announced(c, what, {"action": said_of(action)})
    done = again and await c.stripe.credited_in(stripe.id, step)
    if not done:
        try:
            await _do(c, erp, stripe, action, step)
        except Refused:
            if await c.stripe.invoice(stripe.id, with_payments=False) != stripe:
                raise _moved(erp) from None
            raise
    now = await c.stripe.invoice(stripe.id, with_payments=False)
    await _remember(c, link, erp, now, action)
    await settle(c, what)
    if done or now.paid_by_charges != stripe.paid_by_charges:
        raise _moved(erp)
    return now


def step_of(link: Link) -> int:
    """How many steps were taken before: the name of the next one."""
    return int(str(link.detail.get(STEPS, 0)))


async def _do(
    c: Connected, erp: ErpInvoice, stripe: StripeInvoice, action: Action, step: int
) -> None:
    match action:
        case CreditNote(amount):
            reason = f"Settled outside Stripe: invoice {erp.number}"
            await c.stripe.credit_note(stripe.id, amount, reason, step=step)
        case PayOutOfBand():
            await c.stripe.pay_out_of_band(stripe.id)
        case Void():
            await c.stripe.void_invoice(stripe.id)
        case TellAPerson():
            return


async def _remember(
    c: Connected, link: Link, erp: ErpInvoice, now: StripeInvoice, action: Action
) -> None:
    """Keeps what Stripe asks for in all; a withdrawn invoice is no mirror any more."""
    detail: JsonObject = {"stripe": now.id, "action": said_of(action), "balance": str(erp.balance)}
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, {STEPS: 1 + step_of(link)})
        moment = c.clock.now()
        await audit.write(tx, c.id, "connector", "invoice levelled", erp.ref, detail, moment)
    await _agreed(c, link, now)


async def _agreed(c: Connected, link: Link, stripe: StripeInvoice) -> None:
    """Keeps what is asked for in all: what was paid by charges, and what may still be paid.

    A voided invoice is no mirror any more: if the ERP's is owed again, a new one is sent.
    """
    if stripe.status == "void":
        async with c.store.transaction() as tx:
            await withdraw(tx, link, voided=True, now=c.clock.now())
        return
    asked = _asked(stripe)
    change: JsonObject = {"total_minor": asked.minor, SETTLED: link.detail.get(DOUBTED)}
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)
        for intent in await links.by_erp(tx, c.id, INTENT, link.erp_ref):
            await links.amend_detail(tx, c.id, INTENT, intent.stripe_id, change)


def _asked(stripe: StripeInvoice) -> Money:
    """What an invoice asks for in all: what was paid by charges, and what may still be paid."""
    return total((stripe.paid_by_charges, stripe.payable), stripe.total.currency)


def as_remembered(link: Link, stripe: StripeInvoice) -> bool:
    """Whether Stripe's side is as the last look left it, but for payments of it."""
    return stripe.status in {"open", "paid"} and _asked(stripe) == sent_of(link).total


def _moved(erp: ErpInvoice) -> MovedMeanwhile:
    return MovedMeanwhile(
        f"Invoice {erp.number} changed while it was brought level.",
        cause=f"invoice.moved:{erp.ref}",
        remedy="It is looked at again.",
    )


def asks_for(asked: Money, applied: Applied) -> tuple[Money, Money]:
    """The balances at which nothing is to do: with and without the payments under way."""
    expected = asked - applied.in_the_ledger
    return expected, expected - applied.on_the_way
