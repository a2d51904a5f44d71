"""How long to wait before asking whether a long operation is done: learned, then growing."""

from collections.abc import Iterator

SHORTEST = 0.02
LONGEST = 5.0
AT_FIRST = 0.5
GIVE_UP = 600.0
GROWTH = 1.5
LEARNING = 0.5
MARGIN = 1.1
SEARCHING = 0.5
EASING = 0.97


class Patience:
    """Learns how long one kind of operation takes, so that one question is mostly enough."""

    def __init__(self, expected: float = AT_FIRST) -> None:
        self.expected = expected
        self._easing = SEARCHING

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

        One question: perhaps it was done earlier, so the next wait is shorter, by half until a
        wait was too short for the first time and slightly ever after. More questions: the
        expectation moves half way towards what it took, with a margin.
        """
        if questions == 1:
            self.expected = max(SHORTEST, self.expected * self._easing)
            return
        self._easing = EASING
        target = waited * MARGIN
        self.expected = min(LONGEST, self.expected + LEARNING * (target - self.expected))
