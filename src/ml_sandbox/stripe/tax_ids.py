"""Tax ids of customers, as printed on invoices."""

from ml_sandbox.stripe import customers, tax_numbers
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import missing
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def create(world: World, call: Call) -> Obj:
    """POST /v1/customers/{customer}/tax_ids."""
    customer = customers.living(world, call.id, "customer", 404)
    return tax_numbers.add(world, customer, call.params["type"], call.params["value"])


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/tax_ids/{id}."""
    tax_id = world.get("tax_id", call.ids[1])
    if tax_id["customer"] != call.id:
        raise missing("tax_id", call.ids[1])
    return tax_id


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/customers/{customer}/tax_ids/{id}."""
    tax_id = fetch(world, call)
    world.tables["tax_id"].remove(tax_id["id"])
    emit(world, "customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


def listed(world: World, call: Call) -> Obj:
    """GET /v1/customers/{customer}/tax_ids."""
    world.get("customer", call.id, "customer")
    table = world.tables["tax_id"]
    return page(call, table, table.ids("customer", call.id))


ROUTES: Routes = {
    "POST /v1/customers/{customer}/tax_ids": create,
    "GET /v1/customers/{customer}/tax_ids": listed,
    "GET /v1/customers/{customer}/tax_ids/{id}": fetch,
    "DELETE /v1/customers/{customer}/tax_ids/{id}": delete,
}
