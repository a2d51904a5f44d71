"""A person takes note of money that an invoice was paid with twice; then it is not told again."""

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, erp_ref
from ml_connector.basics.money import Money
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.mirror.invoices import INVOICE_TYPE
from ml_connector.flows.mirror.level import Seen, applied_of, erp_invoice
from ml_connector.flows.mirror.mirrored import ACCEPTED, INVOICE, accepted_of, paid_before
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject


class NothingPaidTwice(AskAPerson):
    """An invoice on which there is nothing to take note of."""


async def acknowledge(c: Connected, invoice: ErpRef, actor: str) -> Money:
    """Notes how much more was paid at Stripe than the ERP is owed, as both stand now; the amount.

    The invoice is named by its number or whole reference. Two calls. Raises NothingPaidTwice.
    """
    link = await _link(c, invoice)
    erp = await erp_invoice(c, link.erp_ref)
    stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    applied = await applied_of(c, link)
    async with c.store.transaction() as tx:
        before = await paid_before(tx, link)
    excess = Seen(erp, stripe, applied, before).excess
    if excess.minor <= 0:
        raise _nothing(invoice, "it was not paid with more than it was owed")
    accepted = accepted_of(link) + excess
    change: JsonObject = {ACCEPTED: accepted.minor}
    detail: JsonObject = {"stripe": link.stripe_id, "amount": str(excess)}
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)
        await look(tx, c.id, Look(Kind.INVOICE, link.erp_ref))
        now = c.clock.now()
        await audit.write(tx, c.id, actor, "paid twice, noted", link.erp_ref, detail, now)
    return excess


async def _link(c: Connected, invoice: ErpRef) -> Link:
    ref = invoice if "|" in invoice else erp_ref(INVOICE_TYPE, invoice)
    async with c.store.statement() as tx:
        found = await links.by_erp(tx, c.id, INVOICE, ref)
    if not found:
        raise _nothing(invoice, "it was never sent to Stripe")
    return found[-1]


def _nothing(invoice: ErpRef, why: str) -> NothingPaidTwice:
    return NothingPaidTwice(
        f"There is nothing to take note of on invoice {invoice}: {why}.",
        cause="acknowledge.nothing",
        remedy="Look at it with `ml-connector explain`.",
    )
