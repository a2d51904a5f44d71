"""Cash transactions (CA304000): receipts and disbursements that are no customer's."""

from ml_sandbox.acumatica.errors import Problem, business, disabled
from ml_sandbox.acumatica.forms.base import (
    Form,
    cannot_be_empty,
    cannot_be_found,
    held,
    merge_rows,
    money,
    period_complaint,
    sent_date,
    take,
    take_note,
)
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_STATUS = "CAAdjRecords.Status"
_NUMBER = "CAAdjRecords.AdjRefNbr"


class CashTransactionForm(Form):
    """Cash transactions; number and status are not in the contract, only behind $custom."""

    entity = "CashTransaction"
    label = "Cash Transaction"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new transaction of an entry type that the cash account has."""
        draft = unit.create(self.entity)
        draft.set(PostedDate=unit.day, Approved=True)
        draft.custom[_STATUS] = "On Hold" if held(unit, Body()) else "Balanced"
        draft.custom[_NUMBER] = "<NEW>"
        self._fill(unit, draft, body)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """The hidden reference number."""
        draft.custom[_NUMBER] = unit.number("CASHTRAN", "CA{:06d}")

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased transaction."""
        if draft.custom[_STATUS] == "Released":
            take_note(draft, Body(note=body.note))
            return
        self._fill(unit, draft, body)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased transaction can be deleted."""
        if record.custom[_STATUS] == "Released":
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Release is enabled until it is released; the contract has no Hold to take off."""
        if action != "release":
            raise Problem(404, f"The {action} action is not found.")
        if record.custom[_STATUS] == "Released":
            if unit.switches.release_of_released == "silent":
                return False
            raise disabled("Release")
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Posts cash against the entry type's offset account."""
        del action
        draft = unit.edit(record)
        day = draft.get("PostedDate")
        period = unit.setup.periods.code_for(day)
        complaint = period_complaint(unit, period, ("CA",))
        if complaint:
            raise business(complaint)
        cash = unit.setup.cash_accounts[draft.get("CashAccountCD")]
        kind = unit.setup.entry_types[draft.get("EntryTypeCD")]
        amount = sum((money(row.get("Amount")) for row in draft.rows("Details")), ZERO)
        rate = unit.setup.rate(cash.currency, day, cash.branch)
        base = unit.setup.to_base(amount, rate, cash.branch)
        sign = 1 if kind.direction == "Receipt" else -1
        posting = Posting(
            unit, description=draft.get("Description", ""), reference=draft.custom[_NUMBER]
        )
        posting.add(cash.account, cash.branch, cash.currency, sign * amount, sign * base)
        posting.add(kind.account, cash.branch, cash.currency, -sign * amount, -sign * base)
        unit.post(
            "CA",
            day=day,
            period=period,
            lines=posting.lines,
            description=draft.get("Description", ""),
            document=f"Cash Entry {draft.custom[_NUMBER]}",
        )
        draft.custom[_STATUS] = "Released"

    def _fill(self, unit: Unit, draft: Record, body: Body) -> None:
        take_note(draft, Body(note=body.note))
        take(
            draft, body, ("CashAccountCD", "EntryTypeCD", "ExternalReferenceNumber", "Description")
        )
        draft.set(PostedDate=sent_date(body, "PostedDate") or draft.get("PostedDate"))
        cash = unit.setup.cash_accounts.get(draft.get("CashAccountCD", ""))
        if cash is None:
            empty = not draft.get("CashAccountCD")
            text = cannot_be_empty if empty else cannot_be_found
            draft.fail("CashAccountCD", text("Cash Account"))
            return
        kind = unit.setup.entry_types.get(draft.get("EntryTypeCD", ""))
        if kind is None or kind.code not in cash.entry_types:
            empty = not draft.get("EntryTypeCD")
            text = cannot_be_empty if empty else cannot_be_found
            draft.fail("EntryTypeCD", text("Entry Type"))
        complaint = period_complaint(
            unit, unit.setup.periods.code_for(draft.get("PostedDate")), ("CA",)
        )
        if complaint:
            draft.fail("PostedDate", complaint)

        def fill(row: Row, sent: Body, new: bool) -> None:
            del new
            take(row, sent, ("Amount", "AmountDescription"))
            row.set(Amount=unit.setup.round(money(row.get("Amount")), cash.currency))

        merge_rows(
            unit,
            draft.rows("Details"),
            body.details.get("Details", []),
            key=("LineNbr",),
            fill=fill,
        )
