"""The schedules: how often each stream is looked at, changed without a restart."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy import and_, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import records
from ml_connector.store.tables import connections
from ml_connector.store.tables import schedules as table


class BadCron(Misconfigured):
    """A text that is not a cron expression."""

    def __init__(self, stream: str, cron: str) -> None:
        super().__init__(
            f"The schedule of {stream} is not a cron expression: {cron!r}.",
            cause="schedule.bad_cron",
            remedy="Write five fields (minute hour day month weekday), such as `30 2 * * *`.",
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """One stream of one connection; `cron`, when there is one, rules over `every_seconds`."""

    connection: ConnectionId
    stream: str
    every_seconds: int
    cron: str | None
    next_due: datetime
    last_started: datetime | None
    last_finished: datetime | None
    last_error: str | None


async def set_(
    tx: AsyncConnection,
    connection: ConnectionId,
    stream: str,
    every_seconds: int,
    now: datetime,
    *,
    cron: str | None = None,
) -> None:
    """Sets how often a stream is looked at; due at once when new, never later than it was.

    `cron` is read in the connection's time zone, and first due at its next hour. Raises BadCron.
    """
    zone = await _zone(tx, connection)
    first = now if cron is None else next_time(stream, every_seconds, cron, now, zone)
    later = now + timedelta(seconds=every_seconds)
    statement = insert(table).values(
        connection=connection, stream=stream, every_seconds=every_seconds, cron=cron, next_due=first
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.connection, table.c.stream],
            set_={
                "every_seconds": every_seconds,
                "cron": cron,
                "next_due": func.least(table.c.next_due, later) if cron is None else first,
            },
        )
    )


async def due(tx: AsyncConnection, now: datetime, *, limit: int = 100) -> list[Schedule]:
    """Takes the schedules that are due, of connections that are not paused, and moves them on.

    Two processes that ask at once get different rows.
    """
    zone = select(connections.c.time_zone).where(connections.c.id == table.c.connection)
    active = select(connections.c.active).where(connections.c.id == table.c.connection)
    question = (
        select(table, func.coalesce(zone.scalar_subquery(), "UTC").label("zone"))
        .where(table.c.next_due <= now, func.coalesce(active.scalar_subquery(), true()))
        .order_by(table.c.next_due, table.c.connection, table.c.stream)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    zones: list[str] = []
    taken: list[Schedule] = []
    for row in (await tx.execute(question)).mappings():
        columns = {str(name): value for name, value in row.items()}
        zones.append(columns.pop("zone"))
        taken.append(Schedule(**columns))
    for schedule, zone_name in zip(taken, zones, strict=True):
        following = next_time(
            schedule.stream, schedule.every_seconds, schedule.cron, now, ZoneInfo(zone_name)
        )
        await _change(
            tx, schedule.connection, schedule.stream, next_due=following, last_started=now
        )
    return taken


def next_time(
    stream: str, every_seconds: int, cron: str | None, now: datetime, zone: ZoneInfo
) -> datetime:
    """When the stream is due after now; raises BadCron."""
    if cron is None:
        return now + timedelta(seconds=every_seconds)
    try:
        return next(CronSim(cron, now.astimezone(zone)))
    except (CronSimError, StopIteration):
        raise BadCron(stream, cron) from None


async def finished(
    tx: AsyncConnection,
    connection: ConnectionId,
    stream: str,
    now: datetime,
    *,
    error: str | None = None,
) -> None:
    """A run of the stream has ended, well or with an error's sentence."""
    await _change(tx, connection, stream, last_finished=now, last_error=error)


async def every(tx: AsyncConnection, connection: ConnectionId) -> list[Schedule]:
    """The schedules of a connection, by stream."""
    question = select(table).where(table.c.connection == connection).order_by(table.c.stream)
    return records(Schedule, (await tx.execute(question)).mappings())


async def _change(
    tx: AsyncConnection, connection: ConnectionId, stream: str, **values: object
) -> None:
    same = and_(table.c.connection == connection, table.c.stream == stream)
    await tx.execute(update(table).where(same).values(**values))


async def _zone(tx: AsyncConnection, connection: ConnectionId) -> ZoneInfo:
    question = select(connections.c.time_zone).where(connections.c.id == connection)
    return ZoneInfo((await tx.execute(question)).scalar_one_or_none() or "UTC")
