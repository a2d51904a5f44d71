"""Lines of draft invoices: added with the caller's own tax amounts, changed, removed, listed."""

from decimal import ROUND_HALF_UP, Decimal

from ml_sandbox.stripe import catalog, coupons, tax_rates
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, bad, missing, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.invoice_totals import lines_of, refresh
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.money import check_divisible, too_large
from ml_sandbox.stripe.texts import merge_metadata, plain, words
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

MOST_LINES = 250
MOST_TAXES = 20


def draft(world: World, key: str, param: str = "invoice", status: int = 404) -> Obj:
    """An invoice that can still be edited; raises StripeError otherwise."""
    invoice = world.get("invoice", key, param, status)
    if invoice["status"] != "draft":
        raise not_editable()
    return invoice


def not_editable() -> StripeError:
    """The invoice is no draft any more."""
    text = "This invoice is no longer editable"
    return bad(text, code="invoice_not_editable")


def add_lines(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/add_lines: all or nothing."""
    invoice = draft(world, call.id)
    rows: list[Obj] = call.params["lines"]
    room_for(world, invoice, len(rows))
    for i, row in enumerate(rows):
        check_line(invoice, row, f"lines[{i}]")
    for row in rows:
        if "invoice_item" in row:
            assign_pending(world, invoice, row)
        else:
            new_line(world, invoice, row)
    return edited(world, invoice, call.params)


def room_for(world: World, invoice: Obj, more: int) -> None:
    """At most 250 lines on an invoice."""
    if len(lines_of(world, invoice)) + more > MOST_LINES:
        text = f"The maximum number of items on an invoice is {MOST_LINES}."
        raise bad(text, "lines", "invoice_not_editable" if more == 0 else None)


def edited(world: World, invoice: Obj, params: Obj) -> Obj:
    """Recomputes the draft after its lines changed and announces it."""
    before = world.wire.frozen(invoice)
    merge_metadata(invoice, params, "invoice_metadata")
    refresh(world, invoice)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    return invoice


def check_line(invoice: Obj, row: Obj, name: str) -> None:
    """Which parameters exclude each other; raises StripeError before anything is stored."""
    if "amount" in row and "pricing" in row:
        text = "You may only specify one of these parameters: amount, pricing."
        raise bad(text, f"{name}[amount]", "parameters_exclusive")
    if "amount" in row and ("price_data" in row or "unit_amount_decimal" in row):
        text = "You may only specify one of these parameters: amount, price_data."
        raise bad(text, f"{name}[amount]", "parameters_exclusive")
    if "quantity" in row and "quantity_decimal" in row:
        text = "You may only specify one of these parameters: quantity, quantity_decimal."
        raise bad(text, f"{name}[quantity]", "parameters_exclusive")
    check_quantity(row, name)
    check_taxes(invoice, row, name)
    check_currency(invoice, row, name)


def check_quantity(row: Obj, name: str) -> None:
    """Quantities are not negative; decimal ones have at most twelve places."""
    if row.get("quantity", 0) < 0:
        raise bad("This value must be greater than or equal to 0.", f"{name}[quantity]")
    quantity = row.get("quantity_decimal")
    if quantity is not None and (quantity < 0 or quantity != round(quantity, 12)):
        text = "Invalid decimal: non-negative with up to 12 decimal places."
        raise bad(text, f"{name}[quantity_decimal]")


def check_currency(invoice: Obj, row: Obj, name: str) -> None:
    """A line has the invoice's currency and an amount that its currency allows."""
    given = row.get("price_data", row).get("currency")
    if given is not None and given.lower() != invoice["currency"]:
        text = (
            f"The currency of the invoice item ({given.lower()}) must match the currency of the "
            f"invoice ({invoice['currency']})."
        )
        raise bad(text, f"{name}[currency]")
    if "amount" in row:
        check_divisible(row["amount"], invoice["currency"], f"{name}[amount]")
        if too_large(abs(row["amount"]), invoice["currency"]):
            raise bad("Amount is too large.", f"{name}[amount]", "amount_too_large")


def check_taxes(invoice: Obj, row: Obj, name: str) -> None:
    """The caller's own tax amounts exclude rates and automatic tax."""
    amounts = row.get("tax_amounts")
    if not amounts:
        return
    if row.get("tax_rates") or invoice["default_tax_rates"] or invoice["automatic_tax"]["enabled"]:
        text = (
            "You cannot specify tax_amounts when tax_rates, default_tax_rates or automatic tax are "
            "in use on the invoice."
        )
        raise bad(text, f"{name}[tax_amounts]")
    if len(amounts) > MOST_TAXES:
        raise bad(f"You may pass at most {MOST_TAXES} tax_amounts.", f"{name}[tax_amounts]")


def new_line(world: World, invoice: Obj, row: Obj) -> Obj:
    """Stores a line and the invoice item behind it."""
    item = new_item(world, invoice["customer"], invoice["currency"], row, invoice["id"])
    return line_for(world, invoice, item, row)


def new_item(world: World, customer: str, currency: str, row: Obj, invoice_id: str | None) -> Obj:
    """Stores an invoice item; the amount is given or quantity times unit amount."""
    price: Obj = priced(world, row, currency)
    quantity, unit = quantity_of(row), unit_of(price)
    amount = row["amount"] if "amount" in row else times(quantity, unit)
    period = row.get("period") or {"end": world.now(), "start": world.now()}
    item = world.new(
        "invoiceitem",
        "ii",
        amount=amount,
        currency=currency,
        customer=customer,
        date=world.now(),
        description=description_of(row) or price.get("name"),
        discountable=row.get("discountable", amount >= 0),
        discounts=[],
        invoice=invoice_id,
        net_amount=None if row.get("discountable", amount >= 0) else amount,
        period={"end": period["end"], "start": period["start"]},
        pricing={
            "price_details": {
                "price": price.get("price") or world.ids.new("price"),
                "product": price.get("product") or world.ids.new("prod"),
            },
            "type": "price_details",
            "unit_amount_decimal": plain(Decimal(amount) if "amount" in row else unit),
        },
        proration=False,
        quantity=int(quantity),
        quantity_decimal=plain(quantity),
        tax_rates=[world.get("tax_rate", k, "tax_rates", 400) for k in words(row, "tax_rates")],
    )
    item["discounts"] = line_discounts(world, row, item)
    merge_metadata(item, row)
    return item


def line_discounts(world: World, row: Obj, item: Obj) -> list[str]:
    """The discounts that a line brings with it."""
    customer, invoice = item["customer"], item["invoice"]
    return coupons.of_rows(world, row.get("discounts"), customer, invoice, "discounts")


def priced(world: World, row: Obj, currency: str) -> Obj:
    """Where a line's unit amount comes from: a stored price, its own price data, or itself."""
    key = row.get("pricing", {}).get("price") or row.get("price")
    if key:
        price = catalog.sold(world, key, currency, "pricing[price]")
        product = world.get("product", price["product"])
        unit = Decimal(price["unit_amount_decimal"])
        names = {"price": key, "product": product["id"], "name": product["name"]}
        return {**names, "unit_amount_decimal": unit}
    data: Obj | None = row.get("price_data")
    if data is None:
        return row
    if "product_data" in data:
        product = catalog.new_product(world, data["product_data"])
        return {**data, "product": product["id"], "name": product["name"]}
    if "product" not in data:
        raise required("price_data[product]")
    product = world.get("product", data["product"], "price_data[product]", 400)
    return {**data, "name": product["name"]}


def description_of(row: Obj) -> str | None:
    """A line's own text, or the name of its product."""
    product = row.get("price_data", {}).get("product_data", {})
    return row.get("description") or product.get("name")


def quantity_of(row: Obj) -> Decimal:
    """The quantity, 1 when none is given."""
    return row.get("quantity_decimal", Decimal(row.get("quantity", 1)))


def unit_of(row: Obj) -> Decimal:
    """The unit amount in minor units; a line needs it or an amount."""
    price: Obj = row.get("price_data", row)
    if "unit_amount_decimal" in price:
        return price["unit_amount_decimal"]
    if "unit_amount" in price:
        return Decimal(price["unit_amount"])
    if "amount" not in row:
        raise required("amount")
    return Decimal(row["amount"])


def times(quantity: Decimal, unit: Decimal) -> int:
    """Quantity times unit amount, rounded half up to a minor unit."""
    return int((quantity * unit).quantize(Decimal(1), ROUND_HALF_UP))


def line_for(world: World, invoice: Obj, item: Obj, row: Obj) -> Obj:
    """Stores the line that shows an invoice item on an invoice."""
    return world.new(
        "line_item",
        "il",
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discount_amounts=[],
        discountable=item["discountable"],
        discounts=list(item["discounts"]),
        invoice=invoice["id"],
        metadata=dict(item["metadata"]),
        parent={
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        period=item["period"],
        pretax_credit_amounts=[],
        pricing=item["pricing"],
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        subtotal=item["amount"],
        taxes=taxes_of(world, invoice, item, row),
    )


def taxes_of(world: World, invoice: Obj, item: Obj, row: Obj) -> list[Obj]:
    """The caller's amounts, or computed from the line's or the invoice's rates."""
    if row.get("tax_amounts"):
        return tax_rates.given_taxes(world, row["tax_amounts"])
    rates = item["tax_rates"] or invoice["default_tax_rates"]
    return tax_rates.computed_taxes(world, item["amount"], [rate["id"] for rate in rates])


def assign_pending(world: World, invoice: Obj, row: Obj) -> Obj:
    """Puts a pending invoice item onto the invoice."""
    item = world.get("invoiceitem", row["invoice_item"], "invoice_item", 400)
    if item["invoice"] is not None or item["customer"] != invoice["customer"]:
        raise bad("This invoice item cannot be added to this invoice.", "invoice_item")
    item["invoice"] = invoice["id"]
    return line_for(world, invoice, item, row)


def update_lines(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/update_lines."""
    invoice = draft(world, call.id)
    rows: list[Obj] = call.params["lines"]
    lines = [own_line(world, invoice, row["id"]) for row in rows]
    for i, row in enumerate(rows):
        check_line(invoice, row, f"lines[{i}]")
    for line, row in zip(lines, rows, strict=True):
        change_line(world, invoice, line, row)
    return edited(world, invoice, call.params)


def update_line(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/lines/{line_item_id}."""
    invoice = draft(world, call.id)
    line = own_line(world, invoice, call.ids[1])
    check_line(invoice, call.params, "line")
    change_line(world, invoice, line, call.params)
    edited(world, invoice, {})
    return line


def own_line(world: World, invoice: Obj, key: str) -> Obj:
    """A line that belongs to this invoice."""
    line = world.get("line_item", key, "lines", 400)
    if line["invoice"] != invoice["id"]:
        raise missing("line_item", key, "lines", 400)
    return line


def change_line(world: World, invoice: Obj, line: Obj, row: Obj) -> None:
    """Applies given parameters to a line and the item behind it."""
    item = item_of(world, line)
    if "discounts" in row:
        line["discounts"] = item["discounts"] = line_discounts(world, row, item)
    if "pricing" in row:
        row = {**row, "price_data": priced(world, row, line["currency"])}
    if "amount" in row or "price_data" in row or "quantity" in row or "quantity_decimal" in row:
        amount = row.get("amount", line["amount"])
        if "price_data" in row:
            amount = times(quantity_of(row), unit_of(row))
        line["amount"] = line["subtotal"] = item["amount"] = amount
        line["quantity"] = item["quantity"] = int(quantity_of(row))
        line["quantity_decimal"] = item["quantity_decimal"] = plain(quantity_of(row))
    for name in ("description", "discountable", "period"):
        if name in row:
            line[name] = item[name] = row[name] or None
    merge_metadata(line, row)
    if "tax_amounts" in row:
        line["taxes"] = tax_rates.given_taxes(world, row["tax_amounts"] or [])
        item["tax_rates"] = []
    elif "tax_rates" in row:
        rates = [world.get("tax_rate", k, "tax_rates", 400) for k in words(row, "tax_rates")]
        line["taxes"], item["tax_rates"] = [], rates
    elif item["tax_rates"] or invoice["default_tax_rates"]:
        line["taxes"] = taxes_of(world, invoice, item, {})


def item_of(world: World, line: Obj) -> Obj:
    """The invoice item behind a line."""
    key: str = line["parent"]["invoice_item_details"]["invoice_item"]
    return world.get("invoiceitem", key)


def remove_lines(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/remove_lines: deletes, or gives the item back as pending."""
    invoice = draft(world, call.id)
    rows: list[Obj] = call.params["lines"]
    lines = [own_line(world, invoice, row["id"]) for row in rows]
    for line, row in zip(lines, rows, strict=True):
        item = item_of(world, line)
        if row["behavior"] == "unassign":
            item["invoice"] = None
        else:
            world.tables["invoiceitem"].remove(item["id"])
        world.tables["line_item"].remove(line["id"])
    return edited(world, invoice, call.params)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/invoices/{invoice}/lines: in the order of the invoice."""
    world.get("invoice", call.id, "invoice")
    table = world.tables["line_item"]
    ids = table.ids("invoice", call.id)
    return page(call, table, ids, oldest_first=True)


ROUTES: Routes = {
    "POST /v1/invoices/{invoice}/add_lines": add_lines,
    "POST /v1/invoices/{invoice}/update_lines": update_lines,
    "POST /v1/invoices/{invoice}/remove_lines": remove_lines,
    "POST /v1/invoices/{invoice}/lines/{line_item_id}": update_line,
    "GET /v1/invoices/{invoice}/lines": listed,
}
