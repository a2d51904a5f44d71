"""Schedules: due once, moved on, changed without a restart."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from build.stored import MAIN, NOON, OTHER, a_connection
from ml_connector.basics.errors import Misconfigured
from ml_connector.store import connections, schedules
from ml_connector.store.engine import Store
from ml_connector.store.schedules import Schedule
from ml_connector.vault.keyring import KeyRing

pytestmark = pytest.mark.anyio
MINUTE = timedelta(minutes=1)


async def test_a_new_schedule_is_due_at_once_and_then_in_its_rhythm(store: Store) -> None:
    async with store.transaction() as tx:
        await schedules.set_(tx, MAIN, "events", 60, NOON)
        (due,) = await schedules.due(tx, NOON)
        assert due == Schedule(MAIN, "events", 60, None, NOON, None, None, None)
        assert await schedules.due(tx, NOON + MINUTE - timedelta(seconds=1)) == []
        assert len(await schedules.due(tx, NOON + MINUTE)) == 1


async def test_two_ticks_at_once_take_different_streams(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(6):
            await schedules.set_(tx, MAIN, f"stream-{number}", 60, NOON)

    async def tick() -> list[str]:
        async with store.transaction() as tx:
            found = await schedules.due(tx, NOON, limit=4)
            await asyncio.sleep(0.05)
            return [schedule.stream for schedule in found]

    first, second = await asyncio.gather(tick(), tick())
    assert sorted(first + second) == [f"stream-{number}" for number in range(6)]


async def test_a_faster_rhythm_takes_effect_at_once_and_a_slower_delays_nothing(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        await schedules.set_(tx, MAIN, "sweep", 3_600, NOON)
        await schedules.due(tx, NOON)
        await schedules.set_(tx, MAIN, "sweep", 60, NOON)
        (row,) = await schedules.every(tx, MAIN)
        assert row.next_due == NOON + MINUTE
        await schedules.set_(tx, MAIN, "sweep", 7_200, NOON)
        (row,) = await schedules.every(tx, MAIN)
        assert (row.next_due, row.every_seconds) == (NOON + MINUTE, 7_200)


async def test_a_cron_text_is_read_in_the_connections_time_zone(store: Store) -> None:
    half_past_two_in_new_york = datetime(2026, 4, 1, 6, 30, tzinfo=UTC)
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), KeyRing.generate())
        await schedules.set_(tx, MAIN, "sweep", 86_400, NOON, cron="30 2 * * *")
        assert await schedules.due(tx, half_past_two_in_new_york - MINUTE) == []
        (due,) = await schedules.due(tx, half_past_two_in_new_york)
        assert due.next_due == half_past_two_in_new_york
        (row,) = await schedules.every(tx, MAIN)
        assert row.next_due == half_past_two_in_new_york + timedelta(days=1)
        with pytest.raises(Misconfigured, match="not a cron expression: 'nightly'"):
            await schedules.set_(tx, MAIN, "sweep", 60, NOON, cron="nightly")


async def test_a_paused_connection_has_nothing_due_until_it_is_resumed(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), KeyRing.generate())
        await schedules.set_(tx, MAIN, "events", 60, NOON)
        await schedules.set_(tx, OTHER, "events", 60, NOON)
        await connections.pause(tx, MAIN, "For the audit.")
        assert [schedule.connection for schedule in await schedules.due(tx, NOON)] == [OTHER]
        await connections.resume(tx, MAIN)
        assert [schedule.connection for schedule in await schedules.due(tx, NOON)] == [MAIN]


async def test_a_run_leaves_when_and_how_it_ended(store: Store) -> None:
    async with store.transaction() as tx:
        await schedules.set_(tx, MAIN, "events", 60, NOON)
        await schedules.finished(tx, MAIN, "events", NOON + MINUTE, error="No answer.")
        (row,) = await schedules.every(tx, MAIN)
        assert (row.last_finished, row.last_error) == (NOON + MINUTE, "No answer.")
        await schedules.finished(tx, MAIN, "events", NOON + MINUTE)
        assert (await schedules.every(tx, MAIN))[0].last_error is None
