"""JSON as it goes over the wire: one alias for objects and one exact encoder."""

from typing import Any, TypeGuard

import msgspec

Obj = dict[str, Any]
"""One JSON object of the wire; amounts are int minor units, rates are Decimal."""

API_VERSION = "2026-10-28.endive"


def is_obj(value: Any) -> TypeGuard[Obj]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


class Wire:
    """Encodes and decodes JSON; Decimals become exact JSON numbers, never floats."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._decoder = msgspec.json.Decoder()

    def encode(self, value: Any) -> bytes:
        """Compact JSON."""
        return self._encoder.encode(value)

    def pretty(self, value: Any) -> bytes:
        """JSON indented by two spaces, as webhook bodies are sent."""
        return msgspec.json.format(self._encoder.encode(value), indent=2)

    def decode(self, body: bytes) -> Any:
        """Parses JSON; raises msgspec.DecodeError when it is none."""
        return self._decoder.decode(body)

    def frozen(self, value: Obj) -> Obj:
        """A deep copy, independent of later changes of the original."""
        copied: Obj = self._decoder.decode(self._encoder.encode(value))
        return copied
