"""Tax rates: created by hand, or made for the tax amounts that a line brings with it."""

from decimal import ROUND_HALF_UP, Decimal

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

DETAILS = ("country", "description", "jurisdiction", "jurisdiction_level", "state", "tax_type")
MOST_DECIMALS = 4


def create(world: World, call: Call) -> Obj:
    """POST /v1/tax_rates."""
    rate = made(world, call.params, active=call.params.get("active", True))
    merge_metadata(rate, call.params)
    return rate


def made(world: World, data: Obj, *, active: bool) -> Obj:
    """A tax rate from its data; the percentage has at most four decimals."""
    percentage: Decimal = data["percentage"]
    if not 0 <= percentage <= 100 or percentage != round(percentage, MOST_DECIMALS):
        raise bad("Invalid percentage: from 0 to 100 with up to 4 decimals.", "percentage")
    return world.new(
        "tax_rate",
        "txr",
        active=active,
        display_name=data["display_name"],
        inclusive=data["inclusive"],
        percentage=percentage,
        effective_percentage=percentage,
        rate_type="percentage",
        **{name: data.get(name) for name in DETAILS},
    )


def for_data(world: World, data: Obj) -> Obj:
    """The inactive rate that stands for a line's own tax data, one per distinct data."""
    for rate in world.tables["tax_rate"]:
        if not rate["active"] and all(rate.get(k) == data.get(k) for k in RATE_KEYS):
            return rate
    return made(world, data, active=False)


RATE_KEYS = ("display_name", "inclusive", "percentage", *DETAILS)


def given_taxes(world: World, tax_amounts: list[Obj]) -> list[Obj]:
    """The taxes of a line from amounts that the caller computed."""
    return [
        tax_row(
            for_data(world, row["tax_rate_data"]),
            row["amount"],
            row["taxable_amount"],
            row.get("taxability_reason", "not_available"),
        )
        for row in tax_amounts
    ]


def computed_taxes(world: World, amount: int, rates: list[str]) -> list[Obj]:
    """The taxes of a line from existing rates, each rounded half up."""
    rows: list[Obj] = []
    for key in rates:
        rate = world.get("tax_rate", key, "tax_rates", 400)
        percent: Decimal = rate["percentage"]
        base = Decimal(amount)
        if rate["inclusive"]:
            base = base * 100 / (100 + percent)
        tax = int((base * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
        taxable = amount - tax if rate["inclusive"] else amount
        rows.append(tax_row(rate, tax, taxable, "standard_rated"))
    return rows


def tax_row(rate: Obj, amount: int, taxable: int, reason: str) -> Obj:
    """One entry of a line's taxes."""
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/tax_rates/{tax_rate}."""
    return world.get("tax_rate", call.id)


def update(world: World, call: Call) -> Obj:
    """POST /v1/tax_rates/{tax_rate}."""
    rate = world.get("tax_rate", call.id)
    apply(rate, call.params, ("active", "display_name", *DETAILS))
    merge_metadata(rate, call.params)
    return rate


def listed(world: World, call: Call) -> Obj:
    """GET /v1/tax_rates."""
    wanted = {k: call.params[k] for k in ("active", "inclusive") if k in call.params}
    table = world.tables["tax_rate"]
    return page(call, table, keep=lambda r: all(r[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "POST /v1/tax_rates": create,
    "GET /v1/tax_rates": listed,
    "GET /v1/tax_rates/{tax_rate}": fetch,
    "POST /v1/tax_rates/{tax_rate}": update,
}
