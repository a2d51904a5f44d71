"""Customers: create, update, delete, list; a deleted one still answers with a stub."""

from typing import Any

from ml_sandbox.stripe import customer_balance, payments, tax_numbers
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, missing
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import address, apply, merge_metadata, rows
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

TEXTS = ("description", "email", "name", "phone", "tax_exempt", "next_invoice_sequence")
CLOCK = "test_helpers.test_clock"
ONLY_WHEN_SET = ("business_name", "individual_name")


def create(world: World, call: Call) -> Obj:
    """POST /v1/customers."""
    check_prefix(call.params)
    customer = world.new(
        "customer",
        "cus",
        balance=0,
        delinquent=False,
        invoice_prefix=world.ids.capitals(8),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
        test_clock=clock_of(world, call.params),
    )
    fill(customer, call.params)
    if call.params.get("payment_method"):
        method, _ = payments.chosen_method(world, call.params["payment_method"], customer["id"])
        method["customer"] = customer["id"]
    if call.params.get("source"):
        customer["default_source"] = call.params["source"]
    emit(world, "customer.created", customer)
    for row in rows(call.params, "tax_id_data"):
        tax_numbers.add(world, customer, row["type"], row["value"])
    if opening := call.params.get("balance"):
        customer_balance.move(world, customer, opening, "usd", "initial")
    return customer


def clock_of(world: World, params: Obj) -> str | None:
    """The test clock that a customer lives by; it must exist."""
    key = params.get("test_clock")
    return world.get(CLOCK, key, "test_clock", 400)["id"] if key else None


def check_prefix(params: Obj) -> None:
    """An invoice prefix has 3 to 12 capitals and digits (a looser rule is written, too)."""
    prefix = params.get("invoice_prefix")
    if prefix is None:
        return
    if not (1 <= len(prefix) <= 12 and prefix.isalnum() and prefix == prefix.upper()):
        text = "Invalid invoice_prefix: must be 1-12 uppercase letters or digits."
        raise bad(text, "invoice_prefix")


def fill(customer: Obj, params: Obj) -> None:
    """Puts given parameters onto a customer."""
    apply(customer, params, (*TEXTS, "invoice_prefix", "preferred_locales"))
    for name in ONLY_WHEN_SET:
        if params.get(name):
            customer[name] = params[name]
        elif name in params:
            customer.pop(name, None)
    if "address" in params:
        customer["address"] = address(params["address"])
    if "shipping" in params:
        customer["shipping"] = shipping(params["shipping"])
    settings: Any = params.get("invoice_settings") or {}
    known = ("custom_fields", "footer", "default_payment_method", "rendering_options")
    apply(customer["invoice_settings"], settings, known)
    merge_metadata(customer, params)


def shipping(given: Any) -> Obj | None:
    """A shipping hash with all of its keys, or null."""
    if not given:
        return None
    return {
        "address": address(given.get("address")),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def living(world: World, key: str, param: str = "customer", status: int = 400) -> Obj:
    """A customer that exists and is not deleted; StripeError resource_missing otherwise."""
    customer = world.get("customer", key, param, status)
    if customer.get("deleted"):
        raise missing("customer", key, param, status)
    return customer


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}: 200 with a stub for a deleted one."""
    return world.get("customer", call.id)


def update(world: World, call: Call) -> Obj:
    """POST /v1/customers/{customer}."""
    customer = living(world, call.id, "id", 404)
    check_prefix(call.params)
    before = world.wire.frozen(customer)
    fill(customer, call.params)
    if "balance" in call.params:
        customer_balance.set_to(world, customer, call.params["balance"])
    former = changes(world, before, customer)
    if former:
        emit(world, "customer.updated", customer, former)
    return customer


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/customers/{customer}: permanent; only the stub remains."""
    return remove(world, living(world, call.id, "id", 404))


def remove(world: World, customer: Obj) -> Obj:
    """Deletes a customer for good and returns the stub."""
    emit(world, "customer.deleted", customer)
    stub: Obj = {"id": customer["id"], "object": "customer", "deleted": True}
    customer.clear()
    customer.update(stub)
    world.changed(customer)
    return customer


def listed(world: World, call: Call) -> Obj:
    """GET /v1/customers: by exact e-mail; without deleted ones and those of other test clocks."""
    email, table = call.params.get("email"), world.tables["customer"]
    clock = call.params.get("test_clock")

    def keep(customer: Obj) -> bool:
        if customer.get("deleted") or customer["test_clock"] != clock:
            return False
        return email is None or customer["email"] == email

    return page(call, table, keep=keep)


ROUTES: Routes = {
    "POST /v1/customers": create,
    "GET /v1/customers": listed,
    "GET /v1/customers/{customer}": fetch,
    "POST /v1/customers/{customer}": update,
    "DELETE /v1/customers/{customer}": delete,
}
