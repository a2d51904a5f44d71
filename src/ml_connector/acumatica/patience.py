"""How long to wait before asking whether a long operation is done: learned, then growing.

Each question is a call that the licence counts, and waiting costs nothing; so the wait errs on
the long side: it shrinks until it was once too short, and then stays well above that.
"""

from collections.abc import Iterator

SHORTEST = 0.05
LONGEST = 5.0
AT_FIRST = 0.5
GIVE_UP = 600.0
GROWTH = 1.5
EASING = 0.5
SAFETY = 1.6
FORGETTING = 0.998


class Patience:
    """Learns how long one kind of operation takes, so that one question is nearly always enough."""

    def __init__(self, expected: float = AT_FIRST) -> None:
        self.expected = expected
        self._too_short = 0.0

    def waits(self) -> Iterator[float]:
        """Seconds before each question; ends when `GIVE_UP` seconds have been waited."""
        waited, wait = 0.0, self.expected
        follow_up = max(SHORTEST, self.expected / 2)
        while waited < GIVE_UP:
            yield wait
            waited += wait
            wait = follow_up
            follow_up = min(LONGEST, follow_up * GROWTH)

    def learn(self, waited: float, questions: int) -> None:
        """Takes note of an operation that was found done after `waited` seconds.

        One question: perhaps it was done earlier, so the next wait is shorter, but never near one
        that was too short. More questions: the wait was too short, and that is remembered; it is
        forgotten so slowly that some hundred operations pass before it is tried again.
        """
        if questions > 1:
            self._too_short = min(max(self._too_short, self.expected), waited)
            self.expected = max(waited, self._too_short * SAFETY)
        else:
            self._too_short *= FORGETTING
            self.expected = max(self.expected * EASING, self._too_short * SAFETY)
        self.expected = min(LONGEST, max(SHORTEST, self.expected))
