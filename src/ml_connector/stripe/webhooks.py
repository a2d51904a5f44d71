"""Stripe's webhooks: whether a body is genuine, and which object it hints at."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from ml_connector.basics.clock import from_unix
from ml_connector.basics.errors import Refused
from ml_connector.basics.ids import StripeId
from ml_connector.stripe import wire

TOLERANCE = timedelta(seconds=300)
LONGEST_HEADER = 4_096
LONGEST_STAMP = 12
THIN = "v2.core.event"


class NotAnEvent(Refused):
    """A body that is signed or not, but is no event of Stripe's."""


@dataclass(frozen=True, slots=True)
class EventHint:
    """Only what an event points at; the truth is fetched from its owner.

    `object_id` is empty where the object has none (a balance). `type` is the snapshot's name of
    it, also for thin events.
    """

    id: StripeId
    type: str
    object_id: StripeId
    object_type: str
    created: datetime
    livemode: bool
    invoice: StripeId | None = None
    """The invoice of a credit note; a thin event does not tell it."""

    @property
    def subject(self) -> StripeId:
        """What is to be looked at: a credit note changes its invoice."""
        return self.invoice or self.object_id


def verify(
    body: bytes,
    header: str,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> bool:
    """Whether one of the endpoint's secrets signed these exact bytes, lately (fact S6.1).

    Only scheme v1 counts. A time too far ahead is refused like one too far back.
    """
    stamp, signatures = _parts(header)
    if not signatures or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > LONGEST_STAMP:
        return False
    if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
        return False
    signed = stamp.encode() + b"." + body
    wanted = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets if s]
    return any(
        hmac.compare_digest(want.encode(), given.encode("utf-8", "replace"))
        for want in wanted
        for given in signatures
    )


def _parts(header: str) -> tuple[str, list[str]]:
    pairs = [part.partition("=") for part in header[:LONGEST_HEADER].split(",")]
    stamps = [value for name, _, value in pairs if name.strip() == "t"]
    return stamps[0] if stamps else "", [v for name, _, v in pairs if name.strip() == "v1"]


def hint(body: bytes) -> EventHint:
    """What an event is about, snapshot or thin; raises NotAnEvent for anything else."""
    try:
        kind = msgspec.json.decode(body, type=wire.Identified)
        if kind.object == THIN:
            return thin_hint(msgspec.json.decode(body, type=wire.ThinEvent))
        return snapshot_hint(msgspec.json.decode(body, type=wire.Event))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise NotAnEvent(
            "The body is not an event of Stripe's.",
            cause="stripe.not_an_event",
            remedy="Check what else sends to this address.",
        ) from error


def snapshot_hint(event: wire.Event) -> EventHint:
    """The hint of a snapshot event; of its object only id and kind are read."""
    subject = msgspec.json.decode(event.data.object, type=wire.Identified)
    invoice = ""
    if subject.object == "credit_note":
        invoice = msgspec.json.decode(event.data.object, type=wire.OfInvoice).invoice
    return EventHint(
        id=StripeId(event.id),
        type=event.type,
        object_id=StripeId(subject.id or ""),
        object_type=subject.object,
        created=from_unix(event.created),
        livemode=event.livemode,
        invoice=StripeId(invoice) if invoice else None,
    )


def thin_hint(event: wire.ThinEvent) -> EventHint:
    """The hint of a thin event, named as its snapshot twin (`v1.invoice.paid` without `v1.`)."""
    subject = event.related_object or wire.Related()
    return EventHint(
        id=StripeId(event.id),
        type=event.type.removeprefix("v1."),
        object_id=StripeId(subject.id),
        object_type=subject.type,
        created=datetime.fromisoformat(event.created),
        livemode=event.livemode,
    )
