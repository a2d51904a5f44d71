"""Events: one per change, kept thirty days, listed with type and delivery filters."""

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import invalid
from ml_sandbox.stripe.legacy import legacy_event
from ml_sandbox.stripe.listing import Keep, page
from ml_sandbox.stripe.wire import API_VERSION, Obj
from ml_sandbox.stripe.world import World

RETENTION = 30 * 86_400
MOST_TYPES = 20
PAYMENT_OBJECTS = frozenset({"payment_intent", "charge", "refund", "dispute"})


def emit(world: World, kind: str, obj: Obj, previous: Obj | None = None) -> None:
    """Records that something happened to an object, with a copy of it as it is now.

    `previous` holds the former values of changed fields and is given on updates only.
    """
    world.changed(obj)
    if world.never_generated():
        return
    data: Obj = {"object": world.wire.frozen(obj)}
    if previous is not None:
        data["previous_attributes"] = world.wire.frozen(previous)
    family = obj["object"] in PAYMENT_OBJECTS
    cause = world.cause
    event = world.build(
        "event",
        "evt",
        id=world.ids.new("evt", payment_family=family),
        type=kind,
        api_version=world.switches.default_api_version,
        data=data,
        pending_webhooks=0,
        request={
            "id": cause.request_id if cause else None,
            "idempotency_key": cause.idempotency_key if cause else None,
        },
    )
    world.tables["event"].add(event)
    for listener in world.on_event:
        listener(event)


def changes(world: World, before: Obj, after: Obj) -> Obj:
    """The former values of all fields that differ, for previous_attributes."""
    copy = world.wire.frozen(after)
    return {name: value for name, value in before.items() if copy.get(name) != value}


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/events/{id}."""
    purge(world)
    return as_of_then(world, world.get("event", call.id))


def as_of_then(world: World, event: Obj) -> Obj:
    """An event in the shape of the account's version at its creation."""
    return event if event["api_version"] == API_VERSION else legacy_event(world, event)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/events."""
    purge(world)
    types = call.params.get("types")
    if "type" in call.params and types is not None:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    if types is not None and len(types) > MOST_TYPES:
        raise invalid(f"You may pass at most {MOST_TYPES} types.", "types")
    found = page(call, world.tables["event"], keep=asked(call.params))
    found["data"] = [as_of_then(world, event) for event in found["data"]]
    return found


def asked(params: Obj) -> Keep:
    """The filter of an event list; `charge.*` matches by prefix."""
    types = params.get("types") or ([params["type"]] if "type" in params else [])
    exact = frozenset(t for t in types if not t.endswith("*"))
    prefixes = tuple(t[:-1] for t in types if t.endswith("*"))
    success = params.get("delivery_success")

    def keep(event: Obj) -> bool:
        if types and event["type"] not in exact and not event["type"].startswith(prefixes or "\0"):
            return False
        return success is None or (event["pending_webhooks"] == 0) == success

    return keep


def purge(world: World) -> None:
    """Forgets events older than thirty days; their ids are then unknown as cursors too."""
    world.tables["event"].drop_older(world.now() - RETENTION)


ROUTES: Routes = {"GET /v1/events": listed, "GET /v1/events/{id}": fetch}
