"""A refund as the customer's own documents: out of a credit memo, or of what is on no invoice."""

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, PostingKey
from ml_connector.basics.money import Money
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.postings import (
    ArRefund,
    CreditMemo,
    Posting,
    Purpose,
    Voiding,
    posting_key,
)
from ml_connector.books.records import BalanceTransaction


class PartlyFailed(AskAPerson):
    """A refund came back with another amount than it took; its document is undone as a whole."""


def as_credit_memo(
    bt: BalanceTransaction, refund: str, customer_id: str, mapping: Mapping, text: str = ""
) -> list[Posting]:
    """The memo first, then the refund that pays it out; only the second moves clearing.

    Raises NotMapped.
    """
    memo = CreditMemo(
        customer_id=customer_id,
        branch=mapping.branch,
        day=day_in(bt.created, mapping.zone),
        account=mapping.account(Role.REFUNDS),
        subaccount=mapping.subaccount,
        tax_category=mapping.refunds_tax_category,
        amount=-bt.amount,
        order=refund,
        description=_described(refund, text),
    )
    key, nothing = posting_key(Purpose.CREDIT_MEMO, refund), Money.zero(bt.amount.currency)
    return [
        Posting(key, Purpose.CREDIT_MEMO, bt.id, memo, nothing),
        _paid_out(bt, refund, customer_id, mapping, text, memo=key),
    ]


def out_of_payment(  # noqa: PLR0917 - the facts of one document
    bt: BalanceTransaction,
    refund: str,
    customer_id: str,
    payment: ErpRef,
    mapping: Mapping,
    text: str = "",
) -> list[Posting]:
    """Money back of which nothing was ever settled: no sale is touched, only what he had left."""
    return [_paid_out(bt, refund, customer_id, mapping, text, payment=payment)]


def _paid_out(
    bt: BalanceTransaction,
    refund: str,
    customer_id: str,
    mapping: Mapping,
    text: str,
    *,
    memo: PostingKey | None = None,
    payment: ErpRef | None = None,
) -> Posting:
    paid = ArRefund(
        customer_id=customer_id,
        payment_method=mapping.payment_method,
        cash_account=mapping.of_currency(bt.amount.currency).clearing_cash,
        branch=mapping.branch,
        day=day_in(bt.created, mapping.zone),
        amount=-bt.amount,
        payment_ref=refund,
        external_ref=bt.id,
        description=_described(refund, text),
        memo=memo,
        payment=payment,
    )
    key = posting_key(Purpose.REFUND_PAID, refund)
    return Posting(key, Purpose.REFUND_PAID, bt.id, paid, bt.amount)


def _described(refund: str, text: str) -> str:
    return f"Stripe refund {refund} {text}".strip()


def refund_undone(bt: BalanceTransaction, voiding: Voiding) -> list[Posting]:
    """A refund that failed later: its document is voided, and the customer has again what it paid.

    Raises PartlyFailed.
    """
    if voiding.amount != bt.amount:
        raise PartlyFailed(
            f"Of the refund {voiding.payment_ref} of {voiding.amount} came back {bt.amount}"
            f" ({bt.id}).",
            cause=f"refunds.partly_failed:{voiding.payment_ref}",
            remedy="Book it by hand: only a whole refund can be undone.",
        )
    key = posting_key(Purpose.VOID, voiding.payment_ref)
    return [Posting(key, Purpose.VOID, bt.id, voiding, bt.amount)]
