"""Signals come in: stored once, a job queued in the same transaction, nothing believed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef
from ml_connector.flows.signals import EVENTS, Kind, Look
from ml_connector.observe import SIGNALS
from ml_connector.store import inbox, jobs
from ml_connector.store.inbox import Signal
from ml_connector.stripe.webhooks import EventHint

A_BURST = timedelta(minutes=1)
"""How long changes of payments and journals are gathered before the guardian looks."""


async def stripe_event(
    tx: AsyncConnection, connection: ConnectionId, hint: EventHint, *, source: str, now: datetime
) -> bool:
    """Stores a Stripe event once and queues the look that it asks for; False when known."""
    kind, wait = EVENTS.get(hint.type, (None, None))
    signal = Signal(
        connection=connection,
        event_id=hint.id,
        source=source,
        kind=kind or inbox.IGNORED,
        resource=hint.subject,
        type=hint.type,
        body={"created": hint.created, "livemode": hint.livemode},
    )
    if await inbox.receive(tx, signal) is None:
        SIGNALS.labels(connection, source, "known").inc()
        return False
    SIGNALS.labels(connection, source, kind or inbox.IGNORED).inc()
    if kind is not None and wait is not None:
        # What moved money is booked first: it mostly explains what became of an invoice.
        priority = -1 if kind is Kind.MIRRORED else 0
        at = Look(kind, hint.subject)
        await look(tx, connection, at, not_before=now + wait, priority=priority)
    return True


async def erp_change(
    tx: AsyncConnection, connection: ConnectionId, event_id: str, refs: list[tuple[Kind, ErpRef]]
) -> bool:
    """Stores a push notification of Acumatica once and queues a look at each record it names."""
    signal = Signal(
        connection=connection,
        event_id=event_id,
        source="push",
        kind=refs[0][0] if refs else inbox.IGNORED,
        resource=refs[0][1] if refs else "",
        type="push",
        body={"records": [f"{kind}/{ref}" for kind, ref in refs]},
    )
    if await inbox.receive(tx, signal) is None:
        SIGNALS.labels(connection, "push", "known").inc()
        return False
    SIGNALS.labels(connection, "push", "new").inc()
    await look_all(tx, connection, (Look(kind, ref) for kind, ref in refs))
    return True


async def documents_changed(
    tx: AsyncConnection, connection: ConnectionId, *, now: datetime
) -> bool:
    """Brings the guardian's look forward; a burst of changes, mostly our own, leads to one look."""
    at = Look(Kind.STREAM, "acumatica.documents")
    return await look(tx, connection, at, not_before=now + A_BURST)


async def look_all(
    tx: AsyncConnection,
    connection: ConnectionId,
    looks: Iterable[Look],
    *,
    not_before: datetime | None = None,
    priority: int = 0,
) -> int:
    """Queues a look at each resource; returns how many did not wait already.

    Always in one order: two transactions that queue the same looks never wait for each other.
    """
    queued = 0
    for at in sorted(set(looks)):
        queued += await look(tx, connection, at, not_before=not_before, priority=priority)
    return queued


async def look(
    tx: AsyncConnection,
    connection: ConnectionId,
    at: Look,
    *,
    not_before: datetime | None = None,
    priority: int = 0,
) -> bool:
    """Queues one look at a resource; False when one is waiting already."""
    job = jobs.Job(connection, at.kind, at.resource)
    return await jobs.defer(tx, job, not_before=not_before, priority=priority)
