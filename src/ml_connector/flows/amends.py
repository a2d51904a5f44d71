"""What Acumatica refuses and policy allows to say otherwise: another date, or less to settle."""

from dataclasses import replace
from datetime import date

from ml_connector.basics.errors import AskAPerson, ConnectorError
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.calendar import AR, CA, GL
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import (
    Application,
    ArPayment,
    Document,
    Journal,
    moved_to,
)
from ml_connector.flows.connected import Connected
from ml_connector.flows.periods import calendar
from ml_connector.store import links, reports

PERIOD_CLOSED = "acumatica.period_closed"
OWES_LESS = ("acumatica.above_balance", "acumatica.not_found:Reference Nbr")


def amendable(c: Connected, paper: Document, refusal: ConnectorError) -> bool:
    """Whether a refused document may be said in another way: only what we date ourselves."""
    if not isinstance(paper, Journal | ArPayment):
        return False
    if refusal.cause.startswith(PERIOD_CLOSED):
        return c.mapping.policies.closed_period is WhenClosed.NEXT_OPEN
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

    One call for the calendar when what was seen today is contradicted, or one for each invoice.
    Raises SettledMeanwhile of one that is not `made` yet, so that the policy decides.
    """
    if not isinstance(paper, Journal | ArPayment):
        return None
    if refusal.cause.startswith(PERIOD_CLOSED):
        day = await _next_open(c, paper)
        return None if day is None else moved_to(paper, day)
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
        return await links.by_stripe(tx, c.id, reports.BESIDES, charge) is not None


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
    """The payment with no more on each invoice than it still owes; the rest stays on account."""
    kept: list[Application] = []
    for one in payment.applications:
        owed = (await c.acumatica.invoice(one.document)).balance
        if owed:
            kept.append(Application(one.document, min(one.amount, owed)))
    if tuple(kept) == payment.applications:
        return None
    wanted = payment.wanted or payment.applications
    return replace(payment, applications=tuple(kept), wanted=wanted)


def owed_less(paper: Document) -> list[ErpRef]:
    """The invoices of which a payment settles less than it was to: somebody else paid them too."""
    if not isinstance(paper, ArPayment):
        return []
    left = set(paper.wanted) - set(paper.applications)
    return sorted({one.document for one in left})
