"""Why a payment matches no invoice: what was looked at, and the rule that refused each."""

from dataclasses import dataclass

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.money import Money
from ml_connector.books.matching import (
    NAMED_IN,
    Evidence,
    MirroredInvoice,
    match_by_evidence,
    named_in_metadata,
)
from ml_connector.books.records import Charge


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invoice that was looked at: why it was refused, and the least that would match it."""

    invoice: MirroredInvoice
    refusal: str
    change: str


@dataclass(frozen=True, slots=True)
class WhyUnmatched:
    """An unmatched payment: what refused it as a whole, and every invoice that came near it."""

    charge: Charge
    refusal: str
    candidates: tuple[Candidate, ...]


def why_unmatched(charge: Charge, evidence: Evidence) -> WhyUnmatched | None:
    """The reasons why a charge matches nothing; None when its evidence does match."""
    try:
        match_by_evidence(charge, evidence)
    except ConnectorError as why:
        return WhyUnmatched(charge, why.sentence, candidates(charge, evidence))
    return None


def candidates(charge: Charge, evidence: Evidence) -> tuple[Candidate, ...]:
    """Every invoice that was looked at, the nearest amount first, with its refusal."""
    every = (*evidence.named, *evidence.described, *evidence.owed)
    looked_at = {invoice.ref: invoice for invoice in every}
    found = [_candidate(charge, invoice, evidence) for invoice in looked_at.values()]
    return tuple(sorted(found, key=lambda one: (_distance(charge, one.invoice), one.invoice.ref)))


def _distance(charge: Charge, invoice: MirroredInvoice) -> tuple[bool, int]:
    other = invoice.total.currency != charge.amount.currency
    return other, abs(invoice.total.minor - charge.amount.minor)


def _candidate(charge: Charge, invoice: MirroredInvoice, evidence: Evidence) -> Candidate:
    refusal = _refusal(charge, invoice, evidence)
    return Candidate(invoice, refusal, _change(charge, invoice, evidence))


def _refusal(charge: Charge, invoice: MirroredInvoice, evidence: Evidence) -> str:
    """The first rule that refuses one invoice, a sentence."""
    owed, paid, payer = invoice.total, charge.amount, evidence.customer_id
    if owed.currency != paid.currency:
        return f"It is in {owed.currency}, the payment in {paid.currency}."
    if payer is not None and invoice.customer_id != payer:
        return f"It belongs to {invoice.customer_id}, the payment is from {payer}."
    if not owed:
        return "Nothing is left to pay of it."
    if invoice in evidence.named or invoice in evidence.described:
        return _beside_others(charge, invoice, evidence)
    if named_in_metadata(charge) or evidence.described:
        return "The payment names other invoices, so that its amount was not compared."
    return _by_amount(invoice, paid, evidence)


def _by_amount(invoice: MirroredInvoice, paid: Money, evidence: Evidence) -> str:
    """What is wrong with the amount, where nothing but the amount speaks for the invoice."""
    owed = invoice.total
    if owed != paid:
        more = "more" if owed.minor > paid.minor else "less"
        return f"{owed} is owed of it, {abs(owed - paid)} {more} than the payment."
    twins = [one.number for one in evidence.owed if one.total == paid and one != invoice]
    return f"Its amount fits, and so does that of {', '.join(twins)}."


def _beside_others(charge: Charge, invoice: MirroredInvoice, evidence: Evidence) -> str:
    """Why an invoice that the payment names is refused: because of the others beside it."""
    known = {one.number for one in evidence.named}
    missing = [number for number in named_in_metadata(charge) if number not in known]
    if missing:
        return f"It is named beside {', '.join(missing)}, which was not sent to Stripe."
    chosen = evidence.named or evidence.described
    others = sorted({one.customer_id for one in chosen} - {invoice.customer_id})
    if others:
        return f"It is named beside invoices of {', '.join(others)}."
    return "It is named beside an invoice that does not fit."


def _change(charge: Charge, invoice: MirroredInvoice, evidence: Evidence) -> str:
    """The smallest change that would match an invoice; empty where none would."""
    if invoice.total.currency != charge.amount.currency or not invoice.total:
        return ""
    if evidence.customer_id not in {None, invoice.customer_id}:
        return (
            f"Give the invoice's customer {invoice.customer_id} and the payment's the same Stripe"
            " customer, if they are one."
        )
    return f"Set the metadata {NAMED_IN} of {charge.id} to {invoice.number}."
