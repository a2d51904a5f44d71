"""Remembers the first outcome of each idempotency key and replays it for a day."""

import hashlib
from dataclasses import dataclass

from ml_sandbox.stripe.errors import StripeError

KEPT_SECONDS = 86_400
LONGEST_KEY = 255


@dataclass
class Remembered:
    """A key's first request and, once it ended, its outcome."""

    fingerprint: str
    request_id: str
    created: int
    status: int = 0
    body: bytes = b""

    @property
    def finished(self) -> bool:
        """Whether the first request has ended."""
        return self.status != 0


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What must be equal for a key to be used again."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).hexdigest()


class IdempotencyStore:
    """Keys of one account, purged after 24 hours."""

    def __init__(self) -> None:
        self._keys: dict[str, Remembered] = {}

    def find(self, key: str, mark: str, now: int, conflict_type: str) -> Remembered | None:
        """The finished first use of a key, or None when it is new.

        Raises StripeError: 409 while the first use runs, 400 when it had other parameters.
        """
        known = self._keys.get(key)
        if known is None or now - known.created > KEPT_SECONDS:
            self._keys.pop(key, None)
            return None
        if known.fingerprint != mark:
            raise mismatch(key)
        if not known.finished:
            raise in_use(key, conflict_type)
        return known

    def begin(self, key: str, mark: str, request_id: str, now: int) -> Remembered:
        """Marks a key as in use."""
        self._keys[key] = Remembered(mark, request_id, now)
        return self._keys[key]

    def forget(self, key: str) -> None:
        """Frees a key whose request never began to execute."""
        self._keys.pop(key, None)

    def __len__(self) -> int:
        return len(self._keys)


def mismatch(key: str) -> StripeError:
    """The key was used with other parameters."""
    text = (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request."
    )
    return StripeError(400, text, kind="idempotency_error")


def in_use(key: str, conflict_type: str) -> StripeError:
    """The first request with this key has not ended yet."""
    text = (
        f"There is currently another in-progress request using this Idempotent Key ({key}). That "
        "probably means you submitted twice, and the other request is still going through. Try "
        "again later."
    )
    return StripeError(409, text, kind=conflict_type, code="idempotency_key_in_use")


def too_long() -> StripeError:
    """The key exceeds 255 characters."""
    return StripeError(400, f"Idempotency keys may be up to {LONGEST_KEY} characters.")
