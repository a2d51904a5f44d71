"""Invoice items: put straight onto a draft, or pending until an invoice takes them."""

from ml_sandbox.stripe import customers
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, required
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.invoice_lines import (
    change_line,
    check_line,
    draft,
    edited,
    item_of,
    line_for,
    new_item,
    room_for,
)
from ml_sandbox.stripe.invoice_totals import lines_of
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def create(world: World, call: Call) -> Obj:
    """POST /v1/invoiceitems: pending, or straight onto a draft."""
    params = call.params
    invoice = draft(world, params["invoice"], "invoice", 400) if "invoice" in params else None
    key: str = params.get("customer") or (invoice["customer"] if invoice else "")
    if not key:
        raise required("customer")
    customer = customers.living(world, key)
    currency = item_currency(customer, invoice, params)
    world.money.check_currency(currency)
    if invoice is not None:
        if invoice["customer"] != key:
            raise bad("The invoice belongs to another customer.", "invoice")
        room_for(world, invoice, 1)
    else:
        check_combination(world, customer, currency)
    check_line(invoice or {**NO_INVOICE, "currency": currency}, params, "item")
    item = new_item(world, key, currency, params, invoice["id"] if invoice else None)
    emit(world, "invoiceitem.created", item)
    if invoice is not None:
        line_for(world, invoice, item, params)
        edited(world, invoice, {})
    return item


NO_INVOICE: Obj = {"default_tax_rates": [], "automatic_tax": {"enabled": False}}


def item_currency(customer: Obj, invoice: Obj | None, params: Obj) -> str:
    """The currency of a new item: given, the invoice's, or the customer's."""
    price = params.get("price_data", {})
    given = params.get("currency") or price.get("currency")
    if given:
        return str(given).lower()
    return str(invoice["currency"] if invoice else customer["currency"] or "usd")


def check_combination(world: World, customer: Obj, currency: str) -> None:
    """Pending items of one customer share one currency."""
    for other in world.tables["invoiceitem"].where("customer", customer["id"]):
        if other["invoice"] is None and other["currency"] != currency:
            raise bad(
                "You cannot combine currencies on a single customer. This customer has an active "
                f"subscription, subscription schedule, discount, quote, or invoice item with "
                f"currency {other['currency']}",
                "currency",
            )


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/invoiceitems/{invoiceitem}."""
    return world.get("invoiceitem", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/invoiceitems: by customer, invoice, pending."""
    wanted = {k: call.params[k] for k in ("customer", "invoice") if k in call.params}
    pending = call.params.get("pending")

    def keep(item: Obj) -> bool:
        fits = all(item[name] == value for name, value in wanted.items())
        return fits and (pending is None or (item["invoice"] is None) == pending)

    return page(call, world.tables["invoiceitem"], keep=keep)


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/invoiceitems/{invoiceitem}: pending, or on a draft."""
    item = world.get("invoiceitem", call.id)
    if item["invoice"] is not None:
        invoice = draft(world, item["invoice"])
        for line in lines_of(world, invoice):
            if item_of(world, line) is item:
                world.tables["line_item"].remove(line["id"])
        edited(world, invoice, {})
    world.tables["invoiceitem"].remove(item["id"])
    emit(world, "invoiceitem.deleted", item)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}


def update(world: World, call: Call) -> Obj:
    """POST /v1/invoiceitems/{invoiceitem}: pending, or on a draft."""
    item = world.get("invoiceitem", call.id)
    if item["invoice"] is None:
        apply(item, call.params, ("amount", "description", "discountable", "period"))
        merge_metadata(item, call.params)
        return item
    invoice = draft(world, item["invoice"])
    check_line(invoice, call.params, "item")
    for line in lines_of(world, invoice):
        if item_of(world, line) is item:
            change_line(world, invoice, line, call.params)
    merge_metadata(item, call.params)
    edited(world, invoice, {})
    return item


ROUTES: Routes = {
    "POST /v1/invoiceitems": create,
    "GET /v1/invoiceitems": listed,
    "GET /v1/invoiceitems/{invoiceitem}": fetch,
    "POST /v1/invoiceitems/{invoiceitem}": update,
    "DELETE /v1/invoiceitems/{invoiceitem}": delete,
}
