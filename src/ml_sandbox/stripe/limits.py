"""Limits: 25 requests a second in total and per endpoint, concurrency, and locked objects."""

import time
from collections import Counter, deque

from ml_sandbox.stripe.errors import StripeError

PER_SECOND = 25
SEARCH_PER_SECOND = 20
AT_ONCE = {"global-concurrency": 20, "endpoint-concurrency": 10}
REASONS = frozenset(
    "global-rate endpoint-rate global-concurrency endpoint-concurrency resource-specific".split()
)


class RateLimiter:
    """Counts the requests of the last second and those under way, in total and per route."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = {}
        self._running: Counter[str] = Counter()

    def admit(self, route: str) -> None:
        """Lets a request through or raises StripeError (429) with the reason header."""
        now = time.monotonic()
        limit = SEARCH_PER_SECOND if route.endswith("/search") else PER_SECOND
        for name, most, reason in (
            ("", PER_SECOND, "global-rate"),
            (route, limit, "endpoint-rate"),
        ):
            window = self._recent.setdefault(name, deque())
            while window and now - window[0] > 1:
                window.popleft()
            if len(window) >= most:
                raise too_many(reason)
            window.append(now)

    def enter(self, route: str) -> None:
        """A write begins; raises StripeError (429) when too many are under way."""
        for name, reason in (("", "global-concurrency"), (route, "endpoint-concurrency")):
            if self._running[name] >= AT_ONCE[reason]:
                raise too_many(reason)
        self._running.update(["", route])

    def leave(self, route: str) -> None:
        """A write has ended."""
        self._running.subtract(["", route])


def too_many(reason: str) -> StripeError:
    """The 429 of the limiter."""
    text = (
        "Request rate limit exceeded. You can learn more about rate limits here "
        "https://stripe.com/docs/rate-limits."
    )
    headers = {"Stripe-Rate-Limited-Reason": reason}
    return StripeError(429, text, code="rate_limit", headers=headers, stored=False)


def locked() -> StripeError:
    """The 429 of an object that another request holds; it carries no reason header."""
    text = (
        "This object cannot be accessed right now because another API request or Stripe process is "
        "currently accessing it. If you see this error intermittently, retry the request."
    )
    return StripeError(429, text, code="lock_timeout", stored=False)
