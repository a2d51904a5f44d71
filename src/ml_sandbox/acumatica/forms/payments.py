"""Payments, prepayments and refunds (AR302000): entry, applications, charges and release."""

from datetime import date
from decimal import Decimal

from ml_sandbox.acumatica.errors import Problem, business, disabled
from ml_sandbox.acumatica.forms.applications import (
    ACCOUNT,
    UNAPPLIED,
    Share,
    account_of,
    find_document,
    open_balance,
    record_history,
    settle,
    settle_extra,
    type_of,
)
from ml_sandbox.acumatica.forms.base import (
    BASE_BALANCE,
    CURRENCY,
    RATE,
    Form,
    cannot_be_empty,
    cannot_be_found,
    check_customer,
    held,
    label_of,
    merge_rows,
    money,
    period_complaint,
    sent_date,
    take,
    take_note,
)
from ml_sandbox.acumatica.forms.payment_rows import charge_row, document_row, totals
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.forms.voids import create_voided, release_voided, update_voided
from ml_sandbox.acumatica.forms.workflow import (
    BUTTONS,
    change_hold,
    change_reservation,
    check_button,
    entry_status,
    press,
)
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

RELEASED = frozenset(("Open", "Closed", "Reserved", "Voided"))
_VOIDED = frozenset(("Voided Payment", "Voided Refund"))
_TAKEN = ("AmountPaid", "BalanceWriteOff", "CashDiscountTaken")
_PLAIN = ("PaymentRef", "ExternalRef", "Description", "CustomerLocationID", "OrigTransaction")


class PaymentForm(Form):
    """Payments and Applications."""

    entity = "Payment"
    label = "Payment"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new payment, prepayment or refund."""
        draft = unit.create(self.entity)
        kind = label_of(body.get("Type")) or "Payment"
        refund = unit.switches.refund_label
        if kind == "Refund" and body.get("Type") == "REF":
            kind = refund
        if kind not in {"Payment", "Prepayment", refund}:
            draft.fail("Type", "The list value is not defined.")
        draft.set(
            Type=kind,
            ReferenceNbr="<NEW>",
            ApplicationDate=unit.day,
            CustomerID=body.get("CustomerID"),
            CustomerLocationID="MAIN",
            PaymentAmount=ZERO,
            AppliedToDocuments=ZERO,
            AppliedToOrders=ZERO,
            AvailableBalance=ZERO,
            IsCCPayment=False,
            SaveCard=False,
            IsNewCard=False,
            NoteID=draft.id,
            Status=entry_status(unit, kind, hold=held(unit, body)),
        )
        self._fill(unit, draft, body, new=True)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """The next number of the payment sequence; a supplied one is ignored."""
        draft.set(ReferenceNbr=unit.number("ARPAYMENT"))
        for row in draft.rows("Charges"):
            row.set(DocType=type_of(draft), RefNbr=draft.get("ReferenceNbr"))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased payment; an open one takes more applications, of a later day."""
        if type_of(draft) in _VOIDED and draft.get("Status") not in RELEASED:
            update_voided(unit, draft, body)
            return
        if draft.get("Status") in RELEASED or type_of(draft) in _VOIDED:
            if draft.get("Status") == "Open":
                _application_day(unit, draft, body)
                _documents(unit, draft, body)
                totals(draft)
            if "Hold" in body.values:
                change_reservation(draft, hold=bool(body.get("Hold")))
            take_note(draft, Body(note=body.note))
            return
        if "Hold" in body.values:
            change_hold(unit, draft, type_of(draft), hold=bool(body.get("Hold")))
        self._fill(unit, draft, body, new=False)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased payment can be deleted."""
        if record.get("Status") in RELEASED:
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Which buttons are enabled in the payment's state."""
        status = record.get("Status")
        if action == "voidcheck":
            exists = unit.find("Payment", _voided_type(record), record.get("ReferenceNbr"))
            if status not in {"Open", "Closed"} or type_of(record) in _VOIDED or exists:
                raise disabled("Void")
            return True
        if action in BUTTONS:
            check_button(record, action)
            return True
        if action != "release":
            raise Problem(404, f"The {action} action is not found.")
        pending = status == "Open" and record.get("DocumentsToApply")
        if status == "Balanced" or pending:
            return True
        if status in RELEASED and unit.switches.release_of_released == "silent":
            return False
        raise disabled("Release")

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Release posts and applies; void creates the voiding document."""
        draft = unit.edit(record)
        if action in BUTTONS:
            press(unit, draft, action, type_of(draft))
        elif action == "voidcheck":
            create_voided(unit, draft, _voided_type(record))
        elif type_of(draft) in _VOIDED:
            release_voided(unit, draft)
        else:
            _release(unit, draft)

    def _fill(self, unit: Unit, draft: Record, body: Body, *, new: bool) -> None:
        take_note(draft, body)
        take(draft, body, _PLAIN)
        if body.get("CustomerID"):
            draft.set(CustomerID=body.get("CustomerID"))
        customer = check_customer(unit, draft, "CustomerID")
        _method(unit, draft, body, customer)
        day = sent_date(body, "ApplicationDate")
        draft.set(ApplicationDate=day or draft.get("ApplicationDate"))
        code = unit.setup.periods.code_for(draft.get("ApplicationDate"))
        complaint = period_complaint(unit, code, ("AR", "CA"))
        if complaint:
            draft.fail("ApplicationDate", complaint)
        draft.set(Hold=draft.get("Status") == "On Hold")
        if unit.switches.require_payment_ref and not draft.get("PaymentRef"):
            draft.fail("PaymentRef", cannot_be_empty("Payment Ref."))
        if CURRENCY not in draft.custom:
            return
        _amount(unit, draft, body)
        if not new or unit.switches.apply_on_create:
            _documents(unit, draft, body)
        merge_rows(
            unit,
            draft.rows("Charges"),
            body.details.get("Charges", []),
            key=("LineNbr",),
            fill=lambda row, sent, fresh: charge_row(unit, draft, row, sent, new=fresh),
        )
        totals(draft)
        if not draft.get("Hold") and money(draft.get("AvailableBalance")) < 0:
            draft.error = "The document is out of the balance."


def _application_day(unit: Unit, draft: Record, body: Body) -> None:
    """The day of the applications that are added to a released document, where one is sent."""
    day = sent_date(body, "ApplicationDate")
    if day is None or day == draft.get("ApplicationDate"):
        return
    draft.set(ApplicationDate=day)
    complaint = period_complaint(unit, unit.setup.periods.code_for(day), _modules(draft))
    if complaint:
        draft.fail("ApplicationDate", complaint)


def _modules(draft: Record) -> tuple[str, ...]:
    """Where its period must be open: a credit memo that is applied moves no cash."""
    return ("AR",) if type_of(draft) == "Credit Memo" else ("AR", "CA")


def _voided_type(record: Record) -> str:
    return "Voided Refund" if "Refund" in type_of(record) else "Voided Payment"


def _method(unit: Unit, draft: Record, body: Body, customer: Record | None) -> None:
    if body.get("PaymentMethod"):
        draft.set(PaymentMethod=body.get("PaymentMethod"))
    elif draft.get("PaymentMethod") is None and customer is not None:
        found = unit.find("CustomerClass", customer.get("CustomerClass", "DEFAULT"))
        draft.set(PaymentMethod=found.get("PaymentMethod") if found else None)
    method = unit.find("PaymentMethod", draft.get("PaymentMethod", ""))
    if method is None or not method.get("UseInAR") or not method.get("Active"):
        missing = not draft.get("PaymentMethod")
        text = cannot_be_empty if missing else cannot_be_found
        draft.fail("PaymentMethod", text("Payment Method"))
        return
    draft.set(PaymentMethod=method.get("PaymentMethodID"))
    if method.get("IntegratedProcessing") and draft.get("Status") == "Balanced":
        draft.set(Status="Pending Processing", IsCCPayment=True)
    _cash_account(unit, draft, body, method)


def _cash_account(unit: Unit, draft: Record, body: Body, method: Record) -> None:
    allowed = [row for row in method.rows("AllowedCashAccounts") if row.get("UseInAR")]
    wanted = body.get("CashAccount") or draft.get("CashAccount")
    if wanted is None:
        default = next((row for row in allowed if row.get("ARDefault")), None)
        wanted = default.get("CashAccount") if default else None
    match = next(
        (row for row in allowed if str(row.get("CashAccount")).lower() == str(wanted).lower()), None
    )
    draft.set(CashAccount=wanted)
    if match is None:
        text = cannot_be_empty if wanted is None else cannot_be_found
        draft.fail("CashAccount", text("Cash Account"))
        return
    cash = unit.setup.cash_accounts[match.get("CashAccount")]
    draft.set(CashAccount=cash.code, CurrencyID=cash.currency)
    branch = body.get("BranchID") or body.get("Branch") or draft.get("Branch") or cash.branch
    if branch not in unit.setup.branches:
        draft.fail("Branch", cannot_be_found("Branch"))
    draft.set(Branch=branch, BranchID=branch)
    draft.custom[CURRENCY] = cash.currency


def _amount(unit: Unit, draft: Record, body: Body) -> None:
    currency = draft.custom[CURRENCY]
    draft.custom[RATE] = unit.setup.rate(
        currency, draft.get("ApplicationDate"), draft.get("Branch")
    )
    sent = body.get("PaymentAmount")
    amount = money(draft.get("PaymentAmount")) if sent is None else sent
    draft.set(PaymentAmount=unit.setup.round(amount, currency))
    if amount < 0:
        draft.fail("PaymentAmount", "The value must be greater than or equal to 0.")


def _documents(unit: Unit, draft: Record, body: Body) -> None:
    merge_rows(
        unit,
        draft.rows("DocumentsToApply"),
        body.details.get("DocumentsToApply", []),
        key=("DocType", "ReferenceNbr"),
        fill=lambda row, sent, fresh: document_row(unit, draft, row, sent, new=fresh),
    )


def _release(unit: Unit, draft: Record) -> None:
    day = draft.get("ApplicationDate")
    period = unit.setup.periods.code_for(day)
    complaint = period_complaint(unit, period, _modules(draft))
    if complaint:
        raise business(complaint)
    posting = Posting(
        unit,
        description=draft.get("Description", ""),
        reference=draft.get("ReferenceNbr"),
        customer=draft.get("CustomerID"),
    )
    if draft.get("Status") == "Balanced":
        _post_money(unit, draft, posting)
    pending = list(draft.rows("DocumentsToApply"))
    draft.values["DocumentsToApply"] = []
    if sum((money(row.get("AmountPaid")) for row in pending), ZERO) > open_balance(draft):
        raise business("The document is out of the balance.")
    paying = _paying(unit, draft)
    done = [
        _apply(unit, posting, paying, row, day)
        for row in pending
        if any(money(row.get(name)) for name in _TAKEN)
    ]
    batches = unit.post(
        "AR",
        day=day,
        period=period,
        lines=posting.lines,
        description=draft.get("Description", ""),
        document=f"{type_of(draft)} {draft.get('ReferenceNbr')}",
    )
    number = batches[0].number if batches else ""
    for row, paid, parts in done:
        record_history(unit, paying, paid, parts, day=day, period=period, batch=number, extra=row)
    draft.set(Hold=False)


def _apply(
    unit: Unit, posting: Posting, paying: Record, row: Row, day: date
) -> tuple[Row, Record, Share]:
    paid = unit.edit(_target(unit, row.get("DocType"), row.get("ReferenceNbr")))
    parts = settle(unit, posting, paying, paid, amount=money(row.get("AmountPaid")), day=day)
    settle_extra(unit, posting, paid, row)
    return row, paid, parts


def _paying(unit: Unit, draft: Record) -> Record:
    """A credit memo seen as a payment pays with the memo itself."""
    if type_of(draft) != "Credit Memo":
        return draft
    memo = unit.world.by_id("Invoice", draft.id)
    if memo is None:
        raise business(cannot_be_found("Reference Nbr."))
    return unit.edit(memo)


def _target(unit: Unit, kind: str, number: str) -> Record:
    found = find_document(unit, kind, number)
    if found is None:
        raise business(cannot_be_found("Reference Nbr."))
    return found


def _prepayments(unit: Unit, draft: Record) -> str:
    """The account of prepayments: the customer class decides, receivables otherwise."""
    customer = unit.find("Customer", draft.get("CustomerID"))
    found = unit.find("CustomerClass", customer.get("CustomerClass", "")) if customer else None
    return str((found and found.get("PrepaymentAccount")) or unit.setup.receivables)


def _post_money(unit: Unit, draft: Record, posting: Posting) -> None:
    """The cash, AR and charge lines of releasing money in (or out, for a refund)."""
    currency, rate = draft.custom[CURRENCY], draft.custom[RATE]
    amount = money(draft.get("PaymentAmount"))
    refund = "Refund" in type_of(draft)
    sign = -1 if refund else 1
    base = unit.setup.to_base(amount, rate, draft.get("Branch"))
    cash = unit.setup.cash_accounts[draft.get("CashAccount")]
    kept, kept_base = sign * amount, sign * base
    if type_of(draft) == "Prepayment":
        draft.custom[ACCOUNT] = _prepayments(unit, draft)
    charges: list[tuple[str, Decimal, Decimal]] = []
    for row in draft.rows("Charges"):
        fee = money(row.get("Amount"))
        fee_base = unit.setup.to_base(fee, rate, draft.get("Branch"))
        charges.append((row.get("AccountID"), fee, fee_base))
        # A deducted charge never reaches the cash account; any other is a cash line of its own.
        if unit.setup.entry_types[row.get("EntryTypeID")].deduct and not refund:
            kept, kept_base = kept - fee, kept_base - fee_base
        else:
            charges.append((cash.account, -fee, -fee_base))
    posting.add(cash.account, cash.branch, currency, kept, kept_base)
    branch = draft.get("Branch")
    posting.add(account_of(unit, draft), branch, currency, -sign * amount, -sign * base)
    for account, fee, fee_base in charges:
        at = cash.branch if account == cash.account else branch
        posting.add(account, at, currency, fee, fee_base, text="Charge")
    draft.custom[UNAPPLIED] = amount
    draft.custom[BASE_BALANCE] = base
    draft.set(Status="Open" if amount else "Closed", AvailableBalance=amount)
