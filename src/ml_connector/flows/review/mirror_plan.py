"""The dry run of the mirror: which writes to Stripe a customer or an invoice is owed."""

from ml_connector.basics.ids import ErpRef
from ml_connector.books.level import TellAPerson
from ml_connector.books.mirror import plan_invoice
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror import customers, due_dates, invoices
from ml_connector.flows.mirror.level import ChangedAfterSending, compared, erp_invoice, step_of
from ml_connector.flows.mirror.mirror_writes import level_write
from ml_connector.flows.mirror.mirrored import CUSTOMER, INVOICE, SENT, sent_of
from ml_connector.flows.rounds import catch_up
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.gate import Write
from ml_connector.store import links, troubles
from ml_connector.store.links import Link


async def candidates(c: Connected) -> list[Look]:
    """What may be owed to Stripe: what is new since the last poll, and what waits from before.

    Customers first. Two calls per 500 records that have changed since the last poll.
    """
    found = {Look(Kind.CUSTOMER, ref): None for ref in await catch_up.changed_customers(c)}
    found |= {Look(Kind.INVOICE, ref): None for ref in await catch_up.changed_invoices(c)}
    async with c.store.statement() as tx:
        waiting = await troubles.open_ones(tx, c.id)
    mine = (Kind.CUSTOMER, Kind.INVOICE)
    found |= {Look(Kind(one.kind), one.resource): None for one in waiting if one.kind in mine}
    return sorted(found, key=lambda one: (one.kind, one.resource))


async def write_of(c: Connected, look: Look) -> Write | None:
    """The write that a customer or an invoice is owed, by a dry look; None when it is level.

    Raises what the flow would raise instead of writing.
    """
    hold = c.mapping.hold
    if look.kind is Kind.CUSTOMER:
        hold.refuse_customer(look.resource)
        customer = await c.acumatica.customer(look.resource, c.mapping.mirror.opt_out)
        return customers.due(c, customer, await _link(c, CUSTOMER, ErpRef(look.resource)))
    ref = ErpRef(look.resource)
    link = await _link(c, INVOICE, ref)
    if link is not None and sent_of(link).state == SENT:
        hold.refuse_invoice(ref.partition("|")[2], sent_of(link).customer_id)
        return await _levelling(c, link)
    invoice = await erp_invoice(c, ref)
    if not invoices.is_owed(invoice) or await invoices.left_out(c, invoice):
        return None
    hold.refuse_invoice(invoice.number, invoice.customer_id)
    converted = invoice.balance.currency in c.mapping.transit
    plan_invoice(invoice, connection=c.id, now=c.clock.now(), converted=converted)
    return await invoices.sending(c, invoice)


async def _link(c: Connected, kind: str, ref: ErpRef) -> Link | None:
    async with c.store.statement() as tx:
        found = await links.by_erp(tx, c.id, kind, ref)
    return found[0] if found else None


async def _levelling(c: Connected, link: Link) -> Write | None:
    found = await compared(c, link)
    seen = found.seen
    actions = seen.actions() if seen is not None else []
    for action in actions:
        if seen is not None and not isinstance(action, TellAPerson):
            return level_write(seen.erp, seen.stripe.id, step_of(link), action)
    for action in actions:
        if isinstance(action, TellAPerson):
            cause = f"invoice.{action.why}:{link.erp_ref}"
            raise ChangedAfterSending(action.sentence, cause=cause, remedy=action.remedy)
    return due_dates.owed(link, found.erp)
