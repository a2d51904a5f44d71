"""PaymentIntents as records: made, re-priced and cancelled, with the invoice payment they serve."""

from ml_sandbox.stripe import charges
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

UNFINISHED = frozenset(
    ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"]
)


def make(world: World, amount: int, currency: str, customer: str | None, **more: object) -> Obj:
    """Stores a PaymentIntent that waits for a payment method and announces it."""
    key = world.ids.new("pi")
    values: Obj = {
        "id": key,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async" if world.switches.async_capture else "automatic",
        "client_secret": f"{key}_secret_{world.ids.text(25)}",
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": customer,
        "payment_method_options": {"card": CARD_OPTIONS},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }
    intent = world.new("payment_intent", "pi", **{**values, **more})
    emit(world, "payment_intent.created", intent)
    return intent


CARD_OPTIONS: Obj = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}


def payment_of(world: World, intent: Obj) -> Obj | None:
    """The invoice payment that this intent pays, or None outside invoicing."""
    rows = world.tables["invoice_payment"].where("payment.payment_intent", intent["id"])
    return rows[0] if rows else None


def cancel(world: World, intent: Obj, reason: str | None) -> None:
    """Cancels an unfinished intent, lets go what it holds, and the invoice payment it served."""
    if intent["status"] == "requires_capture":
        charge = world.get("charge", intent["latest_charge"])
        charges.release(world, charge, charge["amount"], None)
        intent["amount_capturable"] = 0
    intent["status"] = "canceled"
    intent["canceled_at"] = world.now()
    intent["cancellation_reason"] = reason
    payment = payment_of(world, intent)
    if payment is not None and payment["status"] == "open":
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now()
    emit(world, "payment_intent.canceled", intent)


def reprice(world: World, intent: Obj, amount: int) -> None:
    """Makes an unfinished intent ask for another amount."""
    before = world.wire.frozen(intent)
    intent["amount"] = amount
    if changes(world, before, intent):
        world.changed(intent)
