"""A field as Acumatica wraps it, where absent, null and a value are three things."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from ml_connector.basics.errors import Bug

T = TypeVar("T")
W = TypeVar("W")


class Field(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True, gc=False):
    """`{"value": x}`; `{"value": null}` clears a field; `{}` says nothing about it.

    A member that a record lacks reads as `{}`; one that is `ABSENT` is not sent at all.
    """

    value: T | UnsetType | None = UNSET

    @property
    def known(self) -> bool:
        """Whether the field holds a value that is not null."""
        return self.value is not UNSET and self.value is not None


ABSENT: Field[Any] = Field()
"""The default of every member; records leave it out by its identity when they are sent."""


def sent(value: T) -> Field[T]:
    """A field to send with a value."""
    return Field(value)


def if_any(value: str) -> Field[str]:
    """A text to send, or nothing of the member where it is empty."""
    return sent(value) if value else ABSENT


def cleared() -> Field[str]:
    """A field to send so that Acumatica empties it."""
    return Field(None)


def held(field: Field[T], name: str) -> T:
    """The value of a field without which a record makes no sense; raises Bug naming it."""
    value = field.value
    if isinstance(value, UnsetType) or value is None:
        raise Bug(
            f"Acumatica answered without a value for {name}.", cause=f"acumatica.lacks:{name}"
        )
    return value


def text(field: Field[str]) -> str:
    """The text, without the padding that stored keys carry; empty when there is none."""
    value = field.value
    return value.strip() if isinstance(value, str) else ""


def number(field: Field[Decimal]) -> Decimal:
    """The number; zero when there is none."""
    value = field.value
    return value if isinstance(value, Decimal) else Decimal(0)


def whole(field: Field[int]) -> int:
    """The whole number; zero when there is none."""
    value = field.value
    return value if isinstance(value, int) else 0


def flag(field: Field[bool]) -> bool:
    """The truth value; false when there is none."""
    return field.value is True


def day(field: Field[str]) -> date | None:
    """The business date: the first ten characters, never moved between zones (fact A3.2)."""
    value = text(field)
    return date.fromisoformat(value[:10]) if value else None


NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for an instant that the endpoint version does not tell."""


def instant(field: Field[str]) -> datetime:
    """The instant in UTC; `NEVER` when there is none. A value without an offset is UTC."""
    value = text(field)
    if not value:
        return NEVER
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def exact(amount: Decimal) -> Field[Decimal]:
    """An amount to send: all its digits; down to a millionth never in exponent form."""
    return Field(Decimal(f"{amount:f}"))


_encoder = msgspec.json.Encoder(decimal_format="number")


Sendable = msgspec.Struct | Mapping[str, Field[str] | str]
"""A record; or its id, and texts by the names of fields that a person chose."""


def encode(record: Sendable) -> bytes:
    """A record as a JSON body with exact decimals."""
    return _encoder.encode(record)


def decode(body: bytes, kind: type[W]) -> W:
    """A JSON body as a record; raises msgspec.DecodeError when it is not of that shape."""
    return msgspec.json.decode(body, type=kind)
