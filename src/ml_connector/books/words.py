"""The words of a mapping: which there are, and which one a person may have meant."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from enum import EnumType, StrEnum
from typing import Literal, cast, get_args, get_origin, get_type_hints

from ml_connector.books.mapping import Mapping as WholeMapping
from ml_connector.books.mapping import Role

NOT_WRITTEN = frozenset({"version", "time_zone"})
"""What a mapping knows from elsewhere: its number, and the connection's own time zone."""


def strange_words(body: Mapping[str, object]) -> list[tuple[str, str]]:
    """Each key or choice that a mapping does not have: where it stands, and a sentence."""
    found = list(_in_table(body, WholeMapping, ""))
    roles = body.get("accounts")
    if isinstance(roles, dict):
        given = cast("dict[str, object]", roles)
        found += [_no_word("accounts", key, list(Role)) for key in given if key not in set(Role)]
    return found


def _in_table(body: Mapping[str, object], kind: object, at: str) -> Iterable[tuple[str, str]]:
    """The strange words of one table whose words are the fields of a record."""
    if not isinstance(kind, type) or not is_dataclass(kind):
        return
    known = [one.name for one in fields(kind) if one.name not in NOT_WRITTEN]
    hints: dict[str, object] = get_type_hints(kind)
    for key, value in body.items():
        if key not in known:
            yield _no_word(at, key, known)
        else:
            yield from _in_value(value, hints[key], _joined(at, key))


def _in_value(value: object, kind: object, at: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        if get_origin(kind) in {Mapping, dict}:
            for key, inner in table.items():
                yield from _in_value(inner, get_args(kind)[1], _joined(at, key))
            return
        for one in get_args(kind) or (kind,):
            yield from _in_table(table, one, at)
    elif isinstance(value, str):
        choices = _choices(kind)
        if choices and value not in choices:
            yield at, f"{at} cannot be {value!r}{_meant(value, choices)}"


def _choices(kind: object) -> list[str]:
    """The texts that a value of a kind may have; empty when any text will do."""
    if isinstance(kind, EnumType) and issubclass(kind, StrEnum):
        return [str(one) for one in kind]
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    return []


def _no_word(at: str, key: str, known: list[str]) -> tuple[str, str]:
    table = f"[{at}]" if at else "A mapping"
    return _joined(at, key), f"{table} has no word {key!r}{_meant(key, known)}"


def _meant(word: str, known: Iterable[str]) -> str:
    """The rest of a sentence: the nearest word, and all that there are."""
    choices = {one.casefold(): str(one) for one in sorted(known)}
    near = get_close_matches(word.casefold(), choices, n=1)
    guess = f"; did you mean {choices[near[0]]!r}? " if near else ". "
    return f"{guess}There are {', '.join(choices.values())}."


def _joined(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
