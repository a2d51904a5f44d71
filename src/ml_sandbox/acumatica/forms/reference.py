"""Reference entities: a few may be edited through the API, the rest are read-only here."""

from ml_sandbox.acumatica.forms.base import Form, cannot_be_empty, take, take_note
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit


class ReferenceForm(Form):
    """A set-up entity; `editable` ones can be added and changed field by field."""

    def __init__(self, entity: str, label: str, key: str, *, editable: bool) -> None:
        self.entity = entity
        self.label = label
        self._key = key
        self._editable = editable

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new set-up record with the given key."""
        if not self._editable:
            return super().insert(unit, body)
        draft = unit.create(self.entity)
        take(draft, body, body.values)
        take_note(draft, body)
        if not draft.get(self._key):
            draft.fail(self._key, cannot_be_empty(self._key))
        if self.entity == "Account":
            draft.values.setdefault("Active", True)
            draft.set(CashAccount=False, AccountID=int(unit.number("ACCOUNT", "{}")) + 1000)
        return draft

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes any field but the key."""
        if not self._editable:
            super().insert(unit, body)
        fixed = {self._key, "CashAccount", "AccountID", "LastModifiedDateTime", "CreatedDateTime"}
        take(draft, body, (name for name in body.values if name not in fixed))
        take_note(draft, body)
