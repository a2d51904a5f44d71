"""Set-up entities: the editable ones take any field, linked entity and detail row they are sent."""

from collections.abc import Callable

from ml_sandbox.acumatica.forms.base import (
    Form,
    cannot_be_empty,
    merge_rows,
    take,
    take_note,
)
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_DEFAULTS: dict[str, dict[str, object]] = {
    "Account": {"Active": True, "CashAccount": False},
    "CustomerLocation": {"Active": True, "Status": "Active"},
    "CustomerPaymentMethod": {"Active": True},
    "NonStockItem": {"ItemStatus": "Active"},
    "PaymentMethod": {"Active": True, "IntegratedProcessing": False},
    "StockItem": {"ItemStatus": "Active"},
    "Vendor": {"Status": "Active", "APAccount": "20000", "CurrencyID": "USD"},
}
_NUMBERED = {"Account": ("AccountID", 1000), "CustomerPaymentMethod": ("InstanceID", 100)}
_FIXED = frozenset(
    ("CashAccount", "AccountID", "InstanceID", "LastModifiedDateTime", "CreatedDateTime")
)


class ReferenceForm(Form):
    """A set-up entity found by its keys; the ones that are not `editable` only answer reads."""

    def __init__(self, entity: str, label: str, keys: tuple[str, ...], *, editable: bool) -> None:
        self.entity = entity
        self.label = label
        self._keys = keys
        self._editable = editable
        # A cash account is a fact on an account, but a choice on a vendor or a method.
        self._fixed = _FIXED if entity == "Account" else _FIXED - {"CashAccount"}

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new set-up record with the given keys."""
        if not self._editable:
            return super().insert(unit, body)
        draft = unit.create(self.entity)
        draft.set(**_DEFAULTS.get(self.entity, {}))
        self._fill(unit, draft, body)
        numbered, start = _NUMBERED.get(self.entity, ("", 0))
        if numbered:
            draft.values[numbered] = int(unit.number(self.entity.upper(), "{}")) + start
        for key in self._keys:
            if not draft.get(key):
                draft.fail(key, cannot_be_empty(key))
        return draft

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes any field but the keys."""
        if not self._editable:
            super().insert(unit, body)
        kept = {name: draft.values.get(name) for name in self._keys}
        self._fill(unit, draft, body)
        draft.values.update(kept)

    def delete(self, unit: Unit, record: Record) -> None:
        """Items and vendors can be deleted; other set-up stays."""
        if self.entity not in {"StockItem", "NonStockItem", "Vendor", "CustomerPaymentMethod"}:
            super().delete(unit, record)
        unit.drop(record)

    def _fill(self, unit: Unit, draft: Record, body: Body) -> None:
        take(draft, body, (name for name in body.values if name not in self._fixed))
        take_note(draft, body)
        _fill_below(unit, draft, body)
        if self.entity == "StockItem":
            draft.set(LastModified=unit.world.clock.now())


def _fill_below(unit: Unit, row: Row, body: Body) -> None:
    for name, sent in body.linked.items():
        inner: Row = row.values.get(name) or unit.row()
        take(inner, sent, sent.values)
        _fill_below(unit, inner, sent)
        row.values[name] = inner
    for name, rows in body.details.items():
        merge_rows(unit, row.rows(name), rows, key=_row_key(rows), fill=_fill_row(unit))


def _row_key(rows: list[Body]) -> tuple[str, ...]:
    """Rows of set-up lists are known by the first text that they are sent with."""
    texts = [name for row in rows for name, value in row.values.items() if isinstance(value, str)]
    return tuple(texts[:1])


def _fill_row(unit: Unit) -> Callable[[Row, Body, bool], None]:
    def fill(row: Row, sent: Body, new: bool) -> None:
        del new
        take(row, sent, sent.values)
        _fill_below(unit, row, sent)

    return fill
