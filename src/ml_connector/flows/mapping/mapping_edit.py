"""A mapping's text compared key by key, and edited without losing its comments."""

import tomllib
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from typing import cast

import msgspec
import tomlkit

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.mapping import UNSOUND
from ml_connector.flows.mapping.mapping_text import parse


@dataclass(frozen=True, slots=True)
class Changed:
    """One key of a mapping that differs; None where a side does not have it."""

    key: str
    before: str | None
    after: str | None


def differences(before: ReadOnly[str, object], after: ReadOnly[str, object]) -> list[Changed]:
    """Which keys changed from what to what, in the order of the new text."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Changed(key, old.get(key), new.get(key))
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key)
    ]


def _leaves(body: ReadOnly[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        quoted = name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'
        key = f"{prefix}{quoted}"
        if isinstance(value, dict):
            yield from _leaves(cast("dict[str, object]", value), f"{key}.")
        else:
            yield key, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def put(text: str, key: str, value: str) -> str:
    """The text with one key set, comments and order kept; raises Misconfigured.

    The value is what reads: the word as it stands, else a TOML literal (`true`, `["A", "B"]`).
    """
    word = _edited(text, key, value)
    literal = _literal(value)
    try:
        parse(word)
    except Misconfigured as error:
        if literal is None or error.cause == UNSOUND:
            raise
    else:
        return word
    edited = _edited(text, key, literal)
    parse(edited)
    return edited


def drop(text: str, key: str) -> str:
    """The text without one key, comments and order kept; raises Misconfigured."""
    document = tomlkit.parse(text)
    *above, last = _path(key) or [""]
    place: object = document
    for name in above:
        place = cast("dict[str, object]", place).get(name) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        raise Misconfigured(
            f"The mapping has no key {key!r}.",
            cause="mapping.drop",
            remedy="See which there are: ml-connector mapping show.",
        )
    del cast("dict[str, object]", place)[last]
    return tomlkit.dumps(document)


def _literal(value: str) -> object | None:
    try:
        return cast("object", tomllib.loads(f"value = {value}")["value"])
    except tomllib.TOMLDecodeError:
        return None


def _path(key: str) -> list[str]:
    """The words of a dotted key; those with other signs stand in quotation marks."""
    try:
        step: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return [part for part in key.split(".") if part]
    words: list[str] = []
    while isinstance(step, dict):
        name, step = next(iter(cast("dict[str, object]", step).items()))
        words.append(name)
    return words


def _edited(text: str, key: str, value: object) -> str:
    document, words = tomlkit.parse(text), _path(key)
    place: object = document
    for name in words[:-1]:
        place = cast("dict[str, object]", place).setdefault(name, tomlkit.table())
        if not isinstance(place, dict):
            raise _no_key(key)
    if not words:
        raise _no_key(key)
    cast("dict[str, object]", place)[words[-1]] = value
    return tomlkit.dumps(document)


def _no_key(key: str) -> Misconfigured:
    return Misconfigured(
        f"{key!r} cannot be a key of the mapping.",
        cause="mapping.key",
        remedy="Write it with dots, such as policies.unmatched or accounts.fees.",
    )
