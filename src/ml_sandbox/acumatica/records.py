"""Rows, records and the tables that hold them by id, by key and by searched fields."""

from collections.abc import Iterable, Iterator
from typing import Any, cast


def fold(value: object) -> str:
    """A key as the database compares it: no case, no padding."""
    return str(value).strip().casefold()


class Row:
    """A set of field values: a detail row, a linked entity, or a whole record.

    `values` holds contract fields (scalars, linked Rows, lists of Rows); `custom` holds the
    neighbouring fields of the form that no contract shows, named "View.Field".
    """

    __slots__ = ("custom", "error", "errors", "id", "note", "values")

    def __init__(self, row_id: str, values: dict[str, Any] | None = None) -> None:
        self.id = row_id
        self.values: dict[str, Any] = values if values is not None else {}
        self.custom: dict[str, Any] = {}
        self.note = ""
        self.error: str | None = None
        self.errors: dict[str, str] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """A field's value, or the default when it is empty."""
        value = self.values.get(name)
        return default if value is None else value

    def set(self, **values: Any) -> None:
        """Sets fields by their contract names."""
        self.values.update(values)

    def fail(self, field: str, sentence: str) -> None:
        """Notes an error on a field; the first one stays."""
        self.errors.setdefault(field, sentence)

    def rows(self, name: str) -> list["Row"]:
        """The detail rows under a name; an absent list is created."""
        return self.values.setdefault(name, [])

    def failed(self) -> bool:
        """Whether this row or any row below it carries an error."""
        if self.error or self.errors:
            return True
        return any(row.failed() for row in self.children())

    def children(self) -> Iterator["Row"]:
        """Linked and detail rows below this one."""
        for value in self.values.values():
            if isinstance(value, Row):
                yield value
            else:
                yield from _rows_in(value)

    def sentences(self) -> list[str]:
        """Every error text on this row and below, outermost first."""
        own = ([self.error] if self.error else []) + list(self.errors.values())
        return own + [text for row in self.children() for text in row.sentences()]

    def copy_into(self, other: "Row") -> None:
        """Copies values deeply and the rest shallowly."""
        other.note = self.note
        other.custom = dict(self.custom)
        other.values = {name: _copied(value) for name, value in self.values.items()}

    def copy(self) -> "Row":
        """An independent copy with the same id."""
        other = Row(self.id)
        self.copy_into(other)
        return other

    def same(self, other: "Row") -> bool:
        """Whether both hold the same values, notes and neighbours."""
        return (
            self.note == other.note
            and self.custom == other.custom
            and _plain(self) == _plain(other)
        )


def _copied(value: Any) -> Any:
    if isinstance(value, Row):
        return value.copy()
    if isinstance(value, list):
        return [row.copy() for row in _rows_in(value)]
    return value


def _rows_in(value: Any) -> list[Row]:
    return cast("list[Row]", value) if isinstance(value, list) else []


def _plain(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in row.values.items():
        if isinstance(value, Row):
            plain[name] = (value.custom, _plain(value))
        elif isinstance(value, list):
            rows = _rows_in(value)
            if rows:
                plain[name] = [(each.id, each.note, each.custom, _plain(each)) for each in rows]
        elif value is not None:
            plain[name] = value
    return plain


class Record(Row):
    """A saved top-level entity; replaced as a whole when it changes."""

    __slots__ = ("cache", "entity", "serial")

    def __init__(self, entity: str, row_id: str, values: dict[str, Any] | None = None) -> None:
        super().__init__(row_id, values)
        self.entity = entity
        self.serial = 0
        self.cache: dict[object, Any] = {}

    def draft(self) -> "Record":
        """A copy to be changed, with the same identity."""
        other = Record(self.entity, self.id)
        other.serial = self.serial
        self.copy_into(other)
        return other


class Table:
    """All records of one entity; lookups never scan when an index fits."""

    def __init__(self, entity: str, keys: tuple[str, ...], indexed: Iterable[str] = ()) -> None:
        self.entity = entity
        self.keys = keys
        self.by_id: dict[str, Record] = {}
        self._by_key: dict[tuple[str, ...], Record] = {}
        self._indexes: dict[str, dict[str, dict[str, Record]]] = {name: {} for name in indexed}

    def __iter__(self) -> Iterator[Record]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def key_of(self, record: Row) -> tuple[str, ...]:
        """The record's key as it is compared."""
        return tuple(fold(record.values.get(name) or "") for name in self.keys)

    def find(self, *key: str) -> Record | None:
        """The record with that key."""
        return self._by_key.get(tuple(fold(part) for part in key)) if self.keys else None

    def put(self, record: Record) -> None:
        """Saves a record in place of its older self."""
        old = self.by_id.get(record.id)
        if old is None:
            record.serial = len(self.by_id) + 1
        else:
            self._forget(old)
        self.by_id[record.id] = record
        if self.keys:
            self._by_key[self.key_of(record)] = record
        for name, index in self._indexes.items():
            index.setdefault(fold(record.values.get(name) or ""), {})[record.id] = record

    def drop(self, record: Record) -> None:
        """Removes a record."""
        old = self.by_id.pop(record.id)
        self._forget(old)

    def indexed(self, name: str, value: str) -> list[Record] | None:
        """Records whose field has the value; None when that field has no index."""
        index = self._indexes.get(name)
        return None if index is None else list(index.get(fold(value), {}).values())

    def _forget(self, old: Record) -> None:
        if self.keys:
            self._by_key.pop(self.key_of(old), None)
        for name, index in self._indexes.items():
            bucket = index.get(fold(old.values.get(name) or ""))
            if bucket is not None:
                bucket.pop(old.id, None)
