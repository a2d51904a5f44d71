"""Values between JSON and Python: reading bodies leniently, writing wrapped values exactly."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID

import msgspec

from ml_sandbox.acumatica.contract import Endpoint, EntityType, FieldType
from ml_sandbox.acumatica.errors import malformed
from ml_sandbox.acumatica.wire import Json

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_UNQUOTED_KEY = re.compile(rb"([{,]\s*)([A-Za-z_][A-Za-z0-9_]*)(\s*:)")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_INTEGERS = frozenset(("int", "short", "long", "byte"))


@dataclass(slots=True)
class Body:
    """What a request body says about one row, limited to what the endpoint version knows."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    linked: dict[str, "Body"] = field(default_factory=dict[str, "Body"])
    details: dict[str, list["Body"]] = field(default_factory=dict[str, list["Body"]])
    custom: dict[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None
    note: str | None = None
    delete: bool = False

    def get(self, name: str) -> Any:
        """The sent value, or None when absent or cleared."""
        return self.values.get(name)


def decode(raw: bytes) -> Json:
    """A request body as an object; raises the 400 of an empty or malformed one."""
    if not raw.strip():
        raise malformed("", "The request body should not be empty.")
    try:
        parsed = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = _decode_loosely(raw)
    if not isinstance(parsed, dict):
        raise malformed("", "The request body should be a JSON object.")
    return cast("Json", parsed)


def _decode_loosely(raw: bytes) -> object:
    try:
        return _DECODER.decode(_UNQUOTED_KEY.sub(rb'\1"\2"\3', raw))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("", f"The request body is not valid JSON: {error}") from error


def read_body(
    endpoint: Endpoint,
    entity: EntityType,
    raw: Json,
    path: str = "entity",
    *,
    truncate: bool = True,
) -> Body:
    """A decoded body as a `Body`; unknown members are ignored, unreadable ones are a 400.

    Over-long strings are cut, or are a 400 when `truncate` is false.
    """
    body = Body()
    _read_marks(body, raw, path)
    for name, each in entity.fields.items():
        sent = raw.get(name)
        if sent is None:
            continue
        where = f"{path}.{name}"
        if each.kind == "scalar":
            if not isinstance(sent, dict):
                raise malformed(where, f"Error converting value {sent!r} to a wrapped value.")
            wrapped = cast("Json", sent)
            if "value" in wrapped:
                value = coerce(each, wrapped["value"], where)
                body.values[name] = _fitted(each, value, where, truncate=truncate)
        elif each.kind == "linked":
            inner = endpoint.entities[each.type]
            body.linked[name] = read_body(
                endpoint, inner, _object(sent, where), where, truncate=truncate
            )
        else:
            body.details[name] = _read_details(endpoint, each, sent, where, truncate=truncate)
    return body


def _fitted(each: FieldType, value: Any, where: str, *, truncate: bool) -> Any:
    if each.length is None or not isinstance(value, str) or len(value) <= each.length:
        return value
    if not truncate:
        raise malformed(where, f"The string is longer than {each.length} characters.")
    return value[: each.length]


def _read_marks(body: Body, raw: Json, path: str) -> None:
    if raw.get("id") is not None:
        body.id = _guid(raw["id"], f"{path}.id")
    note = raw.get("note")
    if isinstance(note, dict):
        body.note = str(cast("Json", note).get("value") or "")
    elif isinstance(note, str):
        body.note = note
    body.delete = raw.get("delete") in (True, "true")
    for view, fields in _object(raw.get("custom") or {}, f"{path}.custom").items():
        for name, sent in _object(fields, f"{path}.custom.{view}").items():
            body.custom[f"{view}.{name}"] = _object(sent, f"{path}.custom.{view}").get("value")


def _object(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise malformed(where, "A JSON object was expected.")
    return cast("Json", value)


def _read_details(
    endpoint: Endpoint, each: FieldType, sent: object, where: str, *, truncate: bool
) -> list[Body]:
    if not isinstance(sent, list):
        raise malformed(where, "A JSON array was expected.")
    inner = endpoint.entities[each.type]
    rows = cast("list[object]", sent)
    return [
        read_body(endpoint, inner, _object(row, where), f"{where}[{number}]", truncate=truncate)
        for number, row in enumerate(rows)
    ]


def _guid(value: object, where: str) -> str:
    if isinstance(value, dict):
        value = cast("Json", value).get("value")
    try:
        return str(UUID(str(value)))
    except ValueError as error:
        raise malformed(where, f"Error converting value {value!r} to a GUID.") from error


def coerce(each: FieldType, value: object, where: str) -> Any:
    """A JSON value as the field's Python value; strings are accepted for every type."""
    if value is None:
        return None
    try:
        return _coerce(each.type, value)
    except (ValueError, InvalidOperation, TypeError) as error:
        raise malformed(where, f"Could not convert {value!r} to {each.type}.") from error


def _coerce(kind: str, value: object) -> Any:
    if kind in {"string", "choice"}:
        return _text(value)
    if isinstance(value, dict | list):
        raise TypeError(kind)
    if kind in {"decimal", "double"}:
        return _number(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else _truth_of(value)
    if kind in _INTEGERS:
        number = _number(value)
        if number != number.to_integral_value():
            raise ValueError(value)
        return int(number)
    if kind in {"datetime", "day"}:
        return read_moment(str(value))
    return str(UUID(str(value)))


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        raise TypeError("a string was expected")
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value)


def _number(value: object) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("a number was expected")
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(value)
    return number


def _truth_of(value: object) -> bool:
    found = _TRUTH.get(str(value).strip().lower())
    if found is None:
        raise ValueError(value)
    return found


def read_moment(text: str) -> date | datetime:
    """A sent date-time: midnight without an offset is a pure date, others are moments in UTC."""
    text = text.strip()
    if text.count("/") == 2 and len(text) <= 10:
        # The user's locale (EN-US), as official samples send it.
        month, day, year = (int(part) for part in text.split("/"))
        return date(year, month, day)
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def as_date(value: date | datetime) -> date:
    """The calendar day of a sent value; an offset may therefore shift it, as on the real site."""
    return value.date() if isinstance(value, datetime) else value


class Writer:
    """Wraps Python values for answers, with the site's offsets."""

    def __init__(
        self, *, moment_offset: int = 0, date_offset: int = 0, bare_dates: bool = False
    ) -> None:
        self._zone = timezone(timedelta(minutes=moment_offset))
        sign = "-" if date_offset < 0 else "+"
        hours, minutes = divmod(abs(date_offset), 60)
        self._date_suffix = "" if bare_dates else f"T00:00:00{sign}{hours:02d}:{minutes:02d}"

    def plain(self, value: Any) -> Any:
        """The JSON value of a scalar."""
        if type(value) is Decimal:
            return written_decimal(value)
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, date):
            return value.isoformat() + self._date_suffix
        return value

    def moment(self, value: datetime) -> str:
        """A moment with milliseconds where they are not zero, and an explicit offset."""
        local = value.astimezone(self._zone)
        head = local.strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f"{local.microsecond // 1000:03d}".rstrip("0")
        zone = local.strftime("%z")
        return f"{head}{'.' + fraction if fraction else ''}{zone[:3]}:{zone[3:]}"


_FOUR = Decimal("0.0001")
_ZERO = Decimal("0.0")


def written_decimal(value: Decimal) -> Decimal:
    """A decimal at the scale the service prints: 0.0 for zero, else at least four places."""
    if not value:
        return _ZERO
    exponent = value.as_tuple().exponent
    return value.quantize(_FOUR) if isinstance(exponent, int) and exponent > -4 else value
