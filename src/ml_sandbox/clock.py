"""The sandboxes' clock: it runs with real time from a base that can be moved."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A movable clock, shared by both sandboxes so that one month is one month on both sides.

    All times are aware UTC datetimes. Between moves it runs at the speed of real time.
    """

    def __init__(self, base: datetime | None = None) -> None:
        self._base = base or datetime.now(UTC)
        self._origin = time.monotonic()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The sandbox's present moment, aware, UTC."""
        return self._base + timedelta(seconds=time.monotonic() - self._origin)

    def set(self, moment: datetime) -> None:
        """Jumps to a moment (aware) and tells every listener."""
        if moment.tzinfo is None:
            raise ValueError("the sandbox clock takes aware times only")
        self._base = moment.astimezone(UTC)
        self._origin = time.monotonic()
        for listener in self._listeners:
            listener()

    def advance(self, by: timedelta) -> None:
        """Jumps forward by a duration."""
        self.set(self.now() + by)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Registers a callback that runs after each jump."""
        self._listeners.append(listener)
