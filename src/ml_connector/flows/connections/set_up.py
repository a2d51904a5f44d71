"""Making or changing a connection: its sides, its secrets, its accounts and its cadence."""

from ml_connector.basics.clock import Clock
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.left_behind import require_nothing_left
from ml_connector.flows.mapping.mapping_change import wake_waiting
from ml_connector.flows.mapping.mapping_text import parse, read_body
from ml_connector.flows.rounds.schedule import set_cadence
from ml_connector.flows.signals import WANTED
from ml_connector.store import audit, connections, mapping
from ml_connector.store.connections import Connection, NewConnection, known_secrets
from ml_connector.store.engine import Store
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.vault.keyring import KeyRing


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
    books = None if mapping_text is None else parse(mapping_text, new.time_zone)
    now = clock.now()
    async with store.transaction() as tx:
        await connections.save(tx, new, keyring, now=now)
        if books is not None and mapping_text is not None:
            await require_nothing_left(tx, new.id, books)
            body = read_body(mapping_text)
            version = await mapping.add_version(tx, new.id, body, mapping_text, actor, now=now)
            await connections.set_mapping_version(tx, new.id, version, now=now)
            await wake_waiting(tx, new.id, now)
        cadence = {name: int(str(seconds)) for name, seconds in new.cadence.items()}
        await set_cadence(tx, new.id, cadence, clock)
        detail: JsonObject = {
            "stripe": as_object(new.stripe),
            "acumatica": as_object(new.acumatica),
            "secrets": list(known_secrets(new.secrets)),
        }
        kept = await connections.get(tx, new.id)
        await audit.write(tx, new.id, actor, "connection set up", new.id, detail, now)
    return kept


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
