"""A signal is only a hint: which resource to look at, and nothing of what is said about it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a job looks at; each kind has one flow."""

    CUSTOMER = "customer"
    """An Acumatica customer, by its id."""
    INVOICE = "invoice"
    """An Acumatica sales invoice, by type and number."""
    CHARGE = "charge"
    """A Stripe charge."""
    REFUND = "refund"
    """A Stripe refund."""
    DISPUTE = "dispute"
    """A Stripe dispute."""
    PAYOUT = "payout"
    """A Stripe payout."""
    TRANSACTION = "transaction"
    """A Stripe balance transaction that no other kind stands for."""
    PROOF = "proof"
    """The proof of a payout; looks at our own rows alone."""
    MIRRORED = "mirrored"
    """A Stripe invoice or customer that may be the mirror of one of Acumatica's."""
    DOCUMENT = "document"
    """A document of ours in Acumatica that somebody may have changed, by its keys."""
    UNDO = "undo"
    """Something that a person had undone, by the number of the undo."""
    TIEOUT = "tieout"
    """The tie-out of a currency that has been seen to differ."""
    WRITE_BACK = "write_back"
    """The payment link of an Acumatica sales invoice, to be written onto it."""
    STREAM = "stream"
    """A stream of changes to catch up with, or a measurement, that has its time."""


SETTLING = timedelta(seconds=20)
"""How long Stripe usually takes to book a charge (fact S0.6): looking sooner wastes a
call; `charge.updated`, which says that it is booked, brings the look forward."""

EVENTS: dict[str, tuple[Kind, timedelta]] = {
    "charge.succeeded": (Kind.CHARGE, SETTLING),
    "charge.captured": (Kind.CHARGE, SETTLING),
    "charge.updated": (Kind.CHARGE, timedelta(0)),
    "refund.created": (Kind.REFUND, timedelta(0)),
    "refund.updated": (Kind.REFUND, timedelta(0)),
    "refund.failed": (Kind.REFUND, timedelta(0)),
    "charge.refund.updated": (Kind.REFUND, timedelta(0)),
    "charge.dispute.created": (Kind.DISPUTE, timedelta(0)),
    "charge.dispute.updated": (Kind.DISPUTE, timedelta(0)),
    "charge.dispute.closed": (Kind.DISPUTE, timedelta(0)),
    "charge.dispute.funds_withdrawn": (Kind.DISPUTE, timedelta(0)),
    "charge.dispute.funds_reinstated": (Kind.DISPUTE, timedelta(0)),
    "payout.created": (Kind.PAYOUT, timedelta(0)),
    "payout.updated": (Kind.PAYOUT, timedelta(0)),
    "payout.paid": (Kind.PAYOUT, timedelta(0)),
    "payout.failed": (Kind.PAYOUT, timedelta(0)),
    "payout.canceled": (Kind.PAYOUT, timedelta(0)),
    "payout.reconciliation_completed": (Kind.PAYOUT, timedelta(0)),
    "invoice.voided": (Kind.MIRRORED, timedelta(0)),
    "invoice.marked_uncollectible": (Kind.MIRRORED, timedelta(0)),
    "invoice.paid": (Kind.MIRRORED, timedelta(0)),
    "invoice.deleted": (Kind.MIRRORED, timedelta(0)),
    "credit_note.created": (Kind.MIRRORED, timedelta(0)),
    "credit_note.voided": (Kind.MIRRORED, timedelta(0)),
    "customer.deleted": (Kind.MIRRORED, timedelta(0)),
}
"""Which Stripe events lead to a job, and how soon; every other event is stored and left."""

WANTED = sorted(EVENTS)
"""What a webhook endpoint should be subscribed to."""

SOURCES = {
    "ch_": Kind.CHARGE,
    "py_": Kind.CHARGE,
    "re_": Kind.REFUND,
    "pyr_": Kind.REFUND,
    "du_": Kind.DISPUTE,
    "dp_": Kind.DISPUTE,
    "po_": Kind.PAYOUT,
}
"""The flow that books a balance transaction, by the prefix of its source."""


@dataclass(frozen=True, slots=True, order=True)
class Look:
    """Which resource a job shall look at; looks are ordered as their jobs are queued."""

    kind: Kind
    resource: str


RECEIPTS = frozenset({"charge", "payment"})
"""The types of the one balance transaction that a look at a charge books."""


def for_transaction(transaction: str, type_: str, source: str | None) -> Look:
    """The resource that stands for a balance transaction: its source where one flow knows it.

    A balance transaction without a known source (product fees, adjustments) stands for itself,
    and so does what a bank takes back of a charge later: the charge does not lead to it.
    """
    for prefix, kind in SOURCES.items():
        if source and source.startswith(prefix):
            if kind is Kind.CHARGE and type_ not in RECEIPTS:
                break
            return Look(kind, source)
    return Look(Kind.TRANSACTION, transaction)
