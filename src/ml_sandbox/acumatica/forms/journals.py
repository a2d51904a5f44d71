"""Journal transactions (GL301000): manual batches that must balance, and their posting."""

from decimal import Decimal

from ml_sandbox.acumatica.errors import Problem, business, disabled
from ml_sandbox.acumatica.forms.base import (
    Form,
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
from ml_sandbox.acumatica.forms.workflow import (
    BUTTONS,
    change_hold,
    check_button,
    entry_status,
    press,
)
from ml_sandbox.acumatica.ledger import ZERO, Line
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_RELEASED = frozenset(("Posted", "Unposted"))
_ROW_FIELDS = (
    "ReferenceNbr",
    "TransactionDescription",
    "Qty",
    "UOM",
    "Project",
    "ProjectTask",
    "CostCode",
    "IsNonPM",
    "NonBillable",
)


class JournalForm(Form):
    """Journal Transactions."""

    entity = "JournalTransaction"
    label = "GL Batch"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new batch of module GL; other modules make their own."""
        draft = unit.create(self.entity)
        module = body.get("Module") or "GL"
        draft.set(
            Module=module,
            BatchNbr="<NEW>",
            BranchID=unit.branch,
            TransactionDate=unit.day,
            Status=entry_status(unit, self.entity, hold=held(unit, body)),
        )
        if module != "GL":
            draft.fail("Module", f"Batches of module {module} cannot be entered on this form.")
        self._fill(unit, draft, body)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """The next batch number, shared by all modules."""
        draft.set(BatchNbr=unit.number("BATCH"))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes an unreleased batch; a released one stays as it is."""
        if draft.get("Status") in _RELEASED:
            take_note(draft, Body(note=body.note))
            return
        if "Hold" in body.values:
            change_hold(unit, draft, self.entity, hold=bool(body.get("Hold")))
        self._fill(unit, draft, body)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only an unreleased batch can be deleted."""
        if record.get("Status") in _RELEASED:
            raise disabled("Delete")
        unit.drop(record)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Release is enabled for balanced batches."""
        if action in BUTTONS:
            check_button(record, action)
            return True
        if action != "release":
            raise Problem(404, f"The {action} action is not found.")
        if record.get("Status") in _RELEASED and unit.switches.release_of_released == "silent":
            return False
        if record.get("Status") != "Balanced":
            raise disabled("Release")
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Releases and, by preference, posts the batch."""
        draft = unit.edit(record)
        if action in BUTTONS:
            press(unit, draft, action, self.entity)
            return
        complaint = period_complaint(unit, draft.get("PostPeriod"), ())
        if complaint:
            raise business(complaint)
        for row in draft.rows("Details"):
            _check_row(unit, draft, row)
        _check_balance(draft)
        if draft.failed():
            raise business(" ".join(draft.sentences()))
        _post(unit, draft)

    def _fill(self, unit: Unit, draft: Record, body: Body) -> None:
        take_note(draft, body)
        take(draft, body, ("Description",))
        for name in ("BranchID", "LedgerID", "CurrencyID"):
            if body.get(name):
                draft.values[name] = body.get(name)
        check_branch(unit, draft, "BranchID")
        company = unit.setup.company_of(str(draft.get("BranchID")))
        draft.values.setdefault("LedgerID", company.ledger)
        draft.values.setdefault("CurrencyID", company.base)
        ledger = unit.find("Ledger", draft.get("LedgerID"))
        if ledger is None or ledger.get("LedgerID") != company.ledger:
            draft.fail("LedgerID", cannot_be_found("Ledger"))
        if draft.get("CurrencyID") not in unit.setup.precisions:
            draft.fail("CurrencyID", cannot_be_found("Currency"))
            return
        _period(unit, draft, body)
        draft.set(Hold=draft.get("Status") == "On Hold")

        def fill(row: Row, sent: Body, new: bool) -> None:
            _fill_row(unit, draft, row, sent, new=new)

        rows = draft.rows("Details")
        merge_rows(unit, rows, body.details.get("Details", []), key=("LineNbr",), fill=fill)
        if draft.get("Status") == "Balanced":
            _check_balance(draft)


def _period(unit: Unit, draft: Record, body: Body) -> None:
    day = sent_date(body, "TransactionDate")
    draft.set(TransactionDate=day or draft.get("TransactionDate"))
    sent = str(body.get("PostPeriod") or "").replace("-", "")
    if sent or day is not None or not draft.get("PostPeriod"):
        draft.set(PostPeriod=sent or unit.setup.periods.code_for(draft.get("TransactionDate")))
    complaint = period_complaint(unit, draft.get("PostPeriod"), ())
    if complaint:
        draft.fail("PostPeriod", complaint)


def _fill_row(unit: Unit, draft: Record, row: Row, sent: Body, *, new: bool) -> None:
    if new:
        row.set(BranchID=draft.get("BranchID"), Subaccount="000000", Project="X")
        row.set(DebitAmount=ZERO, CreditAmount=ZERO)
        row.set(TransactionDescription=draft.get("Description"))
    take(row, sent, _ROW_FIELDS)
    for name in ("Account", "Subaccount", "BranchID"):
        if sent.get(name):
            row.values[name] = sent.get(name)
    currency = draft.get("CurrencyID")
    # The amounts are entered in the contract's order, and each one clears the other.
    for name, other in (("CreditAmount", "DebitAmount"), ("DebitAmount", "CreditAmount")):
        amount = sent.get(name)
        if amount is not None:
            row.values[name] = unit.setup.round(amount, currency)
            if amount:
                row.values[other] = ZERO
    _check_row(unit, draft, row)


def _check_row(unit: Unit, draft: Record, row: Row) -> None:
    account = check_account(unit, row, "Account", manual=True)
    check_branch(unit, row, "BranchID")
    if unit.find("Subaccount", str(row.get("Subaccount"))) is None:
        row.fail("Subaccount", cannot_be_found("Subaccount"))
    if account is None:
        return
    row.set(Description=account.get("Description"))
    currency = draft.get("CurrencyID")
    own = account.get("CurrencyID")
    if own and own != currency:
        row.fail("Account", f"The account is denominated in {own}, the batch is in {currency}.")
    cash = unit.setup.cash_by_place(row.get("Account"), row.get("Subaccount"), row.get("BranchID"))
    if cash is not None and cash.currency != currency:
        row.fail("Account", f"Cash account {cash.code} is in {cash.currency}.")


def _check_balance(draft: Record) -> None:
    debit = sum((money(row.get("DebitAmount")) for row in draft.rows("Details")), ZERO)
    credit = sum((money(row.get("CreditAmount")) for row in draft.rows("Details")), ZERO)
    if debit != credit:
        draft.error = "The document is out of the balance."


def _post(unit: Unit, draft: Record) -> None:
    currency = draft.get("CurrencyID")
    rate = unit.setup.rate(currency, draft.get("TransactionDate"), draft.get("BranchID"))
    lines = [_line(unit, row, rate) for row in draft.rows("Details")]
    difference = sum((line.base for line in lines), ZERO)
    if difference:
        max(lines, key=lambda line: abs(line.base)).base -= difference
    batches = unit.post(
        "GL",
        day=draft.get("TransactionDate"),
        period=draft.get("PostPeriod"),
        lines={currency: lines},
        description=draft.get("Description", ""),
        document=f"GL {draft.get('BatchNbr')}",
        record=draft,
    )
    if not batches:
        raise business("The batch cannot be released because it has no amounts.")
    draft.set(Status="Posted" if batches[0].posted else "Unposted", Hold=False)


def _line(unit: Unit, row: Row, rate: Decimal) -> Line:
    amount = money(row.get("DebitAmount")) - money(row.get("CreditAmount"))
    return Line(
        account=row.get("Account"),
        branch=row.get("BranchID"),
        amount=amount,
        base=unit.setup.to_base(amount, rate, row.get("BranchID")),
        subaccount=row.get("Subaccount"),
        description=row.get("TransactionDescription", ""),
        reference=row.get("ReferenceNbr", ""),
    )
