"""A pause: signals are taken in and kept, but no work is done until somebody resumes it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ConnectionId
from ml_connector.store import audit, connections
from ml_connector.store.engine import Store
from ml_connector.store.rows import JsonObject


class Paused(AskAPerson):
    """The connection is paused: nothing can be waited for."""

    def __init__(self, connection: ConnectionId, reason: str) -> None:
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"The connection {connection} is paused{why}: what is due waits.",
            cause="connection.paused",
            remedy=f"Let it work again: ml-connector resume {connection}.",
        )


async def require_active(tx: AsyncConnection, connection: ConnectionId) -> None:
    """Raises Paused while the connection is, or UnknownConnection."""
    record = await connections.get(tx, connection)
    if not record.active:
        raise Paused(connection, record.paused_reason)


async def pause(
    store: Store, clock: Clock, connection: ConnectionId, reason: str, actor: str
) -> None:
    """No further work begins; what is under way is ended. A second pause only says why anew."""
    async with store.transaction() as tx:
        await connections.pause(tx, connection, reason, now=clock.now())
        detail: JsonObject = {"why": reason}
        await audit.write(tx, connection, actor, "paused", connection, detail, clock.now())


async def resume(store: Store, clock: Clock, connection: ConnectionId, actor: str) -> bool:
    """Lets it work again, beginning with what was taken in meanwhile; False when it did anyway."""
    async with store.transaction() as tx:
        record = await connections.get(tx, connection)
        if record.active:
            return False
        await connections.resume(tx, connection, now=clock.now())
        detail: JsonObject = {"why_paused": record.paused_reason}
        await audit.write(tx, connection, actor, "resumed", connection, detail, clock.now())
    return True
