"""Acumatica customers mirrored to Stripe, before anything that refers to them."""

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.mirror import Adopt
from ml_connector.books.records import ErpCustomer, StripeCustomer
from ml_connector.flows.connected import Connected
from ml_connector.flows.gate import Write, permit
from ml_connector.flows.mirror_writes import SHOWN, customer_write
from ml_connector.flows.mirrored import CUSTOMER
from ml_connector.flows.write_ahead import announced, settle
from ml_connector.store import approvals, audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.stripe.errors import Missing

INACTIVE = frozenset({"Inactive", "On Hold"})
"""Statuses in which Acumatica itself refuses new documents (fact sheet 6.1)."""


BY_EMAIL = "by e-mail"


class MayBeKnown(AskAPerson):
    """Stripe has a customer with the same e-mail address; a person says whether it is the one."""


async def mirror(c: Connected, customer_id: str) -> None:
    """Makes Stripe's customer say what Acumatica's says; creates it once, updates it later."""
    customer = await c.acumatica.customer(customer_id)
    async with c.store.transaction() as tx:
        known = await links.by_erp(tx, c.id, CUSTOMER, ErpRef(customer_id))
    write = due(c, customer, known[0] if known else None)
    if write is None:
        return
    await permit(c, write)
    if known:
        await _keep_level(c, customer, known[0])
    else:
        await _create(c, customer)


def due(c: Connected, customer: ErpCustomer, known: Link | None) -> Write | None:
    """What Stripe is to be told of a customer; None when it knows, or need not."""
    if known is not None:
        same = _shown(as_object(customer)) == _shown(known.detail)
        return None if same else customer_write(customer, update=True)
    if customer.status in INACTIVE:
        return None
    taken = c.mapping.mirror.customer_classes.takes(customer.customer_class)
    return customer_write(customer, update=False) if taken else None


async def _create(c: Connected, customer: ErpCustomer) -> None:
    """Creates the customer, or adopts the one that an interrupted run has made."""
    what = f"customer:{customer.customer_id}"
    seen = as_object(customer)
    again = await announced(c, what, seen)
    how, found = await _evidence(c, customer, again=again)
    if how == BY_EMAIL and found is not None:
        await c.stripe.update_customer(found.id, customer)
    made = found or await c.stripe.create_customer(customer)
    await _link(c, customer, made.id, how, seen)
    await settle(c, what)


async def _evidence(
    c: Connected, customer: ErpCustomer, *, again: bool
) -> tuple[str, StripeCustomer | None]:
    """How the customer is linked, and the Stripe customer that is it already, if any.

    Our own mark is proof (an interrupted run, a lost database). The same e-mail address is
    evidence, and the policy says what it is worth. Raises MayBeKnown.
    """
    adopt = c.mapping.mirror.adopt
    if adopt is Adopt.NEVER and not again:
        return "created", None
    hits = await c.stripe.find_customers(customer.customer_id, email=customer.email)
    ours = [hit for hit in hits if hit.metadata.get("erp_customer") == customer.customer_id]
    if ours:
        return "found again", ours[0]
    others = [] if adopt is Adopt.NEVER else hits
    if len(others) == 1 and adopt is Adopt.AUTOMATIC:
        return BY_EMAIL, others[0]
    if others:
        raise _may_be_known(c, customer, others)
    return "created", None


def _may_be_known(c: Connected, customer: ErpCustomer, hits: list[StripeCustomer]) -> MayBeKnown:
    names = ", ".join(f"{hit.id} ({hit.name})" for hit in hits)
    return MayBeKnown(
        f"Customer {customer.customer_id} ({customer.name}) may be in Stripe already: the address"
        f" {customer.email} is that of {names}.",
        cause=f"customer.may_be_known:{customer.customer_id}",
        remedy="To use one, give it the metadata"
        f" erp_customer={customer.customer_id} and mlc={c.id} in Stripe; to refuse one, give it"
        " erp_customer=none. It then goes on by itself.",
    )


async def _link(
    c: Connected, customer: ErpCustomer, stripe_id: StripeId, how: str, seen: JsonObject
) -> None:
    ref = ErpRef(customer.customer_id)
    async with c.store.transaction() as tx:
        await links.add(tx, Link(c.id, CUSTOMER, stripe_id, ref, how, seen))
        await approvals.spend(tx, c.id, f"customer:{ref}")
        detail: JsonObject = {"stripe": stripe_id, "how": how}
        await audit.write(tx, c.id, "connector", "customer mirrored", ref, detail, c.clock.now())


async def _keep_level(c: Connected, customer: ErpCustomer, link: Link) -> None:
    """Sends what changed."""
    try:
        await c.stripe.update_customer(link.stripe_id, customer)
    except Missing:
        if not await retire_if_deleted(c, link):
            raise
        await mirror(c, customer.customer_id)
        return
    async with c.store.transaction() as tx:
        await links.amend_detail(tx, c.id, CUSTOMER, link.stripe_id, as_object(customer))
        await approvals.spend(tx, c.id, f"customer:{customer.customer_id}")


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
    return [detail.get(name) for name in SHOWN]
