"""Payment records: payments that the merchant reports from outside Stripe."""

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.texts import merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def report(world: World, call: Call) -> Obj:
    """POST /v1/payment_records/report_payment: guaranteed at once, or failed."""
    params = call.params
    asked: Obj = params["amount_requested"]
    currency = asked["currency"].lower()
    world.money.check_currency(currency)
    if asked["value"] < 1:
        raise bad("This value must be greater than or equal to 1.", "amount_requested[value]")
    outcome = params.get("outcome", "guaranteed")
    amount: Obj = {"currency": currency, "value": asked["value"]}
    nothing: Obj = {"currency": currency, "value": 0}
    record = world.new(
        "payment_record",
        "prec",
        amount=amount,
        amount_authorized=nothing,
        amount_canceled=amount if outcome == "canceled" else nothing,
        amount_failed=amount if outcome == "failed" else nothing,
        amount_guaranteed=amount if outcome == "guaranteed" else nothing,
        amount_refunded=nothing,
        amount_requested=amount,
        customer_details=params.get("customer_details"),
        description=params.get("description"),
        payment_method_details=details(params["payment_method_details"]),
        processor_details=processor(params.get("processor_details")),
        reported_by="self",
    )
    merge_metadata(record, params)
    emit(world, "payment_record.created", record)
    return record


def details(given: Obj) -> Obj:
    """How it was paid."""
    shown: Obj = {
        "payment_method": given.get("payment_method"),
        "type": given.get("type", "custom"),
    }
    if "custom" in given:
        shown["custom"] = {"display_name": given["custom"].get("display_name"), "type": None}
    return shown


def processor(given: Obj | None) -> Obj:
    """Who processed it."""
    custom: Obj = (given or {}).get("custom", {})
    return {"custom": {"payment_reference": custom.get("payment_reference")}, "type": "custom"}


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/payment_records/{id}."""
    return world.get("payment_record", call.id)


ROUTES: Routes = {
    "POST /v1/payment_records/report_payment": report,
    "GET /v1/payment_records/{id}": fetch,
}
