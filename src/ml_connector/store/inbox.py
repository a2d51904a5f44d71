"""The inbox: every signal once, handled only when the job it led to has succeeded."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import inbox

IGNORED = "ignored"
"""The kind of a signal that leads to no look, so that nobody ever handles it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A hint that a resource should be looked at; `event_id` is its sender's, unique."""

    connection: ConnectionId
    event_id: str
    source: str
    kind: str
    resource: str
    type: str
    body: JsonObject = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Received:
    """A signal as stored; `handled_at` is None while its resource is still to be looked at."""

    id: int
    connection: ConnectionId
    event_id: str
    source: str
    kind: str
    resource: str
    type: str
    received_at: datetime
    body: JsonObject
    handled_at: datetime | None
    outcome: str | None


async def receive(
    tx: AsyncConnection, signal: Signal, *, now: datetime | None = None
) -> int | None:
    """Stores a signal; its row's id, or None when this event was received before."""
    statement = insert(inbox).values(
        connection=signal.connection,
        event_id=signal.event_id,
        source=signal.source,
        kind=signal.kind,
        resource=signal.resource,
        type=signal.type,
        body=signal.body,
        received_at=moment(now),
    )
    once = statement.on_conflict_do_nothing(index_elements=[inbox.c.connection, inbox.c.event_id])
    return (await tx.execute(once.returning(inbox.c.id))).scalar_one_or_none()


async def mark_handled(
    tx: AsyncConnection,
    connection: ConnectionId,
    kind: str,
    resource: str,
    before: datetime,
    *,
    outcome: str = "done",
    now: datetime | None = None,
) -> int:
    """Handles the resource's signals received up to `before`: when its truth was fetched.

    A later signal may tell of a later change, so it stays. Returns how many were handled.
    """
    statement = update(inbox).where(
        inbox.c.connection == connection,
        inbox.c.kind == kind,
        inbox.c.resource == resource,
        inbox.c.received_at <= before,
        inbox.c.handled_at.is_(None),
    )
    done = await tx.execute(statement.values(handled_at=moment(now), outcome=outcome))
    return done.rowcount


async def get(tx: AsyncConnection, row_id: int) -> Received | None:
    """One signal by the id that `receive` gave."""
    row = (await tx.execute(select(inbox).where(inbox.c.id == row_id))).mappings().one_or_none()
    return None if row is None else record(Received, row)


async def recent(tx: AsyncConnection, connection: ConnectionId, limit: int = 100) -> list[Received]:
    """The last signals, newest first."""
    question = select(inbox).where(inbox.c.connection == connection)
    newest = question.order_by(inbox.c.id.desc()).limit(limit)
    return records(Received, (await tx.execute(newest)).mappings())


async def prune(
    tx: AsyncConnection, connection: ConnectionId, before: datetime, *, most: int = 10_000
) -> int:
    """Deletes signals that came earlier and ask for nothing any more; how many.

    An event that is told again after that would be taken for news. What is not handled stays.
    """
    old = select(inbox.c.id).where(
        inbox.c.connection == connection,
        inbox.c.received_at < before,
        inbox.c.handled_at.is_not(None) | (inbox.c.kind == IGNORED),
    )
    some = old.order_by(inbox.c.id).limit(most).with_for_update(skip_locked=True)
    return (await tx.execute(delete(inbox).where(inbox.c.id.in_(some)))).rowcount
