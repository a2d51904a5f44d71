"""Reads form bodies and queries with bracket nesting: a[b]=1, a[]=1, a[0][b]=1."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from ml_sandbox.stripe.errors import StripeError, invalid
from ml_sandbox.stripe.wire import is_list, is_obj

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
PART = re.compile(r"\[([^\[\]]*)\]")

Tree = dict[str, Any]


def parse(text: str) -> Tree:
    """A nested tree of dicts, lists and strings; raises StripeError on a malformed key."""
    tree: Tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found = KEY.match(name)
        if found is None:
            raise malformed(name)
        place(tree, [found[1], *PART.findall(found[2])], value, name)
    return {key: lists(value) for key, value in tree.items()}


def from_json(body: bytes) -> Tree:
    """The JSON body of a v2 request as the same kind of tree, plain values as text."""
    try:
        tree: Any = json.loads(body, parse_float=str)
    except ValueError:
        raise invalid("Invalid request body: not JSON.") from None
    if not is_obj(tree):
        raise invalid("Invalid request body: a JSON object is wanted.")
    return {key: as_text(value) for key, value in tree.items()}


def as_text(value: Any) -> Any:
    """A JSON value with its leaves in the form they have in a form body."""
    if is_obj(value):
        return {key: as_text(child) for key, child in value.items()}
    if is_list(value):
        return [as_text(child) for child in value]
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def malformed(name: str) -> StripeError:
    """The key cannot be read as a nested name."""
    return invalid(f"Invalid parameter name: {name}", name)


def place(tree: Tree, path: list[str], value: str, name: str) -> None:
    """Puts one value at its path; an empty part appends."""
    node = tree
    for depth, part in enumerate(path[:-1]):
        key = slot(node, path[depth + 1 :]) if part == "" else part
        below: Any = node.setdefault(key, {})
        if not is_obj(below):
            raise malformed(name)
        node = below
    last = str(len(node)) if path[-1] == "" else path[-1]
    if last in node:
        raise invalid(f"Invalid request: parameter {name} was given twice", name)
    node[last] = value


def slot(node: Tree, rest: list[str]) -> str:
    """Which element `a[][b]` means: the last one, or a new one once it already has b."""
    if not node:
        return "0"
    last = str(len(node) - 1)
    taken: Any = node[last]
    for part in rest:
        if not is_obj(taken) or part == "" or part not in taken:
            return last
        taken = taken[part]
    return str(len(node))


def lists(value: Any) -> Any:
    """Turns dicts whose keys are all numbers into lists, in order of the numbers."""
    if not is_obj(value):
        return value
    below: dict[str, Any] = {key: lists(child) for key, child in value.items()}
    if below and all(key.isdigit() for key in below):
        return [below[key] for key in sorted(below, key=int)]
    return below
