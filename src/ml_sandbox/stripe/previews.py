"""Previews: what an invoice or a credit note would look like, without leaving anything behind."""

from ml_sandbox.stripe import credit_notes, customers, invoice_lines
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, required
from ml_sandbox.stripe.invoice_totals import lines_of, refresh
from ml_sandbox.stripe.invoices import blank, check_automatic_tax, fill, starting_discounts
from ml_sandbox.stripe.listing import checked_limit
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def invoice(world: World, call: Call) -> Obj:
    """POST /v1/invoices/create_preview: the customer's pending items and the given ones."""
    params = call.params
    if "customer" not in params:
        raise required("customer")
    customer = customers.living(world, params["customer"])
    currency = (params.get("currency") or customer["currency"] or "usd").lower()
    world.money.check_currency(currency)
    check_automatic_tax(world, customer, params)
    pending = pending_items(world, customer, currency)
    given: list[Obj] = params.get("invoice_items") or []
    if not pending and not given:
        text = f"No upcoming invoices for customer: '{customer['id']}'"
        raise StripeError(404, text, code="invoice_upcoming_none")
    draft = blank(world, customer, currency)
    try:
        starting_discounts(world, draft, customer, params)
        fill(world, draft, {k: v for k, v in params.items() if k in {"discounts", AUTO}})
        for item in pending:
            invoice_lines.line_for(world, draft, item, {})
        for row in given:
            invoice_lines.check_line(draft, row, "invoice_items")
            invoice_lines.new_line(world, draft, row)
        refresh(world, draft)
        shown = world.wire.frozen(draft)
    finally:
        forget(world, draft, pending)
    return shown | {"id": f"upcoming_{shown['id']}"}


AUTO = "automatic_tax"


def pending_items(world: World, customer: Obj, currency: str) -> list[Obj]:
    """What would come onto the customer's next invoice."""
    rows = world.tables["invoiceitem"].where("customer", customer["id"])
    return [row for row in rows if row["invoice"] is None and row["currency"] == currency]


def forget(world: World, draft: Obj, pending: list[Obj]) -> None:
    """Takes out everything that the preview stored."""
    kept = {item["id"] for item in pending}
    for line in lines_of(world, draft):
        key = invoice_lines.item_of(world, line)["id"]
        if key not in kept:
            world.tables["invoiceitem"].remove(key)
        world.tables["line_item"].remove(line["id"])
    world.tables["invoice"].remove(draft["id"])


def credit_note_lines(world: World, call: Call) -> Obj:
    """GET /v1/credit_notes/preview/lines: the lines that a credit note would have."""
    note = credit_notes.creditable(world, call.params)
    draft = credit_notes.drafted(world, note, call.params)
    limit = checked_limit(call.params)
    return {
        "object": "list",
        "data": draft.lines[:limit],
        "has_more": len(draft.lines) > limit,
        "url": call.path,
    }


ROUTES: Routes = {
    "POST /v1/invoices/create_preview": invoice,
    "GET /v1/credit_notes/preview/lines": credit_note_lines,
}
