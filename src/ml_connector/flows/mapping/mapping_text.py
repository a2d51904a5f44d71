"""The mapping as a person writes it in TOML: read strictly, so that a slip is never a default."""

import re
import tomllib

import msgspec

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.mapping import Mapping, require_sound
from ml_connector.books.words import strange_words
from ml_connector.store.rows import JsonObject

_HEADER = re.compile(r"\s*\[\s*(?P<table>[^\[\]]+?)\s*\]")
_ENTRY = re.compile(r"\s*(?P<key>[^\s=#\[][^=#]*?)\s*=")


def parse(written: str, time_zone: str = "UTC") -> Mapping:
    """The mapping that a text says, whole and sound; raises Misconfigured.

    The sentence names every strange word or problem, not only the first.
    """
    return require_sound(_converted(read_body(written), time_zone))


def read_body(written: str) -> JsonObject:
    """The tables of a text, each word of them known; raises Misconfigured."""
    try:
        body: JsonObject = dict(tomllib.loads(written))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(f"The mapping cannot be read: {error}.") from error
    strange = [sentence + _line(written, at) for at, sentence in strange_words(body)]
    if strange:
        raise _unreadable(" ".join(strange))
    return body


def mapping_of(body: JsonObject, version: int, time_zone: str) -> Mapping:
    """A stored body as the mapping that the books use."""
    return msgspec.convert(body | {"version": version, "time_zone": time_zone}, Mapping)


def _converted(body: JsonObject, time_zone: str) -> Mapping:
    try:
        return mapping_of(body, 0, time_zone)
    except msgspec.ValidationError as error:
        raise _unreadable(f"The mapping cannot be read: {error}.") from error


def _unreadable(sentence: str) -> Misconfigured:
    return Misconfigured(
        sentence, cause="mapping.unreadable", remedy="Compare it with docs/mapping.md."
    )


def _line(written: str, at: str) -> str:
    """Where a key stands, for a sentence; empty for one that is written inside a line."""
    number = line_of(written, at)
    return f" (Line {number}.)" if number else ""


def line_of(written: str, at: str) -> int | None:
    """The line in which a key or a table begins; None for one that is written inside a line."""
    table = ""
    for number, line in enumerate(written.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _plain(header["table"])
            here = table
        elif entry := _ENTRY.match(line):
            key = _plain(entry["key"])
            here = f"{table}.{key}" if table else key
        else:
            continue
        if here == at:
            return number
    return None


def _plain(name: str) -> str:
    """A dotted name without the quotes and spaces that TOML allows in it."""
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
