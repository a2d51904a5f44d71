"""Applies optional parameters to objects: empty text clears, metadata merges by key."""

from collections.abc import Iterable
from decimal import Decimal

from ml_sandbox.stripe.wire import Obj

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def apply(obj: Obj, params: Obj, names: Iterable[str]) -> None:
    """Copies given parameters onto the object; an empty string becomes null."""
    for name in names:
        if name in params:
            obj[name] = None if params[name] == "" else params[name]


def merge_metadata(obj: Obj, params: Obj, name: str = "metadata") -> None:
    """Sets, keeps and unsets metadata keys: "" removes one key, or all when given for the whole."""
    given = params.get(name)
    if given is None:
        return
    if given == "":
        obj["metadata"] = {}
        return
    merged = {**obj["metadata"], **given}
    obj["metadata"] = {key: value for key, value in merged.items() if value != ""}


def address(given: Obj | str | None) -> Obj | None:
    """An address with all of its keys, or null."""
    if not given or isinstance(given, str):
        return None
    return {name: given.get(name) or None for name in ADDRESS}


def rows(params: Obj, name: str) -> list[Obj]:
    """A list of hashes that may be missing or cleared."""
    return params.get(name) or []


def words(params: Obj, name: str) -> list[str]:
    """A list of texts that may be missing or cleared."""
    return params.get(name) or []


def plain(number: Decimal) -> str:
    """A decimal as text without exponent or trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
