"""What is due when: each connection keeps its cadence in the database; no restart changes it."""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ConnectionId
from ml_connector.flows.intake import look
from ml_connector.flows.rounds.streams import SCHEDULED
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import schedules
from ml_connector.store.engine import Store

log = structlog.get_logger()

NIGHTLY = 86_400
DEFAULT_CADENCE: dict[str, int] = {
    "acumatica.customers": 300,
    "acumatica.invoices": 120,
    "acumatica.documents": 300,
    "acumatica.contacts": NIGHTLY,
    "stripe.events": 120,
    "stripe.transactions": 900,
    "stripe.payouts": 3600,
    "stripe.links": NIGHTLY,
    "tieout": NIGHTLY,
}
"""Seconds between two looks at a stream; a connection may set its own for each."""

SLOW = frozenset({"acumatica.documents"})
POLLS = tuple(
    name for name, seconds in DEFAULT_CADENCE.items() if seconds < NIGHTLY and name not in SLOW
)
"""The streams that are quick to look at; the others cost a call for each record, or list many."""


async def set_cadence(
    tx: AsyncConnection, connection: ConnectionId, cadence: dict[str, int], clock: Clock
) -> None:
    """Stores how often each stream of a connection is looked at; unnamed ones get the default."""
    for stream in SCHEDULED:
        seconds = cadence.get(stream, DEFAULT_CADENCE[stream])
        await schedules.set_(tx, connection, stream, seconds, clock.now())


async def tick(store: Store, clock: Clock) -> int:
    """Queues a look at each stream that is due; returns how many. Safe in many processes."""
    async with store.transaction() as tx:
        due = await schedules.due(tx, clock.now())
        # In the order of their keys, as everybody queues.
        for entry in sorted(due, key=lambda one: (one.connection, one.stream)):
            await look(tx, entry.connection, Look(Kind.STREAM, entry.stream), priority=2)
    return len(due)


async def keep_time(store: Store, clock: Clock, *, every: float, stop: asyncio.Event) -> None:
    """Ticks until told to stop; a database that is away for a moment is met with patience."""
    while not stop.is_set():
        try:
            await tick(store, clock)
        except (SQLAlchemyError, ConnectorError):
            log.exception("the schedule could not be kept; trying again")
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue
