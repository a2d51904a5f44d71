"""Checks parameters against the contract and turns their text into typed values."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_sandbox.stripe.contract import RouteContract
from ml_sandbox.stripe.errors import StripeError, invalid, required
from ml_sandbox.stripe.wire import Obj, is_list, is_obj

INTEGER = re.compile(r"^-?\d{1,18}$")
LONGEST = {
    "name": 256, "email": 512, "phone": 20, "description": 5000, "business_name": 150,
    "individual_name": 150, "number": 26, "footer": 5000, "statement_descriptor": 22,
}  # fmt: skip
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500


def check(route: RouteContract, tree: Obj) -> Obj:
    """Typed parameters of a request; raises StripeError (400) on the first that is wrong."""
    unknown = [name for name in tree if name not in route.params]
    if unknown:
        raise unknown_parameters(unknown)
    for name in route.required:
        if name not in tree:
            raise required(name)
    return {name: typed(route.params[name], value, name) for name, value in tree.items()}


def unknown_parameters(names: list[str]) -> StripeError:
    """Names the endpoint does not know."""
    plural = "s" if len(names) > 1 else ""
    text = f"Received unknown parameter{plural}: {', '.join(names)}"
    return invalid(text, names[0], "parameter_unknown")


def typed(kind: Any, value: Any, name: str) -> Any:
    """One value by its contract type; `name` is its full bracketed name."""
    if is_list(kind):
        return alternative(kind, value, name)
    if is_obj(kind):
        return nested(kind, value, name)
    return scalar(kind, value, name)


def alternative(kinds: list[Any], value: Any, name: str) -> Any:
    """A union: an empty string clears; otherwise the shape of the value chooses."""
    if value == "":
        if {"enum": [""]} in kinds:
            return ""
        raise empty(name)
    rest = [kind for kind in kinds if kind != {"enum": [""]}]
    shaped = [kind for kind in rest if is_obj(kind) and "enum" not in kind]
    plain = [kind for kind in rest if kind not in shaped]
    if is_list(value):
        fitting = [kind for kind in shaped if "list" in kind] or shaped or plain or rest
    else:
        fitting = (shaped or plain) if is_obj(value) else (plain or shaped)
    return typed(fitting[0], value, name)


def nested(kind: Obj, value: Any, name: str) -> Any:
    """An enum, a list, a map or an object."""
    if "enum" in kind:
        return chosen(kind["enum"], value, name)
    if "list" in kind:
        if not is_list(value):
            raise invalid("Invalid array", name)
        return [typed(kind["list"], row, f"{name}[{i}]") for i, row in enumerate(value)]
    if not is_obj(value):
        raise invalid("Invalid object", name)
    if "map" not in kind:
        return structured(kind, value, name)
    if kind["map"] == "str":
        return mapped(value, name)
    return {key: typed(kind["map"], child, f"{name}[{key}]") for key, child in value.items()}


def structured(kind: Obj, value: Obj, name: str) -> Obj:
    """An object with known fields."""
    fields: Obj = kind["object"]
    unknown = [f"{name}[{key}]" for key in value if key not in fields]
    if unknown:
        raise unknown_parameters(unknown)
    for key in kind.get("required", []):
        if key not in value:
            raise required(f"{name}[{key}]")
    return {key: typed(fields[key], child, f"{name}[{key}]") for key, child in value.items()}


def mapped(value: Obj, name: str) -> Obj:
    """Metadata-like pairs: at most 50, keys to 40 characters, text values to 500."""
    if len(value) > METADATA_KEYS:
        raise invalid(f"You can only set up to {METADATA_KEYS} metadata keys.", name)
    for key, text in value.items():
        if not isinstance(text, str):
            raise invalid("Metadata values must be strings.", f"{name}[{key}]")
        if len(key) > METADATA_KEY:
            raise too_long(f"{name}[{key}]", METADATA_KEY, "Metadata keys")
        if len(text) > METADATA_VALUE:
            raise too_long(f"{name}[{key}]", METADATA_VALUE, "Metadata values")
    return value


def too_long(name: str, most: int, what: str) -> StripeError:
    """A text exceeds its maximum."""
    return invalid(f"{what} can have up to {most} characters: {name}.", name)


def chosen(options: list[Any], value: Any, name: str) -> str:
    """One of a closed set of words."""
    if value == "" and "" not in options:
        raise empty(name)
    if not isinstance(value, str) or value not in options:
        raise invalid(f"Invalid {name}: must be one of {', '.join(map(str, options))}", name)
    return value


def scalar(kind: str, value: Any, name: str) -> Any:
    """A plain value: int, bool, decimal text or text."""
    if not isinstance(value, str):
        raise invalid(f"Invalid {'string' if kind == 'str' else kind}: {value}", name)
    if value == "" and kind != "any":
        return cleared(kind, name)
    if kind == "int":
        return integer(value, name)
    if kind == "bool":
        if value not in {"true", "false"}:
            raise invalid(f"Invalid boolean: {value}", name)
        return value == "true"
    if kind in {"decimal", "number"}:
        return decimal(value, name)
    leaf = name.rpartition("[")[2].rstrip("]")
    most = LONGEST.get(leaf)
    if most is not None and len(value) > most:
        raise invalid(f"Invalid string: {value[:20]}...; must be at most {most} characters", name)
    return value


def cleared(kind: str, name: str) -> str:
    """An empty text clears a text field; other types cannot be emptied."""
    if kind == "str" and name.rpartition("[")[2].rstrip("]") in CLEARABLE:
        return ""
    raise empty(name)


CLEARABLE = frozenset(
    "name email phone description line1 line2 city state postal_code country memo footer "
    "number uncategorized_text statement_descriptor value".split()
)


def empty(name: str) -> StripeError:
    """An empty string where nothing can be unset."""
    text = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value."
    )
    return invalid(text, name, "parameter_invalid_empty")


def integer(value: str, name: str) -> int:
    """Whole digits only."""
    if not INTEGER.match(value):
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def decimal(value: str, name: str) -> Decimal:
    """A finite decimal number."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {value}", name) from None
    if not number.is_finite():
        raise invalid(f"Invalid decimal: {value}", name)
    return number
