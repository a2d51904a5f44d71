"""What Acumatica refuses and policy allows to say otherwise: another date, or less to settle."""

from dataclasses import replace
from datetime import date

from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.calendar import AR, CA, GL
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import (
    Application,
    ArPayment,
    Document,
    Journal,
    Purpose,
    moved_to,
)
from ml_connector.flows.connected import Connected
from ml_connector.flows.editions import standing
from ml_connector.flows.elsewhere import BookedElsewhere, carried_by_others
from ml_connector.flows.periods import calendar

PERIOD_CLOSED = "acumatica.period_closed"
OWES_LESS = ("acumatica.above_balance", "acumatica.not_found:Reference Nbr")


def amendable(c: Connected, paper: Document, refusal: ConnectorError) -> bool:
    """Whether a refused document may be said in another way: only what we date ourselves."""
    if not isinstance(paper, Journal | ArPayment):
        return False
    if refusal.cause.startswith(PERIOD_CLOSED):
        return c.mapping.policies.closed_period is WhenClosed.NEXT_OPEN
    return isinstance(paper, ArPayment) and refusal.cause.startswith(OWES_LESS)


async def amended(c: Connected, paper: Document, refusal: ConnectorError) -> Document | None:
    """The document in the way that is allowed; None when there is no other way.

    One call for the calendar when what was seen today is contradicted, or one for each invoice.
    """
    if not isinstance(paper, Journal | ArPayment):
        return None
    if refusal.cause.startswith(PERIOD_CLOSED):
        day = await _next_open(c, paper)
        return None if day is None else moved_to(paper, day)
    return await _less_settled(c, paper) if isinstance(paper, ArPayment) else None


async def _next_open(c: Connected, paper: Journal | ArPayment) -> date | None:
    """The first open day from the true one on; None when it would be the refused day again."""
    modules = (GL,) if isinstance(paper, Journal) else (GL, AR, CA)
    true_day = paper.true_day or paper.day
    for fresh in (False, True):
        day = (await calendar(c, fresh=fresh)).next_open(true_day, modules)
        if day is not None and day != paper.day:
            return day
    return None


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
        f" {theirs.payment.replace('|', ' ')} meanwhile.",
        cause=f"payment.booked_meanwhile:{charge.id}",
        remedy="Nothing to do: that payment is taken as it is.",
    )


def owed_less(paper: Document) -> list[ErpRef]:
    """The invoices of which a payment settles less than it was to: somebody else paid them too."""
    if not isinstance(paper, ArPayment):
        return []
    left = set(paper.wanted) - set(paper.applications)
    return sorted({one.document for one in left})
