"""Controls over who may do what: users, the connected application, concurrent saves."""

from typing import Any

from ml_sandbox.acumatica.people import User
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.wire import Json


def show_users(site: Site) -> object:
    """Every user with the forms denied to them."""
    return site.world.users.describe()


def put_user(site: Site, body: Json) -> object:
    """Adds or replaces a user: {name, password, denied: [screen IDs]}."""
    denied: list[Any] = body.get("denied") or []
    user = User(
        str(body["name"]), str(body.get("password", "123")), frozenset(str(each) for each in denied)
    )
    site.world.users.put(user)
    return site.world.users.describe()


def show_application(site: Site) -> object:
    """The connected application's registration."""
    application = site.identity.application
    return {
        "client_id": site.identity.client_id,
        "redirect_uris": application.redirect_uris,
        "keys": len(application.keys),
        "sliding_days": application.sliding_days,
        "absolute_days": application.absolute_days,
    }


def change_application(site: Site, body: Json) -> object:
    """Changes {redirect_uris, keys (JWKs), sliding_days, absolute_days}."""
    application = site.identity.application
    for name, value in body.items():
        if name in {"redirect_uris", "keys"}:
            setattr(application, name, list(value))
        elif name in {"sliding_days", "absolute_days"}:
            setattr(application, name, int(value))
        else:
            raise ValueError(f"the application has no setting named {name}")
    return show_application(site)


def show_conflicts(site: Site) -> object:
    """The concurrent saves still to come, and how many came."""
    found = site.world.conflicts
    return {
        "count": found.count,
        "entity": found.entity,
        "record": found.record,
        "fired": found.fired,
    }


def order_conflicts(site: Site, body: Json) -> object:
    """Orders {count, entity, record}: the next matching PUTs lose; entity and record may be ""."""
    found = site.world.conflicts
    found.count = int(body.get("count", 1))
    found.entity = str(body.get("entity", ""))
    found.record = str(body.get("record", ""))
    return show_conflicts(site)
