"""A signed paper: each line bears a signature of its own, so a change names the line it is in.

The signature of a line covers its number and the paper that it belongs to: a line that was moved,
or taken from another paper, does not fit. The last signature covers the list of all lines, so none
can be taken away or added. The text that is signed is JSON with sorted keys and no spaces.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ml_connector.basics.errors import Misconfigured

Facts = Mapping[str, object]
"""What one line says: texts, whole numbers, truth values, lists and objects; never a float."""

Sign = Callable[[bytes], str]
"""Signs a message with the private key."""

Check = Callable[[str, str, bytes], bool]
"""Whether a public key has signed: key, signature, message."""

WHOLE = {"format", "paper", "key", "lines", "signature"}
KEY_ID = "key_id"
KEY_ID_DIGITS = 24
LINE = {"line", "says", "signature"}
NAMES = ("transaction", "key", "account", "payout", "dispute", "document", "currency", "sentence")
"""What a line may be called by, the best name first."""


class NotAPaper(Misconfigured):
    """A file that is not a signed paper of this kind."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"That is not a signed paper of the connector: {why}.",
            cause="sealed.not_a_paper",
            remedy="Give the JSON file that `ml-connector proof` wrote with --out.",
        )


@dataclass(frozen=True, slots=True)
class Complaint:
    """What does not fit, and in which line; 0 is the paper as a whole."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A signed paper as it was read: its lines by number, as they stand there."""

    format: str
    name: str
    key: str
    lines: tuple[tuple[int, Facts], ...]
    complaints: tuple[Complaint, ...]
    signature: str = ""

    @property
    def key_id(self) -> str:
        """The id of the key, computed from the key itself: nobody can give theirs another one."""
        return key_id(self.key)


def key_id(public: str) -> str:
    """The short name of a public key: the first 24 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:KEY_ID_DIGITS]


def canonical(value: object) -> bytes:
    """The one form of a value that is signed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sealed(format_: str, name: str, key: str, lines: Sequence[Facts], sign: Sign) -> str:
    """The paper as a JSON text, a line of text for each of its lines."""
    signed = [
        {"line": number, "says": facts, "signature": sign(_of_line(format_, name, number, facts))}
        for number, facts in enumerate(lines, start=1)
    ]
    whole = sign(_of_whole(format_, name, key, [str(one["signature"]) for one in signed]))
    rows = ",\n".join(json.dumps(one, ensure_ascii=False) for one in signed)
    facts = {"format": format_, "paper": name, KEY_ID: key_id(key), "key": key}
    head = json.dumps(facts, ensure_ascii=False)
    return f'{head[:-1]},\n"lines": [\n{rows}\n],\n"signature": "{whole}"}}\n'


def format_of(text: str) -> str:
    """What kind of paper a text says that it is; empty when it says nothing."""
    try:
        found: object = json.loads(text)
    except ValueError:
        return ""
    said = cast("dict[str, object]", found).get("format") if isinstance(found, dict) else ""
    return said if isinstance(said, str) else ""


def opened(text: str, format_: str, check: Check) -> Paper:
    """Reads a paper and checks every signature; raises NotAPaper when it is none at all."""
    paper = _read(text, format_)
    name, key = _text(paper, "paper"), _text(paper, "key")
    rows = [_row(one) for one in _list(paper, "lines")]
    found: list[Complaint] = []
    for place, (number, facts, signature) in enumerate(rows, start=1):
        if not check(key, signature, _of_line(format_, name, number, facts)):
            found.append(Complaint(number, f"Line {number} was changed: {_called(facts)}."))
        if number != place:
            found.append(Complaint(number, f"Line {number} stands where line {place} should be."))
    message = _of_whole(format_, name, key, [signature for _, _, signature in rows])
    if not check(key, _text(paper, "signature"), message):
        found.append(Complaint(0, "The paper is not as it was signed, or not by this key."))
    if paper.get(KEY_ID, key_id(key)) != key_id(key):
        found.append(Complaint(0, f"The paper calls its key {paper[KEY_ID]}; it is {key_id(key)}."))
    lines = tuple((number, facts) for number, facts, _ in rows)
    return Paper(format_, name, key, lines, tuple(found), _text(paper, "signature"))


def _of_line(format_: str, name: str, number: int, facts: Facts) -> bytes:
    return canonical({"format": format_, "paper": name, "line": number, "says": facts})


def _of_whole(format_: str, name: str, key: str, signatures: list[str]) -> bytes:
    return canonical({"format": format_, "paper": name, "key": key, "signatures": signatures})


def _called(facts: Facts) -> str:
    """A line as a person finds it again: its kind and its name."""
    names = (facts.get(word) for word in NAMES)
    return " ".join(
        str(word) for word in (facts.get("what"), next(filter(None, names), "")) if word
    )


def _read(text: str, format_: str) -> dict[str, object]:
    try:
        found: object = json.loads(text, object_pairs_hook=_each_once, parse_float=_no_fraction)
    except ValueError as error:
        raise NotAPaper(f"it cannot be read ({error})") from None
    paper = _object(found)
    if set(paper) - {KEY_ID} != WHOLE:  # papers of the first days do not say the id
        raise NotAPaper("its parts are not those of a paper")
    if paper["format"] != format_:
        raise NotAPaper(f"its format is {paper['format']!r}, not {format_!r}")
    return paper


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A name that is said twice would be read in two ways by two readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is said twice")
    return found


def _no_fraction(text: str) -> object:
    raise ValueError(f"{text} is a number with a fraction")


def _row(value: object) -> tuple[int, Facts, str]:
    row = _object(value)
    number = row.get("line")
    if set(row) != LINE or not isinstance(number, int) or isinstance(number, bool):
        raise NotAPaper("a line of it is not a line")
    return number, _object(row["says"]), _text(row, "signature")


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise NotAPaper("an object is missing")
    return cast("dict[str, object]", value)


def _text(holder: Facts, name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str):
        raise NotAPaper(f"{name!r} is not a text")
    return value


def _list(holder: Facts, name: str) -> list[object]:
    value = holder.get(name)
    if not isinstance(value, list):
        raise NotAPaper(f"{name!r} is not a list")
    return cast("list[object]", value)
