"""What all forms share: taking sent values, merging detail rows, checking selectors."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.errors import Problem, disabled
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row, fold
from ml_sandbox.acumatica.values import Body, as_date
from ml_sandbox.acumatica.world import Unit

DOCUMENT_CODES = {
    "INV": "Invoice",
    "CRM": "Credit Memo",
    "DRM": "Debit Memo",
    "PMT": "Payment",
    "PPM": "Prepayment",
    "REF": "Refund",
    "RPM": "Voided Payment",
    "VRF": "Voided Refund",
}
CURRENCY = "Document.CuryID"
RATE = "Document.CuryRate"
BASE_BALANCE = "Document.DocBal"
ORIGIN = "Document.OrigModule"
_OWN_NEIGHBOURS = frozenset(
    (RATE, BASE_BALANCE, ORIGIN, "Document.CuryDocBal", "Document.CuryLineTotal")
)


class Form:
    """One screen. Subclasses say how a record is filled in, numbered, deleted and acted upon."""

    entity = ""
    label = ""

    def open(self, unit: Unit, record: Record) -> Record:
        """The draft behind a saved record."""
        return unit.edit(record)

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new draft filled from a body; errors stay on the draft."""
        del unit, body
        raise disabled("Save")

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """Numbers a valid new draft."""

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Fills an existing draft from a body."""

    def show(self, unit: Unit, draft: Record) -> Record:
        """The draft as the requested entity, for an error echo."""
        del unit
        return draft

    def delete(self, unit: Unit, record: Record) -> None:
        """Deletes a record, where the form allows it."""
        del unit, record
        raise disabled("Delete")

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """Raises when the button is disabled now; False when there is nothing to do."""
        del unit, record, action
        return True

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Runs an action by its graph name."""
        del unit, record
        raise Problem(404, f"The {action} action of {self.entity} is not found.")


def cannot_be_found(label: str) -> str:
    """The message of a selector value that does not exist."""
    return f"'{label}' cannot be found in the system."


def cannot_be_empty(label: str) -> str:
    """The message of a missing required value."""
    return f"'{label}' cannot be empty."


def take(draft: Row, body: Body, names: Iterable[str]) -> None:
    """Copies the sent values of these fields."""
    for name in names:
        if name in body.values:
            draft.values[name] = body.values[name]


def take_note(draft: Row, body: Body) -> None:
    """Copies the note and the custom fields that were sent."""
    if body.note is not None:
        draft.note = body.note
    draft.custom.update(
        {name: value for name, value in body.custom.items() if name not in _OWN_NEIGHBOURS}
    )


def sent_date(body: Body, name: str) -> date | None:
    """A sent date as a calendar day."""
    value = body.get(name)
    return None if value is None else as_date(value)


def label_of(value: Any) -> str | None:
    """A drop-down value as its label; internal codes are understood."""
    return None if value is None else DOCUMENT_CODES.get(str(value), str(value))


def merge_rows(
    unit: Unit,
    rows: list[Row],
    bodies: list[Body],
    *,
    key: tuple[str, ...],
    fill: Callable[[Row, Body, bool], None],
) -> None:
    """Applies sent detail rows: found by id or by key they change or go, else they are added."""
    for body in bodies:
        row = _matching(rows, body, key)
        if body.delete:
            if row is not None:
                rows.remove(row)
            continue
        new = row is None
        if row is None:
            row = unit.row()
            if key == ("LineNbr",):
                row.set(LineNbr=max((each.get("LineNbr", 0) for each in rows), default=0) + 1)
            rows.append(row)
        if body.note is not None:
            row.note = body.note
        fill(row, body, new)


def _matching(rows: list[Row], body: Body, key: tuple[str, ...]) -> Row | None:
    if body.id is not None:
        return next((row for row in rows if row.id == body.id), None)
    if any(body.get(name) is None for name in key):
        return None
    wanted = [fold(label_of(body.get(name))) for name in key]
    for row in rows:
        if [fold(row.values.get(name)) for name in key] == wanted:
            return row
    return None


def check_account(unit: Unit, row: Row, field: str, *, manual: bool = False) -> Record | None:
    """The GL account a row names; notes an error when it cannot be used there."""
    code = row.get(field)
    if not code:
        row.fail(field, cannot_be_empty(field))
        return None
    account = unit.find("Account", str(code))
    if account is None:
        row.fail(field, cannot_be_found(field))
        return None
    row.values[field] = account.get("AccountCD")
    if not account.get("Active"):
        row.fail(field, f"Account {account.get('AccountCD')} is inactive.")
    module = account.custom.get("AccountRecords.ControlAccountModule")
    if manual and module and not account.custom.get("AccountRecords.AllowManualEntry"):
        row.fail(
            field,
            f"Account {account.get('AccountCD')} is a control account of the {module} module."
            " Manual entries to control accounts are not allowed.",
        )
    return account


def check_branch(unit: Unit, row: Row, field: str) -> None:
    """Notes an error when the branch does not exist."""
    code = row.get(field)
    if code is None:
        row.fail(field, cannot_be_empty("Branch"))
        return
    known = {fold(each): each for each in unit.setup.branches}
    if fold(code) not in known:
        row.fail(field, cannot_be_found("Branch"))
    else:
        row.values[field] = known[fold(code)]


def check_customer(unit: Unit, draft: Row, field: str) -> Record | None:
    """The customer a document names; on-hold and inactive ones cannot be selected."""
    code = draft.get(field)
    if not code:
        draft.fail(field, cannot_be_empty("Customer"))
        return None
    customer = unit.find("Customer", str(code))
    if customer is None:
        draft.fail(field, cannot_be_found("Customer"))
        return None
    draft.values[field] = customer.get("CustomerID")
    if customer.get("Status") in {"On Hold", "Inactive"}:
        draft.fail(field, f"The customer status is '{customer.get('Status')}'.")
    return customer


def period_complaint(unit: Unit, code: str, modules: tuple[str, ...]) -> str | None:
    """Why nothing can be posted into the period; a period that does not exist never can."""
    complaint = unit.setup.periods.complaint(code, modules)
    exists = code in unit.setup.periods.by_code
    if complaint and exists and not unit.switches.restrict_closed_periods:
        return None
    return complaint


def held(unit: Unit, body: Body) -> bool:
    """Whether a new document starts on hold."""
    sent = body.get("Hold")
    return unit.switches.hold_on_entry if sent is None else bool(sent)


def money(value: Any) -> Decimal:
    """A decimal field's value, zero when empty."""
    return value if isinstance(value, Decimal) else ZERO
