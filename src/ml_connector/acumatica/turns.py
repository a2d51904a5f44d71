"""Who may use a form of one server session: many ordinary calls, or one action alone.

While a long operation runs for a form, every other request for that form in the same session
fails (fact A7); so an action waits for the calls under way and keeps later ones waiting.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class TurnTaking(Protocol):
    """Whoever deals out the turns: `Turns` within one process, or a wider one on top of it."""

    def ordinary(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for a call that may run beside other calls."""
        ...

    def alone(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for an action, which needs the form for itself."""
        ...


class Turns:
    """The turns of one server session, form by form; an action is not overtaken by new calls.

    Leaving never waits, so a cancelled task always gives its turn back.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._calls: Counter[str] = Counter()
        self._actions: set[str] = set()

    @asynccontextmanager
    async def ordinary(self, form: str) -> AsyncGenerator[None]:
        """A call that may run beside other calls, but not beside an action."""
        await self._until(lambda: form not in self._actions)
        self._calls[form] += 1
        try:
            yield
        finally:
            self._calls[form] -= 1
            self._wake()

    @asynccontextmanager
    async def alone(self, form: str) -> AsyncGenerator[None]:
        """An action: nothing else uses the form meanwhile."""
        await self._until(lambda: form not in self._actions)
        self._actions.add(form)
        try:
            await self._until(lambda: self._calls[form] == 0)
            yield
        finally:
            self._actions.discard(form)
            self._wake()

    async def _until(self, free: Callable[[], bool]) -> None:
        while not free():
            await self._changed.wait()

    def _wake(self) -> None:
        """Lets everybody who waits look again; later waiters wait for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()
