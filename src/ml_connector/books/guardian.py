"""What a change that people made on a document of ours means: one table, and no surprise.

Whatever takes money off the clearing account breaks the tie-out, however it was done; beside
that, each kind of edit has a grade by the kind of document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ml_connector.basics.money import Money


class Paper(StrEnum):
    """The kinds of documents that are watched."""

    PAYMENT = "payment"
    JOURNAL = "journal"
    REFUND = "refund"
    """What pays a credit memo out."""
    CREDIT_MEMO = "credit_memo"
    BOOKED = "booked"
    """Somebody else's payment: only what it does to the clearing account is our business."""


class Edit(StrEnum):
    """What somebody did to a document."""

    DESCRIPTION = "description"
    """Its text, or an outside reference, reads otherwise."""
    APPLIED_MORE = "applied_more"
    """More of an unapplied rest is applied."""
    REFERENCE = "reference"
    """Its payment reference is another one, so it can't be found by Stripe's id any more."""
    METHOD = "method"
    """It is by another payment method."""
    BRANCH = "branch"
    """It is of another branch."""
    DATE = "date"
    """It is dated on another day of the same financial period."""
    PERIOD = "period"
    """It is dated in another financial period."""
    AMOUNT = "amount"
    """It is of another amount."""
    CHARGES = "charges"
    """Other fees ride on it."""
    CASH_ACCOUNT = "cash_account"
    """It is on another cash account."""
    CUSTOMER = "customer"
    """It is another customer's."""
    UNAPPLIED = "unapplied"
    """An application was taken away or made smaller."""
    REAPPLIED = "reapplied"
    """It settles other documents than it did."""
    VOIDED = "voided"
    """It was voided, and nothing stands in its place."""
    REENTERED = "reentered"
    """It was voided, and a payment with its reference and amount stands in its place."""
    UNRELEASED = "unreleased"
    """It is not in the ledger any more."""
    DELETED = "deleted"
    """It is gone."""
    ACCOUNTS = "accounts"
    """Its lines change the accounts by other amounts."""
    REVERSED = "reversed"
    """Another batch that bears its mark takes it back."""
    CORRECTED = "corrected"
    """Other batches that bear its mark change accounts, too."""


class Grade(StrEnum):
    """How much a change matters, from nothing to the promise itself."""

    HARMLESS = "harmless"
    """Noted; nothing to do."""
    EXPLAINED = "explained"
    """The money is where it was; the new state wants a person's yes."""
    BREAKS_ACCOUNTS = "breaks_accounts"
    """An account or a period holds other money than it should."""
    BREAKS_AR = "breaks_ar"
    """A customer or an invoice is owed other money than it should be."""
    BREAKS_TIE_OUT = "breaks_tie_out"
    """The clearing account is not the Stripe balance any more."""

    @property
    def asks(self) -> bool:
        """Whether a person must decide."""
        return self is not Grade.HARMLESS


_ORDER = list(Grade)

TABLE: dict[tuple[Paper, Edit], Grade] = {
    (Paper.PAYMENT, Edit.DESCRIPTION): Grade.HARMLESS,
    (Paper.PAYMENT, Edit.APPLIED_MORE): Grade.HARMLESS,
    (Paper.PAYMENT, Edit.REFERENCE): Grade.EXPLAINED,
    (Paper.PAYMENT, Edit.METHOD): Grade.EXPLAINED,
    (Paper.PAYMENT, Edit.BRANCH): Grade.EXPLAINED,
    (Paper.PAYMENT, Edit.DATE): Grade.EXPLAINED,
    (Paper.PAYMENT, Edit.PERIOD): Grade.BREAKS_ACCOUNTS,
    (Paper.PAYMENT, Edit.REENTERED): Grade.EXPLAINED,
    (Paper.PAYMENT, Edit.CHARGES): Grade.BREAKS_ACCOUNTS,
    (Paper.PAYMENT, Edit.CASH_ACCOUNT): Grade.BREAKS_ACCOUNTS,
    (Paper.PAYMENT, Edit.AMOUNT): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.CUSTOMER): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.UNAPPLIED): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.REAPPLIED): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.VOIDED): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.UNRELEASED): Grade.BREAKS_AR,
    (Paper.PAYMENT, Edit.DELETED): Grade.BREAKS_AR,
    (Paper.JOURNAL, Edit.DESCRIPTION): Grade.HARMLESS,
    (Paper.JOURNAL, Edit.BRANCH): Grade.EXPLAINED,
    (Paper.JOURNAL, Edit.DATE): Grade.EXPLAINED,
    (Paper.JOURNAL, Edit.PERIOD): Grade.BREAKS_ACCOUNTS,
    (Paper.JOURNAL, Edit.ACCOUNTS): Grade.BREAKS_ACCOUNTS,
    (Paper.JOURNAL, Edit.CORRECTED): Grade.BREAKS_ACCOUNTS,
    (Paper.JOURNAL, Edit.REVERSED): Grade.BREAKS_ACCOUNTS,
    (Paper.JOURNAL, Edit.UNRELEASED): Grade.BREAKS_ACCOUNTS,
    (Paper.JOURNAL, Edit.DELETED): Grade.BREAKS_ACCOUNTS,
    (Paper.REFUND, Edit.DESCRIPTION): Grade.HARMLESS,
    (Paper.REFUND, Edit.APPLIED_MORE): Grade.HARMLESS,
    (Paper.REFUND, Edit.REFERENCE): Grade.EXPLAINED,
    (Paper.REFUND, Edit.METHOD): Grade.EXPLAINED,
    (Paper.REFUND, Edit.BRANCH): Grade.EXPLAINED,
    (Paper.REFUND, Edit.DATE): Grade.EXPLAINED,
    (Paper.REFUND, Edit.PERIOD): Grade.BREAKS_ACCOUNTS,
    (Paper.REFUND, Edit.CHARGES): Grade.BREAKS_ACCOUNTS,
    (Paper.REFUND, Edit.CASH_ACCOUNT): Grade.BREAKS_ACCOUNTS,
    (Paper.REFUND, Edit.AMOUNT): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.CUSTOMER): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.UNAPPLIED): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.REAPPLIED): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.VOIDED): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.UNRELEASED): Grade.BREAKS_AR,
    (Paper.REFUND, Edit.DELETED): Grade.BREAKS_AR,
    (Paper.CREDIT_MEMO, Edit.DESCRIPTION): Grade.HARMLESS,
    (Paper.CREDIT_MEMO, Edit.REFERENCE): Grade.EXPLAINED,
    (Paper.CREDIT_MEMO, Edit.DATE): Grade.EXPLAINED,
    (Paper.CREDIT_MEMO, Edit.PERIOD): Grade.BREAKS_ACCOUNTS,
    (Paper.CREDIT_MEMO, Edit.ACCOUNTS): Grade.BREAKS_ACCOUNTS,
    (Paper.CREDIT_MEMO, Edit.AMOUNT): Grade.BREAKS_AR,
    (Paper.CREDIT_MEMO, Edit.CUSTOMER): Grade.BREAKS_AR,
    (Paper.CREDIT_MEMO, Edit.VOIDED): Grade.BREAKS_AR,
    (Paper.CREDIT_MEMO, Edit.UNRELEASED): Grade.BREAKS_AR,
    (Paper.CREDIT_MEMO, Edit.DELETED): Grade.BREAKS_AR,
    (Paper.BOOKED, Edit.AMOUNT): Grade.BREAKS_AR,
    (Paper.BOOKED, Edit.CHARGES): Grade.BREAKS_ACCOUNTS,
    (Paper.BOOKED, Edit.CASH_ACCOUNT): Grade.BREAKS_ACCOUNTS,
    (Paper.BOOKED, Edit.VOIDED): Grade.BREAKS_AR,
    (Paper.BOOKED, Edit.UNRELEASED): Grade.BREAKS_AR,
    (Paper.BOOKED, Edit.DELETED): Grade.BREAKS_AR,
}
"""What each kind of edit of each kind of document breaks by itself."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit, in a sentence."""

    edit: Edit
    sentence: str


def of_interest(paper: Paper, changes: Sequence[Change]) -> list[Change]:
    """What of the changes is looked at in a kind of document; the rest is its owner's own."""
    return [one for one in changes if (paper, one.edit) in TABLE]


def grade(paper: Paper, changes: Sequence[Change], missing: Money) -> Grade:
    """The worst of all edits; money missing on the clearing account is worse than any."""
    if missing:
        return Grade.BREAKS_TIE_OUT
    return max((TABLE[paper, one.edit] for one in changes), key=_ORDER.index)


NOT_IN_FORCE = frozenset(
    {Edit.VOIDED, Edit.REENTERED, Edit.REVERSED, Edit.UNRELEASED, Edit.DELETED}
)
"""Edits after which a document is not what carries its money, wherever the money is now."""


RESTORABLE = frozenset({Edit.VOIDED, Edit.REVERSED})
"""Edits that are themselves a whole reversal: what is owed is only to post anew."""


def restorable(edits: Sequence[Edit]) -> bool:
    """Whether edits are a whole reversal by hand, but for texts."""
    return bool(edits) and set(edits) - {Edit.DESCRIPTION} in ({one} for one in RESTORABLE)


HOW = {
    Edit.UNAPPLIED: "In Payments and Applications, apply it again as it was, and release it.",
    Edit.REAPPLIED: "In Payments and Applications, reverse the new application on the tab"
    " Application History, apply it again as it was, and release it.",
    Edit.CORRECTED: "Reverse the other batches with the same mark in Journal Transactions.",
    Edit.UNRELEASED: "Release it in Acumatica.",
    Edit.REENTERED: "Relink the finding to the payment that stands in its place.",
}
"""How a person makes it as it was, where the connector cannot."""
ANYHOW = "Reverse it in Acumatica (void a payment, reverse a batch); then restore this finding."


def how_to_mend(edits: Sequence[Edit]) -> str:
    """What a person must do by hand to have a document as it was, in sentences."""
    return " ".join(dict.fromkeys(HOW.get(edit, ANYHOW) for edit in edits))
