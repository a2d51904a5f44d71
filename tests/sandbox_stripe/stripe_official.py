"""What the installed official package says about routes, parameters and fields."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import stripe

Shape = dict[str, Any]
ROOT = Path(stripe.__file__).parent
OPTIONS = frozenset(stripe.RequestOptions.__annotations__) | {"headers"}


def services() -> Iterator[type]:
    """Every service class of the package."""
    for info in walk_packages([str(ROOT)], "stripe."):
        if info.name.endswith("_service"):
            module = import_module(info.name)
            yield from (
                owner
                for owner in vars(module).values()
                if inspect.isclass(owner) and owner.__module__ == info.name
            )


def asked(function: ast.FunctionDef) -> tuple[str, str] | None:
    """Method and path template that a service method requests."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_request":
            verb, path = node.args[0], node.args[1]
            if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                path = path.func.value
            assert isinstance(verb, ast.Constant)
            assert isinstance(path, ast.Constant)
            return str(verb.value).upper(), str(path.value)
    return None


def parameters_of(owner: type, function: ast.FunctionDef) -> tuple[set[str], set[str]]:
    """Names a method accepts and those it needs, from the package's TypedDict."""
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            text = ast.unparse(argument.annotation).strip("'\"")
            name = next(w for w in words(text) if w.endswith("Params"))
            generation = ".".join(owner.__module__.split(".")[1:-1])
            module = import_module(".".join(p for p in ("stripe.params", generation) if p))
            hints = getattr(module, name).__annotations__
            own = {key: str(hint) for key, hint in hints.items() if key not in OPTIONS}
            return set(own), {key for key, hint in own.items() if "NotRequired" not in hint}
    return set(), set()


def words(text: str) -> list[str]:
    """The identifiers in a piece of source."""
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def routes() -> dict[str, tuple[set[str], set[str]]]:
    """Every "METHOD /path" of the package with its accepted and its needed parameters."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for owner in services():
        tree = ast.parse(inspect.getsource(owner))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (call := asked(node)):
                found[" ".join(call)] = parameters_of(owner, node)
    return found


def resources() -> dict[str, Any]:
    """Every resource class by its name on the wire."""
    found: dict[str, Any] = {}
    for info in walk_packages([str(ROOT)], "stripe."):
        leaf = info.name.rpartition(".")[2]
        if not leaf.startswith("_") or leaf.endswith("_service") or ".params" in info.name:
            continue
        for kind in vars(import_module(info.name)).values():
            wire = inspect.isclass(kind) and getattr(kind, "OBJECT_NAME", None)
            if isinstance(wire, str) and kind.__module__ == info.name:
                found[wire] = kind
    return found


HIDDEN = frozenset(
    ["OBJECT_NAME", "_inner_class_types", "_field_encodings", "_save_with_parent_methods"]
)


def fields(kind: Any) -> dict[str, str]:
    """Field name -> annotation of one class."""
    return {
        name.rstrip("_"): str(hint)
        for name, hint in inspect.get_annotations(kind).items()
        if not name.startswith("_") and name not in HIDDEN
    }


def nested(kind: Any) -> dict[str, Any]:
    """Field name -> class of the hash in it."""
    return dict(getattr(kind, "_inner_class_types", {}))


def keyed(kind: Any) -> set[str]:
    """Fields whose hash has words of its own as keys, such as currencies."""
    return set(getattr(kind, "_inner_class_dicts", []))
