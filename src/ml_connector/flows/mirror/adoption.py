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

    One call, and only for a customer that was in Stripe before us. Raises MayBeSentAlready, also
    of one that a person has marked as the document though it asks for something else.
    """
    policy = c.mapping.mirror.adopt
    if policy is Adopt.NEVER or customer.how == CREATED:
        return None
    rows = await c.stripe.open_invoices_of(customer.stripe_id)
    refuse_marked_otherwise(c, invoice, rows)
    alike = [row for row in rows if is_the_same(invoice, row)]
    marked = [row for row in alike if _is_marked(c, invoice, row)]
    if marked or (len(alike) == 1 and policy is Adopt.AUTOMATIC):
        found = (marked or alike)[0]
        await c.stripe.mark_invoice(found.id, invoice.ref)
        return found
    if alike:
        raise _may_be_sent(c, invoice, [row.id for row in alike])
    return None


def refuse_marked_otherwise(c: Connected, invoice: ErpInvoice, rows: list[StripeInvoice]) -> None:
    """Raises MayBeSentAlready where a person marked as the document what asks for something else.

    What we made ourselves names its customer too, and is judged when it is finalized.
    """
    for row in rows:
        theirs = _is_marked(c, invoice, row) and "erp_customer" not in row.metadata
        if theirs and not is_the_same(invoice, row):
            raise _asks_otherwise(invoice, row)


def _is_marked(c: Connected, invoice: ErpInvoice, row: StripeInvoice) -> bool:
    """Whether a person has said that it is the document."""
    return row.metadata.get("erp_ref") == invoice.ref and row.metadata.get("mlc") == c.id


def _asks_otherwise(invoice: ErpInvoice, row: StripeInvoice) -> MayBeSentAlready:
    """One more invoice beside it would let the buyer pay twice."""
    paid = f", {row.amount_paid} of it paid" if row.amount_paid else ""
    return MayBeSentAlready(
        f"The invoice {row.number} ({row.id}) in Stripe is marked as {invoice.number}, but asks for"
        f" {row.amount_due}{paid}, while {invoice.balance} is owed in Acumatica.",
        cause=f"invoice.marked_differs:{invoice.ref}",
        remedy="Void it in Stripe, or take the mark erp_ref off and settle it; or make the"
        " document's balance in Acumatica the same. No second one is sent meanwhile.",
    )


def _may_be_sent(c: Connected, invoice: ErpInvoice, ids: list[StripeId]) -> MayBeSentAlready:
    return MayBeSentAlready(
        f"Invoice {invoice.number} of {invoice.balance} may be in Stripe already: its customer has"
        f" the open invoice {' and '.join(ids)} like it.",
        cause=f"invoice.may_be_sent:{invoice.ref}",
        remedy=f"To use one, give it the metadata erp_ref={invoice.ref} and mlc={c.id} in Stripe;"
        " to refuse one, give it erp_ref=none. It then goes on by itself.",
    )
