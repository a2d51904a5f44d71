"""Test clocks: here they all move the one clock of the sandbox, forward only."""

from ml_sandbox.stripe import customers
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

KIND = "test_helpers.test_clock"
KEPT_SECONDS = 30 * 86_400


def create(world: World, call: Call) -> Obj:
    """POST /v1/test_helpers/test_clocks."""
    clock = world.new(
        KIND,
        "clock",
        deletes_after=world.now() + KEPT_SECONDS,
        frozen_time=call.params["frozen_time"],
        name=call.params.get("name"),
        status="ready",
        status_details={},
    )
    emit(world, f"{KIND}.created", clock)
    return clock


def advance(world: World, call: Call) -> Obj:
    """POST /v1/test_helpers/test_clocks/{test_clock}/advance: the whole sandbox moves along."""
    clock = world.get(KIND, call.id)
    moment = call.params["frozen_time"]
    if moment <= clock["frozen_time"]:
        raise bad("The frozen_time must be after the clock's present one.", "frozen_time")
    clock["frozen_time"] = moment
    if moment > world.now():
        world.clock.set(world.at(moment))
    emit(world, f"{KIND}.ready", clock)
    return clock


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/test_helpers/test_clocks/{test_clock}."""
    return world.get(KIND, call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/test_helpers/test_clocks."""
    return page(call, world.tables[KIND])


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/test_helpers/test_clocks/{test_clock}."""
    clock = world.get(KIND, call.id)
    world.tables[KIND].remove(call.id)
    for customer in list(world.tables["customer"]):
        if customer.get("test_clock") == call.id:
            customers.remove(world, customer)
    emit(world, f"{KIND}.deleted", clock)
    return {"id": call.id, "object": KIND, "deleted": True}


ROUTES: Routes = {
    "POST /v1/test_helpers/test_clocks": create,
    "GET /v1/test_helpers/test_clocks": listed,
    "GET /v1/test_helpers/test_clocks/{test_clock}": fetch,
    "POST /v1/test_helpers/test_clocks/{test_clock}/advance": advance,
    "DELETE /v1/test_helpers/test_clocks/{test_clock}": delete,
}
