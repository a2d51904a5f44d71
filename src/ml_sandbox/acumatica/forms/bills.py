"""Bills and adjustments of vendors (AP301000): entry, release to payables, and reversal."""

from decimal import Decimal

from ml_sandbox.acumatica.errors import Problem, business, disabled
from ml_sandbox.acumatica.forms.base import (
    CURRENCY,
    Form,
    cannot_be_empty,
    cannot_be_found,
    check_account,
    check_branch,
    held,
    merge_rows,
    money,
    period_complaint,
    sent_date,
    take,
    take_note,
)
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.forms.workflow import (
    BUTTONS,
    change_hold,
    check_button,
    entry_status,
    press,
)
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_TYPES = ("Bill", "Credit Adj.", "Debit Adj.")
_RELEASED = frozenset(("Open", "Closed", "Voided"))
_LINE = (
    "InventoryID TransactionDescription Description Qty UnitCost UOM TaxCategory Account"
    " Subaccount Branch Project ProjectTask CostCode NonBillable POLine POOrderNbr POOrderType"
    " POReceiptLine POReceiptNbr POReceiptType"
).split()


class BillForm(Form):
    """Bills and Adjustments."""

    entity = "Bill"
    label = "AP Document"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new document of a vendor; amounts come from the lines."""
        draft = unit.create(self.entity)
        kind = str(body.get("Type") or "Bill")
        if kind not in _TYPES:
            draft.fail("Type", "The list value is not defined.")
        draft.set(
            Type=kind,
            ReferenceNbr="<NEW>",
            Date=unit.day,
            BranchID=unit.branch,
            LocationID="MAIN",
            Project="X",
            ApprovedForPayment=False,
            IsTaxValid=True,
            TaxTotal=ZERO,
            Status=entry_status(unit, kind, hold=held(unit, body)),
        )
        self._fill(unit, draft, body, new=True)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """The next number of the payables sequence."""
        draft.set(ReferenceNbr=unit.number("APBILL"))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased document."""
        if draft.get("Status") in _RELEASED:
            take_note(draft, Body(note=body.note))
            return
        if "Hold" in body.values:
            change_hold(unit, draft, str(draft.get("Type")), hold=bool(body.get("Hold")))
        self._fill(unit, draft, body, new=False)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased document can be deleted."""
        if record.get("Status") in _RELEASED:
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Release from Balanced; reverse what is released; no retainage is kept here."""
        status = record.get("Status")
        if action in BUTTONS:
            check_button(record, action)
        elif action == "release":
            if status in _RELEASED and unit.switches.release_of_released == "silent":
                return False
            if status != "Balanced":
                raise disabled("Release")
        elif action == "reverseinvoice":
            if status not in _RELEASED or record.get("Type") != "Bill":
                raise disabled("Reverse")
        elif action == "releaseretainageamount":
            raise disabled("Release Retainage")
        else:
            raise Problem(404, f"The {action} action is not found.")
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Posts to payables, or creates the debit adjustment that reverses a bill."""
        draft = unit.edit(record)
        if action in BUTTONS:
            press(unit, draft, action, str(draft.get("Type")))
        elif action == "reverseinvoice":
            self._reverse(unit, draft)
        else:
            _release(unit, draft)

    def _reverse(self, unit: Unit, bill: Record) -> None:
        copy = unit.create(self.entity)
        bill.copy_into(copy)
        copy.set(
            Type="Debit Adj.",
            Status="Balanced",
            Hold=False,
            Balance=bill.get("Amount"),
            NoteID=copy.id,
        )
        copy.values.pop("LastModifiedDateTime", None)
        for row in copy.rows("Details"):
            row.id = unit.row().id
        self.assign_key(unit, copy)

    def _fill(self, unit: Unit, draft: Record, body: Body, *, new: bool) -> None:
        take_note(draft, body)
        take(draft, body, ("VendorRef", "Description", "Terms", "DueDate", "Project"))
        for name in ("Vendor", "BranchID", "LocationID", "CashAccount"):
            if body.get(name):
                draft.values[name] = body.get(name)
        vendor = unit.find("Vendor", draft.get("Vendor", ""))
        if vendor is None:
            text = cannot_be_found if draft.get("Vendor") else cannot_be_empty
            draft.fail("Vendor", text("Vendor"))
        else:
            draft.set(Vendor=vendor.get("VendorID"))
            draft.set(Terms=draft.get("Terms") or vendor.get("Terms"))
        check_branch(unit, draft, "BranchID")
        draft.set(CurrencyID=body.get("CurrencyID") or draft.get("CurrencyID") or "USD")
        if draft.get("CurrencyID") not in unit.setup.precisions:
            draft.fail("CurrencyID", cannot_be_found("Currency"))
            return
        draft.custom[CURRENCY] = draft.get("CurrencyID")
        _dates(unit, draft, body, new=new)
        draft.set(Hold=draft.get("Status") == "On Hold")
        merge_rows(
            unit,
            draft.rows("Details"),
            body.details.get("Details", []),
            key=("LineNbr",),
            fill=lambda row, sent, fresh: _line(unit, draft, row, sent, new=fresh),
        )
        total = sum((money(row.get("Amount")) for row in draft.rows("Details")), ZERO)
        draft.set(Amount=total, Balance=total)


def _dates(unit: Unit, draft: Record, body: Body, *, new: bool) -> None:
    day = sent_date(body, "Date")
    draft.set(Date=day or draft.get("Date"))
    sent = str(body.get("PostPeriod") or "").replace("-", "")
    if sent or new or day:
        draft.set(PostPeriod=sent or unit.setup.periods.code_for(draft.get("Date")))
    complaint = period_complaint(unit, draft.get("PostPeriod"), ("AP",))
    if complaint:
        draft.fail("PostPeriod", complaint)
    due = sent_date(body, "DueDate")
    if due or new or day:
        draft.set(DueDate=due or unit.setup.due_date(draft.get("Terms"), draft.get("Date")))


def _line(unit: Unit, draft: Record, row: Row, sent: Body, *, new: bool) -> None:
    if new:
        row.set(Branch=draft.get("BranchID"), Account="81000", Subaccount="000000", Qty=ZERO)
    take(row, sent, _LINE)
    currency = draft.get("CurrencyID")
    extended = sent.get("ExtendedCost")
    if extended is None:
        extended = sent.get("Amount")
    if extended is None:
        extended = money(row.get("Qty")) * money(row.get("UnitCost"))
    amount: Decimal = unit.setup.round(extended, currency)
    row.set(ExtendedCost=amount, Amount=amount)
    check_account(unit, row, "Account", manual=True)
    check_branch(unit, row, "Branch")


def _release(unit: Unit, draft: Record) -> None:
    complaint = period_complaint(unit, draft.get("PostPeriod"), ("AP",))
    if complaint:
        raise business(complaint)
    sign = -1 if draft.get("Type") == "Debit Adj." else 1
    branch, currency = str(draft.get("BranchID")), str(draft.get("CurrencyID"))
    rate = unit.setup.rate(currency, draft.get("Date"), branch)
    posting = Posting(
        unit, description=draft.get("Description", ""), reference=draft.get("ReferenceNbr")
    )

    def add(account: str, at: str, amount: Decimal, text: str = "") -> None:
        posting.add(account, at, currency, amount, unit.setup.to_base(amount, rate, at), text=text)

    add("20000", branch, -sign * money(draft.get("Amount")))
    for row in draft.rows("Details"):
        text = row.get("TransactionDescription", "")
        add(row.get("Account"), row.get("Branch"), sign * money(row.get("Amount")), text)
    if len(posting.lines[currency]) > 1:
        posting.level(currency)
    unit.post(
        "AP",
        day=draft.get("Date"),
        period=draft.get("PostPeriod"),
        lines=posting.lines,
        description=draft.get("Description", ""),
        document=f"{draft.get('Type')} {draft.get('ReferenceNbr')}",
    )
    draft.set(Status="Open" if draft.get("Amount") else "Closed", Hold=False)
