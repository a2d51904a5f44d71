"""The JSON alias, the request and the answer that pass between the server and the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Json = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")


def encode(value: object) -> bytes:
    """JSON bytes; a Decimal is written as an exact JSON number."""
    return _ENCODER.encode(value)


@dataclass(slots=True)
class Request:
    """One HTTP request, decoded no further than the dispatcher needs."""

    method: str
    segments: list[str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `body` is bytes that are sent as they are."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer that carries a value as JSON."""
    return Answer(status, encode(value), [JSON_TYPE])
