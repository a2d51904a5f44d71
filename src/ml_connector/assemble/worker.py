"""One worker of an installation: jobs, schedules and bookkeeping, until told to stop."""

import asyncio
from datetime import timedelta

import structlog

from ml_connector.assemble.installation import Installation
from ml_connector.assemble.switchboard import Switchboard
from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.basics.ids import ConnectionId
from ml_connector.flows import desk
from ml_connector.flows.rounds.schedule import keep_time
from ml_connector.flows.rounds.tidying import Kept, keep_tidy
from ml_connector.store import connections
from ml_connector.store.engine import DATABASE_AWAY
from ml_connector.store.jobs import Job, defer
from ml_connector.store.queue import Queue

log = structlog.get_logger()

TICK_SECONDS = 0.5
AGAIN_AFTER = timedelta(seconds=2)


async def work(place: Installation, board: Switchboard, stop: asyncio.Event) -> None:
    """Runs jobs, schedules and bookkeeping until told to stop: one worker of the installation."""

    async def handle(job: Job) -> None:
        try:
            await _look(place, board, job)
        except (*DATABASE_AWAY, TryAgain):
            log.exception("how the job ended could not be stored; it runs again", job=job.key)
            await _again(place, job)

    async def active() -> list[ConnectionId]:
        async with place.store.statement() as tx:
            return [one.id for one in await connections.every(tx, active_only=True)]

    queue = Queue(place.url, handle)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.run(active, stop=stop))
        tasks.create_task(keep_time(place.store, place.clock, every=TICK_SECONDS, stop=stop))
        tasks.create_task(keep_tidy(place.store, place.clock, _kept(place), stop=stop))
        tasks.create_task(board.recorder.keep_flushing(stop))


def _kept(place: Installation) -> Kept:
    days = place.settings
    return Kept(timedelta(days=days.keep_calls_days), timedelta(days=days.keep_signals_days))


async def _look(place: Installation, board: Switchboard, job: Job) -> None:
    """One job; a connection that cannot be opened is a trouble of the job, which is not lost."""
    try:
        opened = await board.connected(job.connection)
    except ConnectorError as error:
        await desk.troubled(place.store, place.clock, job, error)
    else:
        await desk.work(opened, job)


async def _again(place: Installation, job: Job) -> None:
    """Queues the job anew as soon as the database takes it; patient, as it holds the only copy."""
    while True:
        try:
            async with place.store.transaction() as tx:
                await defer(tx, job, not_before=place.clock.now() + AGAIN_AFTER)
                return
        except (*DATABASE_AWAY, TryAgain):
            await asyncio.sleep(1)
