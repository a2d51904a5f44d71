"""The cash balance of customers: bank transfers received, and put onto payments."""

from ml_sandbox.stripe import charges, customers, intents
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.cards import Card
from ml_sandbox.stripe.errors import bad, missing
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.payments import succeed
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

KIND = "customer_cash_balance_transaction"
TRANSFER = Card("000123456789", bank="succeeded")


def shown(world: World, customer: Obj) -> Obj:
    """The cash balance object of a customer."""
    held = {c: n for (owner, c), n in world.notes.cash.items() if owner == customer["id"] and n}
    mode = world.notes.modes.get(customer["id"])
    return {
        "object": "cash_balance",
        "available": held or None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {
            "reconciliation_mode": mode or "automatic",
            "using_merchant_default": mode is None,
        },
    }


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/cash_balance."""
    return shown(world, customers.living(world, call.id, "customer", 404))


def update(world: World, call: Call) -> Obj:
    """POST /v1/customers/{customer}/cash_balance: how transfers are matched."""
    customer = customers.living(world, call.id, "customer", 404)
    mode = call.params.get("settings", {}).get("reconciliation_mode")
    if mode == "merchant_default":
        world.notes.modes.pop(customer["id"], None)
    elif mode is not None:
        world.notes.modes[customer["id"]] = mode
    return shown(world, customer)


def fund(world: World, call: Call) -> Obj:
    """POST /v1/test_helpers/customers/{customer}/fund_cash_balance: a bank transfer arrives."""
    customer = customers.living(world, call.id, "customer", 404)
    amount, currency = call.params["amount"], call.params["currency"].lower()
    world.money.check_currency(currency)
    if amount < 1:
        raise bad("This value must be greater than or equal to 1.", "amount")
    reference = call.params.get("reference") or world.ids.capitals(12)
    transfer: Obj = {"reference": reference, "type": f"{currency[:2]}_bank_transfer"}
    row = move(world, customer, amount, currency, "funded", funded={"bank_transfer": transfer})
    emit(world, "cash_balance.funds_available", shown(world, customer))
    if world.notes.modes.get(customer["id"]) != "manual":
        reconcile(world, customer, currency)
    return row


def move(
    world: World, customer: Obj, amount: int, currency: str, kind: str, **details: object
) -> Obj:
    """Changes what is held and records it; `details` is the hash that belongs to the kind."""
    key = (customer["id"], currency)
    world.notes.cash[key] = world.notes.cash.get(key, 0) + amount
    row = world.new(
        KIND,
        "ccsbtxn",
        currency=currency,
        customer=customer["id"],
        ending_balance=world.notes.cash[key],
        net_amount=amount,
        type=kind,
        **details,
    )
    emit(world, f"{KIND}.created", row)
    return row


def reconcile(world: World, customer: Obj, currency: str) -> None:
    """Puts what is held onto the customer's open bank-transfer payments, oldest first."""
    for intent in world.tables["payment_intent"].where("customer", customer["id"]):
        wanted = "customer_balance" in intent["payment_method_types"]
        if wanted and intent["status"] in intents.UNFINISHED and intent["currency"] == currency:
            held = world.notes.cash.get((customer["id"], currency), 0)
            if held >= intent["amount"]:
                pay(world, customer, intent)


def pay(world: World, customer: Obj, intent: Obj) -> None:
    """Pays an intent out of the cash balance."""
    move(
        world,
        customer,
        -intent["amount"],
        intent["currency"],
        "applied_to_payment",
        applied_to_payment={"payment_intent": intent["id"]},
    )
    charge = charges.make(world, intent, TRANSFER, "", "succeeded")
    charge["payment_method"] = None
    charge["payment_method_details"] = {"customer_balance": {}, "type": "customer_balance"}
    intent["next_action"] = None
    succeed(world, intent, charge, TRANSFER)


def apply_balance(world: World, call: Call) -> Obj:
    """POST /v1/payment_intents/{intent}/apply_customer_balance: the whole amount or nothing."""
    intent = world.get("payment_intent", call.id, "intent")
    if intent["customer"] is None or "customer_balance" not in intent["payment_method_types"]:
        text = "This PaymentIntent does not accept the customer_balance payment method."
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    if intent["status"] not in intents.UNFINISHED:
        text = f"This PaymentIntent has a status of {intent['status']}."
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    customer = customers.living(world, intent["customer"])
    held = world.notes.cash.get((customer["id"], intent["currency"]), 0)
    if call.params.get("amount", intent["amount"]) != intent["amount"] or held < intent["amount"]:
        text = f"The customer's cash balance ({held}) does not cover the payment."
        raise bad(text, "amount", "balance_insufficient")
    pay(world, customer, intent)
    return intent


def rows(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/cash_balance_transactions."""
    world.get("customer", call.id, "customer")
    table = world.tables[KIND]
    return page(call, table, table.ids("customer", call.id))


def row(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/cash_balance_transactions/{transaction}."""
    found = world.get(KIND, call.ids[1], "transaction")
    if found["customer"] != call.id:
        raise missing(KIND, call.ids[1], "transaction")
    return found


ROUTES: Routes = {
    "GET /v1/customers/{customer}/cash_balance": fetch,
    "POST /v1/customers/{customer}/cash_balance": update,
    "GET /v1/customers/{customer}/cash_balance_transactions": rows,
    "GET /v1/customers/{customer}/cash_balance_transactions/{transaction}": row,
    "POST /v1/test_helpers/customers/{customer}/fund_cash_balance": fund,
    "POST /v1/payment_intents/{intent}/apply_customer_balance": apply_balance,
}
