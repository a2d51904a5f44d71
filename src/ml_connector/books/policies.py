"""What a firm has decided about its books, where accountants differ; each choice has a name."""

from dataclasses import dataclass
from enum import StrEnum


class WhenUnmatched(StrEnum):
    """What becomes of a payment that belongs to no mirrored invoice."""

    HOLD = "hold"
    """It waits, listed with its money, until a person decides."""
    UNAPPLIED = "unapplied"
    """It goes on the customer's account, without application; an unknown customer's waits."""
    SUSPENSE = "suspense"
    """It is a journal against the account of the role `suspense`."""


class WhenLost(StrEnum):
    """What becomes of a dispute that the bank has decided against us."""

    LOSS = "loss"
    """The disputed funds become a loss; the invoice stays paid."""
    REOPEN = "reopen"
    """The payment is voided: the customer owes the invoice again."""


class WhenConverted(StrEnum):
    """Where the exchange difference of a payment in another currency shows."""

    LIST = "list"
    """Between the transit account and its counterpart, entry by entry, until a person clears it."""
    GAIN_LOSS = "gain_loss"
    """At once on the account of the role `fx_gain_loss`; the transit is emptied."""


class FeesPosted(StrEnum):
    """Where the fee inside a balance transaction is posted."""

    TRANSACTION = "transaction"
    """By a journal of its own."""
    PAYOUT = "payout"
    """With all fees of its payout: one journal, one line for each account."""
    PAYMENT_CHARGE = "payment_charge"
    """On the AR payment itself, as a charge; by a journal of its own where that cannot be."""


class RefundsAs(StrEnum):
    """Which documents a refund becomes."""

    JOURNAL = "journal"
    """A journal against the account of the role `refunds`; the customer's balance is as it was."""
    CREDIT_MEMO = "credit_memo"
    """A credit memo of the customer, and a refund document that pays it out."""


class PostWhen(StrEnum):
    """From when on a movement of the Stripe balance is booked."""

    CAPTURED = "captured"
    """As soon as Stripe has booked it."""
    AVAILABLE = "available"
    """When Stripe lets the money be paid out."""
    PAID_OUT = "paid_out"
    """When the payout that holds it is done."""


class WhenClosed(StrEnum):
    """What becomes of a document whose period is closed."""

    HOLD = "hold"
    """It waits, listed with its money, until the period is open again."""
    NEXT_OPEN = "next_open"
    """It is dated on the first open day after; the true day stays with it."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The choices of a connection; each has a default that asks a person rather than guesses."""

    unmatched: WhenUnmatched = WhenUnmatched.HOLD
    dispute_lost: WhenLost = WhenLost.LOSS
    fx: WhenConverted = WhenConverted.LIST
    fees: FeesPosted = FeesPosted.TRANSACTION
    refunds: RefundsAs = RefundsAs.JOURNAL
    post_when: PostWhen = PostWhen.CAPTURED
    release: bool = True
    """False: documents are left balanced, and an accountant releases them."""
    closed_period: WhenClosed = WhenClosed.HOLD
