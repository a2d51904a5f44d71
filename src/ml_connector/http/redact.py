"""What must never be written down: it is masked by name, by shape, and by knowing the secret."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import msgspec

MASK = "[hidden]"
LONGEST_BODY = 20_000
MARGIN = 4_096
SHORTEST_LITERAL = 6

SECRET_HEADERS = frozenset(
    """
    authorization proxy-authorization cookie set-cookie stripe-signature x-api-key x-signature
    """.split()
)
SECRET_WORDS = tuple(
    """
    password passwd secret token assertion signature api_key apikey authorization cookie cvc cvv
    code_verifier
    """.split()
)
"""A field whose name contains one of these is secret; `token` covers the tokens of OAuth."""

_WORDS = "|".join(SECRET_WORDS)
_FORM_ONLY = ("code=", "card")
_KEY_MARKS = ("_test_", "_live_", "whsec_", "_secret_")
_JSON_NAMED = re.compile(
    rf'("[^"\\]*(?:{_WORDS})[^"\\]*"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)', re.IGNORECASE
)
_FORM_NAMED = re.compile(
    rf"((?:^|[?&\s])(?:code|card%5Bnumber%5D|card\[number\]|[^=&?\s\"]*(?:{_WORDS})[^=&?\s\"]*)=)[^&\s\"]*",
    re.IGNORECASE,
)
_KEYS = re.compile(r"\b((?:sk|rk|rkcs|pk|ek)_(?:test|live)_|whsec_|(?:pi|seti|src)_\w+_secret_)\w+")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=:-]{6,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}")
_NAMED = re.compile(rf"{_WORDS}|^code$", re.IGNORECASE)
_LUHN_DOUBLED = str.maketrans("0123456789", "0246813579")


class Redactor:
    """Masks the secrets of one exchange: those it can recognise, and those its request carried.

    What the request sent as a secret (credentials, cookies, secret fields) is masked wherever it
    comes back, so a server that quotes a wrong password does not write it into the audit trail.
    """

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes | None) -> None:
        literals = {*_in_headers(headers), *_in_query(urlsplit(url).query), *_in_body(body)}
        self._literals = _spellings(literals)

    def text(self, text: str) -> str:
        """The text without secrets; its length is not bounded.

        Each pattern is tried only where a word of it is there at all: most texts have none.
        A NUL, which PostgreSQL keeps in no text, shows as the sign for what cannot be shown.
        """
        text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        for literal in self._literals:
            text = text.replace(literal, MASK)
        lower = text.lower()
        named = _has(lower, SECRET_WORDS)
        if named:
            text = _JSON_NAMED.sub(rf'\1"{MASK}"', text)
        if named or _has(lower, _FORM_ONLY):
            text = _FORM_NAMED.sub(rf"\1{MASK}", text)
        if _has(lower, _KEY_MARKS):
            text = _KEYS.sub(rf"\1{MASK}", text)
        if "bearer" in lower or "basic" in lower:
            text = _BEARER.sub(rf"\1 {MASK}", text)
        if "eyJ" in text:
            text = _JWT.sub(MASK, text)
        return _CARD.sub(_mask_card, text)

    def path(self, url: str) -> str:
        """The path and query of an address, the query's secrets masked."""
        parts = urlsplit(url)
        return self.text(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")

    def message(self, headers: Mapping[str, str], kept: Iterable[str], body: bytes | None) -> str:
        """The kept headers, an empty line and the body, the body cut at 20 kB."""
        by_name = {name.lower(): value for name, value in headers.items()}
        lines = [f"{name}: {self.text(by_name[name])}" for name in kept if name in by_name]
        return "\n".join((*lines, "", self.body(body))) if body or lines else ""

    def body(self, body: bytes | None) -> str:
        """The body without secrets, at most 20 kB.

        A long body is cut before it is masked; the last stretch is then dropped, because a
        secret that the cut went through could not be recognised there.
        """
        if not body:
            return ""
        text = body[: LONGEST_BODY + MARGIN].decode("utf-8", "replace")
        masked = self.text(text)
        if len(body) > LONGEST_BODY + MARGIN:
            masked = masked[:-MARGIN]
        return masked[:LONGEST_BODY]


def _has(lower: str, words: Iterable[str]) -> bool:
    return any(word in lower for word in words)


def _in_headers(headers: Mapping[str, str]) -> Iterable[str]:
    for name, value in headers.items():
        if name.lower() not in SECRET_HEADERS:
            continue
        yield value
        scheme, _, credentials = value.partition(" ")
        if name.lower() == "cookie":
            yield from (part.partition("=")[2].strip() for part in value.split(";"))
        elif credentials:
            yield credentials
            if scheme.lower() == "basic":
                yield from _basic(credentials)


def _basic(credentials: str) -> Iterable[str]:
    """Name and password of HTTP Basic: Stripe's key travels as the name."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield decoded
    yield from decoded.split(":")


def _in_query(query: str) -> Iterable[str]:
    return (value for name, value in parse_qsl(query) if _NAMED.search(name))


def _in_body(body: bytes | None) -> Iterable[str]:
    """Secret fields of a form or of a JSON object, to any depth."""
    if not body:
        return ()
    text = body.decode("utf-8", "replace")
    if not _has(text.lower(), (*SECRET_WORDS, "code")):
        return ()
    if text.lstrip()[:1] in ("{", "["):
        try:
            return tuple(_in_json(msgspec.json.decode(body)))
        except msgspec.DecodeError:
            return ()
    return _in_query(text)


def _in_json(value: object, name: str = "") -> Iterable[str]:
    """The strings under a secret name; `code` is an error code in JSON, a credential in forms."""
    if isinstance(value, str):
        if _NAMED.search(name) and name != "code":
            yield value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield from _in_json(inner, name if _NAMED.search(name) else key)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _in_json(inner, name)


def _spellings(literals: set[str]) -> list[str]:
    """Each secret as it may be spelled in a URL, a form or JSON; longest first."""
    spelled: set[str] = set()
    for literal in literals:
        if len(literal) >= SHORTEST_LITERAL:
            spelled |= {literal, quote(literal), quote(literal, safe=""), quote_plus(literal)}
            spelled.add(msgspec.json.encode(literal).decode()[1:-1])
    return sorted(spelled, key=len, reverse=True)


def _mask_card(match: re.Match[str]) -> str:
    """A card's number by its check digit; part of a longer number or word it is none."""
    around = (
        match.string[max(match.start() - 1, 0) : match.start()]
        + match.string[match.end() : match.end() + 1]
    )
    if any(sign.isalnum() or sign in "._" for sign in around):
        return match[0]
    digits = re.sub(r"\D", "", match[0])
    doubled = sum(int(d) for d in digits[-2::-2].translate(_LUHN_DOUBLED))
    plain = sum(int(d) for d in digits[-1::-2])
    return MASK if (doubled + plain) % 10 == 0 else match[0]
