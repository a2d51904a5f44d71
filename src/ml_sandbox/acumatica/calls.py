"""What was called: counts by address, and the latest calls one by one."""

from collections import deque
from datetime import datetime
from typing import NamedTuple


class Call(NamedTuple):
    """One API call as it was answered."""

    moment: datetime
    method: str
    path: str
    query: dict[str, str]
    status: int
    milliseconds: float


class CallLog:
    """The latest calls, newest last."""

    def __init__(self, length: int = 500) -> None:
        self._latest: deque[Call] = deque(maxlen=length)

    def add(self, call: Call) -> None:
        """Notes one call."""
        self._latest.append(call)

    def latest(self) -> list[Call]:
        """The kept calls, newest first."""
        return list(reversed(self._latest))
