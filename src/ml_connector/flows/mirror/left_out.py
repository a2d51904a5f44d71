"""What the mirror leaves out by the firm's own choice, kept with the reason for who asks."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, erp_keys
from ml_connector.flows.connected import Connected
from ml_connector.store import cursors


async def leave_out(c: Connected, ref: ErpRef, why: str) -> None:
    """Keeps why a record is not mirrored; no reason forgets the one that there was."""
    async with c.store.transaction() as tx:
        before = await cursors.read(tx, c.id, _key(ref))
        if why:
            await cursors.advance(tx, c.id, _key(ref), {"why": why}, now=c.clock.now())
        elif before is not None:
            await cursors.forget(tx, c.id, _key(ref))


async def why_left_out(tx: AsyncConnection, connection: ConnectionId, number: str) -> str:
    """The reason for which the record of a number is not mirrored; empty when there is none."""
    kept = await cursors.read(tx, connection, _key(ErpRef(number)))
    return "" if kept is None else str(kept["why"])


def _key(ref: ErpRef) -> str:
    """By the number alone, as a person quotes it."""
    return f"left_out:{erp_keys(ref)[-1]}"
