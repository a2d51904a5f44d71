"""Whether a call is sent again, and after how long: one pure decision."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """What one attempt proved about the call."""

    ANSWERED = "answered"
    """A final answer came, good or bad."""
    NOT_SENT = "not_sent"
    """No connection was made: the server has not seen the request."""
    BUSY = "busy"
    """Declined before it was carried out (429, or a gateway that says so)."""
    UNAVAILABLE = "unavailable"
    """A gateway answered (502, 503, 504): the server may have carried it out."""
    CUT = "cut"
    """The line broke after bytes were sent: the server may have carried it out."""


MAY_HAVE_HAPPENED = frozenset({Outcome.UNAVAILABLE, Outcome.CUT})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one call is pursued; full jitter between nothing and a doubling ceiling.

    `sleep` and `chance` (0 to 1) are replaced where nothing shall wait or be random.
    """

    attempts: int = 4
    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=20)
    total: timedelta = timedelta(seconds=60)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Wait, then send the same request once more."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop here; `after` is how long to leave the server alone, when it said so."""

    after: timedelta | None


@dataclass(frozen=True, slots=True)
class TakeAnswer:
    """The answer is final."""


Decision = SendAgain | GiveUp | TakeAnswer


def decide(
    attempt: int,
    outcome: Outcome,
    policy: RetryPolicy,
    *,
    repeatable: bool,
    spent: timedelta = timedelta(0),
    retry_after: timedelta | None = None,
) -> Decision:
    """What follows the `attempt`-th try (1 is the first), `spent` after the call began.

    A request that may not be repeated is sent again only when it provably was not carried out.
    """
    if outcome is Outcome.ANSWERED:
        return TakeAnswer()
    if outcome in MAY_HAVE_HAPPENED and not repeatable:
        return GiveUp(retry_after)
    wait = _wait(attempt, policy, retry_after)
    if attempt >= policy.attempts or spent + wait > policy.total:
        return GiveUp(retry_after)
    return SendAgain(wait)


def _wait(attempt: int, policy: RetryPolicy, retry_after: timedelta | None) -> timedelta:
    """Full jitter under a doubling ceiling, never shorter than the server asked for."""
    doublings = min(attempt - 1, 30)
    ceiling = min(policy.longest, policy.first * 2**doublings)
    jittered = ceiling * policy.chance()
    return max(jittered, retry_after or timedelta(0))
