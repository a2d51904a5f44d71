"""The licence's limits: silent delays from half the limit on, a queue, and declines (429)."""

import asyncio
import time
from collections import deque

from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.switches import Switches

_MINUTE = 60.0


class Throttle:
    """Admits requests as the licence allows; real time, and off unless switched on."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._recent: deque[float] = deque()
        self.declined = 0

    @property
    def active(self) -> bool:
        """Whether any limit is set."""
        return bool(self._switches.requests_per_minute or self._switches.concurrent_requests)

    async def enter(self) -> None:
        """Waits for a core and for the per-minute delay; raises 429 when declined."""
        await self._core()
        try:
            await self._pace()
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Frees the core for the next request in the queue."""
        self._running -= 1
        while self._waiting:
            following = self._waiting.popleft()
            if not following.done():
                self._running += 1
                following.set_result(None)
                return

    async def _core(self) -> None:
        cores = self._switches.concurrent_requests
        if not cores or self._running < cores:
            self._running += 1
            return
        if len(self._waiting) >= self._switches.queue_length:
            raise self._decline()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait_for(turn, self._switches.queue_seconds)
        except TimeoutError:
            raise self._decline() from None
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    async def _pace(self) -> None:
        limit = self._switches.requests_per_minute
        if not limit:
            return
        await asyncio.sleep(self.delay(time.monotonic(), limit))
        self._recent.append(time.monotonic())

    def delay(self, now: float, limit: int) -> float:
        """Seconds to hold a request: what is left of the minute over what is left of the limit."""
        while self._recent and now - self._recent[0] >= _MINUTE:
            self._recent.popleft()
        processed = len(self._recent)
        if processed * 2 < limit:
            return 0.0
        left = _MINUTE - (now - self._recent[0])
        return left / max(limit - processed, 1)

    def _decline(self) -> Problem:
        self.declined += 1
        return Problem(429, "The request has been declined because of the license limits.")
