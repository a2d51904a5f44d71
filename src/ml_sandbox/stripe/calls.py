"""What a route's handler is given, and what it may return."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ml_sandbox.stripe.contract import RouteContract
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


@dataclass(frozen=True)
class Call:
    """One API call: its route, the ids from the path and the typed parameters."""

    route: RouteContract
    path: str
    ids: tuple[str, ...] = ()
    params: Obj = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The first id of the path."""
        return self.ids[0]


Handler = Callable[[World, Call], Obj]
Routes = Mapping[str, Handler]
