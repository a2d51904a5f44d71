"""The tokens of a sign-in and the store that all workers share them in."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

EARLY = timedelta(seconds=60)
"""A token is renewed this long before it ends, so that no call sets out with a dying one."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and the refresh token that follows it; neither shows in a repr."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    version: int

    def fresh(self, now: datetime) -> bool:
        """Whether a call may still set out with it."""
        return now + EARLY < self.expires_at


class TokenStore(Protocol):
    """Where the tokens of one connection are kept, for all workers."""

    async def read(self) -> Tokens | None:
        """The stored tokens; None before the first sign-in."""
        ...

    async def replace(self, tokens: Tokens, expected_version: int) -> bool:
        """Stores `tokens` (whose version is one higher) if the stored version is the expected.

        The expected version is 0 when nothing is stored. False: somebody else was first.
        """
        ...

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Held by the one worker that renews."""
        ...
