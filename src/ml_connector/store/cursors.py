"""How far each stream of changes has been read."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import JsonObject, moment
from ml_connector.store.tables import cursors


async def read(tx: AsyncConnection, connection: ConnectionId, stream: str) -> JsonObject | None:
    """Where the stream was left; None when it was never read."""
    mine = (cursors.c.connection == connection) & (cursors.c.stream == stream)
    return (await tx.execute(select(cursors.c.value).where(mine))).scalar_one_or_none()


async def advance(
    tx: AsyncConnection,
    connection: ConnectionId,
    stream: str,
    value: JsonObject,
    *,
    now: datetime | None = None,
) -> None:
    """Remembers where the stream was left, in the transaction that stored what was read."""
    facts = {"value": value, "updated_at": moment(now)}
    statement = insert(cursors).values(connection=connection, stream=stream, **facts)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[cursors.c.connection, cursors.c.stream], set_=facts
        )
    )


async def forget(tx: AsyncConnection, connection: ConnectionId, stream: str) -> None:
    """Drops what was remembered of a stream; nothing happens when there was nothing."""
    mine = (cursors.c.connection == connection) & (cursors.c.stream == stream)
    await tx.execute(delete(cursors).where(mine))
