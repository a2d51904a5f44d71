"""Types for the ids of either side, and keys that are made from facts, never at random."""

import base64
import hashlib
from typing import NewType

LONGEST_KEY_NAME = 255 - len(":") - 16
"""What Stripe's 255 characters leave for the readable part of an Idempotency-Key."""

ConnectionId = NewType("ConnectionId", str)
"""The short name a person gave a connection, such as `main`."""

StripeId = NewType("StripeId", str)
"""Any id of a Stripe object (`ch_…`, `in_…`); opaque, never parsed beyond its prefix."""

ErpRef = NewType("ErpRef", str)
"""An Acumatica record by its keys, joined by `|`: `Invoice|000123`, `GL|000045`, `C000012`."""

PostingKey = NewType("PostingKey", str)
"""Why a document exists, unique per connection: `payment:ch_…`, `fee:txn_…`, `payout:po_…`."""


def erp_ref(*keys: str) -> ErpRef:
    """Joins the key fields of an Acumatica record, in the order of its form."""
    return ErpRef("|".join(key.strip() for key in keys))


def erp_keys(ref: ErpRef) -> tuple[str, ...]:
    """The key fields of an Acumatica record, taken apart again."""
    return tuple(ref.split("|"))


def in_words(ref: str | None) -> str:
    """An Acumatica record as a person reads it: `Invoice 000123`; empty where there is none."""
    return (ref or "").replace("|", " ")


def posting_tag(connection: ConnectionId, key: PostingKey) -> str:
    """The 15-character mark that a posting carries in Acumatica: `mlc` and 12 of base32.

    Fits a journal line's ReferenceNbr (15 characters), which a Stripe id does not. 60 bits of a
    SHA-256: two of a million postings share a tag with a chance below one in a million.
    """
    digest = hashlib.sha256(f"{connection}\n{key}".encode()).digest()
    return "mlc" + base64.b32encode(digest).decode()[:12].lower()


def idempotency_key(connection: ConnectionId, *parts: str, payload: bytes) -> str:
    """Stripe's Idempotency-Key for one write: our name for it and a hash of name and payload.

    The hash makes a corrected payload a new request instead of a conflict (fact S7.1). It
    covers the name too, so that a long name may be cut to Stripe's 255 characters.
    """
    name = (connection, *parts)
    digest = hashlib.sha256("\n".join(name).encode() + b"\n" + payload).hexdigest()[:16]
    return f"{':'.join(name)[:LONGEST_KEY_NAME]}:{digest}"
