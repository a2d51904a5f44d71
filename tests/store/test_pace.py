"""The pace: evenly spaced, in bursts where allowed, agreed by all workers."""

import asyncio
from datetime import timedelta

import pytest

from build.stored import MAIN, NOON, OTHER
from ml_connector.store import pace
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio


async def waits(store: Store, burst: int, at: list[float]) -> list[float]:
    """What each request, asked for that many seconds after noon, must wait; one every 2 s."""
    found: list[float] = []
    for seconds in at:
        async with store.transaction() as tx:
            now = NOON + timedelta(seconds=seconds)
            found.append(await pace.reserve(tx, MAIN, "acumatica", 2.0, burst, now))
    return found


@pytest.mark.parametrize(
    ("burst", "at", "expected"),
    [
        # One at a time: the second waits a whole interval, the third two.
        (1, [0, 0, 0], [0, 2, 4]),
        # Asked for late enough, nobody waits.
        (1, [0, 2, 4.5], [0, 0, 0]),
        # Half an interval later, half an interval is left.
        (1, [0, 1], [0, 1]),
        # A burst of three leaves at once; then every two seconds.
        (3, [0, 0, 0, 0, 0], [0, 0, 0, 2, 4]),
        # After a rest the burst is whole again, and not larger.
        (2, [0, 0, 60, 60, 60], [0, 0, 0, 0, 2]),
    ],
)
async def test_requests_leave_evenly(
    store: Store, burst: int, at: list[float], expected: list[float]
) -> None:
    assert await waits(store, burst, at) == expected


async def test_workers_that_ask_at_once_get_different_slots(store: Store) -> None:
    found = await asyncio.gather(*(waits(store, 1, [0]) for _ in range(8)))
    assert sorted(wait for (wait,) in found) == [2.0 * number for number in range(8)]


async def test_a_service_that_asked_for_rest_is_left_alone_that_long(store: Store) -> None:
    async with store.transaction() as tx:
        until = NOON + timedelta(seconds=30)
        await pace.hold(tx, MAIN, "acumatica", until, 2.0, 3)
        await pace.hold(tx, MAIN, "acumatica", NOON, 2.0, 3)
        assert await pace.reserve(tx, MAIN, "acumatica", 2.0, 3, NOON) == 30
        assert await pace.reserve(tx, MAIN, "stripe", 2.0, 3, NOON) == 0
        assert await pace.reserve(tx, OTHER, "acumatica", 2.0, 3, NOON) == 0
