"""A worker that dies in the middle of a call: the client is wrapped, nothing is patched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


class Died(BaseException):
    """The process is gone: no handler of errors runs, nothing is cleaned up."""


@dataclass
class Dying:
    """A client in whose caller the process dies, once, `before` or `after` the other side acts."""

    client: Any
    step: str
    moment: str
    died: bool = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        return self._fatal(real) if name == self.step and not self.died else real

    def _fatal(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:
            self.died = True
            if self.moment == "after":
                await real(*given, **named)
            raise Died(self.step)

        return call
