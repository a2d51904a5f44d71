"""Stripe invoices that people made before the connector came: taken over, never doubled."""

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId
from ml_connector.books.mirror import Adopt, is_the_same
from ml_connector.books.records import ErpInvoice, StripeInvoice
from ml_connector.flows.connected import Connected
from ml_connector.store.links import Link

CREATED = "created"


class MayBeSentAlready(AskAPerson):
    """Stripe has an open invoice that looks like the document; a person says whether it is it."""


async def adopted(c: Connected, invoice: ErpInvoice, customer: Link) -> StripeInvoice | None:
    """The open invoice that is the document already, by policy; None when there is none.

    One call, and only for a customer that was in Stripe before us. Raises MayBeSentAlready.
    """
    policy = c.mapping.mirror.adopt
    if policy is Adopt.NEVER or customer.how == CREATED:
        return None
    rows = await c.stripe.open_invoices_of(customer.stripe_id)
    alike = [row for row in rows if is_the_same(invoice, row)]
    marked = [row for row in alike if _is_marked(c, invoice, row)]
    if marked or (len(alike) == 1 and policy is Adopt.AUTOMATIC):
        found = (marked or alike)[0]
        await c.stripe.mark_invoice(found.id, invoice.ref)
        return found
    if alike:
        raise _may_be_sent(c, invoice, [row.id for row in alike])
    return None


def _is_marked(c: Connected, invoice: ErpInvoice, row: StripeInvoice) -> bool:
    """Whether a person has said that it is the document."""
    return row.metadata.get("erp_ref") == invoice.ref and row.metadata.get("mlc") == c.id


def _may_be_sent(c: Connected, invoice: ErpInvoice, ids: list[StripeId]) -> MayBeSentAlready:
    return MayBeSentAlready(
        f"Invoice {invoice.number} of {invoice.balance} may be in Stripe already: its customer has"
        f" the open invoice {' and '.join(ids)} like it.",
        cause=f"invoice.may_be_sent:{invoice.ref}",
        remedy=f"To use one, give it the metadata erp_ref={invoice.ref} and mlc={c.id} in Stripe;"
        " to refuse one, give it erp_ref=none. It then goes on by itself.",
    )
