"""Acumatica customers mirrored to Stripe, before anything that refers to them."""

from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.records import ErpCustomer, StripeCustomer
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirrored import CUSTOMER
from ml_connector.flows.write_ahead import announced, settle
from ml_connector.store import audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.stripe.errors import Missing

INACTIVE = frozenset({"Inactive", "On Hold"})
"""Statuses in which Acumatica itself refuses new documents (fact sheet 6.1)."""


async def mirror(c: Connected, customer_id: str) -> None:
    """Makes Stripe's customer say what Acumatica's says; creates it once, updates it later."""
    customer = await c.acumatica.customer(customer_id)
    async with c.store.transaction() as tx:
        known = await links.by_erp(tx, c.id, CUSTOMER, ErpRef(customer_id))
    if known:
        await _keep_level(c, customer, known[0])
    elif customer.status not in INACTIVE:
        await _create(c, customer)


async def _create(c: Connected, customer: ErpCustomer) -> None:
    """Creates the customer, or adopts the one that an interrupted run has made."""
    what = f"customer:{customer.customer_id}"
    seen = as_object(customer)
    again = await announced(c, what, seen)
    found = await _made_before(c, customer) if again else []
    made = found[0] if found else await c.stripe.create_customer(customer)
    await _link(c, customer, made.id, "found again" if found else "created", seen)
    await settle(c, what)


async def _made_before(c: Connected, customer: ErpCustomer) -> list[StripeCustomer]:
    """What an interrupted run may have made; the list by e-mail shows it without any lag."""
    hits = await c.stripe.find_customers(customer.customer_id, email=customer.email)
    return [
        hit
        for hit in hits
        if hit.metadata.get("erp_customer") == customer.customer_id
        and hit.metadata.get("mlc") == c.id
    ]


async def _link(
    c: Connected, customer: ErpCustomer, stripe_id: StripeId, how: str, seen: JsonObject
) -> None:
    ref = ErpRef(customer.customer_id)
    async with c.store.transaction() as tx:
        await links.add(tx, Link(c.id, CUSTOMER, stripe_id, ref, how, seen))
        detail: JsonObject = {"stripe": stripe_id, "how": how}
        await audit.write(tx, c.id, "connector", "customer mirrored", ref, detail, c.clock.now())


async def _keep_level(c: Connected, customer: ErpCustomer, link: Link) -> None:
    """Sends what changed, when what matters to Stripe changed."""
    seen = as_object(customer)
    if _shown(seen) == _shown(link.detail):
        return
    try:
        await c.stripe.update_customer(link.stripe_id, customer)
    except Missing:
        if not await retire_if_deleted(c, link):
            raise
        await mirror(c, customer.customer_id)
        return
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, CUSTOMER, link.stripe_id, seen)


async def retire_if_deleted(c: Connected, link: Link) -> bool:
    """Forgets a Stripe customer that was deleted there, for good; the next look makes a new one."""
    if not (await c.stripe.customer(link.stripe_id)).deleted:
        return False
    async with c.store.transaction() as tx:
        await links.remove(tx, c.id, CUSTOMER, link.stripe_id)
        detail: JsonObject = {"stripe": link.stripe_id}
        now = c.clock.now()
        await audit.write(tx, c.id, "connector", "customer retired", link.erp_ref, detail, now)
    return True


def _shown(detail: JsonObject) -> list[object]:
    """The part of a customer that Stripe is told; anything else changing is no news to it."""
    return [detail.get(name) for name in ("name", "email", "phone", "address")]
