"""The $filter language: text to a compiled test of a record, with the service's failure modes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from ml_sandbox.acumatica.contract import Endpoint, EntityType
from ml_sandbox.acumatica.errors import bad_query
from ml_sandbox.acumatica.records import Record, Row, fold

Test = Callable[[Record], bool]
Getter = Callable[[Record], Any]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<custom>cf\.(?P<cftype>\w+)\(\s*f\s*=\s*'(?P<cfname>[^']*)'\s*\))
    | (?P<stamp>(?:datetimeoffset|datetime|date|guid)'[^']*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?[MmDdLlFf]?)
    | (?P<name>[A-Za-z_][\w./]*)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_EDM = {
    "string": "Edm.String",
    "decimal": "Edm.Decimal",
    "double": "Edm.Double",
    "boolean": "Edm.Boolean",
    "int": "Edm.Int32",
    "short": "Edm.Int16",
    "long": "Edm.Int64",
    "byte": "Edm.Byte",
    "datetime": "Edm.DateTimeOffset",
    "guid": "Edm.Guid",
    "choice": "Edm.String",
    "day": "Edm.Date",
}
_TEXTS = frozenset(("string", "choice"))
_MOMENTS = frozenset(("datetime", "day"))
_OPERATORS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_FAMILIES = (
    frozenset(("Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte", "Edm.Decimal")),
    frozenset(("Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte", "Edm.Double")),
    frozenset(("Edm.DateTimeOffset", "Edm.Date")),
)
_FUNCTIONS = frozenset(("substringof", "startswith", "endswith"))
_CUSTOM_TYPES = {
    "string": "Edm.String",
    "decimal": "Edm.Decimal",
    "datetime": "Edm.DateTimeOffset",
    "boolean": "Edm.Boolean",
    "bool": "Edm.Boolean",
    "int": "Edm.Int32",
    "guid": "Edm.Guid",
}


@dataclass(slots=True)
class Operand:
    """One side of a comparison: a type, how to get its value, and its field or literal."""

    edm: str
    get: Getter
    field: str | None = None
    literal: Any = None
    detail: bool = False


@dataclass(slots=True)
class Filter:
    """A compiled filter. `equal` names fields that must equal a text, for indexes."""

    test: Test
    equal: dict[str, str] = field(default_factory=dict[str, str])
    on_details: bool = False


def custom_value(record: Record, entity: EntityType, name: str) -> Any:
    """The value behind "View.Field": a neighbour of the contract, or a contract field."""
    if name in record.custom:
        return record.custom[name]
    for field_name, behind in entity.backing.items():
        if behind.lower() == name.lower():
            return record.values.get(field_name)
    return None


def compile_filter(
    text: str, endpoint: Endpoint, entity: EntityType, *, case_sensitive: bool = False
) -> Filter:
    """Compiles `text`; raises the 500 of the service when it is not understood."""
    return _Parser(text, endpoint, entity, case_sensitive=case_sensitive).parse()


class _Parser:
    def __init__(
        self, text: str, endpoint: Endpoint, entity: EntityType, *, case_sensitive: bool
    ) -> None:
        self._text = text
        self._endpoint = endpoint
        self._entity = entity
        self._clean: Callable[[Any], Any] = _as_is if case_sensitive else _folded
        self._tokens = self._tokenize(text)
        self._at = 0
        self._equal: dict[str, str] = {}
        self._on_details = False

    def _tokenize(self, text: str) -> list[re.Match[str]]:
        found: list[re.Match[str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise bad_query(f"Syntax error at position {at} in '{text}'.")
            found.append(match)
            at = match.end()
        return found

    def parse(self) -> Filter:
        if not self._tokens:
            raise bad_query("Expression expected at position 0 in ''.")
        test = self._or(top=True)
        if self._at != len(self._tokens):
            raise self._syntax()
        return Filter(test, self._equal, self._on_details)

    def _syntax(self) -> Exception:
        position = (
            self._tokens[self._at].start() if self._at < len(self._tokens) else len(self._text)
        )
        return bad_query(f"Syntax error at position {position} in '{self._text}'.")

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        return self._tokens[self._at].group().strip()

    def _accept(self, *words: str) -> str | None:
        word = self._peek()
        if word in words:
            self._at += 1
            return word
        return None

    def _expect(self, mark: str) -> None:
        if self._accept(mark) is None:
            raise self._syntax()

    def _or(self, *, top: bool = False) -> Test:
        start = dict(self._equal)
        tests = [self._and(top=top)]
        while self._accept("or"):
            self._equal = start
            tests.append(self._and(top=False))
        if len(tests) == 1:
            return tests[0]
        return lambda record: any(test(record) for test in tests)

    def _and(self, *, top: bool) -> Test:
        tests = [self._unary(top=top)]
        while self._accept("and"):
            tests.append(self._unary(top=top))
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            return lambda record: first(record) and second(record)
        return lambda record: all(test(record) for test in tests)

    def _unary(self, *, top: bool) -> Test:
        if self._accept("not"):
            inner = self._unary(top=False)
            return lambda record: not inner(record)
        if self._peek() == "(":
            self._at += 1
            test = self._or(top=top)
            self._expect(")")
            return test
        return self._comparison(top=top)

    def _comparison(self, *, top: bool) -> Test:
        left = self._operand()
        operator = self._accept(*_OPERATORS)
        if operator is None:
            if left.edm != "Edm.Boolean":
                raise self._syntax()
            return lambda record: bool(left.get(record))
        right = self._operand()
        _check_types(left, right, operator)
        self._on_details = self._on_details or left.detail or right.detail
        if top and operator == "eq":
            self._note_equal(left, right)
        return _compare(operator, left.get, right.get)

    def _note_equal(self, left: Operand, right: Operand) -> None:
        for one, other in ((left, right), (right, left)):
            if one.field and isinstance(other.literal, str) and one.edm == "Edm.String":
                self._equal[one.field] = other.literal

    def _operand(self) -> Operand:
        if self._at >= len(self._tokens):
            raise self._syntax()
        token = self._tokens[self._at]
        self._at += 1
        kind = token.lastgroup
        if token.group("custom"):
            return self._custom(token.group("cftype"), token.group("cfname"))
        text = token.group().strip()
        if kind == "stamp":
            return _stamp(text)
        if kind == "string":
            value = text[1:-1].replace("''", "'")
            clean = self._clean(value)
            return Operand("Edm.String", lambda _: clean, literal=value)
        if kind == "number":
            return _number(text)
        if kind == "name":
            return self._name(text)
        self._at -= 1
        raise self._syntax()

    def _name(self, text: str) -> Operand:
        if text in {"true", "false"}:
            truth = text == "true"
            return Operand("Edm.Boolean", lambda _: truth, literal=truth)
        if text == "null":
            return Operand("null", lambda _: None)
        if self._peek() == "(":
            return self._function(text)
        return self._field(text)

    def _function(self, name: str) -> Operand:
        if name not in _FUNCTIONS:
            raise bad_query(f"An unknown function with name '{name}' was found.")
        self._expect("(")
        first = self._operand()
        self._expect(",")
        second = self._operand()
        self._expect(")")
        if first.edm != "Edm.String" or second.edm != "Edm.String":
            raise bad_query(f"No function signature for the function with name '{name}' matches.")
        self._on_details = self._on_details or first.detail or second.detail
        one, two = first.get, second.get
        if name == "substringof":
            return Operand("Edm.Boolean", lambda record: (one(record) or "") in (two(record) or ""))
        if name == "startswith":
            return Operand(
                "Edm.Boolean", lambda record: (one(record) or "").startswith(two(record) or "")
            )
        return Operand(
            "Edm.Boolean", lambda record: (one(record) or "").endswith(two(record) or "")
        )

    def _field(self, path: str) -> Operand:
        entity, names = self._entity, path.split("/")
        detail = False
        for position, name in enumerate(names):
            each = entity.fields.get(name)
            if each is None:
                if name == "id":
                    return Operand("Edm.Guid", lambda record: record.id)
                raise bad_query(
                    f"Could not find a property named '{name}' on type 'Default.{entity.name}'."
                )
            if each.kind == "scalar":
                if position != len(names) - 1:
                    raise self._syntax()
                return self._getter(names, each.type, detail=detail)
            detail = detail or each.kind == "detail"
            entity = self._endpoint.entities[each.type]
        raise bad_query(f"The property '{path}' cannot be used in a filter.")

    def _getter(self, names: list[str], kind: str, *, detail: bool) -> Operand:
        clean = self._clean if kind in _TEXTS else _moment if kind in _MOMENTS else _as_is
        if len(names) == 1:
            name = names[0]
            return Operand(_EDM[kind], lambda record: clean(record.values.get(name)), field=name)
        return Operand(_EDM[kind], lambda record: clean(_walk(record, names)), detail=detail)

    def _custom(self, kind: str, name: str) -> Operand:
        edm = _CUSTOM_TYPES.get(kind.lower())
        if edm is None:
            raise bad_query(f"An unknown function with name 'cf.{kind}' was found.")
        entity = self._entity
        clean = self._clean if edm == "Edm.String" else _moment if "Date" in edm else _as_is
        return Operand(edm, lambda record: clean(custom_value(record, entity, name)))


def _walk(record: Record, names: list[str]) -> Any:
    value: Any = record
    for name in names:
        if not isinstance(value, Row):
            return None
        value = value.values.get(name)
    return value


def _as_is(value: Any) -> Any:
    return value


def _folded(value: Any) -> Any:
    return None if value is None else fold(value)


def _moment(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _number(text: str) -> Operand:
    suffix = text[-1].lower()
    if suffix == "m":
        value = Decimal(text[:-1])
        return Operand("Edm.Decimal", lambda _: value, literal=value)
    if suffix in "dfl":
        text = text[:-1]
    if suffix == "l" or text.lstrip("-").isdigit():
        whole = int(text)
        return Operand("Edm.Int32", lambda _: whole, literal=whole)
    double = Decimal(text)
    return Operand("Edm.Double", lambda _: double, literal=double)


def _stamp(text: str) -> Operand:
    kind, _, rest = text.partition("'")
    body = unquote(rest[:-1])
    if kind == "guid":
        folded = body.lower()
        return Operand("Edm.Guid", lambda _: folded, literal=folded)
    if kind == "datetime":
        return Operand("Edm.DateTime", lambda _: None)
    try:
        parsed = (
            datetime.fromisoformat(body) if len(body) > 10 else _moment(date.fromisoformat(body))
        )
    except ValueError:
        raise bad_query(f"Unrecognized '{text}' literal.") from None
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    edm = "Edm.Date" if kind == "date" else "Edm.DateTimeOffset"
    return Operand(edm, lambda _: moment, literal=moment)


def _check_types(left: Operand, right: Operand, operator: str) -> None:
    if "null" in {left.edm, right.edm} or left.edm == right.edm:
        return
    if any(left.edm in family and right.edm in family for family in _FAMILIES):
        return
    raise bad_query(
        "A binary operator with incompatible types was detected. Found operand types"
        f" '{left.edm}' and '{right.edm}' for operator kind '{_OPERATORS[operator]}'."
    )


def _compare(operator: str, left: Getter, right: Getter) -> Test:
    if operator == "eq":
        return lambda record: left(record) == right(record)
    if operator == "ne":
        return lambda record: left(record) != right(record)

    def ordered(record: Record) -> bool:
        one, two = left(record), right(record)
        if one is None or two is None:
            return False
        return _ORDER[operator](one, two)

    return ordered


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda one, two: one > two,
    "ge": lambda one, two: one >= two,
    "lt": lambda one, two: one < two,
    "le": lambda one, two: one <= two,
}
