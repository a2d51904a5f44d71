"""What happens later: effects due by elapsed real time, by a clock jump, or by the clock alone."""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_sandbox.clock import SandboxClock

Effect = Callable[[], None]
LONGEST_NAP = 0.5


@dataclass(eq=False)
class Pending:
    """One effect waiting: due when its scaled delay has passed or the clock reached its moment."""

    moment: datetime
    order: int
    started: float
    delay: float
    effect: Effect
    done: bool = field(default=False)


class Schedule:
    """Holds pending effects and runs those that are due, in order of their moments."""

    def __init__(
        self,
        clock: SandboxClock,
        on_failure: Callable[[Exception], None],
        scale: float = 1.0,
    ) -> None:
        self._clock = clock
        self._on_failure = on_failure
        self.scale = scale
        self._by_moment: list[tuple[datetime, int, Pending]] = []
        self._by_elapsed: list[tuple[float, int, Pending]] = []
        self._outstanding = 0
        self._count = 0
        self._wake: asyncio.Event | None = None
        clock.on_change(self.wake)

    def after(self, seconds: float, effect: Effect) -> None:
        """Runs the effect `seconds` times the scale later, or once the clock jumped past it."""
        moment = self._clock.now() + timedelta(seconds=seconds)
        pending = Pending(moment, self._next(), time.monotonic(), seconds, effect)
        heapq.heappush(self._by_moment, (moment, pending.order, pending))
        heapq.heappush(self._by_elapsed, (self._ripe_at(pending), pending.order, pending))
        self._outstanding += 1
        self.wake()

    def at(self, moment: datetime, effect: Effect) -> None:
        """Runs the effect when the sandbox's clock reaches a moment, however far off."""
        pending = Pending(moment, self._next(), 0.0, math.inf, effect)
        heapq.heappush(self._by_moment, (moment, pending.order, pending))
        self.wake()

    def rescale(self, scale: float) -> None:
        """Changes how fast delays pass, also for those already running."""
        self.scale = scale
        waiting = [pending for _, _, pending in self._by_elapsed if not pending.done]
        self._by_elapsed = [(self._ripe_at(p), p.order, p) for p in waiting]
        heapq.heapify(self._by_elapsed)
        self.wake()

    @property
    def outstanding(self) -> int:
        """How many delayed effects still wait (dated ones do not count)."""
        return self._outstanding

    def run_due(self) -> None:
        """Runs everything that is due now; a failing effect is told and does not stop others."""
        while (due := self._take()) is not None:
            try:
                due.effect()
            except Exception as error:  # noqa: BLE001 - the background task must outlive any effect
                self._on_failure(error)

    def wake(self) -> None:
        """Makes the background task look again."""
        if self._wake is not None:
            self._wake.set()

    async def run(self) -> None:
        """The background task: sleeps until the next effect is due, or until woken."""
        self._wake = asyncio.Event()
        while True:
            self.run_due()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), self._nap())
            except TimeoutError:
                continue

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _take(self) -> Pending | None:
        """Removes and returns the earliest due effect of either kind."""
        self._drop_done()
        if self._by_moment and self._by_moment[0][0] <= self._clock.now():
            return self._finish(heapq.heappop(self._by_moment)[2])
        if self._by_elapsed and self._by_elapsed[0][0] <= time.monotonic():
            return self._finish(heapq.heappop(self._by_elapsed)[2])
        return None

    def _finish(self, pending: Pending) -> Pending:
        pending.done = True
        self._outstanding -= 1 if pending.delay < math.inf else 0
        return pending

    def _drop_done(self) -> None:
        """Forgets the twin entry of effects that ran through the other queue."""
        while self._by_moment and self._by_moment[0][2].done:
            heapq.heappop(self._by_moment)
        while self._by_elapsed and self._by_elapsed[0][2].done:
            heapq.heappop(self._by_elapsed)

    def _ripe_at(self, pending: Pending) -> float:
        return pending.started + pending.delay * self.scale

    def _nap(self) -> float:
        """Seconds until the next effect could be due, not longer than the longest nap."""
        naps = [LONGEST_NAP]
        if self._by_elapsed:
            naps.append(self._by_elapsed[0][0] - time.monotonic())
        if self._by_moment:
            naps.append((self._by_moment[0][0] - self._clock.now()).total_seconds())
        return max(0.0, min(naps))
