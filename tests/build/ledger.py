"""What postings do to the ledger, account by account, as a reader of T-accounts sees it."""

from build.records import (
    ACCOUNTS,
    CLEARING,
    a_charge,
    a_mapping,
    a_match,
)
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money, totals
from ml_connector.books.mapping import Role
from ml_connector.books.postings import ArRefund, CreditMemo, Journal, Posting, Voiding
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import (
    RULES,
    Story,
    is_bounce,
    is_receipt,
    postings,
)

RECEIVABLE = "accounts receivable"
FEES = ACCOUNTS[Role.FEES]
INPUT_TAX = ACCOUNTS[Role.INPUT_TAX]
REFUNDS = ACCOUNTS[Role.REFUNDS]
DISPUTED = ACCOUNTS[Role.DISPUTED]
DISPUTE_FEES = ACCOUNTS[Role.DISPUTE_FEES]
RESERVE = ACCOUNTS[Role.RESERVE]

CASH_BEHIND = {
    "STRIPEUSD": CLEARING,
    "STRIPEEUR": "10310",
    "STRIPEGBP": "10320",
    "STRIPECHF": "10330",
}
CLEARING_OF = {"USD": CLEARING, "EUR": "10310", "GBP": "10320", "CHF": "10330"}

KNOWN_PAIRS = ["/".join(pair) for pair in RULES]
RECEIPTS = ["charge/charge", "payment/charge"]


def entries(posting: Posting) -> list[tuple[str, Money]]:
    """Every entry that a posting makes in the ledger; debits are positive."""
    document = posting.document
    if isinstance(document, Voiding):
        cash = CLEARING_OF[document.amount.currency]
        if document.payment.startswith("Refund"):
            return [(cash, document.amount), (RECEIVABLE, -document.amount)]
        back = [(one.account, -one.amount) for one in document.charges]
        return [(cash, -document.cash), *back, (RECEIVABLE, document.amount)]
    if isinstance(document, Journal):
        return [(line.account, line.amount) for line in document.lines]
    if isinstance(document, CreditMemo):
        return [(document.account, document.amount), (RECEIVABLE, -document.amount)]
    cash = CASH_BEHIND[document.cash_account]
    if isinstance(document, ArRefund):
        return [(RECEIVABLE, document.amount), (cash, -document.amount)]
    charges = [(one.account, one.amount) for one in document.charges]
    return [(cash, document.cash), *charges, (RECEIVABLE, -document.amount)]


def t_accounts(made: list[Posting]) -> dict[str, str]:
    """What postings together leave on each account that they touch."""
    sides: dict[str, list[Money]] = {}
    for account, amount in (entry for posting in made for entry in entries(posting)):
        sides.setdefault(account, []).append(amount)
    return {
        account: ", ".join(str(sum_) for sum_ in totals(amount).values())
        for account, amount in sides.items()
    }


def story_of(bt: BalanceTransaction, subject: str = "re_1") -> Story:
    """What a caller knows of a transaction; a receipt comes with its match."""
    match = a_match(a_charge(bt.amount)) if is_receipt(bt) else None
    undone = Voiding(erp_ref("Payment", "000078"), "ch_1", -bt.amount)
    return Story(subject=subject, match=match, voids=undone if is_bounce(bt) else None)


def booked(bt: BalanceTransaction, story: Story | None = None) -> list[Posting]:
    """The postings of a transaction under the usual mapping."""
    return postings(bt, story or story_of(bt), a_mapping())


def the_journal(posting: Posting) -> Journal:
    assert isinstance(posting.document, Journal)
    return posting.document
