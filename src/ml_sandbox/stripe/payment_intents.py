"""PaymentIntents over the API: create, confirm, cancel, list; outside or inside invoicing."""

from ml_sandbox.stripe import customers, intents, payments
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, bad
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

MOST_UPDATES = 1000
TEXTS = (
    "description", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip


def create(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents; with `confirm` it is charged at once."""
    params = call.params
    currency = params["currency"].lower()
    world.money.check_amount(params["amount"], currency)
    if "customer" in params:
        customers.living(world, params["customer"])
    more: Obj = {name: params[name] for name in TEXTS if params.get(name)}
    if "capture_method" in params:
        more["capture_method"] = params["capture_method"]
    if params.get("automatic_payment_methods", {}).get("enabled"):
        more["automatic_payment_methods"] = {"allow_redirects": "always", "enabled": True}
    more |= options(params)
    metadata: Obj = {"metadata": {}}
    merge_metadata(metadata, params)
    intent = intents.make(
        world, params["amount"], currency, params.get("customer"), **more, **metadata
    )
    if params.get("payment_method"):
        method, _ = payments.chosen_method(world, params["payment_method"], intent["customer"])
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    if params.get("confirm"):
        charge(world, intent)
    return intent


def options(params: Obj) -> Obj:
    """The options per payment method type, and the types they make possible."""
    given: Obj = params.get("payment_method_options") or {}
    kinds = [params.get("payment_method_data", {}).get("type"), *given]
    types = list(dict.fromkeys(["card", *(k for k in kinds if k)]))
    card: Obj = {**intents.CARD_OPTIONS, **(given.get("card") or {})}
    rest = {kind: row for kind, row in given.items() if kind != "card"}
    return {"payment_method_options": {"card": card, **rest}, "payment_method_types": types}


def charge(world: World, intent: Obj) -> None:
    """Charges an intent with its payment method; raises the 402 of a decline."""
    if intent["payment_method"] is None:
        text = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken."
        )
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    method, card = payments.chosen_method(world, intent["payment_method"], intent["customer"])
    made = payments.attempt(world, intent, method, card)
    if made is not None and made["status"] == "failed":
        raise payments.decline_error(world, intent, made)


def confirm(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/confirm."""
    intent = world.get("payment_intent", call.id, "intent")
    given = call.params.get("payment_method")
    if given:
        if intent["status"] not in intents.UNFINISHED:
            raise unexpected(intent, "confirmed")
        method, _ = payments.chosen_method(world, given, intent["customer"])
        intent["payment_method"] = method["id"]
    apply(intent, call.params, ("receipt_email", "setup_future_usage"))
    charge(world, intent)
    return intent


def unexpected(intent: Obj, what: str) -> Exception:
    """The intent's state does not allow an action."""
    text = f"This PaymentIntent could not be {what} because it has a status of {intent['status']}. "
    return bad(text, code="payment_intent_unexpected_state", payment_intent=intent)


def cancel(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/cancel: not the default one of an invoice."""
    intent = world.get("payment_intent", call.id, "intent")
    if intent["status"] not in intents.UNFINISHED:
        raise unexpected(intent, "canceled")
    payment = intents.payment_of(world, intent)
    if payment is not None and payment["is_default"]:
        text = "You cannot cancel the PaymentIntent of an invoice. Void the invoice instead."
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    intents.cancel(world, intent, call.params.get("cancellation_reason"))
    return intent


def count_update(world: World, intent: Obj) -> None:
    """At most a thousand updates of one intent within an hour; StripeError (429) beyond."""
    hour_ago = world.now() - 3600
    recent = [t for t in world.notes.updates.get(intent["id"], []) if t > hour_ago]
    if len(recent) >= MOST_UPDATES:
        text = "This PaymentIntent was updated too often within an hour."
        code = "payment_intent_rate_limit_exceeded"
        headers = {"Stripe-Rate-Limited-Reason": "resource-specific"}
        raise StripeError(429, text, code=code, headers=headers, stored=False)
    world.notes.updates[intent["id"]] = [*recent, world.now()]


def update(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}."""
    intent, params = world.get("payment_intent", call.id, "intent"), call.params
    count_update(world, intent)
    payment = intents.payment_of(world, intent)
    if "amount" in params:
        if intent["status"] not in intents.UNFINISHED or (payment and payment["is_default"]):
            raise unexpected(intent, "updated")
        world.money.check_amount(params["amount"], intent["currency"])
        intent["amount"] = params["amount"]
    if params.get("payment_method"):
        method, _ = payments.chosen_method(world, params["payment_method"], intent["customer"])
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    apply(intent, params, TEXTS)
    merge_metadata(intent, params)
    world.changed(intent)
    return intent


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/payment_intents/{intent}."""
    return world.get("payment_intent", call.id, "intent")


def listed(world: World, call: Call) -> Obj:
    """GET /v1/payment_intents: by customer."""
    table, customer = world.tables["payment_intent"], call.params.get("customer")
    return page(call, table, None if customer is None else table.ids("customer", customer))


def verify(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/verify_microdeposits: 32 and 45, or SM11AA, are right."""
    intent, params = world.get("payment_intent", call.id, "intent"), call.params
    start = world.notes.suspended.get(intent["id"])
    if start is None or intent["status"] != "requires_action":
        raise unexpected(intent, "verified")
    right = params.get("amounts") == [32, 45] or params.get("descriptor_code") == "SM11AA"
    if not right:
        text = "The amounts provided do not match the amounts that were sent to the bank account."
        raise bad(text, "amounts", "payment_method_microdeposit_verification_amounts_mismatch")
    del world.notes.suspended[intent["id"]]
    start()
    return intent


ROUTES: Routes = {
    "POST /v1/payment_intents": create,
    "GET /v1/payment_intents": listed,
    "GET /v1/payment_intents/{intent}": fetch,
    "POST /v1/payment_intents/{intent}": update,
    "POST /v1/payment_intents/{intent}/confirm": confirm,
    "POST /v1/payment_intents/{intent}/cancel": cancel,
    "POST /v1/payment_intents/{intent}/verify_microdeposits": verify,
}
