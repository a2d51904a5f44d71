"""What may become of an invoice: each fate is a short story of days and acts, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CAD")
"""What the firm bills in."""
CONVERTED = "CAD"
"""Stripe settles Canadian dollars in US dollars, the others as they are."""
SETTLED = ("USD", "EUR", "GBP", "JPY")
DOLLARS = ("USD",)

BANK_DEBIT = "000123456789"
REFUSED_DEBIT = "000222222227"
REFUND_FAILS = "4000000000005126"
REFUND_PENDS = "4000000000007726"


class Act(StrEnum):
    """Everything that somebody does; the words of a plan."""

    ISSUE = "issue"
    """A clerk releases an invoice."""
    PAY = "pay"
    """A buyer pays a share of the total at the invoice page; 100 is all that is left."""
    TRY = "try"
    """A buyer tries a card or an account that is refused."""
    PAY_BY_METADATA = "pay_by_metadata"
    """A buyer pays two invoices at once; the payment names both in its metadata."""
    PAY_BY_NUMBER = "pay_by_number"
    """A buyer pays outside the invoice page and writes the number."""
    PAY_BY_AMOUNT = "pay_by_amount"
    """A known buyer pays exactly what is owed, and writes nothing."""
    BOUNCE = "bounce"
    """A bank takes a debit back."""
    REFUND = "refund"
    """The back office gives a share back; 100 is all that is left."""
    DISPUTE = "dispute"
    """A cardholder disputes a share of a payment."""
    INQUIRE = "inquire"
    """A bank asks, without taking money."""
    ESCALATE = "escalate"
    """The inquiry becomes a dispute."""
    CLOSE = "close"
    """The inquiry ends without one."""
    WIN = "win"
    """The bank decides for the firm."""
    APPEAL = "appeal"
    """It takes the money once more."""
    LOSE = "lose"
    """The bank decides against the firm."""
    CHECK = "check"
    """A check arrives by mail and is applied in the ERP."""
    WIRE = "wire"
    """A wire arrives at the firm's own bank and is applied in the ERP."""
    VOID_OURS = "void_ours"
    """An accountant voids, by mistake, the payment that the connector has posted."""
    CREDIT = "credit"
    """A clerk applies a credit memo over a share."""
    VOID_THERE = "void_there"
    """Somebody voids the Stripe invoice by hand."""
    PAID_ELSEWHERE = "paid_elsewhere"
    """Somebody marks the Stripe invoice as paid outside Stripe."""
    MARK = "mark"
    """A person says that a customer of Stripe's is the ERP's, unless that is settled already."""
    # What is about no invoice
    STRANGER = "stranger"
    """Somebody unknown pays for nothing that is known."""
    ACQUAINTANCE = "acquaintance"
    """A known customer pays an odd amount for no invoice."""
    ENTER = "enter"
    """A clerk enters a new customer, whose e-mail address Stripe knows already."""
    EDIT = "edit"
    """A clerk changes a customer's address or e-mail."""
    TOP_UP = "top_up"
    """Money is brought to Stripe."""
    TOP_UP_BACK = "top_up_back"
    """The bank takes the newest top-up back."""
    BILL = "bill"
    """Stripe bills a product, and the tax on it."""
    ADJUST = "adjust"
    """Stripe corrects something by an adjustment."""
    TAX_FEES = "tax_fees"
    """From now on Stripe's fees carry so many percent of tax."""
    RESERVE = "reserve"
    """Stripe holds money aside for a while."""
    UNHEARD = "unheard"
    """Stripe moves money under a name that nobody has heard of."""
    PAY_OUT = "pay_out"
    """The weekly payouts of all currencies."""
    PAYOUT_FAILS = "payout_fails"
    """The bank returns one of the newest payouts."""
    PAY_OUT_BY_HAND = "pay_out_by_hand"
    """Somebody pays out at the Dashboard."""
    PAYOUT_CANCELLED = "payout_cancelled"
    """Somebody pays out at the Dashboard and thinks better of it."""
    NEGATIVE_PAYOUT = "negative_payout"
    """A bill is more than what is left, and Stripe debits the bank."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One act, so many days after the invoice; `share` in percent, a card where it matters."""

    after: int
    act: Act
    share: int = 100
    card: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """A story; the currencies in which it can happen, and how many cards it has in the deck."""

    beats: tuple[Beat, ...] = ()
    currencies: tuple[str, ...] = CURRENCIES
    cards: int = 1


_PAID = Beat(3, Act.PAY)
REFUND_THAT_FAILS = "refund fails"
FATES: Mapping[str, Fate] = {
    "card": Fate((_PAID,), cards=4),
    "unpaid": Fate(),
    "two parts": Fate((Beat(2, Act.PAY, 40), Beat(6, Act.PAY))),
    "three parts": Fate((Beat(2, Act.PAY, 30), Beat(4, Act.PAY, 30), Beat(8, Act.PAY))),
    "declined first": Fate((Beat(2, Act.TRY, card="4000000000009995"), Beat(3, Act.PAY))),
    "overpaid": Fate((Beat(4, Act.PAY, 120),)),
    "two at once": Fate((Beat(5, Act.PAY_BY_METADATA),)),
    "by number": Fate((Beat(5, Act.PAY_BY_NUMBER),)),
    "by amount": Fate((Beat(5, Act.PAY_BY_AMOUNT),)),
    "bank debit": Fate((Beat(2, Act.PAY, card=BANK_DEBIT),), DOLLARS),
    "bank debit returned": Fate((Beat(2, Act.PAY, card=BANK_DEBIT), Beat(8, Act.BOUNCE)), DOLLARS),
    "bank debit refused": Fate((Beat(2, Act.TRY, card=REFUSED_DEBIT),), DOLLARS),
    "refunded in part": Fate((_PAID, Beat(6, Act.REFUND, 30))),
    "refunded in full": Fate((_PAID, Beat(5, Act.REFUND, 40), Beat(9, Act.REFUND))),
    REFUND_THAT_FAILS: Fate((Beat(3, Act.PAY, card=REFUND_FAILS), Beat(7, Act.REFUND, 50))),
    "refund pends": Fate((Beat(3, Act.PAY, card=REFUND_PENDS), Beat(7, Act.REFUND, 50))),
    "dispute won": Fate((_PAID, Beat(6, Act.DISPUTE), Beat(12, Act.WIN))),
    "dispute of a part won": Fate((_PAID, Beat(6, Act.DISPUTE, 40), Beat(10, Act.WIN))),
    "refunded in part, then disputed": Fate(
        (_PAID, Beat(5, Act.REFUND, 30), Beat(7, Act.DISPUTE, 70), Beat(12, Act.WIN))
    ),
    "dispute lost": Fate((_PAID, Beat(6, Act.DISPUTE), Beat(11, Act.LOSE)), SETTLED, cards=2),
    "dispute won, then lost": Fate(
        (_PAID, Beat(5, Act.DISPUTE), Beat(8, Act.WIN), Beat(10, Act.APPEAL), Beat(14, Act.LOSE)),
        SETTLED,
    ),
    "inquiry": Fate((_PAID, Beat(5, Act.INQUIRE), Beat(9, Act.CLOSE))),
    "inquiry that escalates": Fate(
        (_PAID, Beat(5, Act.INQUIRE), Beat(7, Act.ESCALATE), Beat(12, Act.LOSE)), SETTLED
    ),
    "check": Fate((Beat(4, Act.CHECK),), SETTLED),
    "check for a part": Fate((Beat(4, Act.CHECK, 40), Beat(9, Act.PAY)), SETTLED),
    "wire": Fate((Beat(4, Act.WIRE),), SETTLED),
    "voided by a person": Fate((_PAID, Beat(33, Act.VOID_OURS)), cards=2),
    "credited in part": Fate((Beat(4, Act.CREDIT, 25), Beat(9, Act.PAY))),
    "cancelled": Fate((Beat(4, Act.CREDIT),)),
    "voided at Stripe": Fate((Beat(3, Act.VOID_THERE), Beat(6, Act.CREDIT))),
    "paid elsewhere": Fate((Beat(3, Act.PAID_ELSEWHERE), Beat(6, Act.CHECK)), SETTLED),
}
NEWCOMER = Fate((Beat(5, Act.MARK), Beat(33, Act.PAY)), DOLLARS)
"""Of a customer whose e-mail address Stripe knew before the ERP did: paid in the next month."""
