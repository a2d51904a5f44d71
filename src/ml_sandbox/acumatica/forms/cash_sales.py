"""Cash sales and returns (AR304000): a sale that is paid as it is made, without receivables."""

from decimal import Decimal

from ml_sandbox.acumatica.errors import Problem, business, disabled
from ml_sandbox.acumatica.forms.base import (
    Form,
    cannot_be_empty,
    cannot_be_found,
    check_account,
    check_branch,
    check_customer,
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

_TYPES = ("Cash Sale", "Cash Return")
_LINE = (
    "InventoryID TransactionDescription Qty UnitPrice TaxCategory Account Subaccount Branch"
    " ProjectTask CostCode"
).split()


class CashSaleForm(Form):
    """Cash Sales."""

    entity = "CashSale"
    label = "Cash Sale"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new cash sale or return."""
        draft = unit.create(self.entity)
        kind = str(body.get("Type") or "Cash Sale")
        if kind not in _TYPES:
            draft.fail("Type", "The list value is not defined.")
        draft.set(
            Type=kind,
            ReferenceNbr="<NEW>",
            Date=unit.day,
            Project="X",
            TaxTotal=ZERO,
            Status=entry_status(unit, kind, hold=held(unit, body)),
        )
        self._fill(unit, draft, body)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """Cash sales share the numbers of invoices."""
        draft.set(ReferenceNbr=unit.number("ARINVOICE"))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased cash sale."""
        if draft.get("Status") == "Closed":
            take_note(draft, Body(note=body.note))
            return
        if "Hold" in body.values:
            change_hold(unit, draft, str(draft.get("Type")), hold=bool(body.get("Hold")))
        self._fill(unit, draft, body)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased cash sale can be deleted."""
        if record.get("Status") == "Closed":
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Release is enabled for balanced cash sales."""
        if action in BUTTONS:
            check_button(record, action)
        elif action != "release":
            raise Problem(404, f"The {action} action is not found.")
        elif record.get("Status") == "Closed" and unit.switches.release_of_released == "silent":
            return False
        elif record.get("Status") != "Balanced":
            raise disabled("Release")
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Posts cash against sales and closes the document."""
        draft = unit.edit(record)
        if action in BUTTONS:
            press(unit, draft, action, str(draft.get("Type")))
        else:
            _release(unit, draft)

    def _fill(self, unit: Unit, draft: Record, body: Body) -> None:
        take_note(draft, body)
        take(draft, body, ("PaymentRef", "Description"))
        for name in ("CustomerID", "PaymentMethod", "CashAccount"):
            if body.get(name):
                draft.values[name] = body.get(name)
        check_customer(unit, draft, "CustomerID")
        method = unit.find("PaymentMethod", draft.get("PaymentMethod", ""))
        if method is None:
            draft.fail("PaymentMethod", cannot_be_found("Payment Method"))
        cash = unit.setup.cash_accounts.get(draft.get("CashAccount", ""))
        if cash is None:
            empty = not draft.get("CashAccount")
            draft.fail(
                "CashAccount", (cannot_be_empty if empty else cannot_be_found)("Cash Account")
            )
            return
        draft.set(Date=sent_date(body, "Date") or draft.get("Date"))
        complaint = period_complaint(
            unit, unit.setup.periods.code_for(draft.get("Date")), ("AR", "CA")
        )
        if complaint:
            draft.fail("Date", complaint)
        draft.set(Hold=draft.get("Status") == "On Hold")

        def fill(row: Row, sent: Body, new: bool) -> None:
            if new:
                row.set(Account=unit.setup.sales, Subaccount="000000", Branch=cash.branch, Qty=ZERO)
            take(row, sent, _LINE)
            price = sent.get("ExtendedPrice")
            if price is None:
                price = sent.get("Amount")
            if price is None:
                price = money(row.get("Qty")) * money(row.get("UnitPrice"))
            amount = unit.setup.round(price, cash.currency)
            row.set(ExtendedPrice=amount, Amount=amount)
            check_account(unit, row, "Account", manual=True)
            check_branch(unit, row, "Branch")

        lines = body.details.get("Details", [])
        merge_rows(unit, draft.rows("Details"), lines, key=("LineNbr",), fill=fill)
        total = sum((money(row.get("Amount")) for row in draft.rows("Details")), ZERO)
        draft.set(Amount=total, Balance=total)


def _release(unit: Unit, draft: Record) -> None:
    day = draft.get("Date")
    period = unit.setup.periods.code_for(day)
    complaint = period_complaint(unit, period, ("AR", "CA"))
    if complaint:
        raise business(complaint)
    cash = unit.setup.cash_accounts[draft.get("CashAccount")]
    sign = -1 if draft.get("Type") == "Cash Return" else 1
    rate = unit.setup.rate(cash.currency, day, cash.branch)
    posting = Posting(
        unit,
        description=draft.get("Description", ""),
        reference=draft.get("ReferenceNbr"),
        customer=draft.get("CustomerID"),
    )

    def add(account: str, at: str, amount: Decimal, text: str = "") -> None:
        base = unit.setup.to_base(amount, rate, at)
        posting.add(account, at, cash.currency, amount, base, text=text)

    add(cash.account, cash.branch, sign * money(draft.get("Amount")))
    for row in draft.rows("Details"):
        text = row.get("TransactionDescription", "")
        add(row.get("Account"), row.get("Branch"), -sign * money(row.get("Amount")), text)
    if len(posting.lines[cash.currency]) > 1:
        posting.level(cash.currency)
    unit.post(
        "AR",
        day=day,
        period=period,
        lines=posting.lines,
        description=draft.get("Description", ""),
        document=f"{draft.get('Type')} {draft.get('ReferenceNbr')}",
    )
    draft.set(Status="Closed", Balance=ZERO, Hold=False)
