"""Which ERP invoice a payment settles, or why none."""

from dataclasses import dataclass

from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application
from ml_connector.books.records import BalanceTransaction, Charge


@dataclass(frozen=True, slots=True)
class MirroredInvoice:
    """An ERP invoice that we sent to Stripe; `total` is what a payment may settle of it."""

    ref: ErpRef
    customer_id: str
    total: Money


@dataclass(frozen=True, slots=True)
class Match:
    """A payment with its place in the ERP: whose it is and what it settles."""

    charge: Charge
    customer_id: str
    applications: tuple[Application, ...]


class Unmatched(AskAPerson):
    """Settled money without a known invoice; it is shown and waits, never dropped."""


class NotSettled(TryAgain):
    """The payment went through but Stripe has not booked it yet (late balance transaction)."""


def settled(charge: Charge) -> BalanceTransaction:
    """The balance transaction of a charge; raises NotSettled or Refused.

    A charge that did not succeed has moved no money and never will (each attempt is a new one);
    a bank debit that is returned fails later, after its money has moved.
    """
    if charge.status == "failed" and charge.transaction is None:
        raise Refused(f"The payment attempt {charge.id} failed; no money moved.")
    if charge.status not in ("succeeded", "failed") or charge.transaction is None:
        raise NotSettled(
            f"Stripe has not settled {charge.id} yet.",
            cause="stripe.not_settled",
            remedy="Nothing to do: it is looked at again by itself.",
        )
    return charge.transaction


def match(charge: Charge, invoice: MirroredInvoice | None) -> Match:
    """The invoice that a charge settles; raises Unmatched with the reason.

    An overpayment (Stripe takes them, fact sheet 2.5) settles the invoice and no more; its rest
    stays on the customer's account as the unapplied part of the payment.
    """
    if invoice is None:
        raise Unmatched(
            f"The payment {charge.id} of {charge.amount} belongs to no mirrored invoice.",
            cause="payment.no_invoice",
            remedy="Book it by hand, or link it to an invoice; it stays listed until then.",
        )
    if invoice.total.currency != charge.amount.currency:
        raise Unmatched(
            f"The payment {charge.id} is in {charge.amount.currency} but invoice {invoice.ref}"
            f" is in {invoice.total.currency}.",
            cause="payment.currency_differs",
            remedy="Book it by hand; a payment is never converted by guess.",
        )
    applied = min(charge.amount, invoice.total)
    applications = (Application(invoice.ref, applied),) if applied else ()
    return Match(charge, invoice.customer_id, applications)
