"""Acumatica customers mirrored to Stripe, before anything that refers to them."""

import msgspec

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.mirror import Adopt
from ml_connector.books.records import ErpCustomer, StripeCustomer
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror.left_out import leave_out
from ml_connector.flows.mirror.mirror_writes import SHOWN, customer_write
from ml_connector.flows.mirror.mirrored import CUSTOMER
from ml_connector.flows.writing.gate import Write, permit
from ml_connector.flows.writing.write_ahead import announced_before, settle
from ml_connector.store import approvals, audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.stripe.errors import Missing

INACTIVE = frozenset({"Inactive", "On Hold"})
"""Statuses in which Acumatica itself refuses new documents (fact A6.1)."""


BY_EMAIL = "by e-mail"

TOLD = frozenset(SHOWN)
"""The part of a customer that Stripe is told; anything else changing is no news to it."""


class MayBeKnown(AskAPerson):
    """Stripe has a customer with the same e-mail address; a person says whether it is the one."""


async def mirror(c: Connected, customer_id: str) -> None:
    """Makes Stripe's customer say what Acumatica's says; creates it once, updates it later."""
    c.mapping.hold.refuse_customer(customer_id)
    customer = await c.acumatica.customer(customer_id, c.mapping.mirror.opt_out)
    await leave_out(c, ErpRef(customer_id), _why_left_out(c, customer))
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, CUSTOMER, ErpRef(customer_id))
    write = due(c, customer, known[0] if known else None)
    if write is not None:
        await permit(c, write)
    if known:
        await _keep_level(c, customer, known[0])
    elif write is not None:
        await _create(c, customer)


def due(c: Connected, customer: ErpCustomer, known: Link | None) -> Write | None:
    """What Stripe is to be told of a customer; None when it knows, or need not."""
    if known is not None:
        same = c.mapping.mirror.opted_out(customer.opt_out) or not _news(customer, known) & TOLD
        return None if same else customer_write(customer, update=True)
    if customer.status in INACTIVE or _why_left_out(c, customer):
        return None
    return customer_write(customer, update=False)


def _why_left_out(c: Connected, customer: ErpCustomer) -> str:
    return c.mapping.mirror.leaves_out_customer(
        customer.customer_id, customer.customer_class, customer.opt_out
    )


def _news(customer: ErpCustomer, link: Link) -> set[str]:
    """Which facts of a customer are not as they were last mirrored."""
    return {name for name, value in as_object(customer).items() if link.detail.get(name) != value}


async def _create(c: Connected, customer: ErpCustomer) -> None:
    """Creates the customer, or adopts the one that an interrupted run has made.

    What that run had sent is sent once more as it was: for a day Stripe answers it with the
    customer that it made, which the search may not show yet.
    """
    what = f"customer:{customer.customer_id}"
    before = await announced_before(c, what, as_object(customer))
    how, found = await _evidence(c, customer, again=before is not None)
    if how == BY_EMAIL and found is not None:
        await c.stripe.update_customer(found.id, customer)
    told = customer if found or before is None else msgspec.convert(before, ErpCustomer)
    made = found or await c.stripe.create_customer(told)
    link = await _link(c, told, made.id, how)
    await settle(c, what)
    await _keep_level(c, customer, link)


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


async def _link(c: Connected, customer: ErpCustomer, stripe_id: StripeId, how: str) -> Link:
    ref = ErpRef(customer.customer_id)
    async with c.store.transaction() as tx:
        await approvals.spend(tx, c.id, f"customer:{ref}")
        link = Link(c.id, CUSTOMER, stripe_id, ref, how, as_object(customer))
        detail: JsonObject = {"stripe": stripe_id, "how": how}
        added = await links.add(tx, link)
        await audit.write(tx, c.id, "connector", "customer mirrored", ref, detail, c.clock.now())
    return added


async def _keep_level(c: Connected, customer: ErpCustomer, link: Link) -> None:
    """Sends what changed, when what matters to Stripe changed; nothing of one who opted out."""
    news = _news(customer, link)
    if c.mapping.mirror.opted_out(customer.opt_out):
        news -= TOLD
    if news & TOLD and not await _updated(c, customer, link):
        await mirror(c, customer.customer_id)
    elif news:
        seen = {name: value for name, value in as_object(customer).items() if name in news}
        async with c.store.transaction() as tx:
            await links.amend_detail(tx, c.id, CUSTOMER, link.stripe_id, seen)
            if news & TOLD:
                await approvals.spend(tx, c.id, f"customer:{customer.customer_id}")


async def _updated(c: Connected, customer: ErpCustomer, link: Link) -> bool:
    """Whether Stripe took what changed; False when its customer was deleted and is forgotten."""
    try:
        await c.stripe.update_customer(link.stripe_id, customer)
    except Missing:
        if not await retire_if_deleted(c, link):
            raise
        return False
    return True


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
