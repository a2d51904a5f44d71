"""What nobody asks about any more is deleted once a day; the audit trail is never touched."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.store import connections, exchanges, inbox, jobs
from ml_connector.store.engine import Store

log = structlog.get_logger()

FINISHED_JOBS = timedelta(days=7)
AT_ONCE = 5_000
"""Rows of one transaction: short enough to be in nobody's way."""
FIRST_AFTER = 600.0
"""Seconds until a worker tidies first: one that only catches up is gone by then."""
EVERY = 86_400.0


@dataclass(frozen=True, slots=True)
class Kept:
    """How long calls and handled signals are kept.

    Stripe tells events of the last 30 days again; signals must be known for longer than that.
    """

    exchanges: timedelta = timedelta(days=90)
    signals: timedelta = timedelta(days=90)


async def tidy(store: Store, clock: Clock, kept: Kept, *, at_once: int = AT_ONCE) -> int:
    """Deletes ended jobs, old calls and old handled signals, bit by bit; returns how many rows."""
    now = clock.now()
    async with store.statement() as tx:
        names = [one.id for one in await connections.every(tx)]
    gone = await _all(store, at_once, lambda tx: jobs.prune(tx, FINISHED_JOBS, most=at_once))
    for name in names:
        calls, signals = now - kept.exchanges, now - kept.signals
        gone += await _all(
            store, at_once, lambda tx, c=name, to=calls: exchanges.prune(tx, c, to, most=at_once)
        )
        gone += await _all(
            store, at_once, lambda tx, c=name, to=signals: inbox.prune(tx, c, to, most=at_once)
        )
    return gone


async def _all(
    store: Store, at_once: int, prune: Callable[[AsyncConnection], Awaitable[int]]
) -> int:
    gone = 0
    while True:
        async with store.transaction() as tx:
            some = await prune(tx)
        gone += some
        if some < at_once:
            return gone


async def keep_tidy(store: Store, clock: Clock, kept: Kept, *, stop: asyncio.Event) -> None:
    """Tidies once a day until told to stop; a database that is away is tidied the next time."""
    wait = FIRST_AFTER
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
            return
        try:
            await tidy(store, clock, kept)
        except SQLAlchemyError:
            log.exception("what is old could not be deleted; trying again tomorrow")
        wait = EVERY
