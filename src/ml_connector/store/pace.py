"""The pace: when the next request to a service may leave, agreed by all workers.

The generic cell rate algorithm on one row per connection and service: `next_free` is when the
last reserved request would leave if they left evenly; a burst may run that far ahead of it.
"""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.tables import pace


async def reserve(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    service: str,
    interval_seconds: float,
    burst: int,
    now: datetime,
) -> float:
    """Reserves one request; the seconds to wait before it may leave.

    The row stays locked until the transaction ends: give it a statement of its own.
    """
    interval = timedelta(seconds=interval_seconds)
    statement = insert(pace).values(
        connection=connection, service=service, next_free=now + interval
    )
    statement = statement.on_conflict_do_update(
        index_elements=[pace.c.connection, pace.c.service],
        set_={"next_free": func.greatest(pace.c.next_free, now) + interval},
    )
    next_free = (await tx.execute(statement.returning(pace.c.next_free))).scalar_one()
    return max(0.0, (next_free - interval * burst - now).total_seconds())


async def hold(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    service: str,
    until: datetime,
    interval_seconds: float = 0.0,
    burst: int = 1,
) -> None:
    """Nothing leaves before `until`: the service said when it will listen again."""
    free = until + timedelta(seconds=interval_seconds) * (burst - 1)
    statement = insert(pace).values(connection=connection, service=service, next_free=free)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[pace.c.connection, pace.c.service],
            set_={"next_free": func.greatest(pace.c.next_free, free)},
        )
    )
