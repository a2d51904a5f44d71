"""What we remember of a mirrored customer or invoice, so that no call is spent to ask again."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.matching import MirroredInvoice
from ml_connector.store import links
from ml_connector.store.links import Link

CUSTOMER: Final = "customer"
INVOICE: Final = "invoice"
INTENT: Final = "intent"

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


def sent_of(link: Link) -> Sent:
    """What a link remembers of an invoice."""
    d = link.detail
    total = Money(int(str(d["total_minor"])), str(d["currency"]))
    return Sent(str(d["state"]), str(d["customer_id"]), total, str(d["number"]), str(d["url"]))


def invoice_of_link(link: Link) -> MirroredInvoice:
    """A mirrored invoice as the matching needs it."""
    sent = sent_of(link)
    return MirroredInvoice(link.erp_ref, sent.customer_id, sent.total)


async def remember_intent(tx: AsyncConnection, invoice: Link, intent: StripeId) -> None:
    """Keeps which invoice a payment intent pays; it never changes (fact sheet 2.4)."""
    link = invoice_link(invoice.connection, intent, invoice.erp_ref, sent_of(invoice), kind=INTENT)
    await links.add(tx, link)
