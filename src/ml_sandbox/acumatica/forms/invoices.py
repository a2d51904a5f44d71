"""Invoices and memos (AR301000): entry, totals, release and what release posts."""

from datetime import date, timedelta
from decimal import Decimal

from ml_sandbox.acumatica.errors import NULL_REFERENCE, Problem, business, disabled
from ml_sandbox.acumatica.forms.adjustments import (
    adjust,
    discount_total,
    fill_discounts,
    freight_price,
)
from ml_sandbox.acumatica.forms.applications import (
    DEBITS,
    DISCOUNT,
    DISCOUNT_DATE,
    open_balance,
    record_history,
    settle,
    type_of,
)
from ml_sandbox.acumatica.forms.base import (
    BASE_BALANCE,
    CURRENCY,
    ORIGIN,
    RATE,
    Form,
    cannot_be_found,
    check_account,
    check_branch,
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
from ml_sandbox.acumatica.forms.invoice_lines import fill_line
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.forms.taxes import recalculate
from ml_sandbox.acumatica.forms.workflow import (
    BUTTONS,
    change_hold,
    change_reservation,
    check_button,
    entry_status,
    press,
)
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row, fold
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_TYPES = ("Invoice", "Debit Memo", "Credit Memo")
_UNRELEASED = frozenset(
    (
        "On Hold",
        "Balanced",
        "Pending Print",
        "Pending Email",
        "Pending Approval",
        "Rejected",
    )
)


_TEXTS = ("Description", "ExternalRef")


def released(document: Record) -> bool:
    """Whether the document has been released to GL."""
    return document.get("Status") not in _UNRELEASED


class InvoiceForm(Form):
    """Invoices, debit memos and credit memos of AR origin; `origin` is AR or SO."""

    entity = "Invoice"
    label = "AR Invoice/Memo"
    origin = "AR"
    pattern = "{:06d}"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new document; the customer decides currency, terms, tax zone and contact."""
        draft = unit.create("Invoice")
        kind = label_of(body.get("Type")) or "Invoice"
        if kind not in _TYPES:
            draft.fail("Type", "The list value is not defined.")
        draft.set(
            Type=kind,
            ReferenceNbr="<NEW>",
            Customer=body.get("Customer"),
            Date=sent_date(body, "Date") or unit.day,
            LinkBranch=body.get("LinkBranch") or unit.branch,
            LinkARAccount=unit.setup.receivables,
            LocationID=body.get("LocationID") or "MAIN",
            Project=body.get("Project") or "X",
            BillingPrinted=False,
            Status=entry_status(unit, kind, hold=held(unit, body)),
            TaxTotal=ZERO,
            Amount=ZERO,
            Balance=ZERO,
        )
        draft.custom[ORIGIN] = self.origin
        self._fill(unit, draft, body, new=True)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """The next number of the invoice sequence; a supplied one is ignored."""
        sequence = "SOINVOICE" if self.origin == "SO" else "ARINVOICE"
        draft.set(ReferenceNbr=unit.number(sequence, self.pattern))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased document; of a released one only the due date moves."""
        if released(draft):
            if draft.get("Status") == "Open" and type_of(draft) in DEBITS:
                due = sent_date(body, "DueDate")
                draft.set(DueDate=due or draft.get("DueDate"))
            if "Hold" in body.values:
                change_reservation(draft, hold=bool(body.get("Hold")))
            for name in _TEXTS if unit.switches.texts_on_released else ():
                if name in body.values:
                    draft.set(**{name: body.get(name)})
            written = body.custom if unit.switches.custom_on_released else {}
            take_note(draft, Body(note=body.note, custom=dict(written)))
            return
        if "Hold" in body.values:
            change_hold(unit, draft, type_of(draft), hold=bool(body.get("Hold")))
        self._fill(unit, draft, body, new=False)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased document can be deleted."""
        if released(record):
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Release is enabled for balanced documents."""
        if action in BUTTONS:
            check_button(record, action)
            return True
        if action != "release":
            raise Problem(404, f"The {action} action is not found.")
        if record.custom.get(ORIGIN) != self.origin:
            raise Problem(
                500, "Object reference not set to an instance of an object.", NULL_REFERENCE
            )
        if released(record):
            if unit.switches.release_of_released == "silent":
                return False
            raise disabled("Release")
        if record.get("Status") != "Balanced":
            raise disabled("Release")
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Releases: posts to GL and opens the document."""
        draft = unit.edit(record)
        if action in BUTTONS:
            press(unit, draft, action, type_of(draft))
            return
        if draft.get("Status") != "Balanced":
            raise business("Document Status is invalid for processing.")
        complaint = period_complaint(unit, draft.get("PostPeriod"), ("AR",))
        if complaint:
            raise business(complaint)
        for line in draft.rows("Details"):
            check_account(unit, line, "Account")
        if draft.failed():
            raise business(" ".join(draft.sentences()))
        _release(unit, draft)

    def _fill(self, unit: Unit, draft: Record, body: Body, *, new: bool) -> None:
        take_note(draft, body)
        take(draft, body, ("CustomerOrder", "Description", "BillToContactOverride"))
        if body.get("Customer"):
            draft.set(Customer=body.get("Customer"))
        customer = check_customer(unit, draft, "Customer")
        draft.set(Hold=draft.get("Status") == "On Hold")
        _dates(unit, draft, body, customer, new=new)
        check_branch(unit, draft, "LinkBranch")
        _currency(unit, draft, customer)
        merge_rows(
            unit,
            draft.rows("Details"),
            body.details.get("Details", []),
            key=("LineNbr",),
            fill=lambda row, sent, fresh: fill_line(unit, draft, row, sent, new=fresh),
        )
        _memo_applications(unit, draft, body)
        fill_discounts(unit, draft, body)
        if CURRENCY in draft.custom and not draft.errors:
            recalculate(unit, draft, customer.get("TaxZone") if customer else None)
            adjust(unit, draft)
            draft.custom[BASE_BALANCE] = ZERO
            _discount(unit, draft)
            if money(draft.get("Amount")) < 0:
                draft.fail("Amount", "The document amount must be greater than or equal to 0.")
        if customer is not None and (new or not draft.get("BillToContactOverride")):
            _bill_to(unit, draft, customer)


def _dates(unit: Unit, draft: Record, body: Body, customer: Record | None, *, new: bool) -> None:
    day = sent_date(body, "Date")
    moved = day is not None and day != draft.get("Date")
    if day is not None:
        draft.set(Date=day)
    period = str(body.get("PostPeriod") or "").replace("-", "")
    if period:
        draft.set(PostPeriod=period)
    elif new or moved:
        draft.set(PostPeriod=unit.setup.periods.code_for(draft.get("Date")))
    complaint = period_complaint(unit, draft.get("PostPeriod"), ("AR",))
    if complaint:
        draft.fail("PostPeriod", complaint)
    if type_of(draft) == "Credit Memo":
        return
    if new and customer is not None:
        draft.set(Terms=customer.get("Terms"))
    take(draft, body, ("Terms",))
    if draft.get("Terms") and draft.get("Terms") not in unit.setup.terms:
        draft.fail("Terms", cannot_be_found("Terms"))
    if new or moved or "Terms" in body.values:
        draft.set(DueDate=unit.setup.due_date(draft.get("Terms"), draft.get("Date")))
    due: date | None = sent_date(body, "DueDate")
    if due is not None:
        draft.set(DueDate=due)


def _discount(unit: Unit, draft: Record) -> None:
    """The cash discount that the terms grant, and the last day to take it."""
    terms = unit.setup.terms.get(draft.get("Terms", ""))
    if terms is None or type_of(draft) not in DEBITS:
        return
    amount = money(draft.get("Amount")) * terms.discount / 100
    draft.custom[DISCOUNT] = unit.setup.round(amount, draft.custom[CURRENCY])
    draft.custom[DISCOUNT_DATE] = draft.get("Date") + timedelta(days=terms.discount_days)


def _currency(unit: Unit, draft: Record, customer: Record | None) -> None:
    if customer is None:
        draft.custom.pop(CURRENCY, None)
        return
    own = customer.get("CurrencyID") or unit.setup.base_of(draft.get("LinkBranch"))
    currency = draft.custom.get(CURRENCY) or own
    if currency != own and not customer.get("EnableCurrencyOverride"):
        draft.error = f"The currency {currency} cannot be used for the customer."
    if currency not in unit.setup.precisions:
        draft.error = cannot_be_found("Currency")
        currency = own
    draft.custom[CURRENCY] = currency
    draft.custom[RATE] = unit.setup.rate(currency, draft.get("Date"), draft.get("LinkBranch"))


def _memo_applications(unit: Unit, draft: Record, body: Body) -> None:
    if type_of(draft) != "Credit Memo":
        return
    rows = draft.rows("ApplicationsCreditMemo")

    def fill(row: Row, sent: Body, new: bool) -> None:
        del new
        kind, number = label_of(sent.get("DocType")), sent.get("ReferenceNbr")
        row.set(DocType=kind or row.get("DocType"))
        row.set(ReferenceNbr=number or row.get("ReferenceNbr"))
        found = unit.find("Invoice", row.get("DocType", ""), row.get("ReferenceNbr", ""))
        if found is None or fold(found.get("Customer")) != fold(draft.get("Customer")):
            row.fail("ReferenceNbr", cannot_be_found("Reference Nbr."))
            return
        amount = sent.get("AmountPaid")
        row.set(AmountPaid=open_balance(found) if amount is None else amount)
        if money(row.get("AmountPaid")) > open_balance(found):
            row.fail(
                "AmountPaid", f"The value must be less than or equal to {open_balance(found)}."
            )

    sent = body.details.get("ApplicationsCreditMemo", [])
    merge_rows(unit, rows, sent, key=("DocType", "ReferenceNbr"), fill=fill)


def _bill_to(unit: Unit, draft: Record, customer: Record) -> None:
    contact = draft.values.get("BillToContact") or unit.row()
    source: Row = customer.get("BillingContact") or customer.values["MainContact"]
    contact.set(
        Attention=source.get("Attention"),
        BusinessName=source.get("CompanyName") or customer.get("CustomerName"),
        Email=source.get("Email"),
        Phone1=source.get("Phone1"),
    )
    draft.set(BillToContact=contact, BillToContactOverride=False)


def _release(unit: Unit, draft: Record) -> None:
    currency, rate = draft.custom[CURRENCY], draft.custom[RATE]
    sign = -1 if type_of(draft) == "Credit Memo" else 1
    total = money(draft.get("Amount"))
    posting = _posting(unit, draft, sign, currency, rate)
    pending = [
        row
        for row in draft.rows("ApplicationsCreditMemo")
        if not row.custom.get("ARAdjust.Released")
    ]
    draft.values["ApplicationsCreditMemo"] = []
    draft.set(Balance=total, Status="Open" if total else "Closed", Hold=False)
    draft.custom[BASE_BALANCE] = unit.setup.to_base(total, rate, draft.get("LinkBranch"))
    for row in pending:
        found = unit.find("Invoice", row.get("DocType"), row.get("ReferenceNbr"))
        if found is None or not released(found):
            raise business(cannot_be_found("Reference Nbr."))
        paid = unit.edit(found)
        parts = settle(
            unit,
            posting,
            draft,
            paid,
            amount=money(row.get("AmountPaid")),
            day=draft.get("Date"),
        )
        record_history(
            unit,
            draft,
            paid,
            parts,
            day=draft.get("Date"),
            period=draft.get("PostPeriod"),
            batch="",
        )
    batches = unit.post(
        "AR",
        day=draft.get("Date"),
        period=draft.get("PostPeriod"),
        lines=posting.lines,
        description=draft.get("Description", ""),
        document=f"{type_of(draft)} {draft.get('ReferenceNbr')}",
    )
    draft.custom["Document.BatchNbr"] = batches[0].number if batches else None


def _posting(unit: Unit, draft: Record, sign: int, currency: str, rate: Decimal) -> Posting:
    posting = Posting(
        unit,
        description=draft.get("Description", ""),
        reference=draft.get("ReferenceNbr"),
        customer=draft.get("Customer"),
    )
    branch = draft.get("LinkBranch")

    def add(account: str, at: str, amount: Decimal, text: str = "") -> None:
        base = unit.setup.to_base(amount, rate, branch)
        posting.add(account, at, currency, amount, base, text=text)

    add(draft.get("LinkARAccount"), branch, sign * money(draft.get("Amount")))
    for line in draft.rows("Details"):
        text = line.get("TransactionDescription", "")
        add(line.get("Account"), line.get("Branch"), -sign * money(line.get("Amount")), text)
    for row in draft.rows("TaxDetails"):
        tax = unit.setup.taxes[row.get("TaxID")]
        add(tax.account, branch, -sign * money(row.get("TaxAmount")), tax.code)
    extra = freight_price(unit, draft) - discount_total(unit, draft)
    if extra:
        add(unit.setup.sales, branch, -sign * extra, "Freight less discounts")
    if len(posting.lines[currency]) > 1:
        posting.level(currency)
    return posting
