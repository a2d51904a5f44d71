"""Answers with expansion: ids become objects along the asked paths, at most four levels deep."""

from collections.abc import Callable, Mapping
from typing import Any

from ml_sandbox.stripe.contract import INCLUDABLE, RouteContract
from ml_sandbox.stripe.errors import StripeError, invalid
from ml_sandbox.stripe.wire import Obj, is_list, is_obj
from ml_sandbox.stripe.world import World

DEEPEST = 4
Include = Callable[[World, Obj], Any]
Paths = dict[str, "Paths"]


class Renderer:
    """Expands objects; `includes` computes the fields that exist only when asked for."""

    def __init__(self, world: World, includes: Mapping[tuple[str, str], Include]) -> None:
        self._world = world
        self._includes = includes

    def check(self, route: RouteContract, expand: list[str]) -> Paths:
        """The asked paths as a tree; raises StripeError when one cannot be expanded."""
        tree: Paths = {}
        for path in expand:
            parts = path.split(".")
            if len(parts) > DEEPEST:
                raise too_deep(path)
            self._check_path(route, parts, path)
            node = tree
            for part in parts:
                node = node.setdefault(part, {})
        return tree

    def answer(self, obj: Obj, tree: Paths) -> Obj:
        """The body of an answer; a search shows its total only when that was asked for."""
        if obj.get("object") == "search_result" and "total_count" not in tree:
            obj = {name: value for name, value in obj.items() if name != "total_count"}
        return self.render(obj, tree)

    def render(self, obj: Obj, tree: Paths) -> Obj:
        """The object with everything in the tree expanded; the stored object stays as it is."""
        if not tree:
            return obj
        copy = dict(obj)
        for name, below in tree.items():
            copy[name] = self._value(obj, name, below)
        return copy

    def _value(self, obj: Obj, name: str, below: Paths) -> Any:
        include = self._includes.get((obj.get("object", ""), name))
        value = obj.get(name)
        if include is not None and value is None:
            value = include(self._world, obj)
        return self._expanded(value, below)

    def _expanded(self, value: Any, below: Paths) -> Any:
        if isinstance(value, str):
            found = self._world.find(value)
            return value if found is None else self.render(found, below)
        if is_list(value):
            return [self._expanded(row, below) for row in value]
        return self.render(value, below) if is_obj(value) else value

    def _check_path(self, route: RouteContract, parts: list[str], path: str) -> None:
        """Follows a path through the contract of the answer."""
        rest = parts
        if route.shape != "one":
            if route.shape == "search" and parts == ["total_count"]:
                return
            if parts[0] != "data":
                raise not_expandable(path)
            rest = parts[1:]
        if not rest or not self._follows(route.kind, rest):
            raise not_expandable(path)

    def _follows(self, kind: str, parts: list[str]) -> bool:
        """Whether a path from an object of this kind ends at something expandable."""
        fields = self._world.contract.objects.get(kind)
        if fields is None:
            return True  # a kind the sandbox does not hold: its value is null anyway
        name, rest = parts[0], parts[1:]
        about = fields.get(name)
        if name in INCLUDABLE.get(kind, ()) and not rest:
            return True
        return about is not None and self._inside(about, rest)

    def _inside(self, about: Any, rest: list[str]) -> bool:
        if not is_obj(about):
            return False
        if "link" in about:
            return not rest or any(self._follows(kind, rest) for kind in about["link"])
        if not rest:
            return False
        if "list" in about:
            return rest[0] == "data" and len(rest) > 1 and self._follows(about["list"], rest[1:])
        if "embeds" in about:
            return self._follows(about["embeds"], rest)
        return rest[0] in about.get("of", {}) and self._inside(about["of"][rest[0]], rest[1:])


def not_expandable(path: str) -> StripeError:
    """The path names nothing that can be expanded."""
    return invalid(
        f"This property cannot be expanded ({path}). You may want to try expanding "
        f"'data.{path}' if this is a list.",
        "expand",
    )


def too_deep(path: str) -> StripeError:
    """More than four levels."""
    text = f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}"
    return invalid(text, "expand")
