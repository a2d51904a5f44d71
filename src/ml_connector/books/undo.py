"""How a document is undone: by one that takes back everything it has done; both stay.

A journal is undone by its mirror image, a payment or refund by voiding it, a credit memo by a
debit memo that it is applied to. The order is the reverse of how money came in: the transfer to
the bank first, then what came later, then fees, and payments with their applications last.
"""

from dataclasses import dataclass, replace

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, in_words
from ml_connector.basics.money import Money
from ml_connector.books.entries import On, sides
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Document,
    Journal,
    Posting,
    Purpose,
    Voiding,
    posting_key,
)

LONGEST_TEXT = 256

_RANKS: tuple[frozenset[Purpose], ...] = (
    frozenset({Purpose.PAYOUT_REVERSAL, Purpose.PAYOUT, Purpose.TOPUP}),
    frozenset({Purpose.FEES_OF_PAYOUT}),
    frozenset(
        {
            Purpose.DISPUTE_EXCHANGE,
            Purpose.LOSS_REVERSAL,
            Purpose.DISPUTE_UNDONE,
            Purpose.DISPUTE_LOSS,
        }
    ),
    frozenset({Purpose.DISPUTE}),
    frozenset({Purpose.REFUND_FAILURE, Purpose.REFUND, Purpose.REFUND_PAID}),
    frozenset({Purpose.CREDIT_MEMO}),
)
_FEES, _MONEY_IN = len(_RANKS), len(_RANKS) + 1
_LAST = frozenset(
    {
        Purpose.RATE_DIFFERENCE,
        Purpose.CONVERSION,
        Purpose.EXCHANGE,
        Purpose.SUSPENSE,
        Purpose.PAYMENT,
    }
)

REST_ON_A_CHARGE = frozenset(
    {
        Purpose.REFUND,
        Purpose.CREDIT_MEMO,
        Purpose.REFUND_PAID,
        Purpose.REFUND_FAILURE,
        Purpose.DISPUTE,
        Purpose.DISPUTE_LOSS,
        Purpose.LOSS_REVERSAL,
        Purpose.DISPUTE_UNDONE,
        Purpose.DISPUTE_EXCHANGE,
        Purpose.RATE_DIFFERENCE,
        Purpose.VOID,
    }
)
"""What may come later of money that came in, and means nothing without it."""


class CannotUndo(AskAPerson):
    """A document that cannot be reversed by the connector."""


@dataclass(frozen=True, slots=True)
class Stands:
    """A document of ours in the ledger, as it was posted, with its number."""

    key: PostingKey
    purpose: str
    transaction: StripeId
    ref: ErpRef
    document: Document
    clearing: Money


def undo_key(key: PostingKey) -> PostingKey:
    """The key of the document that reverses a posting."""
    return posting_key(Purpose.UNDO, key)


def reversal(stands: Stands, *, voided: bool = False, others: bool = False) -> Posting:
    """The document that takes back everything one has done; raises CannotUndo.

    `voided` says that people have voided somebody else's payment already: that is what counts.
    `others` is a person's word that we may void it ourselves.
    """
    return Posting(
        key=undo_key(stands.key),
        purpose=Purpose.UNDO,
        transaction=stands.transaction,
        document=_reversing(stands, theirs=voided or others),
        clearing=-stands.clearing,
    )


def _reversing(stands: Stands, *, theirs: bool) -> Document:
    paper, named = stands.document, in_words(stands.ref)
    match paper:
        case Journal():
            return mirror(paper, named)
        case ArPayment():
            return Voiding(stands.ref, paper.payment_ref, paper.amount, paper.charges)
        case ArRefund():
            return Voiding(stands.ref, paper.payment_ref, paper.amount)
        case CreditMemo():
            return set_off(paper, stands.ref)
        case Booked() if theirs:
            return Voiding(stands.ref, paper.payment_ref, paper.amount, paper.charges)
        case Booked():
            raise CannotUndo(
                f"{named} ({stands.key}) was booked by somebody else.",
                cause=f"undo.others:{stands.purpose}",
                remedy="Say --others to have it voided all the same, or leave it out with --skip.",
            )
        case Voiding() | DebitMemo():
            raise CannotUndo(
                f"{named} ({stands.key}) is of a kind that cannot be undone by a reversing"
                " document.",
                cause=f"undo.kind:{stands.purpose}",
                remedy="Leave it out with --skip, or correct it by hand in Acumatica.",
            )


def set_off(memo: CreditMemo, ref: ErpRef) -> DebitMemo:
    """The debit memo that a credit memo is applied to, of the same day, customer and account."""
    named = in_words(ref)
    return DebitMemo(
        memo=ref,
        customer_id=memo.customer_id,
        branch=memo.branch,
        day=memo.day,
        account=memo.account,
        subaccount=memo.subaccount,
        tax_category=memo.tax_category,
        amount=memo.amount,
        order=memo.order,
        description=f"Undo of {named}: {memo.description}"[:LONGEST_TEXT],
    )


def way(document: Document, reversing: Document) -> str:
    """How a document is undone, in a few words for the person who decides."""
    match reversing:
        case Voiding() if isinstance(document, Booked):
            return "voiding, though others booked it"
        case Voiding():
            return "voiding"
        case DebitMemo():
            return "a debit memo that it is applied to"
        case _:
            return "its mirror journal"


def mirror(journal: Journal, named: str) -> Journal:
    """A journal with its sides changed, of the same day; its effect on each account is opposite."""
    lines = tuple(
        replace(line, amount=-line.amount, text=f"Undo of {line.text}"[:LONGEST_TEXT])
        for line in journal.lines
    )
    text = f"Undo of {named}: {journal.description}"[:LONGEST_TEXT]
    return Journal(journal.day, journal.branch, text, lines)


def rank(purpose: str) -> int:
    """How early a document is undone; equal ones go newest first."""
    for place, purposes in enumerate(_RANKS):
        if purpose in purposes:
            return place
    return _MONEY_IN if purpose in _LAST else _FEES


def effect(document: Document) -> list[tuple[str, Money]]:
    """What a document did to each account; debits are positive."""
    return [
        (f"receivables of {one.name}" if one.on is On.CUSTOMER else one.name, one.amount)
        for one in sides(document)
    ]
