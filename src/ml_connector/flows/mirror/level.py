"""A sent invoice kept level: what the ERP is still owed is what Stripe still asks for."""

from dataclasses import dataclass

from ml_connector.acumatica.errors import Missing
from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.level import (
    PAID_TWICE,
    Action,
    CreditNote,
    PayOutOfBand,
    TellAPerson,
    Void,
    level,
    reopened,
    too_small_a_rest,
)
from ml_connector.books.mirror import WhenReopened
from ml_connector.books.records import ErpInvoice, StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror.due_dates import keep_due
from ml_connector.flows.mirror.given_back import note_given_back
from ml_connector.flows.mirror.in_the_balance import as_it_stands
from ml_connector.flows.mirror.mirror_writes import level_write, said_of
from ml_connector.flows.mirror.mirrored import (
    DOUBTED,
    INTENT,
    INVOICE,
    SETTLED,
    came_back,
    is_doubted,
    is_settled_as_known,
    lowered_to,
    paid_before,
    sent_of,
    settled_of,
    supersede,
    url_of,
    with_accepted,
    withdraw,
)
from ml_connector.flows.mirror.write_back import plan_write_back
from ml_connector.flows.writing.gate import permit
from ml_connector.flows.writing.write_ahead import announced, is_announced, settle
from ml_connector.store import audit, links
from ml_connector.store.applied import Applied, applied_to
from ml_connector.store.links import Link
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
    before: Money
    """What was paid through former Stripe invoices of the document."""

    @property
    def waiting(self) -> Money:
        """What was paid in Stripe, through invoices or besides, and is neither booked nor back."""
        booked = self.applied.in_the_ledger - self.applied.besides + self.applied.returned
        return self.before + self.stripe.paid_by_charges + self.applied.claimed - booked

    @property
    def excess(self) -> Money:
        """What was paid beyond what the ERP was owed; negative while something is owed."""
        return self.waiting - self.erp.balance

    def actions(self) -> list[Action]:
        """What is to be done; while a posting is under way, only what is right either way.

        Raises BeingPosted where all of it hangs on that posting.
        """
        found = level(self.erp, self.stripe, self.waiting)
        if not found or not self.applied.on_the_way:
            return found
        at_least = self._once_posted()
        certain: list[Action] = [one for one in at_least if not isinstance(one, TellAPerson)]
        if at_least and not certain:
            raise self.being_posted()
        return certain

    def _once_posted(self) -> list[Action]:
        """The same, should the ERP's balance know of the posting already: it never asks less."""
        return level(self.erp, self.stripe, self.waiting - self.applied.on_the_way)

    @property
    def undecided(self) -> bool:
        """Whether more may be to do when a posting under way is in the ledger."""
        return bool(self.applied.on_the_way and self._once_posted())

    def being_posted(self) -> BeingPosted:
        """Why it is looked at again."""
        return BeingPosted(
            f"A payment of {self.applied.on_the_way} on invoice {self.erp.number} is being posted.",
            cause=f"invoice.being_posted:{self.erp.ref}",
            remedy="The invoice is looked at again when the payment is in the ledger.",
        )


async def applied_of(c: Connected, link: Link) -> Applied:
    """What our payments settle of a sent invoice; what was paid twice knowingly counts as such."""
    async with c.store.transaction() as tx:
        currency = sent_of(link).total.currency
        found = await applied_to(tx, c.id, link.erp_ref, currency)
    return with_accepted(link, found)


async def erp_invoice(c: Connected, ref: ErpRef) -> ErpInvoice:
    """The ERP's document through the chosen form, or through AR301000, which shows them all."""
    source = c.mapping.mirror.source
    try:
        return await c.acumatica.invoice(ref, source)
    except Missing:
        if source == "Invoice":
            raise
        return await c.acumatica.invoice(ref)


async def keep_level(c: Connected, link: Link) -> bool:
    """Brings Stripe's side level with the ERP's; one call when nothing changed.

    True when the document needs a new Stripe invoice, as this one was paid and is owed again.
    Raises ChangedAfterSending where a person must decide, BeingPosted or MovedMeanwhile to come
    back.
    """
    erp, again = await _brought_level(c, link)
    if not again:
        await keep_due(c, link, erp)
    return again


async def _brought_level(c: Connected, link: Link) -> tuple[ErpInvoice, bool]:
    """The ERP's document, and whether it needs a new Stripe invoice."""
    found = await compared(c, link)
    again = found.seen is not None and await _settle_differences(c, link, found.seen)
    return found.erp, again


@dataclass(frozen=True, slots=True)
class Compared:
    """The ERP's document, and both sides beside each other where they may not be level."""

    erp: ErpInvoice
    seen: Seen | None = None


async def compared(c: Connected, link: Link) -> Compared:
    """Both sides as they stand; Stripe's is not read when, as we remember it, they are level.

    Raises ChangedAfterSending where Stripe cannot charge what is left.
    """
    known = await applied_of(c, link)
    erp = await erp_invoice(c, link.erp_ref)
    applied = await as_it_stands(c, known)
    if applied.in_the_ledger != known.in_the_ledger:
        erp = await erp_invoice(c, link.erp_ref)  # read anew: that one may be older
    if _is_level(link, erp, applied):
        _tell_of_a_small_rest(c, erp, erp.balance, applied)
        return Compared(erp)
    stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    if await applied_of(c, link) != known:
        raise _moved(erp)
    async with c.store.statement() as tx:
        before = await paid_before(tx, link)
    return Compared(erp, Seen(erp, stripe, applied, before))


def _is_level(link: Link, erp: ErpInvoice, applied: Applied) -> bool:
    known = not is_doubted(link) and is_settled_as_known(link, applied)
    return known and erp.balance == asks_for(sent_of(link).total, applied)


def _tell_of_a_small_rest(c: Connected, erp: ErpInvoice, owed: Money, applied: Applied) -> None:
    """Raises ChangedAfterSending when Stripe cannot charge what is left; not while money comes."""
    converted = owed.currency in c.mapping.transit
    small = too_small_a_rest(erp, owed, converted=converted)
    if small and not applied.still_moves:
        raise _told(erp, small)


async def _settle_differences(c: Connected, link: Link, seen: Seen) -> bool:
    """Does what makes the two level, then tells what is left; True when it is asked for anew."""
    erp, stripe, actions = seen.erp, seen.stripe, seen.actions()
    if await _to_be_asked_again(c, link, seen):
        await _ask_again(c, link, seen)
        return True
    for action in actions:
        if not isinstance(action, TellAPerson):
            stripe = await _take(c, link, seen, stripe, action)
    if actions and seen.undecided:
        raise seen.being_posted()
    for action in actions:
        if isinstance(action, TellAPerson):
            if action.why == PAID_TWICE:
                less = await note_given_back(c, link, seen.excess)
                if less is not None:
                    _, again = await _brought_level(c, less)
                    return again
            raise _told(erp, _why_reopened(link, seen) or action)
    if not actions:
        await settle(c, _again(link))
        await _agreed(c, link, seen, stripe)
    _tell_of_a_small_rest(c, erp, erp.balance - seen.waiting, seen.applied)
    return False


def _told(erp: ErpInvoice, what: TellAPerson) -> ChangedAfterSending:
    return ChangedAfterSending(
        what.sentence, cause=f"invoice.{what.why}:{erp.ref}", remedy=what.remedy
    )


def _why_reopened(link: Link, seen: Seen) -> TellAPerson | None:
    back = came_back(link, seen.applied)
    if seen.applied.on_the_way:
        return None
    return reopened(seen.erp, seen.stripe, seen.waiting, back)


async def _to_be_asked_again(c: Connected, link: Link, seen: Seen) -> bool:
    """By policy, when money came back; an earlier run's decision stands while nothing is paid."""
    if c.mapping.mirror.reopened is not WhenReopened.AGAIN:
        return False
    if _why_reopened(link, seen):
        await announced(c, _again(link), {"balance": str(seen.erp.balance)})
        return True
    paid = seen.stripe.status == "paid" and bool(seen.erp.balance) and not seen.waiting
    return paid and await is_announced(c, _again(link))


async def _ask_again(c: Connected, link: Link, seen: Seen) -> None:
    """Closes the old Stripe invoice first, so that no two ask at once; then it is history."""
    stripe = seen.stripe
    if stripe.payable:
        stripe = await _take(c, link, seen, stripe, CreditNote(stripe.payable))
    if stripe.payable:
        raise _moved(seen.erp)
    async with c.store.transaction() as tx:
        await supersede(tx, link, stripe.paid_by_charges, now=c.clock.now())
    await settle(c, _again(link))


def _again(link: Link) -> str:
    return f"again:{link.stripe_id}"


async def _take(
    c: Connected, link: Link, seen: Seen, stripe: StripeInvoice, action: Action
) -> StripeInvoice:
    """One step, named before it is taken; then Stripe is read again. Returns how it stands."""
    erp, step = seen.erp, step_of(link)
    await permit(c, level_write(erp, stripe.id, step, action))
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
    await _remember(c, link, seen, now, action)
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
    c: Connected, link: Link, seen: Seen, now: StripeInvoice, action: Action
) -> None:
    """Keeps what Stripe asks for in all; a withdrawn invoice is no mirror any more."""
    erp = seen.erp
    detail: JsonObject = {"stripe": now.id, "action": said_of(action), "balance": str(erp.balance)}
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, {STEPS: 1 + step_of(link)})
        moment = c.clock.now()
        await audit.write(tx, c.id, "connector", "invoice levelled", erp.ref, detail, moment)
    await _agreed(c, link, seen, now)


async def _agreed(c: Connected, link: Link, seen: Seen, stripe: StripeInvoice) -> None:
    """Keeps what is asked for in all: what was paid by charges, and what may still be paid.

    A voided invoice is no mirror any more: if the ERP's is owed again, a new one is sent.
    """
    if stripe.status == "void":
        async with c.store.transaction() as tx:
            await withdraw(tx, link, voided=True, now=c.clock.now())
        return
    asked = _asked(stripe, seen.before, seen.applied)
    change: JsonObject = {"total_minor": asked.minor, SETTLED: link.detail.get(DOUBTED)}
    change |= settled_of(seen.applied) | lowered_to(link, asked)
    if stripe.hosted_url:
        change |= url_of(c, stripe, link.created_at)
    async with c.store.transaction() as tx:
        if stripe.hosted_url and stripe.hosted_url != sent_of(link).url:
            await plan_write_back(c, tx, link.erp_ref)
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)
        for intent in await links.by_erp(tx, c.id, INTENT, link.erp_ref):
            await links.amend_detail(tx, c.id, INTENT, intent.stripe_id, change)


def _asked(stripe: StripeInvoice, before: Money, applied: Applied) -> Money:
    """What our payments have settled or will, and what may still be paid, of a document."""
    apart = applied.besides + applied.claimed
    paid = before + stripe.paid_by_charges + apart - applied.returned
    return paid + stripe.payable


def as_remembered(link: Link, stripe: StripeInvoice, before: Money, applied: Applied) -> bool:
    """Whether Stripe's side is as the last look left it, but for payments of it."""
    asked = _asked(stripe, before, applied)
    return stripe.status in {"open", "paid"} and asked == sent_of(link).total


def _moved(erp: ErpInvoice) -> MovedMeanwhile:
    return MovedMeanwhile(
        f"Invoice {erp.number} changed while it was brought level.",
        cause=f"invoice.moved:{erp.ref}",
        remedy="It is looked at again.",
    )


def asks_for(asked: Money, applied: Applied) -> Money:
    """The balance at which nothing is to do, as long as nothing under way has reached it."""
    return asked - applied.in_the_ledger
