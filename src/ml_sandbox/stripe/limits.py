"""The rate limiter: 25 requests a second in total and per endpoint, off unless switched on."""

import time
from collections import deque

from ml_sandbox.stripe.errors import StripeError

PER_SECOND = 25
SEARCH_PER_SECOND = 20


class RateLimiter:
    """Counts the requests of the last second, in total and per route."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = {}

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
