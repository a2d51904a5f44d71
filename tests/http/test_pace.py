import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.http.pace import Gcra, LocalPace

pytestmark = pytest.mark.anyio


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 2), min_size=1, max_size=80),
)
def test_no_window_holds_more_than_the_burst_and_the_rate(
    rate: int, burst: int, gaps: list[float]
) -> None:
    bucket, now, starts = Gcra(rate, timedelta(seconds=1), burst), 0.0, list[float]()
    for gap in gaps:
        now += gap
        starts.append(now + bucket.reserve(now))
    assert starts == sorted(starts)
    for first, start in enumerate(starts):
        within = [s for s in starts[first:] if s <= start + 1.0 - 1e-6]
        assert len(within) <= burst + rate


def test_a_burst_leaves_at_once_and_the_rest_evenly() -> None:
    bucket = Gcra(10, timedelta(seconds=1), burst=3)
    waits = [round(bucket.reserve(100.0), 6) for _ in range(6)]
    assert waits == [0, 0, 0, 0.1, 0.2, 0.3]


def test_an_idle_time_earns_no_more_than_one_burst() -> None:
    bucket = Gcra(10, timedelta(seconds=1), burst=2)
    bucket.reserve(0.0)
    waits = [round(bucket.reserve(1000.0), 6) for _ in range(4)]
    assert waits == [0, 0, 0.1, 0.2]


async def test_no_more_than_the_allowed_number_is_under_way_at_once() -> None:
    pace = LocalPace(1_000_000, burst=1_000, concurrent=3)
    under_way, most = 0, 0

    async def call() -> None:
        nonlocal under_way, most
        async with pace.slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_a_failed_call_gives_its_place_back() -> None:
    pace = LocalPace(1_000, burst=10, concurrent=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with pace.slot():
                raise ZeroDivisionError
    async with pace.slot():
        pass


async def test_workers_that_share_a_budget_wait_as_long_as_the_store_says() -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    async def reserve() -> float:
        return 1.5

    pace = LocalPace(1, concurrent=5, reserve=reserve, sleep=noted, monotonic=lambda: 0.0)
    for _ in range(3):
        async with pace.slot():
            pass
    assert waits == [1.5, 1.5, 1.5]
