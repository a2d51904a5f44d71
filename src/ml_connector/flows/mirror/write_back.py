"""The payment link of a Stripe invoice written onto its ERP document, where a firm wants it."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef
from ml_connector.books.link_place import LINK_IN_NOTE, NO_LINK, is_plain
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.mirror.mirrored import INVOICE, SENT, sent_of
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject

LINK_WRITTEN: Final = "link written back"
"""The audit trail's word for it."""
WRITTEN: Final = "written_back"
"""What was last written, and where, so that nothing is written twice."""


async def plan_write_back(c: Connected, tx: AsyncConnection, ref: ErpRef) -> None:
    """Queues the writing of a document's link; nothing where the firm does not want it."""
    if c.mapping.mirror.write_link != NO_LINK:
        await look(tx, c.id, Look(Kind.WRITE_BACK, ref), priority=-1)


async def write_back(c: Connected, ref: ErpRef) -> None:
    """Writes the link of a sent invoice onto the ERP document, once.

    A field costs one call; a note two, as what people wrote there is kept.
    """
    place = c.mapping.mirror.write_link
    async with c.store.statement() as tx:
        known = await links.by_erp(tx, c.id, INVOICE, ref)
    if place == NO_LINK or not known or sent_of(known[0]).state != SENT:
        return
    url = sent_of(known[0]).url
    wanted = f"{place} {url}"
    if not url or known[0].detail.get(WRITTEN) == wanted:
        return
    if place == LINK_IN_NOTE:
        await _into_note(c, known[0], url)
    elif is_plain(place):
        await c.acumatica.write_plain(ref, c.mapping.mirror.source, place, url)
    else:
        await c.acumatica.write_field(ref, place, url)
    await _remember(c, known[0], wanted)


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
        await links.amend_detail(tx, c.id, INVOICE, link.stripe_id, {WRITTEN: written})
        now = c.clock.now()
        await audit.write(tx, c.id, "connector", LINK_WRITTEN, link.erp_ref, detail, now)
