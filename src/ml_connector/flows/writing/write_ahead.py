"""Saying what we are about to create in Stripe before we do, so that a crash cannot double it.

Stripe's idempotency keys cover a day; a marker in our own database has no end. Whoever finds the
marker of an earlier run looks for what that run may have made before making it again.
"""

from ml_connector.flows.connected import Connected
from ml_connector.store import cursors
from ml_connector.store.rows import JsonObject


async def announced(c: Connected, what: str, plan: JsonObject) -> bool:
    """Leaves the marker; True when one was there already: an earlier run may have got through."""
    return await announced_before(c, what, plan) is not None


async def announced_before(c: Connected, what: str, plan: JsonObject) -> JsonObject | None:
    """Leaves the marker with the plan; the plan of an earlier run, when its marker was there."""
    async with c.store.transaction() as tx:
        before = await cursors.read(tx, c.id, f"creating:{what}")
        if before is None:
            await cursors.advance(tx, c.id, f"creating:{what}", plan)
    return before


async def is_announced(c: Connected, what: str) -> bool:
    """Whether a marker is there, of an earlier run."""
    async with c.store.statement() as tx:
        return await cursors.read(tx, c.id, f"creating:{what}") is not None


async def settle(c: Connected, what: str) -> None:
    """Takes the marker away, once the link to what was made is stored."""
    async with c.store.statement() as tx:
        await cursors.forget(tx, c.id, f"creating:{what}")
