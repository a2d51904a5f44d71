"""What each kind of document does to the ledger, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ml_connector.basics.ids import erp_keys
from ml_connector.basics.money import Money
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Document,
    Journal,
    PaymentCharge,
    Voiding,
)

REFUND = "Refund"
"""In the type of every document that pays money out, whatever the release calls it."""


class On(StrEnum):
    """What a side of a document names."""

    ACCOUNT = "account"
    """An account of the general ledger."""
    CASH = "cash"
    """A cash account, by its own code; empty where it is that of an earlier document."""
    CUSTOMER = "customer"
    """What a customer owes; empty where it is that of an earlier document."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a document; a positive amount debits it."""

    on: On
    name: str
    amount: Money
    subaccount: str = ""


def sides(document: Document) -> tuple[Side, ...]:
    """Every side of a document; they add up to nothing."""
    match document:
        case Journal():
            lines = document.lines
            return tuple(Side(On.ACCOUNT, one.account, one.amount, one.subaccount) for one in lines)
        case ArPayment():
            cash, owed = Side(On.CASH, document.cash_account, document.cash), -document.amount
            return (cash, *_fees(document.charges), Side(On.CUSTOMER, document.customer_id, owed))
        case CreditMemo() | DebitMemo():
            sale = document.amount if isinstance(document, CreditMemo) else -document.amount
            line = Side(On.ACCOUNT, document.account, sale, document.subaccount)
            return (line, Side(On.CUSTOMER, document.customer_id, -sale))
        case ArRefund():
            owed = Side(On.CUSTOMER, document.customer_id, document.amount)
            return (owed, Side(On.CASH, document.cash_account, -document.amount))
        case Voiding():
            return _undone(document)
        case Booked():
            cash = Side(On.CASH, document.cash_account, document.cash)
            owed = Side(On.CUSTOMER, "", -document.amount)
            return (cash, *_fees(document.charges), owed)


def _fees(charges: Iterable[PaymentCharge]) -> list[Side]:
    return [Side(On.ACCOUNT, one.account, one.amount) for one in charges]


def _undone(voiding: Voiding) -> tuple[Side, ...]:
    """The mirror image of a payment, or of a refund, whose accounts the document does not name."""
    if REFUND in erp_keys(voiding.payment)[0]:
        return (Side(On.CASH, "", voiding.amount), Side(On.CUSTOMER, "", -voiding.amount))
    back = [Side(one.on, one.name, -one.amount) for one in _fees(voiding.charges)]
    return (Side(On.CASH, "", -voiding.cash), *back, Side(On.CUSTOMER, "", voiding.amount))
