"""Payment methods: made from test cards and accounts, attached to customers, changed, detached."""

from ml_sandbox.stripe import customers, payments
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.cards import card_of
from ml_sandbox.stripe.errors import StripeError, bad, missing, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def create(world: World, call: Call) -> Obj:
    """POST /v1/payment_methods: a card by token or number, or a bank account by number."""
    params = call.params
    kind = params.get("type")
    if kind is None:
        raise required("type")
    given: Obj = params.get(kind) or {}
    name = {"card": "token", "us_bank_account": "account_number"}.get(kind)
    if name is None:
        raise bad(f"The payment method type {kind} is not enabled for this account.", "type")
    if "token" not in given and kind == "card":
        name = "number"
    number = given.get(name)
    if number is None:
        raise required(f"{kind}[{name}]")
    card = card_of(number)
    if card is None or (card.bank is not None) != (kind == "us_bank_account"):
        raise unknown_number(kind, number)
    method = payments.method_for(world, card, None)
    payments.with_details(world, method, params)
    return method


def unknown_number(kind: str, number: str) -> StripeError:
    """No test card or account has this number."""
    if number.startswith("tok_"):
        raise missing("token", number, "card[token]", 400)
    text = "Your card number is incorrect."
    if kind == "card":
        return StripeError(402, text, kind="card_error", code="incorrect_number", param="number")
    return bad("Invalid account number.", "us_bank_account[account_number]", "account_invalid")


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/payment_methods/{payment_method}."""
    return world.get("payment_method", call.id, "payment_method")


def update(world: World, call: Call) -> Obj:
    """POST /v1/payment_methods/{payment_method}."""
    method = world.get("payment_method", call.id, "payment_method")
    before = world.wire.frozen(method)
    payments.with_details(world, method, call.params)
    for name in ("exp_month", "exp_year"):
        if name in call.params.get("card", {}) and "card" in method:
            method["card"][name] = call.params["card"][name]
    for name in ("account_holder_type", "account_type"):
        if name in call.params.get("us_bank_account", {}) and "us_bank_account" in method:
            method["us_bank_account"][name] = call.params["us_bank_account"][name]
    if former := changes(world, before, method):
        emit(world, "payment_method.updated", method, former)
    return method


def attach(world: World, call: Call) -> Obj:
    """POST /v1/payment_methods/{payment_method}/attach: also by a pm_card_... name."""
    if "customer" not in call.params:
        raise required("customer")
    customer = customers.living(world, call.params["customer"])
    method, _ = payments.chosen_method(world, call.id, customer["id"])
    method["customer"] = customer["id"]
    emit(world, "payment_method.attached", method)
    return method


def detach(world: World, call: Call) -> Obj:
    """POST /v1/payment_methods/{payment_method}/detach: it also stops being a default."""
    method = world.get("payment_method", call.id, "payment_method")
    owner = method["customer"]
    if owner is None:
        text = "The payment method you provided is not attached to a customer so detachment is "
        raise bad(text + "impossible.", "payment_method")
    method["customer"] = None
    customer = world.find(owner) or {}
    settings: Obj = customer.get("invoice_settings", {})
    if settings.get("default_payment_method") == method["id"]:
        settings["default_payment_method"] = None
    emit(world, "payment_method.detached", method, {"customer": owner})
    return method


def listed(world: World, call: Call) -> Obj:
    """GET /v1/payment_methods: by customer, type."""
    return of_customer(world, call, call.params.get("customer"))


def listed_of(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/payment_methods."""
    world.get("customer", call.id, "customer")
    return of_customer(world, call, call.id)


def of_customer(world: World, call: Call, owner: str | None) -> Obj:
    """One page of payment methods; without a customer those of nobody are not listed either."""
    kind = call.params.get("type")

    def keep(method: Obj) -> bool:
        owned = method["customer"] is not None and owner in {None, method["customer"]}
        return owned and kind in {None, method["type"]}

    return page(call, world.tables["payment_method"], keep=keep)


def fetch_of(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/payment_methods/{payment_method}."""
    method = world.get("payment_method", call.ids[1], "payment_method")
    if method["customer"] != call.id:
        raise missing("payment_method", call.ids[1], "payment_method")
    return method


ROUTES: Routes = {
    "POST /v1/payment_methods": create,
    "GET /v1/payment_methods": listed,
    "GET /v1/payment_methods/{payment_method}": fetch,
    "POST /v1/payment_methods/{payment_method}": update,
    "POST /v1/payment_methods/{payment_method}/attach": attach,
    "POST /v1/payment_methods/{payment_method}/detach": detach,
    "GET /v1/customers/{customer}/payment_methods": listed_of,
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": fetch_of,
}
