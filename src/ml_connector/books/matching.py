"""Which ERP invoices a payment settles, by which evidence, or why none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application
from ml_connector.books.records import BalanceTransaction, Charge

NAMED_IN = "erp_invoice"
"""The metadata of a charge that names the invoices it pays: one number or more, with commas."""

HELD_IN = "erp_hold"
"""The metadata of a charge by which a person keeps it out of the books: `true`."""
PAYER_IN = "erp_customer"
"""The metadata of a charge that names the customer whose money it is."""

_WORD = re.compile(r"[\w-]+")
MOST_WORDS = 40
"""So many words of a description are looked up as invoice numbers."""


@dataclass(frozen=True, slots=True)
class MirroredInvoice:
    """An ERP invoice that we sent to Stripe; `total` is what a payment may settle of it.

    `lowered` is what it was asked for once, and what other hands have settled since (a check).
    """

    ref: ErpRef
    customer_id: str
    total: Money
    lowered: Money | None = None

    @property
    def number(self) -> str:
        """The reference number alone, as a person quotes it."""
        return self.ref.partition("|")[2]


@dataclass(frozen=True, slots=True)
class Match:
    """A payment with its place in the ERP: whose it is and what it settles.

    `wanted` is what it was to settle, where other hands were faster with a part of it.
    """

    charge: Charge
    customer_id: str
    applications: tuple[Application, ...]
    wanted: tuple[Application, ...] = ()


class Unmatched(AskAPerson):
    """Settled money without a known invoice; it is shown and waits, never dropped."""


class NoInvoice(Unmatched):
    """No evidence leads to an invoice; the policy for unmatched money decides."""

    def __init__(self, charge: Charge, why: str = "") -> None:
        super().__init__(
            f"The payment {charge.id} of {charge.amount} belongs to no mirrored invoice."
            + (f" {why}" if why else ""),
            cause="payment.no_invoice",
            remedy="Book it by hand, or link it to an invoice; it stays listed until then.",
        )


class HeldByHand(AskAPerson):
    """Somebody has marked the payment at Stripe to be left alone for now."""


def refuse_held(charge: Charge) -> None:
    """Raises HeldByHand while the charge's metadata say that it is not to be booked."""
    if charge.metadata.get(HELD_IN, "").strip().lower() == "true":
        raise HeldByHand(
            f"The payment {charge.id} of {charge.amount} is held by its metadata {HELD_IN}.",
            cause="payment.erp_hold",
            remedy=f"Take {HELD_IN} off it in Stripe; then it is booked by itself.",
        )


def named_payer(charge: Charge) -> str | None:
    """The ERP customer that the charge's metadata names; None when it names none."""
    return charge.metadata.get(PAYER_IN, "").strip() or None


class NotSettled(TryAgain):
    """The payment went through but Stripe has not booked it yet (late balance transaction)."""


def settled(charge: Charge) -> BalanceTransaction:
    """The balance transaction of a charge; raises NotSettled or Refused.

    An attempt that failed moved no money and never will (each attempt is a new one); one that
    failed after it was booked is a bank debit that came back, whose money did move. A hold on a
    card moves none either: it is booked when it is captured, and may be let go for ever.
    """
    if charge.is_held:
        raise Refused(f"The payment {charge.id} only holds {charge.amount}; no money moved.")
    if charge.status == "failed" and charge.transaction is None:
        raise Refused(f"The payment attempt {charge.id} failed; no money moved.")
    if charge.status not in {"succeeded", "failed"} or charge.transaction is None:
        raise NotSettled(
            f"Stripe has not settled {charge.id} yet.",
            cause="stripe.not_settled",
            remedy="Nothing to do: it is looked at again by itself.",
        )
    return charge.transaction


def match(charge: Charge, invoice: MirroredInvoice | None) -> Match:
    """The invoice that a charge settles; raises Unmatched with the reason.

    An overpayment (Stripe takes them, fact S2.5) settles the invoice and no more; its rest
    stays on the customer's account as the unapplied part of the payment.
    """
    if invoice is None:
        raise NoInvoice(charge)
    return settle(charge, (invoice,))


def settle(charge: Charge, invoices: Sequence[MirroredInvoice]) -> Match:
    """A charge over invoices of one customer, in the order given; the rest stays on account.

    Raises Unmatched when they are of several customers or of another currency.
    """
    left, applications = charge.amount, list[Application]()
    for invoice in invoices:
        _refuse_other_currency(charge, invoice)
        applied = min(left, invoice.total)
        if applied:
            applications.append(Application(invoice.ref, applied))
            left -= applied
    owners = sorted({invoice.customer_id for invoice in invoices})
    if len(owners) != 1:
        raise NoInvoice(charge, f"The invoices that it names are of {' and '.join(owners)}.")
    return Match(
        charge, owners[0], tuple(applications), _wanted(invoices, tuple(applications), left)
    )


def _wanted(
    invoices: Sequence[MirroredInvoice], applications: tuple[Application, ...], left: Money
) -> tuple[Application, ...]:
    """The same with what is left on the invoices that others have settled; empty where none is.

    So a person hears of it whether or not we knew of the others when the payment came.
    """
    applied = {one.document: one.amount for one in applications}
    wanted = list[Application]()
    for invoice in invoices:
        mine = applied.get(invoice.ref, Money.zero(left.currency))
        more = min(left, invoice.lowered or Money.zero(left.currency))
        left -= more
        if mine + more:
            wanted.append(Application(invoice.ref, mine + more))
    return () if tuple(wanted) == applications else tuple(wanted)


def _refuse_other_currency(charge: Charge, invoice: MirroredInvoice) -> None:
    if invoice.total.currency != charge.amount.currency:
        raise Unmatched(
            f"The payment {charge.id} is in {charge.amount.currency} but invoice {invoice.ref}"
            f" is in {invoice.total.currency}.",
            cause="payment.currency_differs",
            remedy="Book it by hand; a payment is never converted by guess.",
        )


def on_account(charge: Charge, customer_id: str) -> Match:
    """A payment of a known customer that settles nothing yet."""
    return Match(charge, customer_id, ())


def named_in_metadata(charge: Charge) -> tuple[str, ...]:
    """The invoice numbers that the charge's metadata names (`INV1,INV2`), each once."""
    given = charge.metadata.get(NAMED_IN, "").split(",")
    return tuple(dict.fromkeys(word.strip() for word in given if word.strip()))


def words_of(charge: Charge) -> tuple[str, ...]:
    """The words of a charge's description that may be invoice numbers: each with a digit."""
    found = (word for word in _WORD.findall(charge.description) if any(map(str.isdigit, word)))
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known around a charge that pays no Stripe invoice of ours.

    `customer_id` is the ERP customer behind the charge's Stripe customer; each invoice's total
    is what is still owed of it. `named` and `described` hold the mirrored ones among those that
    the metadata and the description name; `owed` the customer's open ones.
    """

    customer_id: str | None = None
    named: tuple[MirroredInvoice, ...] = ()
    described: tuple[MirroredInvoice, ...] = ()
    owed: tuple[MirroredInvoice, ...] = ()


def match_by_evidence(charge: Charge, evidence: Evidence) -> Match:
    """The invoices that a charge settles by what it says; raises Unmatched with the reason.

    In order: the numbers in its metadata (all of them, or none), the one customer's numbers in
    its description, the customer's only open invoice of exactly this amount.
    """
    numbers = named_in_metadata(charge)
    if numbers:
        return _by_numbers(charge, numbers, evidence)
    if evidence.described:
        _refuse_strangers(charge, evidence.described, evidence.customer_id)
        return _settle_some(charge, evidence.described)
    return _by_amount(charge, evidence)


def _by_numbers(charge: Charge, numbers: Sequence[str], evidence: Evidence) -> Match:
    known = {invoice.number for invoice in evidence.named}
    missing = [number for number in numbers if number not in known]
    if missing:
        raise NoInvoice(charge, f"Its metadata names {', '.join(missing)}, not mirrored.")
    _refuse_strangers(charge, evidence.named, evidence.customer_id)
    return _settle_some(charge, evidence.named)


def _settle_some(charge: Charge, invoices: Sequence[MirroredInvoice]) -> Match:
    """What is still owed of invoices that a charge names; raises NoInvoice when that is nothing."""
    found = settle(charge, invoices)
    if not found.applications:
        numbers = " and ".join(one.number for one in invoices)
        raise NoInvoice(charge, f"It names {numbers}, of which nothing is owed any more.")
    return found


def _refuse_strangers(
    charge: Charge, invoices: Sequence[MirroredInvoice], customer_id: str | None
) -> None:
    """A number may be a slip of the pen: the payer known by Stripe must be the invoice's."""
    others = sorted({one.customer_id for one in invoices} - {customer_id})
    if customer_id is not None and others:
        numbers = ", ".join(one.number for one in invoices)
        raise NoInvoice(
            charge, f"It names {numbers} of {' and '.join(others)} but was paid by {customer_id}."
        )


def _by_amount(charge: Charge, evidence: Evidence) -> Match:
    if evidence.customer_id is None:
        raise NoInvoice(charge, "Its payer is not known either.")
    fitting = [invoice for invoice in evidence.owed if invoice.total == charge.amount]
    if len(fitting) == 1:
        return settle(charge, fitting)
    if fitting:
        numbers = ", ".join(invoice.number for invoice in fitting)
        raise NoInvoice(charge, f"Its amount fits several of {evidence.customer_id}: {numbers}.")
    raise NoInvoice(charge, f"No open invoice of {evidence.customer_id} is of this amount.")
