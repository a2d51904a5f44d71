"""What people do in Stripe to a mirrored invoice or customer: seen, and led back to the ERP's."""

from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.mirror.customers import retire_if_deleted
from ml_connector.flows.mirror.level import applied_of, as_remembered
from ml_connector.flows.mirror.mirrored import (
    CUSTOMER,
    INVOICE,
    SENT,
    doubt,
    is_settled_as_known,
    paid_before,
    sent_of,
)
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import links
from ml_connector.store.links import Link
from ml_connector.stripe.errors import Missing

CUSTOMER_PREFIX = "cus_"


async def look_at(c: Connected, stripe_id: StripeId) -> None:
    """Compares one Stripe object with what we remember of it; what differs is looked into.

    An object that is no mirror is left alone. No event is believed, and none counts as cash.
    """
    kind = CUSTOMER if stripe_id.startswith(CUSTOMER_PREFIX) else INVOICE
    async with c.store.statement() as tx:
        link = await links.by_stripe(tx, c.id, kind, stripe_id)
    if link is None:
        return
    if kind == CUSTOMER:
        await _customer(c, link)
    elif not await _unchanged(c, link):
        async with c.store.transaction() as tx:
            await doubt(tx, link, c.clock.now())
            await look(tx, c.id, Look(Kind.INVOICE, link.erp_ref))


async def _customer(c: Connected, link: Link) -> None:
    if await retire_if_deleted(c, link):
        async with c.store.transaction() as tx:
            await look(tx, c.id, Look(Kind.CUSTOMER, ErpRef(link.erp_ref)), priority=1)


async def _unchanged(c: Connected, link: Link) -> bool:
    """Whether payments that we have posted explain it all, or else Stripe says what it said."""
    asked = sent_of(link)
    applied = await applied_of(c, link)
    known = is_settled_as_known(link, applied)
    if asked.state == SENT and known and applied.in_the_ledger == asked.total:
        return True
    try:
        stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    except Missing:
        return False
    async with c.store.statement() as tx:
        before = await paid_before(tx, link)
    return asked.state == SENT and known and as_remembered(link, stripe, before, applied)
