"""What we remember of a mirrored customer or invoice, so that no call is spent to ask again."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.matching import MirroredInvoice
from ml_connector.books.mirror import link_ends
from ml_connector.books.records import StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.store import audit, cursors, links
from ml_connector.store.applied import Applied
from ml_connector.store.links import URL_ENDS, Link
from ml_connector.store.rows import JsonObject

CUSTOMER: Final = "customer"
INVOICE: Final = "invoice"
INTENT: Final = "intent"
FORMER: Final = "former"
"""A Stripe invoice that was paid and asks no more, since a newer one asks in its place."""

DRAFT = "draft"
SENT = "sent"


@dataclass(frozen=True, slots=True)
class Sent:
    """How far an invoice has come: `draft` until it is finalized and found equal."""

    state: str
    customer_id: str
    total: Money
    number: str
    url: str


def invoice_link(
    connection: ConnectionId, stripe_id: StripeId, ref: ErpRef, sent: Sent, *, kind: str = INVOICE
) -> Link:
    """The link that says: this Stripe invoice (or payment intent) is that ERP invoice."""
    detail: dict[str, object] = {
        "state": sent.state,
        "customer_id": sent.customer_id,
        "total_minor": sent.total.minor,
        "currency": sent.total.currency,
        "number": sent.number,
        "url": sent.url,
    }
    return Link(connection, kind, stripe_id, ref, "created", detail)


def url_of(c: Connected, made: StripeInvoice, finalized: datetime | None = None) -> JsonObject:
    """What a link keeps of an invoice's payment link that was read just now."""
    now = c.clock.now()
    ends = link_ends(made, finalized or now, now).astimezone(UTC)
    return {"url": made.hosted_url, URL_ENDS: ends.isoformat()}


def sent_of(link: Link) -> Sent:
    """What a link remembers of an invoice."""
    d = link.detail
    total = Money(int(str(d["total_minor"])), str(d["currency"]))
    return Sent(str(d["state"]), str(d["customer_id"]), total, str(d["number"]), str(d["url"]))


LOWERED = "lowered_minor"
"""What the document was asked for once and is no more, as other hands have settled it."""
ACCEPTED = "accepted_minor"
"""What a person has taken note of: paid with more than was owed, and left on account."""


def accepted_of(link: Link) -> Money:
    """How much of a mirrored invoice was paid twice with a person's knowledge."""
    return Money(int(str(link.detail.get(ACCEPTED, 0))), sent_of(link).total.currency)


def with_accepted(link: Link, applied: Applied) -> Applied:
    """What was paid twice with a person's knowledge counts as settled."""
    return replace(applied, in_the_ledger=applied.in_the_ledger + accepted_of(link))


def invoice_of_link(link: Link) -> MirroredInvoice:
    """A mirrored invoice as the matching needs it."""
    sent = sent_of(link)
    lowered = Money(int(str(link.detail.get(LOWERED, 0))), sent.total.currency)
    return MirroredInvoice(link.erp_ref, sent.customer_id, sent.total, lowered)


def lowered_to(link: Link, asked: Money) -> JsonObject:
    """What a link keeps of being asked for less than before: payments in Stripe lower nothing."""
    less = max(sent_of(link).total.minor - asked.minor, 0)
    return {LOWERED: int(str(link.detail.get(LOWERED, 0))) + less}


async def remember_intent(tx: AsyncConnection, invoice: Link, intent: StripeId) -> None:
    """Keeps which invoice a payment intent pays; it never changes (fact S2.4)."""
    link = invoice_link(invoice.connection, intent, invoice.erp_ref, sent_of(invoice), kind=INTENT)
    await links.add(tx, link)


DOUBTED, SETTLED = "doubted", "doubt_settled"


async def doubt(tx: AsyncConnection, link: Link, now: datetime) -> None:
    """Notes that Stripe's side is not as we remember it: the next look must read it."""
    change: JsonObject = {DOUBTED: now.isoformat()}
    await links.amend_detail(tx, link.connection, link.kind, link.stripe_id, change)


def is_doubted(link: Link) -> bool:
    """Whether a doubt was noted since Stripe's side was last looked at."""
    return link.detail.get(DOUBTED) != link.detail.get(SETTLED)


async def withdraw(tx: AsyncConnection, link: Link, *, voided: bool, now: datetime) -> None:
    """An invoice that was voided or deleted is no mirror; the next try makes a new one."""
    await links.remove(tx, link.connection, INVOICE, link.stripe_id)
    if voided:
        times = 1 + await times_voided(tx, link.connection, link.erp_ref)
        await cursors.advance(tx, link.connection, _voided(link.erp_ref), {"times": times})
    detail: JsonObject = {"stripe": link.stripe_id}
    await audit.write(
        tx, link.connection, "connector", "invoice withdrawn", link.erp_ref, detail, now
    )


async def paid_before(tx: AsyncConnection, link: Link) -> Money:
    """What was paid by charges through the former Stripe invoices of a link's document."""
    former = await links.by_erp(tx, link.connection, FORMER, link.erp_ref)
    minor = sum(int(str(one.detail["paid_minor"])) for one in former)
    return Money(minor, sent_of(link).total.currency)


async def supersede(tx: AsyncConnection, link: Link, paid: Money, *, now: datetime) -> None:
    """A paid invoice becomes history: the document is asked for anew, under another number."""
    detail: JsonObject = {**link.detail, "paid_minor": paid.minor}
    await links.add(
        tx, Link(link.connection, FORMER, link.stripe_id, link.erp_ref, link.how, detail)
    )
    await withdraw(tx, link, voided=True, now=now)


RETURNED, APART = "returned_minor", "besides_minor"
"""How much had come back, and was or will be settled besides, when the two were last level."""


def settled_of(applied: Applied) -> JsonObject:
    """What a link keeps of our payments, to see when money comes back or passes it by."""
    return {RETURNED: applied.returned.minor, APART: _apart(applied).minor}


def came_back(link: Link, applied: Applied) -> Money:
    """What was paid, booked and undone since the two were last level."""
    return applied.returned - _minor(link, RETURNED, applied)


def is_settled_as_known(link: Link, applied: Applied) -> bool:
    """Whether nothing came back or passed by the Stripe invoice since."""
    return not came_back(link, applied) and _apart(applied) == _minor(link, APART, applied)


def _apart(applied: Applied) -> Money:
    """What passes the Stripe invoice by, which is lowered by it before it is in the ledger."""
    return applied.besides + applied.claimed


def _minor(link: Link, name: str, applied: Applied) -> Money:
    return Money(int(str(link.detail.get(name, 0))), applied.returned.currency)


async def times_voided(tx: AsyncConnection, connection: ConnectionId, ref: ErpRef) -> int:
    """How often a Stripe invoice of a document was voided: each keeps the number that it had."""
    before = await cursors.read(tx, connection, _voided(ref))
    return 0 if before is None else int(str(before["times"]))


def _voided(ref: ErpRef) -> str:
    return f"voided:{ref}"
