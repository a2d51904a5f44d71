"""What goes in and out of a row: JSON values, and rows as frozen records."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Function, RowMapping, func

T = TypeVar("T")

JsonObject = dict[str, object]
"""A JSON object as the store keeps it: numbers with a fraction are Decimal, never float."""

JsonList = list[object]
"""A JSON array as the store keeps it."""

_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def to_json(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces, Decimal as an exact number, times as ISO texts."""
    return _encoder.encode(value).decode()


def from_json(text: str | bytes) -> Any:
    """JSON with fractions as Decimal; the caller knows the shape."""
    return _decoder.decode(text)


def as_object(value: object) -> JsonObject:
    """Any JSON-like value (a struct, a mapping) as a plain JSON object."""
    return from_json(to_json(value))


def record(kind: type[T], row: RowMapping) -> T:
    """A row as the record whose fields are named like the columns."""
    return kind(**{str(name): value for name, value in row.items()})


def records(kind: type[T], rows: Iterable[RowMapping]) -> list[T]:
    """Rows as records, in their order."""
    return [record(kind, row) for row in rows]


def moment(now: datetime | None) -> "datetime | Function[datetime]":
    """The caller's clock, or the database's when the caller has none."""
    return func.now() if now is None else now
