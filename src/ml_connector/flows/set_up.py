"""Making or changing a connection: its sides, its secrets, its accounts and its cadence."""

import tomllib
from dataclasses import fields
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.mapping import Mapping, require_sound
from ml_connector.books.policies import Policies
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.schedule import set_cadence
from ml_connector.flows.signals import WANTED, Kind, Look
from ml_connector.store import audit, connections, mapping, troubles
from ml_connector.store.connections import Connection, NewConnection, known_secrets
from ml_connector.store.engine import Store
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.vault.keyring import KeyRing


def read_mapping(written: str, time_zone: str) -> JsonObject:
    """The mapping that a person wrote in TOML, as it is stored; raises Misconfigured.

    The sentence names every problem, not only the first.
    """
    try:
        body: JsonObject = dict(tomllib.loads(written))
        _refuse_unknown(body)
        whole = msgspec.convert(body | {"version": 0, "time_zone": time_zone}, Mapping)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(
            f"The mapping cannot be read: {error}.",
            cause="mapping.unreadable",
            remedy="Compare it with docs/mapping.md.",
        ) from error
    require_sound(whole)
    return body


def _refuse_unknown(body: JsonObject) -> None:
    """A policy that is misspelled would silently be the default; raises ValidationError."""
    given = msgspec.convert(body.get("policies", {}), dict[str, object])
    known = {one.name for one in fields(Policies)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise msgspec.ValidationError(
            f"there is no policy {unknown[0]!r}; the policies are {', '.join(sorted(known))}"
        )


async def set_up(
    store: Store,
    keyring: KeyRing,
    clock: Clock,
    new: NewConnection,
    *,
    mapping_text: str | None,
    actor: str,
) -> Connection:
    """Stores a connection with all that belongs to it, in one transaction.

    Without `mapping_text` the mapping in force stays. Raises Misconfigured before anything is
    stored.
    """
    body = None if mapping_text is None else read_mapping(mapping_text, new.time_zone)
    now = clock.now()
    async with store.transaction() as tx:
        await connections.save(tx, new, keyring, now=now)
        if body is not None and mapping_text is not None:
            version = await mapping.add_version(tx, new.id, body, mapping_text, actor, now=now)
            await connections.set_mapping_version(tx, new.id, version, now=now)
            await _wake(tx, new.id, now)
        cadence = {name: int(str(seconds)) for name, seconds in new.cadence.items()}
        await set_cadence(tx, new.id, cadence, clock)
        detail: JsonObject = {
            "stripe": as_object(new.stripe),
            "acumatica": as_object(new.acumatica),
            "secrets": list(known_secrets(new.secrets)),
        }
        await audit.write(tx, new.id, actor, "connection set up", new.id, detail, now)
        return await connections.get(tx, new.id)


async def _wake(tx: AsyncConnection, connection: ConnectionId, now: datetime) -> None:
    """Lets what waits for a person be tried now: the new mapping may be what it waits for."""
    for trouble in await troubles.open_ones(tx, connection):
        if trouble.filed in {AskAPerson.filed, Misconfigured.filed}:
            at = Look(Kind(trouble.kind), trouble.resource)
            await look(tx, connection, at, not_before=now)


async def receive_webhooks(c: Connected, keyring: KeyRing, public_url: str) -> str:
    """Registers this service at Stripe and stores the signing secret; returns the endpoint's id.

    A secret stored before stays valid, so that both may sign while one replaces the other.
    """
    url = f"{public_url.rstrip('/')}/webhooks/stripe/{c.id}"
    endpoint, secret = await c.stripe.create_webhook_endpoint(url, WANTED)
    known = connections.open_secrets(c.record, keyring).stripe_webhook.split()
    both = " ".join(dict.fromkeys([secret, *known]))
    now = c.clock.now()
    async with c.store.transaction() as tx:
        await connections.update_secret(tx, c.id, "stripe_webhook", both, keyring, now=now)
        detail: JsonObject = {"endpoint": endpoint, "url": url}
        await audit.write(tx, c.id, "connector", "webhook endpoint made", endpoint, detail, now)
    return endpoint
