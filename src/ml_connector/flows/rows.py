"""Between the records of the rules and the rows of the store."""

from dataclasses import dataclass

import msgspec

from ml_connector.basics.ids import ConnectionId, StripeId, posting_tag
from ml_connector.basics.money import Money
from ml_connector.books.guardian import NOT_IN_FORCE
from ml_connector.books.mapping import Mapping
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Document,
    Journal,
    Posting,
    Voiding,
)
from ml_connector.books.proof import Changed
from ml_connector.books.records import BalanceTransaction, Payout
from ml_connector.store.findings import Finding
from ml_connector.store.payouts import NewPayout, PayoutRow
from ml_connector.store.postings import NewPosting, PostingRow
from ml_connector.store.rows import as_object
from ml_connector.store.transactions import BalanceTransactionRow

PAYMENT = "payment"
JOURNAL = "journal"
VOID = "void"
CREDIT_MEMO = "credit_memo"
DEBIT_MEMO = "debit_memo"
REFUND = "refund"
BOOKED = "booked"

KINDS: dict[str, type[Document]] = {
    PAYMENT: ArPayment,
    JOURNAL: Journal,
    VOID: Voiding,
    CREDIT_MEMO: CreditMemo,
    DEBIT_MEMO: DebitMemo,
    REFUND: ArRefund,
    BOOKED: Booked,
}
"""The documents by the name of their kind in the store."""


def transaction_row(
    connection: ConnectionId,
    bt: BalanceTransaction,
    *,
    payout: StripeId | None = None,
    charge: StripeId | None = None,
) -> BalanceTransactionRow:
    """A balance transaction as it is stored when it is first seen."""
    return BalanceTransactionRow(
        connection=connection,
        id=bt.id,
        type=bt.type,
        category=bt.category,
        currency=bt.amount.currency,
        amount_minor=bt.amount.minor,
        fee_minor=bt.fee.minor,
        net_minor=bt.moves.minor,
        source=bt.source,
        created=bt.created,
        available_on=bt.available_on,
        payout=payout,
        charge=charge,
        body=as_object(bt),
    )


def posting_row(connection: ConnectionId, posting: Posting, mapping_version: int) -> NewPosting:
    """A posting as it is stored before anything is sent."""
    return NewPosting(
        connection=connection,
        key=posting.key,
        kind=_kind(posting.document),
        purpose=posting.purpose,
        transaction_id=posting.transaction,
        tag=posting_tag(connection, posting.key),
        clearing=posting.clearing,
        body=as_object(posting.document),
        mapping_version=mapping_version,
    )


def document(row: PostingRow) -> Document:
    """The document that a row holds, exactly as it was planned."""
    return msgspec.convert(row.body, KINDS[row.kind])


def clearing_account(row: PostingRow, mapping: Mapping) -> str:
    """The clearing account that a journal was posted to; empty when it moves none.

    The mapping may be a later one than the posting's own: then it is the account that bears the
    posting's effect, by its last line, which every journal ends with.
    """
    paper = document(row)
    if not isinstance(paper, Journal):
        return ""
    accounts = mapping.currencies.get(row.currency)
    if accounts is not None and paper.effect_on(accounts.clearing) == row.clearing:
        return accounts.clearing
    fitting = [line.account for line in paper.lines if line.amount == row.clearing]
    return fitting[-1] if fitting else ""


def _kind(paper: Document) -> str:
    return next(kind for kind, made in KINDS.items() if isinstance(paper, made))


def ledger_name(kind: str, number: str) -> tuple[str, str]:
    """By which module and number the ledger knows a document of ours."""
    return "GL" if kind == JOURNAL else "AR", number


def changed_of(finding: Finding) -> Changed:
    """A finding as a paper tells it."""
    return Changed(
        key=finding.key,
        grade=finding.grade,
        decision=str(finding.state),
        sentence=finding.sentence,
        missing=finding.missing,
        stands=NOT_IN_FORCE.isdisjoint(finding.edits),
    )


def payout_row(connection: ConnectionId, payout: Payout) -> NewPayout:
    """A payout as it is stored."""
    return NewPayout(
        connection=connection,
        id=payout.id,
        amount=payout.amount,
        status=payout.status,
        arrival_date=payout.arrival_date,
        automatic=payout.automatic,
        reconciliation_status=payout.reconciliation,
    )


@dataclass(frozen=True, slots=True)
class StoredPayout:
    """A payout as far as its proof needs it (a `Settlement`)."""

    id: StripeId
    amount: Money
    status: str
    composed: bool


def payout_of(row: PayoutRow) -> StoredPayout:
    """A stored payout as the proof needs it."""
    return StoredPayout(row.id, row.amount, row.status, composed=row.members_complete)
