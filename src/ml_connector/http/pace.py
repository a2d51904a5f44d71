"""How fast requests may leave: a number at once, and a rate that the service allows."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol


class Pace(Protocol):
    """Anything that lets requests through one by one, when their turn has come."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """A turn: entering waits for it, leaving frees its place."""
        ...


class Gcra:
    """The generic cell rate algorithm: an even rate that forgives a burst; it never sleeps."""

    def __init__(self, rate: int, per: timedelta, burst: int) -> None:
        self._interval = per.total_seconds() / rate
        self._tolerance = self._interval * (burst - 1)
        self._expected = float("-inf")

    def reserve(self, now: float) -> float:
        """Takes the next turn; returns how many seconds from `now` (monotonic) it starts."""
        expected = max(self._expected, now)
        self._expected = expected + self._interval
        return max(0.0, expected - self._tolerance - now)


class LocalPace:
    """`rate` requests `per` a period with a burst, and at most `concurrent` under way at once.

    `reserve`, when given, replaces the local rate: it asks a store that all workers share for
    a turn, and returns the seconds until that turn starts.
    """

    def __init__(
        self,
        rate: int,
        per: timedelta = timedelta(seconds=1),
        *,
        burst: int = 1,
        concurrent: int = 10,
        reserve: Callable[[], Awaitable[float]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = Gcra(rate, per, burst)
        self._places = asyncio.Semaphore(concurrent)
        self._reserve = reserve
        self._sleep = sleep
        self._monotonic = monotonic

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """A turn: first a place among the concurrent ones, then the rate's own moment."""
        async with self._places:
            wait = await self._turn()
            if wait > 0:
                await self._sleep(wait)
            yield

    async def _turn(self) -> float:
        if self._reserve is None:
            return self._bucket.reserve(self._monotonic())
        return await self._reserve()


class NoPace:
    """Lets everything through at once, where no service needs sparing."""

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """A turn that is always now."""
        yield
