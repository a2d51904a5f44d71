"""What Acumatica refuses and policy allows to say otherwise: another date, or less to settle."""

from dataclasses import replace
from datetime import date

from ml_connector.basics.errors import AskAPerson, ConnectorError, TryAgain
from ml_connector.basics.ids import ErpRef, StripeId, in_words
from ml_connector.books.closed import OPEN_IN, Movable, Then, moved_to, void_on, when_closed
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import Application, ArPayment, Document, Purpose, Voiding
from ml_connector.flows.connected import Connected
from ml_connector.flows.writing.editions import standing
from ml_connector.flows.writing.elsewhere import BookedElsewhere, carried_by_others
from ml_connector.flows.writing.periods import calendar
from ml_connector.store import links
from ml_connector.store.applied import BESIDES

PERIOD_CLOSED = "acumatica.period_closed"
OWES_LESS = ("acumatica.above_balance", "acumatica.not_found:Reference Nbr")


def amendable(c: Connected, paper: Document, refusal: ConnectorError) -> bool:
    """Whether a refused document may be said in another way: on another day, or settling less."""
    if refusal.cause.startswith(PERIOD_CLOSED):
        return when_closed(paper, c.mapping.policies.closed_period) is Then.MOVES
    return isinstance(paper, ArPayment) and refusal.cause.startswith(OWES_LESS)


class SettledMeanwhile(AskAPerson):
    """Somebody else has settled everything that a payment besides its Stripe invoice was for."""

    def __init__(self, payment: ArPayment) -> None:
        numbers = " and ".join(one.document.partition("|")[2] for one in payment.applications)
        super().__init__(
            f"Of {numbers}, which it is for, nothing is owed in Acumatica any more.",
            cause="payment.no_invoice",
            remedy="Refund it in Stripe, or reverse what else settled it in Acumatica.",
        )


async def amended(
    c: Connected, paper: Document, refusal: ConnectorError, *, made: bool = True
) -> Document | None:
    """The document in the way that is allowed; None when there is no other way.

    One call for the calendar when what was seen today is contradicted, one for the payment of a
    voiding, or one for each invoice. Raises SettledMeanwhile of one that is not `made` yet, so
    that the policy decides.
    """
    if refusal.cause.startswith(PERIOD_CLOSED):
        return await _moved(c, paper) if isinstance(paper, Movable) else None
    if not isinstance(paper, ArPayment):
        return None
    less = await _less_settled(c, paper)
    if less is not None and not less.applications and not made and await _besides(c, paper):
        raise SettledMeanwhile(paper)
    return less


async def _besides(c: Connected, payment: ArPayment) -> bool:
    """Whether it was matched by what it says, and did not pay a Stripe invoice of ours."""
    async with c.store.statement() as tx:
        charge = StripeId(payment.payment_ref)
        return await links.by_stripe(tx, c.id, BESIDES, charge) is not None


async def _moved(c: Connected, paper: Movable) -> Document | None:
    if not isinstance(paper, Voiding):
        day = await next_open(c, type(paper), paper.true_day or paper.day, paper.day)
        return None if day is None else moved_to(paper, day)
    payment = await c.acumatica.payment(paper.payment)
    day = await next_open(c, Voiding, payment.day, paper.day or payment.day)
    if day is None:
        return None
    return void_on(paper, day, true_day=payment.day, text=payment.description)


async def next_open(
    c: Connected, kind: type[Movable], true_day: date, refused: date
) -> date | None:
    """The first day from the true one on that is open for a kind of document.

    None when it would be the refused day again.
    """
    for fresh in (False, True):
        day = (await calendar(c, fresh=fresh)).next_open(true_day, OPEN_IN[kind])
        if day is not None and day != refused:
            return day
    return None


class VoidingWaits(AskAPerson):
    """The period of a voided payment is closed, and Acumatica keeps the payment's day for it."""


def in_plain_words(c: Connected, paper: Document, refusal: ConnectorError) -> ConnectorError:
    """A refusal that stands, with what is known beside it of why policy does not help."""
    policy = c.mapping.policies.closed_period
    closed = refusal.cause.startswith(PERIOD_CLOSED) and policy is WhenClosed.NEXT_OPEN
    if not (closed and isinstance(paper, Voiding) and paper.keeps_day):
        return refusal
    return VoidingWaits(
        f"{in_words(paper.payment)} cannot be voided: {refusal.sentence} Acumatica keeps"
        " the payment's day for its voiding, so it is not moved to the next open day.",
        cause=refusal.cause,
        remedy="Open the period in Acumatica, and what waits goes on by itself; or date and release"
        " the voiding document yourself in Payments and Applications.",
    )


async def _less_settled(c: Connected, payment: ArPayment) -> ArPayment | None:
    """The payment with no more on each invoice than it still owes; the rest stays on account.

    Raises BookedMeanwhile or BookedElsewhere where it is this very charge that settled them.
    """
    await _refuse_twice(c, payment)
    kept: list[Application] = []
    for one in payment.applications:
        owed = (await c.acumatica.invoice(one.document)).balance
        if owed:
            kept.append(Application(one.document, min(one.amount, owed)))
    if tuple(kept) == payment.applications:
        return None
    wanted = payment.wanted or payment.applications
    return replace(payment, applications=tuple(kept), wanted=wanted)


class BookedMeanwhile(TryAgain):
    """Somebody else has booked the charge: it is planned anew, as carried by their payment."""


async def _refuse_twice(c: Connected, payment: ArPayment) -> None:
    """An invoice may owe less because its charge was booked by others: two calls, or three."""
    charge = await c.stripe.charge(StripeId(payment.payment_ref))
    theirs = await carried_by_others(c, charge)
    if theirs is None:
        return
    ours = await standing(c, Purpose.PAYMENT, charge.id)
    if ours is not None and ours.erp_number is not None:
        beside = f"Our own Payment {ours.erp_number} is not released: delete one of the two."
        raise BookedElsewhere(charge.id, [theirs.payment], beside)
    raise BookedMeanwhile(
        f"The payment {charge.id} was booked by somebody else as"
        f" {in_words(theirs.payment)} meanwhile.",
        cause=f"payment.booked_meanwhile:{charge.id}",
        remedy="Nothing to do: that payment is taken as it is.",
    )


def owed_less(paper: Document) -> list[ErpRef]:
    """The invoices of which a payment settles less than it was to: somebody else paid them too."""
    if not isinstance(paper, ArPayment):
        return []
    left = set(paper.wanted) - set(paper.applications)
    return sorted({one.document for one in left})
