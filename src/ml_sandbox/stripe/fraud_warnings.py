"""Early fraud warnings: an issuer suspects a charge; no money moves."""

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

KIND = "radar.early_fraud_warning"


def warn(world: World, charge: Obj) -> None:
    """The issuer warns about a charge."""
    warning = world.new(
        KIND,
        "issfr",
        actionable=True,
        charge=charge["id"],
        fraud_type="made_with_stolen_card",
        payment_intent=charge["payment_intent"],
    )
    emit(world, f"{KIND}.created", warning)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/radar/early_fraud_warnings/{early_fraud_warning}."""
    return world.get(KIND, call.id, "early_fraud_warning")


def listed(world: World, call: Call) -> Obj:
    """GET /v1/radar/early_fraud_warnings: by charge, payment intent."""
    wanted = {k: call.params[k] for k in ("charge", "payment_intent") if k in call.params}
    table = world.tables[KIND]
    return page(call, table, keep=lambda w: all(w[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "GET /v1/radar/early_fraud_warnings": listed,
    "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}": fetch,
}
