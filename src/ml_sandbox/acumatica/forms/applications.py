"""Applying one released document to another: balances, history, exchange gain or loss."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.errors import business
from ml_sandbox.acumatica.forms.base import BASE_BALANCE, CURRENCY, RATE, money
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.world import Unit

UNAPPLIED = "Document.CuryDocBal"
PAID_ID = "ARAdjust.AdjdID"
PAID_AMOUNT = "ARAdjust.CuryAdjdAmt"
PAID_BASE = "ARAdjust.AdjdAmt"
PAYING_BASE = "ARAdjust.AdjgAmt"
REVERSED = "ARAdjust.Voided"
OTHER_SIDE = "ARAdjust.OtherSide"
ACCOUNT = "Document.ARAccountID"
DISCOUNT = "Document.CuryOrigDiscAmt"
DISCOUNT_DATE = "Document.DiscDate"

INVOICES = ("Invoice", "Debit Memo", "Overdue Charge", "Credit Memo")
DEBITS = ("Invoice", "Debit Memo", "Overdue Charge")


@dataclass(frozen=True, slots=True)
class Share:
    """How much an application takes from each side, in its currency and in base."""

    paying: Decimal
    paying_base: Decimal
    paid: Decimal
    paid_base: Decimal

    def negated(self) -> "Share":
        """The same application undone."""
        return Share(-self.paying, -self.paying_base, -self.paid, -self.paid_base)


def type_of(document: Record) -> str:
    """The document's type label."""
    return str(document.get("Type"))


def is_refund(document: Record) -> bool:
    """Whether the document pays money out."""
    return type_of(document) in {"Refund", "Customer Refund", "Voided Refund"}


def find_document(unit: Unit, kind: str, number: str) -> Record | None:
    """The AR document that an application row names."""
    entity = "Invoice" if kind in INVOICES else "Payment"
    return unit.find(entity, kind, number)


def open_balance(document: Record) -> Decimal:
    """What is left of a document in its currency."""
    if document.entity == "Invoice":
        return money(document.get("Balance"))
    return money(document.custom.get(UNAPPLIED))


def currency_of(document: Record) -> str:
    """The document's currency."""
    return str(document.custom[CURRENCY])


def branch_of(document: Record) -> str:
    """The branch whose books the document is in."""
    return str(document.get("Branch") or document.get("LinkBranch"))


def account_of(unit: Unit, document: Record) -> str:
    """The account that holds the document's open balance: receivables, or prepayments."""
    return str(document.custom.get(ACCOUNT) or unit.setup.receivables)


def worth(unit: Unit, amount: Decimal, *, of: str, into: str, day: date) -> Decimal:
    """An amount converted at the cross rate of a day."""
    if of == into:
        return amount
    rates = unit.setup.rates
    return unit.setup.round(amount * rates.rate(of, day) / rates.rate(into, day), into)


def share(unit: Unit, paying: Record, paid: Record, amount: Decimal, day: date) -> Share:
    """Splits an application of `amount` (paying currency) into both sides.

    Taking the whole rest of a side takes its whole base balance, so no rounding is left behind.
    """
    have, owe = currency_of(paying), currency_of(paid)
    rest = open_balance(paid)
    taken = rest if worth(unit, rest, of=owe, into=have, day=day) == amount else None
    if taken is None:
        taken = worth(unit, amount, of=have, into=owe, day=day)
    return Share(amount, _base(unit, paying, amount), taken, _base(unit, paid, taken))


def _base(unit: Unit, document: Record, amount: Decimal) -> Decimal:
    if amount == open_balance(document):
        return money(document.custom.get(BASE_BALANCE))
    return unit.setup.to_base(amount, document.custom[RATE], branch_of(document))


def settle(
    unit: Unit, posting: Posting, paying: Record, paid: Record, *, amount: Decimal, day: date
) -> Share:
    """Applies and returns the shares; raises when either side does not have the amount."""
    parts = share(unit, paying, paid, amount, day)
    if unit.setup.base_of(branch_of(paying)) != unit.setup.base_of(branch_of(paid)):
        raise business("The documents belong to companies with different base currencies.")
    if parts.paid > open_balance(paid):
        raise business(
            f"The amount applied to {type_of(paid)} {paid.get('ReferenceNbr')} must be less than"
            f" or equal to {open_balance(paid)}."
        )
    if amount > open_balance(paying):
        raise business("The document is out of the balance.")
    take_share(paying, parts.paying, parts.paying_base)
    take_share(paid, parts.paid, parts.paid_base)
    post_difference(unit, posting, paying, paid, parts)
    return parts


def take_share(document: Record, amount: Decimal, base: Decimal) -> None:
    """Lowers a document's open balance and sets its status by what is left."""
    left = open_balance(document) - amount
    document.custom[BASE_BALANCE] = money(document.custom.get(BASE_BALANCE)) - base
    if document.entity == "Invoice":
        document.set(Balance=left)
    else:
        document.custom[UNAPPLIED] = left
        document.set(AvailableBalance=left)
        document.set(AppliedToDocuments=money(document.get("PaymentAmount")) - left)
    document.set(Status="Open" if left else "Closed")


def post_difference(
    unit: Unit, posting: Posting, paying: Record, paid: Record, parts: Share
) -> None:
    """Moves what the application changes in GL: the exchange difference, or both currencies.

    A payment credits AR and what it pays debits AR; a refund is the other way round.
    """
    sign = -1 if is_refund(paying) else 1
    have, owe = currency_of(paying), currency_of(paid)
    here, there = _place(unit, paying), _place(unit, paid)
    gain = unit.setup.gain_loss, here[1]
    base = sign * parts.paying_base, -sign * parts.paid_base

    def add(place: tuple[str, str], currency: str, amount: Decimal, base: Decimal) -> None:
        text = "Realized gain or loss" if have == owe else f"Application {have}/{owe}"
        posting.add(*place, currency, amount, base, text=text, application=True)

    if have != owe:
        for place, currency, amount, worth_ in (
            (here, have, sign * parts.paying, base[0]),
            (there, owe, -sign * parts.paid, base[1]),
        ):
            add(place, currency, amount, worth_)
            add(gain, currency, -amount, -worth_)
        return
    # Without balancing by branch the balance stays in the branch that it was posted to.
    if here == there or (here[0] == there[0] and not unit.switches.branches_balance):
        add(here, have, ZERO, base[0] + base[1])
    else:
        add(here, have, sign * parts.paying, base[0])
        add(there, have, -sign * parts.paid, base[1])
    add(gain, have, ZERO, -(base[0] + base[1]))


def _place(unit: Unit, document: Record) -> tuple[str, str]:
    return account_of(unit, document), branch_of(document)


def settle_extra(
    unit: Unit, posting: Posting, paid: Record, row: Row, *, undo: bool = False
) -> None:
    """Takes a write-off and a cash discount off the paid document, or gives them back."""
    sign = -1 if undo else 1
    branch, currency = branch_of(paid), currency_of(paid)
    for name, account in (
        ("BalanceWriteOff", unit.setup.write_offs),
        ("CashDiscountTaken", unit.setup.cash_discounts),
    ):
        amount = sign * money(row.get(name))
        if not amount:
            continue
        base = _base(unit, paid, amount)
        posting.add(account, branch, currency, amount, base, text=name, application=True)
        posting.add(
            account_of(unit, paid), branch, currency, -amount, -base, text=name, application=True
        )
        if amount > open_balance(paid):
            raise business(f"The write-off or discount exceeds {open_balance(paid)}.")
        take_share(paid, amount, base)


def record_history(
    unit: Unit,
    paying: Record,
    paid: Record,
    parts: Share,
    *,
    day: date,
    period: str,
    batch: str,
    extra: Row | None = None,
) -> None:
    """Writes the application into the history of both documents."""
    number = len(paying.rows("ApplicationHistory")) + 1
    when: dict[str, Any] = {
        "ApplicationPeriod": period,
        "PostPeriod": period,
        "Date": day,
        "BatchNbr": batch or None,
    }
    if paying.entity == "Payment":
        row = _history_row(unit, paying, paid, parts, extra)
        row.set(**when, AdjustmentNbr=number)
        paying.rows("ApplicationHistory").append(row)
    else:
        paying.rows("ApplicationsCreditMemo").append(_memo_row(unit, paid, parts, period))
    if paid.entity == "Invoice":
        paid.rows("ApplicationsDefault").append(_invoice_row(unit, paying, parts, day, extra))
    else:
        row = _history_row(unit, paying, paid, parts)
        row.set(**when, AdjustmentNbr=number)
        row.custom[OTHER_SIDE] = paying.id
        row.set(DisplayDocType=type_of(paying), DisplayRefNbr=paying.get("ReferenceNbr"))
        paid.rows("ApplicationHistory").append(row)


def _history_row(
    unit: Unit, paying: Record, paid: Record, parts: Share, extra: Row | None = None
) -> Row:
    row = unit.row()
    row.set(
        AdjustedDocType=type_of(paid),
        AdjustedRefNbr=paid.get("ReferenceNbr"),
        AdjustingDocType=type_of(paying),
        AdjustingRefNbr=paying.get("ReferenceNbr"),
        AdjustsVAT=False,
        AmountPaid=parts.paying,
        Balance=open_balance(paid),
        BalanceWriteOff=extra.get("BalanceWriteOff", ZERO) if extra else ZERO,
        CashDiscountBalance=ZERO,
        CashDiscountTaken=extra.get("CashDiscountTaken", ZERO) if extra else ZERO,
        CurrencyID=currency_of(paid),
        Customer=paid.get("Customer") or paid.get("CustomerID"),
        CustomerOrder=paid.get("CustomerOrder"),
        Description=paid.get("Description"),
        DisplayDocType=type_of(paid),
        DisplayRefNbr=paid.get("ReferenceNbr"),
        DueDate=paid.get("DueDate"),
    )
    row.custom = {
        PAID_ID: paid.id,
        PAID_AMOUNT: parts.paid,
        PAID_BASE: parts.paid_base,
        PAYING_BASE: parts.paying_base,
    }
    return row


def _invoice_row(unit: Unit, paying: Record, parts: Share, day: date, extra: Row | None) -> Row:
    row = unit.row()
    row.set(
        DocType=type_of(paying),
        ReferenceNbr=paying.get("ReferenceNbr"),
        AmountPaid=parts.paid,
        Balance=open_balance(paying),
        CashDiscountTaken=extra.get("CashDiscountTaken", ZERO) if extra else ZERO,
        PaymentDate=paying.get("ApplicationDate") or day,
        Status=paying.get("Status"),
    )
    return row


def _memo_row(unit: Unit, paid: Record, parts: Share, period: str) -> Row:
    row = unit.row()
    row.set(
        DocType=type_of(paid),
        ReferenceNbr=paid.get("ReferenceNbr"),
        AmountPaid=parts.paying,
        Balance=open_balance(paid),
        Customer=paid.get("Customer"),
        CustomerOrder=paid.get("CustomerOrder"),
        Description=paid.get("Description"),
        PostPeriod=period,
        Status=paid.get("Status"),
    )
    row.custom["ARAdjust.Released"] = True
    return row
