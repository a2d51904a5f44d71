"""Tax ids as records: stored for a customer, and as an invoice prints them."""

from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def add(world: World, customer: Obj, kind: str, value: str) -> Obj:
    """Stores one tax id of a customer; the country stands in front of its kind."""
    country = kind.partition("_")[0].upper()
    tax_id = world.new(
        "tax_id",
        "txi",
        country=value[:2].upper() if country == "EU" else country,
        customer=customer["id"],
        owner={
            "account": None,
            "application": None,
            "customer": customer["id"],
            "customer_account": None,
            "type": "customer",
        },
        type=kind,
        value=value,
        verification={"status": "pending", "verified_address": None, "verified_name": None},
    )
    emit(world, "customer.tax_id.created", tax_id)
    return tax_id


def of_customer(world: World, customer: Obj) -> list[Obj]:
    """The tax ids as an invoice prints them."""
    rows = world.tables["tax_id"].where("customer", customer["id"])
    return [{"type": row["type"], "value": row["value"]} for row in rows]
