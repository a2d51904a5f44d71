"""The detail rows of a payment: documents it pays and charges of the processor."""

from decimal import Decimal

from ml_sandbox.acumatica.forms.applications import (
    DEBITS,
    DISCOUNT,
    DISCOUNT_DATE,
    currency_of,
    find_document,
    is_refund,
    open_balance,
    type_of,
    worth,
)
from ml_sandbox.acumatica.forms.base import (
    CURRENCY,
    cannot_be_empty,
    cannot_be_found,
    label_of,
    money,
    take,
)
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row, fold
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_EXTRAS = ("BalanceWriteOff", "CashDiscountTaken")
_REFUNDABLE = ("Payment", "Prepayment", "Credit Memo")


def document_row(unit: Unit, draft: Record, row: Row, sent: Body, *, new: bool) -> None:
    """Fills a DocumentsToApply row; without an amount it takes what is owed and available."""
    row.set(DocType=label_of(sent.get("DocType")) or row.get("DocType"))
    if type_of(draft) not in _REFUNDABLE and row.get("DocType") is None:
        row.set(DocType="Payment")
    row.set(DocType=row.get("DocType", "Invoice"))
    take(row, sent, ("ReferenceNbr", "DocLineNbr", "WriteOffReasonCode", *_EXTRAS))
    found = _payable(unit, draft, row)
    if found is None:
        return
    currency = draft.custom[CURRENCY]
    owed = worth(
        unit,
        open_balance(found),
        of=currency_of(found),
        into=currency,
        day=draft.get("ApplicationDate"),
    )
    _check_extras(unit, draft, row, found)
    owed -= sum((money(row.get(name)) for name in _EXTRAS), ZERO)
    amount: Decimal | None = sent.get("AmountPaid")
    if amount is None:
        amount = min(owed, _available(draft, row)) if new else money(row.get("AmountPaid"))
    row.set(
        ReferenceNbr=found.get("ReferenceNbr"),
        AmountPaid=unit.setup.round(amount, currency),
        BalanceWriteOff=money(row.get("BalanceWriteOff")),
        CashDiscountTaken=money(row.get("CashDiscountTaken")),
        CustomerOrder=found.get("CustomerOrder"),
        Description=found.get("Description"),
    )
    if amount > owed:
        row.fail("AmountPaid", f"The value must be less than or equal to {owed}.")
    if amount < 0:
        row.fail("AmountPaid", "The value must be greater than or equal to 0.")


def _check_extras(unit: Unit, draft: Record, row: Row, found: Record) -> None:
    """A write-off needs the customer's leave and limit; a discount its terms and its day."""
    written, discount = money(row.get("BalanceWriteOff")), money(row.get("CashDiscountTaken"))
    if (written or discount) and currency_of(found) != draft.custom[CURRENCY]:
        row.fail("BalanceWriteOff", "The payment and the document must have the same currency.")
    customer = unit.find("Customer", draft.get("CustomerID", ""))
    limit = ZERO
    if customer is not None and customer.get("EnableWriteOffs"):
        limit = money(customer.get("WriteOffLimit"))
    if not 0 <= written <= limit:
        row.fail("BalanceWriteOff", f"The write-off must be between 0 and {limit}.")
    last = found.custom.get(DISCOUNT_DATE)
    granted = money(found.custom.get(DISCOUNT))
    granted -= sum(
        (money(each.get("CashDiscountTaken")) for each in found.rows("ApplicationsDefault")), ZERO
    )
    if last is None or draft.get("ApplicationDate") > last:
        granted = ZERO
    if not 0 <= discount <= granted:
        row.fail("CashDiscountTaken", f"The cash discount must be between 0 and {granted}.")


def _payable(unit: Unit, draft: Record, row: Row) -> Record | None:
    kind, number = row.get("DocType"), row.get("ReferenceNbr")
    if not number:
        row.fail("ReferenceNbr", cannot_be_empty("Reference Nbr."))
        return None
    allowed = _REFUNDABLE if is_refund(draft) else DEBITS
    found = find_document(unit, kind, str(number)) if kind in allowed else None
    if found is None or found.get("Status") not in {"Open", "Closed"}:
        row.fail("ReferenceNbr", cannot_be_found("Reference Nbr."))
        return None
    owner = found.get("Customer") or found.get("CustomerID")
    if fold(owner) != fold(draft.get("CustomerID")):
        row.fail("ReferenceNbr", cannot_be_found("Reference Nbr."))
        return None
    return found


def _available(draft: Record, row: Row) -> Decimal:
    others = sum(
        (
            money(each.get("AmountPaid"))
            for each in draft.rows("DocumentsToApply")
            if each is not row
        ),
        ZERO,
    )
    return max(_whole(draft) - others, ZERO)


def _whole(draft: Record) -> Decimal:
    return (
        open_balance(draft) if draft.get("Status") == "Open" else money(draft.get("PaymentAmount"))
    )


def totals(draft: Record) -> None:
    """Sets AppliedToDocuments and AvailableBalance from the rows and what is already applied."""
    pending = sum((money(row.get("AmountPaid")) for row in draft.rows("DocumentsToApply")), ZERO)
    left = _whole(draft) - pending
    draft.set(AvailableBalance=left, AppliedToDocuments=money(draft.get("PaymentAmount")) - left)


def charge_row(unit: Unit, draft: Record, row: Row, sent: Body, *, new: bool) -> None:
    """Fills a Charges row from its entry type, which must belong to the cash account."""
    del new
    take(row, sent, ("EntryTypeID", "Amount", "Description"))
    code = row.get("EntryTypeID")
    cash = unit.setup.cash_accounts.get(draft.get("CashAccount", ""))
    kind = unit.setup.entry_types.get(code or "")
    if code is None:
        row.fail("EntryTypeID", cannot_be_empty("Entry Type"))
    elif kind is None or cash is None or code not in cash.entry_types:
        row.fail("EntryTypeID", cannot_be_found("Entry Type"))
    elif kind.direction != "Disbursement":
        row.fail("EntryTypeID", "The entry type must be a disbursement.")
    else:
        row.set(
            AccountID=sent.get("AccountID") or kind.account,
            SubID="000000",
            Description=row.get("Description") or kind.description,
        )
    row.set(
        Amount=unit.setup.round(money(row.get("Amount")), draft.custom[CURRENCY]),
        DocType=type_of(draft),
        RefNbr=draft.get("ReferenceNbr"),
    )
