"""Manual capture: money is held first and taken later, whole or in part, or let go."""

from ml_sandbox.stripe import charges
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.payments import card_behind, succeed
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def capture_intent(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/capture: at most what is capturable, once."""
    intent, params = world.get("payment_intent", call.id, "intent"), call.params
    if intent["status"] != "requires_capture":
        text = (
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture."
        )
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    charge = world.get("charge", intent["latest_charge"])
    amount = params.get("amount_to_capture", charge["amount"])
    check(charge, amount, "amount_to_capture")
    merge_metadata(intent, params)
    apply(intent, params, ("statement_descriptor", "statement_descriptor_suffix"))
    take(charge, amount)
    intent["amount_capturable"] = 0
    emit(world, "charge.captured", charge)
    succeed(world, intent, charge, card_behind(world, charge), announced=True)
    let_go(world, charge)
    return intent


def check(charge: Obj, amount: int, param: str) -> None:
    """Raises StripeError when this amount of a held charge cannot be taken."""
    if amount < 1:
        raise bad("This value must be greater than or equal to 1.", param)
    if amount > charge["amount"]:
        text = f"The amount to capture must not exceed the authorized amount ({charge['amount']})."
        raise bad(text, param, "amount_too_large")


def take(charge: Obj, amount: int) -> None:
    """Marks a charge as captured."""
    charge["captured"] = True
    charge["amount_captured"] = amount


def let_go(world: World, charge: Obj) -> None:
    """Gives back the part that was not captured; its row is booked with the charge."""
    rest = charge["amount"] - charge["amount_captured"]
    if rest:
        refund = charges.release(world, charge, rest, None)
        world.notes.released[charge["id"]] = refund["id"]


def capture_charge(world: World, call: Call) -> Obj:
    """POST /v1/charges/{charge}/capture: only for charges made without an intent."""
    charge, params = world.get("charge", call.id), call.params
    if charge["payment_intent"] is not None:
        text = (
            "This charge belongs to a PaymentIntent; capture it with "
            f"/v1/payment_intents/{charge['payment_intent']}/capture."
        )
        raise bad(text, "charge")
    if charge["captured"]:
        raise bad(f"Charge {charge['id']} has already been captured.", None, CAPTURED)
    if charge["refunded"]:
        text = f"Charge {charge['id']} has been refunded."
        raise bad(text, None, "charge_already_refunded")
    amount = params.get("amount", charge["amount"])
    check(charge, amount, "amount")
    take(charge, amount)
    apply(charge, params, ("receipt_email", "statement_descriptor", "transfer_group"))
    emit(world, "charge.captured", charge)
    let_go(world, charge)
    charges.plan_settlement(world, charge, card_behind(world, charge))
    return charge


CAPTURED = "charge_already_captured"


def increment(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/increment_authorization: holds a greater amount."""
    intent, params = world.get("payment_intent", call.id, "intent"), call.params
    options: Obj = intent["payment_method_options"].get("card") or {}
    allowed = options.get("request_incremental_authorization") == "if_available"
    if intent["status"] != "requires_capture" or not allowed:
        text = "This PaymentIntent is not eligible for an incremental authorization."
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    amount = params.get("amount", 0)
    if amount <= intent["amount"]:
        raise bad("The amount must be greater than the amount already authorized.", "amount")
    world.money.check_amount(amount, intent["currency"])
    charge = world.get("charge", intent["latest_charge"])
    before = world.wire.frozen(charge)
    intent["amount"] = intent["amount_capturable"] = charge["amount"] = amount
    charge["payment_method_details"]["card"]["amount_authorized"] = amount
    apply(intent, params, ("description", "statement_descriptor"))
    merge_metadata(intent, params)
    emit(world, "payment_intent.amount_capturable_updated", intent)
    emit(world, "charge.updated", charge, changes(world, before, charge))
    return intent


ROUTES: Routes = {
    "POST /v1/payment_intents/{intent}/capture": capture_intent,
    "POST /v1/payment_intents/{intent}/increment_authorization": increment,
    "POST /v1/charges/{charge}/capture": capture_charge,
}
