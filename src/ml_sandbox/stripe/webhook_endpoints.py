"""Webhook endpoints: created with a secret that is shown once, changed, disabled, deleted."""

from urllib.parse import urlsplit

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import API_VERSION, Obj
from ml_sandbox.stripe.world import World

MOST_ENDPOINTS = 16


def create(world: World, call: Call) -> Obj:
    """POST /v1/webhook_endpoints: the only answer that carries the secret."""
    params = call.params
    check_url(params["url"])
    if len(world.tables["webhook_endpoint"]) >= MOST_ENDPOINTS:
        raise bad(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    secret = world.first_secret or f"whsec_{world.ids.text(32)}"
    world.first_secret = None
    endpoint = world.new(
        "webhook_endpoint",
        "we",
        api_version=params.get("api_version", API_VERSION),
        enabled_events=params["enabled_events"],
        status="enabled",
        url=params["url"],
    )
    apply(endpoint, params, ["description"])
    merge_metadata(endpoint, params)
    world.notes.secrets[endpoint["id"]] = [secret]
    return {**endpoint, "secret": secret}


def check_url(url: str) -> None:
    """An absolute http(s) address (the real service wants https outside of tests)."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise bad("Invalid URL: An explicit scheme (such as https) must be provided.", "url")


def update(world: World, call: Call) -> Obj:
    """POST /v1/webhook_endpoints/{webhook_endpoint}: all but the version."""
    endpoint, params = world.get("webhook_endpoint", call.id), call.params
    if "url" in params:
        check_url(params["url"])
    apply(endpoint, params, ("url", "enabled_events", "description"))
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    merge_metadata(endpoint, params)
    return endpoint


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/webhook_endpoints/{webhook_endpoint}."""
    world.get("webhook_endpoint", call.id)
    world.tables["webhook_endpoint"].remove(call.id)
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/webhook_endpoints/{webhook_endpoint}."""
    return world.get("webhook_endpoint", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/webhook_endpoints."""
    return page(call, world.tables["webhook_endpoint"])


ROUTES: Routes = {
    "POST /v1/webhook_endpoints": create,
    "GET /v1/webhook_endpoints": listed,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": fetch,
    "POST /v1/webhook_endpoints/{webhook_endpoint}": update,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": delete,
}
