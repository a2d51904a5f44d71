"""Finds the handler of a method and path: exact words first, then one id per placeholder."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ml_sandbox.stripe.calls import Handler, Routes
from ml_sandbox.stripe.contract import Contract, RouteContract


@dataclass(frozen=True)
class Route:
    """One call of the API."""

    key: str
    contract: RouteContract
    handler: Handler


@dataclass
class Node:
    """A place in the tree of path segments."""

    words: dict[str, "Node"] = field(default_factory=dict[str, "Node"])
    any: "Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict[str, Route])


class Router:
    """Path templates of all resource families, each bound to its contract."""

    def __init__(self, contract: Contract, families: Iterable[Routes]) -> None:
        self._root = Node()
        for family in families:
            for key, handler in family.items():
                self._add(Route(key, contract.route(key), handler))

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        """The route and the ids in the path, or None."""
        node = self._root
        ids: list[str] = []
        for part in path.split("/")[1:]:
            if part in node.words:
                node = node.words[part]
            elif node.any is not None and part:
                node = node.any
                ids.append(part)
            else:
                return None
        route = node.routes.get(method)
        return None if route is None else (route, tuple(ids))

    def _add(self, route: Route) -> None:
        method, _, template = route.key.partition(" ")
        node = self._root
        for part in template.split("/")[1:]:
            if part.startswith("{"):
                node.any = node.any or Node()
                node = node.any
            else:
                node = node.words.setdefault(part, Node())
        node.routes[method] = route
