"""Who runs the jobs: one process's lanes, heartbeat, listener and the rescue of the dead.

Procrastinate gives tables, locks and the rule of which job is next. Its worker is not used: that
one holds a listener and a heartbeat per queue, drops a job that a shutdown cuts short, wakes late
for a run that waited on its lock, and lets a frozen worker end a run that others took over.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import LiteralString

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job as Row
from procrastinate.manager import JobManager
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.jobs import Job, channel_of, queue_of

POOL = 4
"""Database connections of one worker process besides its listener: its statements are short."""
TUNE_EVERY = 1.0
"""Seconds within which the listener hears a new lane too."""
LAST_WORDS = 5.0
"""Seconds for a cancelled job to be given back before it is left to the rescue."""
FORGET_WORKERS_AFTER = 3600.0
"""Seconds without a heartbeat after which a worker's row goes; a frozen one may wake before."""


# Procrastinate's own fetch compares every waiting job with every other by lock, without an index:
# 18 jobs/s at 2,000 waiting in a table not yet analyzed. A key waits at most once here, so it is
# enough to look for a running one, by the unique index that keeps a key from running twice. A
# subquery, not a join: it is asked row by row until the first free job.
_TAKE = """
    UPDATE procrastinate_jobs SET status = 'doing', worker_id = %(worker)s
    WHERE id = (
        SELECT id FROM procrastinate_jobs AS job
        WHERE status = 'todo' AND queue_name = %(queue)s
          AND (scheduled_at IS NULL OR scheduled_at <= now())
          AND (SELECT id FROM procrastinate_jobs AS other
               WHERE other.lock = job.lock AND other.status = 'doing') IS NULL
        ORDER BY priority DESC, id LIMIT 1
        FOR UPDATE OF job SKIP LOCKED)
    RETURNING *
"""
_END = """
    UPDATE procrastinate_jobs
    SET status = %(status)s::procrastinate_job_status, attempts = attempts + 1
    WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s
    RETURNING id
"""
_GIVE_BACK = """
    WITH back AS (
        UPDATE procrastinate_jobs
        SET status = %(status)s::procrastinate_job_status, attempts = attempts + 1
        WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s
        RETURNING id, queue_name)
    SELECT pg_notify('procrastinate_queue_v1#' || queue_name,
                     json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM back
"""
_BEAT = """
    UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker)s RETURNING id
"""


class _Desk:
    """The engine's tables as one worker process uses them; every ending is compare-and-set."""

    def __init__(self, conninfo: str) -> None:
        # Every statement stands alone: a transaction around each would triple the round trips.
        self._database = PsycopgConnector(
            conninfo=conninfo, kwargs={"autocommit": True}, min_size=1, max_size=POOL, timeout=10
        )
        self._manager = JobManager(self._database)
        self._worker = 0

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Registered as a worker while the block runs."""
        await self._database.open_async()
        try:
            self._worker = await self._manager.register_worker()
            yield
        finally:
            # Whatever we still hold is free for others at once: its worker is gone.
            with suppress(ConnectorException):
                await self._manager.unregister_worker(self._worker)
            await self._database.close_async()

    async def beat(self) -> None:
        """Says that this process lives; registers anew when it was taken for dead long ago."""
        known = await self._database.execute_query_all_async(_BEAT, worker=self._worker)
        if not known:
            self._worker = await self._manager.register_worker()

    async def take(self, queue: str) -> Row | None:
        """The next due job of a queue, now ours."""
        rows = await self._database.execute_query_all_async(_TAKE, queue=queue, worker=self._worker)
        return Row.from_row(rows[0]) if rows else None

    async def end(self, row: Row, status: str) -> bool:
        """Ends our run of a job; False when it is ours no more."""
        return await self._move(_END, row, status)

    async def give_back(self, row: Row) -> bool:
        """Lets others run a job; when a later run waits already, that one stands for both."""
        try:
            return await self._move(_GIVE_BACK, row, "todo")
        except UniqueViolation:
            return await self._move(_GIVE_BACK, row, "aborted")

    async def rescue(self, stalled_after: float) -> list[Row]:
        """Gives back the jobs of workers without a heartbeat for so many seconds."""
        stalled = await self._manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after)
        rescued = [row for row in stalled if await self.give_back(row)]
        await self._manager.prune_stalled_workers(max(FORGET_WORKERS_AFTER, stalled_after))
        return rescued

    async def _move(self, query: LiteralString, row: Row, status: str) -> bool:
        rows = await self._database.execute_query_all_async(
            query, id=row.id, worker=row.worker_id, status=status
        )
        return bool(rows)


class _Lane:
    """One connection's loop: as many of its due jobs at once as allowed, in order of arrival."""

    def __init__(
        self,
        queue: str,
        desk: _Desk,
        handler: Callable[[Job], Awaitable[None]],
        *,
        width: int,
        poll: float,
    ) -> None:
        self.queue = queue
        self.wake = asyncio.Event()
        self._desk, self._handler, self._width, self._poll = desk, handler, width, poll
        self._running: set[asyncio.Task[None]] = set()
        self._ending = False
        self._cutting = False
        self._log = structlog.get_logger(queue=queue)
        self._loop = asyncio.create_task(self._work(), name=queue)

    async def close(self, grace: float) -> None:
        """Takes no more jobs, lets the running ones end, gives back what outlasts the grace."""
        self._ending = True
        self.wake.set()
        await self._loop
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        self._cutting = True
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=LAST_WORDS)

    async def _work(self) -> None:
        while not self._ending:
            self.wake.clear()
            try:
                await self._fill()
            except Exception:  # noqa: BLE001 - no error may end the engine
                self._log.exception("jobs_not_fetched")
            await _pause(self.wake, self._poll)

    async def _fill(self) -> None:
        while len(self._running) < self._width and not self._ending:
            row = await self._desk.take(self.queue)
            if row is None:
                return
            task = asyncio.create_task(self._run(row), name=row.lock)
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        # A place is free, and a run that waited on this one's lock may start.
        self.wake.set()

    async def _run(self, row: Row) -> None:
        status = await self._outcome(row)
        # Unended, the job would block its resource as long as this process lives. No event tells
        # when the database is back.
        while not await self._ended(row, status) and not self._cutting:  # noqa: ASYNC110
            await asyncio.sleep(1)

    async def _ended(self, row: Row, status: str | None) -> bool:
        try:
            ours = await (self._desk.end(row, status) if status else self._desk.give_back(row))
        except Exception:  # noqa: BLE001 - no error may end the engine
            self._log.exception("job_not_ended", job=row.lock)
            return False
        if not ours:
            self._log.warning("job_taken_over_meanwhile", job=row.lock)
        return True

    async def _outcome(self, row: Row) -> str | None:
        """Runs the handler: how the job ended, or None when it was cut short by shutdown."""
        facts = row.task_kwargs
        connection, resource = str(facts["connection"]), str(facts["resource"])
        job = Job(ConnectionId(connection), row.task_name, resource)
        try:
            await self._handler(job)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see Queue
            if self._cutting and isinstance(error, asyncio.CancelledError):
                return None
            self._log.exception("job_failed", job=job.key)
            return "failed"
        return "succeeded"


class Queue:
    """The job engine of one process: a lane per connection, a heartbeat, a listener, rescue.

    The handler files its own errors and defers its own repeats; what still escapes it fails the
    job and is logged. A job of a process that died runs again elsewhere within `stalled_after`
    and two `heartbeat`s. A job scheduled for later starts at most `poll` seconds late; a
    change in the list of connections is seen within `refresh` seconds; at a stop running jobs
    have `grace` seconds to end before they are cancelled and given back.
    """

    def __init__(
        self,
        url: str,
        handler: Callable[[Job], Awaitable[None]],
        *,
        heartbeat: float = 5,
        stalled_after: float = 20,
        poll: float = 2,
        refresh: float = 2,
        grace: float = 30,
    ) -> None:
        self._conninfo = _conninfo(url)
        self._handler = handler
        self._heartbeat, self._stalled_after = heartbeat, stalled_after
        self._poll, self._refresh, self._grace = poll, refresh, grace
        self._lanes: dict[ConnectionId, _Lane] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    async def run(
        self,
        connections: Callable[[], Awaitable[Sequence[ConnectionId]]],
        *,
        concurrency: int = 8,
        stop: asyncio.Event | None = None,
    ) -> None:
        """Runs jobs until `stop` is set: up to `concurrency` at once for each connection."""
        stop = stop or asyncio.Event()
        desk, grace = _Desk(self._conninfo), self._grace
        async with desk.opened():
            await self._rescue(desk)
            side = [asyncio.create_task(self._pulse(desk)), asyncio.create_task(self._listen())]
            try:
                while not stop.is_set():
                    await self._match(desk, connections, concurrency)
                    await _pause(stop, self._refresh)
            except asyncio.CancelledError:
                grace = 0
                raise
            finally:
                # Heartbeats go on until the last job has ended.
                for connection in list(self._lanes):
                    self._leave(connection, grace)
                await asyncio.gather(*self._leaving, return_exceptions=True)
                for task in side:
                    task.cancel()
                await asyncio.gather(*side, return_exceptions=True)

    async def _match(
        self,
        desk: _Desk,
        connections: Callable[[], Awaitable[Sequence[ConnectionId]]],
        width: int,
    ) -> None:
        """A lane for every connection of the list, none for others."""
        try:
            wanted = set(await connections())
        except Exception:  # noqa: BLE001 - no error may end the engine
            self._log.exception("connections_not_read")
            return
        for new in wanted - self._lanes.keys():
            self._lanes[new] = _Lane(
                queue_of(new), desk, self._handler, width=width, poll=self._poll
            )
        for gone in self._lanes.keys() - wanted:
            self._leave(gone, self._grace)

    def _leave(self, connection: ConnectionId, grace: float) -> None:
        task = asyncio.create_task(self._lanes.pop(connection).close(grace))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _pulse(self, desk: _Desk) -> None:
        """Heartbeats; after each, the rescue of those who stopped theirs."""
        alive = wary_until = monotonic()
        while True:
            await asyncio.sleep(self._heartbeat)
            try:
                await desk.beat()
                if monotonic() - alive > 2 * self._heartbeat:
                    # We or the database stood still; then so may peers who live: hear them first.
                    wary_until = monotonic() + 2 * self._heartbeat
                alive = monotonic()
                if alive >= wary_until:
                    await self._rescue(desk)
            except Exception:  # noqa: BLE001 - no error may end the engine
                self._log.exception("no_heartbeat")

    async def _rescue(self, desk: _Desk) -> None:
        for row in await desk.rescue(self._stalled_after):
            self._log.warning("job_rescued", job=row.lock, worker=row.worker_id)

    async def _listen(self) -> None:
        """Wakes the lane of a job that became due; polling covers the time without a listener."""
        while True:
            try:
                await self._hear()
            except Exception:  # noqa: BLE001 - no error may end the engine
                self._log.warning("listener_lost", exc_info=True)
            await asyncio.sleep(1)

    async def _hear(self) -> None:
        heard: dict[str, _Lane] = {}
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as line:
            while True:
                lanes = {channel_of(lane.queue): lane for lane in self._lanes.values()}
                for channel in heard.keys() - lanes.keys():
                    await line.execute(SQL("UNLISTEN {}").format(Identifier(channel)))
                for channel in lanes.keys() - heard.keys():
                    await line.execute(SQL("LISTEN {}").format(Identifier(channel)))
                    lanes[channel].wake.set()
                heard = lanes
                async for notice in line.notifies(timeout=TUNE_EVERY):
                    if notice.channel in heard:
                        heard[notice.channel].wake.set()
                await line.execute("SELECT 1")  # finds a line that died without a word


async def _pause(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _conninfo(url: str) -> str:
    """A SQLAlchemy URL in libpq's form."""
    parsed = make_url(url)
    options = parsed.translate_connect_args(username="user", database="dbname")
    for name, value in parsed.query.items():
        options[name] = value if isinstance(value, str) else ",".join(value)
    return make_conninfo(**options)
