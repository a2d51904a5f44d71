"""The payment link of a Stripe invoice written onto its ERP document, where a firm wants it."""

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef
from ml_connector.books.link_place import LINK_IN_NOTE, NO_LINK, is_plain
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.mirror.mirrored import INVOICE, SENT, sent_of, url_of
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import audit, links
from ml_connector.store.links import URL_ENDS, Link
from ml_connector.store.rows import JsonObject

SOON = timedelta(days=3)
"""Before a payment link ends; it is looked for once a day."""
LINK_WRITTEN: Final = "link written back"
"""The audit trail's word for it."""
WRITTEN: Final = "written_back"
"""What was last written, and where, so that nothing is written twice."""


async def plan_write_back(c: Connected, tx: AsyncConnection, ref: ErpRef) -> None:
    """Queues the writing of a document's link; nothing where the firm does not want it."""
    if c.mapping.mirror.write_link != NO_LINK:
        await look(tx, c.id, Look(Kind.WRITE_BACK, ref), priority=-1)


async def write_back(c: Connected, ref: ErpRef) -> None:
    """Writes the link of a sent invoice onto the ERP document, once, and anew before it ends.

    A field costs one call; a note two, as what people wrote there is kept. One more where the
    link that we know ends soon: then Stripe is asked for a fresh one.
    """
    place = c.mapping.mirror.write_link
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, INVOICE, ref)
    if place == NO_LINK or not known or sent_of(known[0]).state != SENT:
        return
    link = await _lasting(c, known[0])
    if link is None:
        return
    url = sent_of(link).url
    wanted = f"{place} {url}"
    if not url or link.detail.get(WRITTEN) == wanted:
        return
    if place == LINK_IN_NOTE:
        await _into_note(c, link, url)
    elif is_plain(place):
        await c.acumatica.write_plain(ref, c.mapping.mirror.source, place, url)
    else:
        await c.acumatica.write_field(ref, place, url)
    await _remember(c, link, wanted)


async def ending(c: Connected) -> int:
    """Queues a fresh payment link for each one that ends soon; returns how many."""
    if c.mapping.mirror.write_link == NO_LINK:
        return 0
    async with c.store.transaction() as tx:
        found = await links.with_ending_url(tx, c.id, INVOICE, c.clock.now() + SOON)
        looks = [Look(Kind.WRITE_BACK, one.erp_ref) for one in found if sent_of(one).state == SENT]
        await look_all(tx, c.id, looks, priority=-1)
    return len(looks)


async def _lasting(c: Connected, link: Link) -> Link | None:
    """A link whose payment link lasts; None when it was withdrawn as Stripe was asked.

    Nobody needs a fresh one of what cannot be paid any more.
    """
    ends = link.detail.get(URL_ENDS, "0")
    if not ends or str(ends) >= (c.clock.now() + SOON).isoformat():
        return link
    stripe = await c.stripe.invoice(link.stripe_id, with_payments=False)
    nobody: JsonObject = {URL_ENDS: ""}
    change = url_of(c, stripe, link.created_at) if stripe.payable else nobody
    async with c.store.transaction() as tx:
        if await links.by_stripe(tx, c.id, INVOICE, link.stripe_id) is None:
            return None
        return await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, change)


async def _into_note(c: Connected, link: Link, url: str) -> None:
    note = await c.acumatica.note(link.erp_ref)
    if url in note.split():
        return
    before = str(link.detail.get(WRITTEN, "")).partition(" ")[2]
    kept = [line for line in note.splitlines() if not before or before not in line.split()]
    await c.acumatica.write_note(link.erp_ref, "\n".join([*kept, f"Pay online: {url}"]))


async def _remember(c: Connected, link: Link, written: str) -> None:
    detail: JsonObject = {"stripe": link.stripe_id, "where": c.mapping.mirror.write_link}
    async with c.store.transaction() as tx:
        if await links.by_stripe(tx, c.id, INVOICE, link.stripe_id) is not None:
            await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, {WRITTEN: written})
        now = c.clock.now()
        await audit.write(tx, c.id, "connector", LINK_WRITTEN, link.erp_ref, detail, now)
