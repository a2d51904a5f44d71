"""The shapes of before March 2025, to prove that receivers do not trust event bodies."""

from collections.abc import Callable, Mapping

from ml_sandbox.stripe.wire import API_VERSION, Obj
from ml_sandbox.stripe.world import World

LEGACY_VERSION = "2024-06-20"
GONE = ("parent", "total_taxes", "amount_overpaid", "payments", "confirmation_secret")


def legacy_event(world: World, event: Obj) -> Obj:
    """The event as an endpoint of an old version would get it."""
    inner: Obj = event["data"]["object"]
    shape = SHAPES.get(inner.get("object", ""))
    if shape is not None and not inner.get("deleted"):
        inner = shape(world, inner)
    claimed = event["api_version"]
    version = LEGACY_VERSION if claimed == API_VERSION else claimed
    return {**event, "api_version": version, "data": {**event["data"], "object": inner}}


def legacy_invoice(world: World, invoice: Obj) -> Obj:
    """An invoice with charge, payment_intent, paid and tax, without the newer fields."""
    rows = world.tables["invoice_payment"].where("invoice", invoice["id"])
    keys = [row["payment"]["payment_intent"] for row in rows if row["payment"]["payment_intent"]]
    intent = world.find(keys[0]) if keys else None
    old = {name: value for name, value in invoice.items() if name not in GONE}
    lines: Obj = invoice["lines"]
    return old | {
        "charge": intent and intent["latest_charge"],
        "discount": None,
        "lines": {**lines, "data": [legacy_line(world, row) for row in lines["data"]]},
        "payment_intent": intent and intent["id"],
        "paid": invoice["status"] == "paid",
        "paid_out_of_band": bool(invoice.get("amount_paid_off_stripe")),
        "tax": sum(tax["amount"] for tax in invoice["total_taxes"]),
        "quote": None,
        "subscription": None,
        "total_tax_amounts": [old_tax(tax) for tax in invoice["total_taxes"]],
    }


def old_tax(tax: Obj) -> Obj:
    """One tax in the former form."""
    return {
        "amount": tax["amount"],
        "inclusive": tax["tax_behavior"] == "inclusive",
        "tax_rate": tax["tax_rate_details"]["tax_rate"],
        "taxability_reason": tax["taxability_reason"],
        "taxable_amount": tax["taxable_amount"],
    }


def legacy_line(_world: World, line: Obj) -> Obj:
    """A line with its price and tax amounts as hashes of their own."""
    gone = {"taxes", "pricing", "parent", "subtotal", "quantity_decimal"}
    old = {name: value for name, value in line.items() if name not in gone}
    amounts = [old_tax(tax) for tax in line["taxes"]]
    return old | {
        "price": old_price(line),
        "tax_amounts": amounts,
        "tax_rates": [],
        "type": "invoiceitem",
    }


def old_price(row: Obj) -> Obj:
    """The price of an item or line as it was embedded."""
    pricing: Obj = row["pricing"]
    return {
        "id": pricing["price_details"]["price"],
        "object": "price",
        "product": pricing["price_details"]["product"],
        "unit_amount_decimal": pricing["unit_amount_decimal"],
    }


def legacy_item(_world: World, item: Obj) -> Obj:
    """An invoice item with price and unit amount."""
    gone = {"pricing", "parent", "quantity_decimal"}
    old = {name: value for name, value in item.items() if name not in gone}
    unit = item["pricing"]["unit_amount_decimal"]
    return old | {"price": old_price(item), "unit_amount_decimal": unit, "subscription": None}


def with_invoice(world: World, obj: Obj) -> Obj:
    """A charge or intent with the invoice that it pays."""
    key = obj["id"] if obj["object"] == "payment_intent" else obj["payment_intent"]
    rows = world.tables["invoice_payment"].where("payment.payment_intent", key or "")
    return {**obj, "invoice": rows[0]["invoice"] if rows else None}


def legacy_charge(world: World, charge: Obj) -> Obj:
    """A charge with its invoice and its list of refunds."""
    rows = list(reversed(world.tables["refund"].where("charge", charge["id"])))
    url = f"/v1/charges/{charge['id']}/refunds"
    refunds = {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}
    return with_invoice(world, charge) | {"refunds": refunds}


def legacy_note(_world: World, note: Obj) -> Obj:
    """A credit note with one refund and the former tax amounts."""
    gone = {"refunds", "total_taxes", "pre_payment_amount", "post_payment_amount"}
    old = {name: value for name, value in note.items() if name not in gone}
    refunds: list[Obj] = note["refunds"]
    return old | {
        "refund": refunds[0]["refund"] if refunds else None,
        "tax_amounts": [old_tax(tax) for tax in note["total_taxes"]],
    }


def legacy_customer(_world: World, customer: Obj) -> Obj:
    """A customer with the lists that were always sent."""
    key = customer["id"]
    nothing: list[Obj] = []
    empty: Obj = {
        name: {
            "object": "list",
            "data": nothing,
            "has_more": False,
            "url": f"/v1/customers/{key}/{n}",
        }
        for name, n in (("sources", "sources"), ("subscriptions", "subscriptions"))
    }
    return {**customer, **empty}


def legacy_refund(_world: World, refund: Obj) -> Obj:
    """A refund without the fields of 2025 and 2026."""
    gone = {"pending_reason", "customer", "customer_account", "payment_method"}
    return {name: value for name, value in refund.items() if name not in gone}


SHAPES: Mapping[str, Callable[[World, Obj], Obj]] = {
    "invoice": legacy_invoice,
    "line_item": legacy_line,
    "invoiceitem": legacy_item,
    "charge": legacy_charge,
    "payment_intent": with_invoice,
    "credit_note": legacy_note,
    "customer": legacy_customer,
    "refund": legacy_refund,
}
