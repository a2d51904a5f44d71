"""Work that waits its turn: at most one waiting and one running job per resource.

A job is stored in the transaction that stores what caused it. The rows are Procrastinate's, which
only this module and `queue` know.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, get_channel_for_queues
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import TryAgain
from ml_connector.basics.ids import ConnectionId

CHANNEL_BYTES = 63
"""PostgreSQL refuses to notify a channel with a longer name; a queue's name is part of one."""
RACES = 5
"""How often a job is looked for again after it came or went between the look and the insert."""


@dataclass(frozen=True, slots=True)
class Job:
    """Look at this resource; neither connection nor kind may contain a slash."""

    connection: ConnectionId
    kind: str
    resource: str

    @property
    def key(self) -> str:
        """What at most one waiting and one running row may bear."""
        return f"{self.connection}/{self.kind}/{self.resource}"


@dataclass(frozen=True, slots=True)
class Backlog:
    """How the jobs of one kind stand; `oldest` is how long the first of the due has been due."""

    kind: str
    due: int
    later: int
    doing: int
    failed: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A look that broke, and that no later look at its resource has made up for."""

    kind: str
    resource: str
    at: datetime


_HOLD = text("""
    SELECT id FROM procrastinate_jobs
    WHERE queueing_lock = :key AND status = 'todo' FOR NO KEY UPDATE
""")
_BRING_FORWARD = text("""
    UPDATE procrastinate_jobs
    SET priority = greatest(priority, :priority),
        scheduled_at = CASE WHEN scheduled_at > asked.moment THEN :not_before ELSE scheduled_at END
    FROM (SELECT coalesce(:not_before, CAST('-infinity' AS timestamptz)) AS moment) AS asked
    WHERE id = :id AND (priority < :priority OR scheduled_at > asked.moment)
""")
_WAKE = text("""
    SELECT pg_notify(:channel, json_build_object('type', 'job_inserted', 'job_id', id)::text)
    FROM procrastinate_jobs
    WHERE id = :id AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
""")
_INSERT = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS varchar), CAST(:kind AS varchar), CAST(:priority AS integer),
        CAST(:key AS text), CAST(:key AS text),
        jsonb_build_object('connection', CAST(:connection AS text),
                           'resource', CAST(:resource AS text)),
        CAST(:not_before AS timestamptz))]::procrastinate_job_to_defer_v1[])
""")
_WAITING = text("""
    SELECT task_name AS kind,
        count(*) FILTER (WHERE status = 'todo' AND due) AS due,
        count(*) FILTER (WHERE status = 'todo' AND NOT due) AS later,
        count(*) FILTER (WHERE status = 'doing') AS doing,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        now() - min(since) FILTER (WHERE status = 'todo' AND due) AS oldest
    FROM (
        SELECT task_name, status, coalesce(scheduled_at <= now(), true) AS due,
            greatest(scheduled_at, (SELECT max(at) FROM procrastinate_events AS event
                WHERE event.job_id = job.id AND type <> 'scheduled')) AS since
        FROM procrastinate_jobs AS job
        WHERE queue_name = :queue AND status IN ('todo', 'doing', 'failed')
    ) AS open
    GROUP BY task_name ORDER BY task_name
""")
_BUSY = text("""
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE (CAST(:queue AS text) IS NULL OR queue_name = :queue)
          AND (status = 'doing'
               OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))))
""")
_MADE_UP_FOR = """EXISTS (
        SELECT FROM procrastinate_jobs AS later
        WHERE later.lock = job.lock AND later.id > job.id
          AND later.status IN ('todo', 'doing', 'succeeded'))"""
_FAILED = text(f"""
    SELECT task_name AS kind, args ->> 'resource' AS resource,
        (SELECT max(at) FROM procrastinate_events AS event WHERE event.job_id = job.id) AS at
    FROM procrastinate_jobs AS job
    WHERE queue_name = :queue AND status = 'failed' AND NOT {_MADE_UP_FOR}
    ORDER BY at, kind, resource
""")  # noqa: S608 - of our own words
_PRUNE = text(f"""
    DELETE FROM procrastinate_jobs WHERE id IN (
    SELECT id FROM procrastinate_jobs AS job
    WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
      AND (job.status <> 'failed' OR {_MADE_UP_FOR})
      AND NOT EXISTS (
        SELECT FROM procrastinate_events AS event
        WHERE event.job_id = job.id AND type <> 'scheduled' AND at >= now() - :older_than)
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
""")  # noqa: S608 - of our own words


async def defer(
    tx: AsyncConnection, job: Job, *, not_before: datetime | None = None, priority: int = 0
) -> bool:
    """Makes a job wait, when the transaction commits; False when one like it waits already.

    That one is then brought forward if it was to run later or with a lower priority. It is also
    held until the commit: no worker starts it before it can see what this transaction wrote.
    Needs READ COMMITTED. Who defers several jobs in one transaction does so in the order of their
    keys, or two such may wait for each other (the database then refuses one of them).
    """
    for _ in range(RACES):
        if await _join_waiting(tx, job, not_before, priority):
            return False
        with suppress(_Taken):
            await _insert(tx, job, not_before, priority)
            return True
    raise TryAgain(f"The job {job.key} came and went too often to be queued.", cause="jobs.race")


async def waiting(tx: AsyncConnection, connection: ConnectionId) -> list[Backlog]:
    """What is to be done, being done and failed for a connection, by kind."""
    rows = await tx.execute(_WAITING, {"queue": queue_of(connection)})
    return [Backlog(**row) for row in rows.mappings()]


async def idle(tx: AsyncConnection, connection: ConnectionId | None = None) -> bool:
    """Whether nothing is due and nothing runs: for one connection, or for all."""
    queue = None if connection is None else queue_of(connection)
    return not (await tx.execute(_BUSY, {"queue": queue})).scalar_one()


async def failed(tx: AsyncConnection, connection: ConnectionId) -> list[FailedJob]:
    """The looks that broke and were not made up for since, the oldest first."""
    rows = await tx.execute(_FAILED, {"queue": queue_of(connection)})
    return [FailedJob(**row) for row in rows.mappings()]


async def prune(tx: AsyncConnection, older_than: timedelta, *, most: int = 10_000) -> int:
    """Deletes jobs that ended longer ago than this, so many at most; returns how many.

    One that broke is kept until a later look at its resource has made up for it.
    """
    return (await tx.execute(_PRUNE, {"older_than": older_than, "most": most})).rowcount


class _Taken(Exception):
    """Another transaction made the same job wait between our look and our insert."""


async def _join_waiting(
    tx: AsyncConnection, job: Job, not_before: datetime | None, priority: int
) -> bool:
    held = (await tx.execute(_HOLD, {"key": job.key})).scalar()
    if held is None:
        return False
    moment = {"id": held, "not_before": not_before, "priority": priority}
    await tx.execute(_BRING_FORWARD, moment)
    # Workers skip a held row and go to sleep, so the commit has to wake them.
    await tx.execute(_WAKE, {"id": held, "channel": channel_of(queue_of(job.connection))})
    return True


async def _insert(
    tx: AsyncConnection, job: Job, not_before: datetime | None, priority: int
) -> None:
    facts = {"connection": job.connection, "kind": job.kind, "resource": job.resource}
    row = facts | {"queue": queue_of(job.connection), "key": job.key, "priority": priority}
    try:
        async with tx.begin_nested():
            await tx.execute(_INSERT, row | {"not_before": not_before})
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and (
            error.orig.diag.constraint_name == QUEUEING_LOCK_CONSTRAINT
        ):
            raise _Taken from error
        raise


def queue_of(connection: ConnectionId) -> str:
    """The queue of a connection; a name too long for a channel is replaced by its hash."""
    name = f"connection:{connection}"
    if len(channel_of(name).encode()) <= CHANNEL_BYTES:
        return name
    return f"connection:{hashlib.sha256(connection.encode()).hexdigest()[:24]}"


def channel_of(queue: str) -> str:
    """The channel on which a queue's workers are woken."""
    return next(iter(get_channel_for_queues([queue])))
