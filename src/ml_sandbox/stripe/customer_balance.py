"""The customer's own balance (not Stripe's): credit below zero, debt above, kept per currency."""

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, missing
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def held(world: World, customer_id: str, currency: str) -> int:
    """The balance of a customer in one currency, minor units."""
    return world.notes.balances.get((customer_id, currency), 0)


def move(
    world: World,
    customer: Obj,
    amount: int,
    currency: str,
    kind: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
) -> Obj:
    """Adds an amount (negative: credit) and records it; does not announce the customer's change."""
    key = (customer["id"], currency)
    ending = world.notes.balances.get(key, 0) + amount
    world.notes.balances[key] = ending
    if not customer.get("deleted"):
        customer["currency"] = customer["currency"] or currency
        if customer["currency"] == currency:
            customer["balance"] = ending
    return world.new(
        "customer_balance_transaction",
        "cbtxn",
        customer=customer["id"],
        amount=amount,
        currency=currency,
        ending_balance=ending,
        type=kind,
        invoice=invoice,
        credit_note=credit_note,
        description=description,
    )


def announced(world: World, customer: Obj, amount: int, currency: str, kind: str, **of: str) -> Obj:
    """As `move`, with the customer.updated event that follows a changed balance."""
    before = world.wire.frozen(customer)
    row = move(
        world,
        customer,
        amount,
        currency,
        kind,
        invoice=of.get("invoice"),
        credit_note=of.get("credit_note"),
    )
    if not customer.get("deleted"):
        emit(world, "customer.updated", customer, changes(world, before, customer))
    return row


def set_to(world: World, customer: Obj, balance: int) -> None:
    """Sets the balance in the customer's own currency by an adjustment."""
    currency = customer["currency"] or "usd"
    difference = balance - held(world, customer["id"], currency)
    if difference:
        move(world, customer, difference, currency, "adjustment")


def create(world: World, call: Call) -> Obj:
    """POST /v1/customers/{customer}/balance_transactions."""
    customer = owner(world, call)
    currency = call.params["currency"].lower()
    world.money.check_currency(currency)
    row = announced(world, customer, call.params["amount"], currency, "adjustment")
    apply(row, call.params, ["description"])
    merge_metadata(row, call.params)
    return row


def owner(world: World, call: Call) -> Obj:
    """The customer of the path, not deleted."""
    customer = world.get("customer", call.id)
    if customer.get("deleted"):
        raise missing("customer", call.id)
    return customer


def listed(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/balance_transactions."""
    world.get("customer", call.id)
    table, invoice = world.tables["customer_balance_transaction"], call.params.get("invoice")
    ids = table.ids("customer", call.id)
    return page(call, table, ids, lambda row: invoice is None or row["invoice"] == invoice)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/balance_transactions/{transaction}."""
    row = world.get("customer_balance_transaction", call.ids[1])
    if row["customer"] != call.id:
        raise bad(f"No such customer balance transaction: '{call.ids[1]}'", "id")
    return row


ROUTES: Routes = {
    "POST /v1/customers/{customer}/balance_transactions": create,
    "GET /v1/customers/{customer}/balance_transactions": listed,
    "GET /v1/customers/{customer}/balance_transactions/{transaction}": fetch,
}
