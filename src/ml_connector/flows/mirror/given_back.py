"""Money that an invoice was paid with twice, and that was given back since: it is told no more."""

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror.mirrored import ACCEPTED, INTENT, INVOICE, accepted_of
from ml_connector.store import audit, links
from ml_connector.store.applied import BESIDES
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject

GIVEN_BACK = "given_back_minor"
"""How much of what was refunded counts as what was paid twice."""


async def note_given_back(c: Connected, link: Link, excess: Money) -> Link | None:
    """Notes what refunds cover of what was paid twice; None when they cover no more than is noted.

    Stripe's invoice shows what was paid for ever, its refunds only at the charges: one call for
    each payment of the invoice, and only where something is to be told.
    """
    counted = Money(int(str(link.detail.get(GIVEN_BACK, 0))), excess.currency)
    covered = min(excess, await _refunded(c, link, excess.currency) - counted)
    if covered.minor <= 0:
        return None
    change: JsonObject = {
        GIVEN_BACK: (counted + covered).minor,
        ACCEPTED: (accepted_of(link) + covered).minor,
    }
    detail: JsonObject = {"stripe": link.stripe_id, "amount": str(covered)}
    async with c.store.transaction() as tx:
        noted = await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)
        moment = c.clock.now()
        what = "paid twice, given back"
        await audit.write(tx, c.id, "connector", what, link.erp_ref, detail, moment)
    return noted


async def _refunded(c: Connected, link: Link, currency: str) -> Money:
    """What was given back of everything that was paid on a document, in its currency."""
    async with c.store.transaction() as tx:
        intents = await links.by_erp(tx, c.id, INTENT, link.erp_ref)
        besides = await links.by_erp(tx, c.id, BESIDES, link.erp_ref)
    charges = [await c.stripe.charge(StripeId(one.stripe_id)) for one in besides]
    for intent in intents:
        charges += await c.stripe.charges_of_intent(StripeId(intent.stripe_id))
    found = [one.refunded for one in charges if one.refunded is not None]
    return total((one for one in found if one.currency == currency), currency)
