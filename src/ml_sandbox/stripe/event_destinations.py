"""Event destinations of the second API generation: webhook endpoints with a chosen body."""

from ml_sandbox.stripe.calls import Call, Handler, Routes
from ml_sandbox.stripe.errors import bad, required
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.texts import apply, words
from ml_sandbox.stripe.thin_events import moment, paged, thin
from ml_sandbox.stripe.webhook_endpoints import check_url
from ml_sandbox.stripe.wire import API_VERSION, Obj
from ml_sandbox.stripe.world import World

KIND = "v2.core.event_destination"


def create(world: World, call: Call) -> Obj:
    """POST /v2/core/event_destinations: a webhook endpoint stands behind each one."""
    params = call.params
    if params["type"] != "webhook_endpoint":
        raise bad(f"Destinations of type {params['type']} are not available here.", "type")
    if "webhook_endpoint" not in params:
        raise required("webhook_endpoint")
    check_url(params["webhook_endpoint"]["url"])
    secret = f"whsec_{world.ids.text(32)}"
    endpoint = behind(world, params, secret)
    now = moment(world.now())
    destination = world.new(
        KIND,
        "ed_test",
        id=f"ed_test_{endpoint['id'].partition('_')[2]}",
        created=now,
        description=params.get("description") or "",
        enabled_events=params["enabled_events"],
        event_payload=params["event_payload"],
        events_from=params.get("events_from") or ["@self"],
        metadata=params.get("metadata") or {},
        name=params["name"],
        snapshot_api_version=endpoint["api_version"]
        if params["event_payload"] == "snapshot"
        else None,
        status="enabled",
        type="webhook_endpoint",
        updated=now,
        webhook_endpoint={"signing_secret": None, "url": None},
    )
    wanted = words(params, "include")
    shown = included(world, destination, wanted)
    if "webhook_endpoint.signing_secret" in wanted:
        shown["webhook_endpoint"]["signing_secret"] = secret
    return shown


def behind(world: World, params: Obj, secret: str) -> Obj:
    """The endpoint that gets the deliveries; types lose the v1. of thin events."""
    endpoint = world.new(
        "webhook_endpoint",
        "we",
        api_version=params.get("snapshot_api_version") or API_VERSION,
        enabled_events=plain(params["enabled_events"]),
        status="enabled",
        url=params["webhook_endpoint"]["url"],
    )
    world.notes.secrets[endpoint["id"]] = [secret]
    if params["event_payload"] == "thin":
        world.notes.thin.add(endpoint["id"])
    return endpoint


def plain(types: list[str]) -> list[str]:
    """Types of thin events in their first-generation names."""
    return [name.removeprefix("v1.") for name in types]


def endpoint_of(world: World, destination: Obj) -> Obj:
    """The endpoint behind a destination."""
    return world.get("webhook_endpoint", f"we_{destination['id'].removeprefix('ed_test_')}")


def included(world: World, destination: Obj, wanted: list[str]) -> Obj:
    """A destination with its address when that was asked for."""
    url = endpoint_of(world, destination)["url"]
    shown = url if "webhook_endpoint.url" in wanted else None
    return {**destination, "webhook_endpoint": {"signing_secret": None, "url": shown}}


def fetch(world: World, call: Call) -> Obj:
    """GET /v2/core/event_destinations/{id}."""
    return included(world, world.get(KIND, call.id), call.params.get("include") or [])


def listed(world: World, call: Call) -> Obj:
    """GET /v2/core/event_destinations."""
    wanted = words(call.params, "include")
    rows = [included(world, row, wanted) for row in world.tables[KIND]]
    return paged(call, list(reversed(rows)))


def update(world: World, call: Call) -> Obj:
    """POST /v2/core/event_destinations/{id}: all but the body's form."""
    destination, params = world.get(KIND, call.id), call.params
    endpoint = endpoint_of(world, destination)
    apply(destination, params, ("description", "enabled_events", "name", "metadata"))
    if "enabled_events" in params:
        endpoint["enabled_events"] = plain(params["enabled_events"])
    if "webhook_endpoint" in params:
        check_url(params["webhook_endpoint"]["url"])
        endpoint["url"] = params["webhook_endpoint"]["url"]
    destination["updated"] = moment(world.now())
    return included(world, destination, params.get("include") or [])


def turned(status: str) -> Handler:
    """POST /v2/core/event_destinations/{id}/enable and /disable."""

    def act(world: World, call: Call) -> Obj:
        destination = world.get(KIND, call.id)
        destination["status"] = endpoint_of(world, destination)["status"] = status
        reason = {"disabled": {"reason": "user"}} if status == "disabled" else None
        destination["status_details"] = reason
        destination["updated"] = moment(world.now())
        return destination

    return act


def ping(world: World, call: Call) -> Obj:
    """POST /v2/core/event_destinations/{id}/ping: an event about the destination itself."""
    destination = world.get(KIND, call.id)
    emit(world, f"{KIND}.ping", destination)
    last = next(reversed(world.tables["event"].rows.values()))
    return {**thin(last), "type": f"{KIND}.ping"}


def delete(world: World, call: Call) -> Obj:
    """DELETE /v2/core/event_destinations/{id}."""
    destination = world.get(KIND, call.id)
    world.tables["webhook_endpoint"].remove(endpoint_of(world, destination)["id"])
    world.tables[KIND].remove(call.id)
    return {"id": call.id, "object": KIND}


ROUTES: Routes = {
    "POST /v2/core/event_destinations": create,
    "GET /v2/core/event_destinations": listed,
    "GET /v2/core/event_destinations/{id}": fetch,
    "POST /v2/core/event_destinations/{id}": update,
    "DELETE /v2/core/event_destinations/{id}": delete,
    "POST /v2/core/event_destinations/{id}/enable": turned("enabled"),
    "POST /v2/core/event_destinations/{id}/disable": turned("disabled"),
    "POST /v2/core/event_destinations/{id}/ping": ping,
}
