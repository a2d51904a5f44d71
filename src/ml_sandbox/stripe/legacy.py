"""The shapes of before March 2025, to prove that receivers do not trust event bodies."""

from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

LEGACY_VERSION = "2024-06-20"
GONE = ("parent", "total_taxes", "amount_overpaid", "payments", "confirmation_secret")


def legacy_event(world: World, event: Obj) -> Obj:
    """The event as an endpoint of an old version would get it."""
    inner: Obj = event["data"]["object"]
    kind = inner.get("object")
    if kind == "invoice":
        inner = legacy_invoice(world, inner)
    elif kind in {"charge", "payment_intent"}:
        inner = {**inner, "invoice": invoice_of(world, inner)}
    return {**event, "api_version": LEGACY_VERSION, "data": {**event["data"], "object": inner}}


def legacy_invoice(world: World, invoice: Obj) -> Obj:
    """An invoice with charge, payment_intent, paid and tax, without the newer fields."""
    rows = world.tables["invoice_payment"].where("invoice", invoice["id"])
    keys = [row["payment"]["payment_intent"] for row in rows if row["payment"]["payment_intent"]]
    intent = world.find(keys[0]) if keys else None
    old = {name: value for name, value in invoice.items() if name not in GONE}
    return old | {
        "charge": intent and intent["latest_charge"],
        "payment_intent": intent and intent["id"],
        "paid": invoice["status"] == "paid",
        "paid_out_of_band": bool(invoice.get("amount_paid_off_stripe")),
        "tax": sum(tax["amount"] for tax in invoice["total_taxes"]),
        "quote": None,
        "subscription": None,
        "total_tax_amounts": [],
    }


def invoice_of(world: World, obj: Obj) -> str | None:
    """The invoice that a charge or intent pays."""
    key = obj["id"] if obj["object"] == "payment_intent" else obj["payment_intent"]
    rows = world.tables["invoice_payment"].where("payment.payment_intent", key)
    return rows[0]["invoice"] if rows else None
