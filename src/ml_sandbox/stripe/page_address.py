"""The address of an invoice's hosted page: it ends, and one that is read lasts a while longer."""

from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

HOSTED = "https://invoice.stripe.com"
DAY = 86_400
AFTER_DUE, AT_MOST, AFTER_READING = 30 * DAY, 120 * DAY, 10 * DAY


def give(world: World, invoice: Obj, *, lasts: int = 0) -> str:
    """A new address for an invoice; the earlier ones work until they end. The token of it."""
    token = f"test_{world.ids.text(60)}"
    world.notes.tokens[token] = invoice["id"]
    world.notes.granted[token] = lasts
    own = f"{world.base_url}/i/{token}" if world.base_url else None
    invoice["hosted_invoice_url"] = own or f"{HOSTED}/i/{world.account_id}/{token}"
    invoice["invoice_pdf"] = f"{invoice['hosted_invoice_url']}/pdf"
    return token


def refresh(world: World, invoice: Obj) -> None:
    """Whoever reads an invoice gets an address that works ten more days."""
    if not invoice["hosted_invoice_url"]:
        return
    token = invoice["hosted_invoice_url"].rpartition("/")[2]
    if ends(world, invoice, token) < world.now() + AFTER_READING:
        give(world, invoice, lasts=world.now() + AFTER_READING + DAY)


def ends(world: World, invoice: Obj, token: str) -> int:
    """When an address stops to work."""
    finalized: int = invoice["status_transitions"]["finalized_at"] or world.now()
    due: int = invoice["due_date"] or finalized
    return max(min(due + AFTER_DUE, finalized + AT_MOST), world.notes.granted.get(token, 0))
