"""Is what stands in Acumatica what was sent? Pure comparisons, a sentence per difference."""

from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    ErpJournal,
    ErpMemo,
    ErpPayment,
)
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Journal,
    Voiding,
)
from ml_connector.books.tenant import bare


def payment_differences(sent: ArPayment, found: ErpPayment, *, released: bool = True) -> list[str]:
    """What differs between a payment as planned and as read back; empty when it is proof.

    One that is left for an accountant to release is compared as it stands before.
    """
    pairs = [
        ("customer", sent.customer_id, found.customer_id),
        ("amount", str(sent.amount), str(found.amount)),
        ("cash account", sent.cash_account, found.cash_account),
        ("reference", sent.payment_ref, found.payment_ref),
        ("date", str(sent.day), str(found.day)),
        ("applications", _applied(sent), _applied(found)),
        ("charges", _charged(sent), _charged(found)),
        *_places(sent, found),
    ]
    return _unequal(pairs) + (_unreleased(found.status, PAYMENT_RELEASED) if released else [])


def refund_differences(
    sent: ArRefund, memo: ErpRef, found: ErpPayment, *, released: bool = True
) -> list[str]:
    """What differs between a refund of a credit memo as planned and as read back."""
    pairs = [
        ("customer", sent.customer_id, found.customer_id),
        ("amount", str(sent.amount), str(found.amount)),
        ("cash account", sent.cash_account, found.cash_account),
        ("reference", sent.payment_ref, found.payment_ref),
        ("date", str(sent.day), str(found.day)),
        ("applications", f"{memo}: {sent.amount}", _applied(found)),
        ("charges", "none", _charged(found)),
        *_places(sent, found),
    ]
    return _unequal(pairs) + (_unreleased(found.status, PAYMENT_RELEASED) if released else [])


def memo_differences(sent: CreditMemo, found: ErpMemo, *, released: bool = True) -> list[str]:
    """What differs between a credit memo as planned and as read back; empty when it is proof."""
    return _unequal(_memo_pairs(sent, found)) + (
        _unreleased(found.status, MEMO_RELEASED) if released else []
    )


def _memo_pairs(sent: CreditMemo | DebitMemo, found: ErpMemo) -> list[tuple[str, str, str]]:
    lines = ", ".join(f"{account}: {amount}" for account, amount in found.lines)
    return [
        ("customer", sent.customer_id, found.customer_id),
        ("amount", str(sent.amount), str(found.amount)),
        ("lines", f"{sent.account}: {sent.amount}", lines),
        ("customer order", sent.order, found.order),
        ("date", str(sent.day), str(found.day)),
    ]


def debit_differences(sent: DebitMemo, found: ErpMemo, *, released: bool = True) -> list[str]:
    """What differs between a debit memo as planned and as read back, with nothing left open."""
    pairs = _memo_pairs(sent, found)
    if not released:
        return _unequal(pairs)
    pairs.append(("balance", str(Money.zero(sent.amount.currency)), str(found.balance)))
    return _unequal(pairs) + _unreleased(found.status, MEMO_RELEASED)


def journal_differences(
    sent: Journal, found: ErpJournal, ledger: str, *, released: bool = True
) -> list[str]:
    """What differs between a journal as planned and as read back; empty when it is proof.

    Compared is what it does to each account and subaccount: Acumatica may reorder or merge lines.
    """
    pairs = [
        *_effects(sent, found),
        ("currency", sent.currency, found.currency),
        ("date", str(sent.day), str(found.day)),
        *_told("branch", sent.branch, found.branch),
        *_told("ledger", ledger, found.ledger),
    ]
    for branch in sorted({line.branch for line in found.lines}):
        pairs += _told("lines' branch", sent.branch, branch)
    return _unequal(pairs) + (_unreleased(found.status, JOURNAL_RELEASED) if released else [])


def voiding_differences(sent: Voiding, found: ErpPayment, *, released: bool = True) -> list[str]:
    """What differs between a payment as it should be undone and as read back."""
    pairs = [
        ("amount", str(sent.amount), str(found.amount)),
        ("reference", sent.payment_ref, found.payment_ref),
    ]
    if released:
        pairs += [("status", "Voided", found.status), ("applications", "none", _applied(found))]
    return _unequal(pairs)


def booked_differences(expected: Booked, found: ErpPayment, *, released: bool = True) -> list[str]:
    """Why a payment of somebody else does not carry the money; empty when it does."""
    pairs = [
        ("amount", str(expected.amount), str(found.amount)),
        ("cash account", expected.cash_account, found.cash_account),
        ("charges", _charged(expected), _charged(found)),
    ]
    return _unequal(pairs) + (_unreleased(found.status, PAYMENT_RELEASED) if released else [])


def _effects(sent: Journal, found: ErpJournal) -> list[tuple[str, str, str]]:
    """What the lines do to each account, and to each subaccount of it where we sent one."""
    finer = all(line.subaccount for line in (*sent.lines, *found.lines))
    wanted, there = _sums(sent, finer=finer), _sums(found, finer=finer)
    return [
        (
            f"account {place}",
            str(wanted.get(place, Money.zero(sent.currency))),
            str(there.get(place, Money.zero(found.currency))),
        )
        for place in sorted({*wanted, *there})
    ]


def _sums(journal: Journal | ErpJournal, *, finer: bool) -> dict[str, Money]:
    sums: dict[str, Money] = {}
    for line in journal.lines:
        place = f"{line.account} {bare(line.subaccount)}" if finer else line.account
        sums[place] = sums.get(place, Money.zero(journal.currency)) + line.amount
    return sums


def _places(sent: ArPayment | ArRefund, found: ErpPayment) -> list[tuple[str, str, str]]:
    """By which method and in which branch a payment is."""
    return [
        *_told("payment method", sent.payment_method, found.payment_method),
        *_told("branch", sent.branch, found.branch),
    ]


def _told(what: str, sent: str, found: str) -> list[tuple[str, str, str]]:
    """A code that was sent and is told otherwise; one that was left to Acumatica is its own.

    Acumatica writes codes in capitals, and no document is without them: one that it does not tell
    is a field that the endpoint's version lacks.
    """
    same = sent.strip().casefold() == found.strip().casefold()
    return [] if same or not sent or not found else [(what, sent, found)]


def _applied(payment: ArPayment | ErpPayment) -> str:
    """The applications in one comparable text."""
    parts = sorted(f"{one.document}: {one.amount}" for one in payment.applications)
    return ", ".join(parts) or "none"


def _charged(payment: ArPayment | Booked | ErpPayment) -> str:
    """The charges in one comparable text."""
    parts = sorted(f"{one.entry_type}: {one.amount}" for one in payment.charges)
    return ", ".join(parts) or "none"


def _unequal(pairs: list[tuple[str, str, str]]) -> list[str]:
    return [f"Its {what} is {found}, not {sent}." for what, sent, found in pairs if sent != found]


def _unreleased(status: str, released: frozenset[str]) -> list[str]:
    return [] if status in released else [f"Its status is {status}; it is not in the ledger."]
