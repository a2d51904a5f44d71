"""Payment records: payments that the merchant reports from outside Stripe."""

from ml_sandbox.stripe.calls import Call, Handler, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import ADDRESS, address, merge_metadata
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
    nothing: Obj = {"currency": currency, "value": 0}
    record = world.new(
        "payment_record",
        "prec",
        amount={"currency": currency, "value": asked["value"]},
        amount_authorized=nothing,
        amount_canceled=nothing,
        amount_failed=nothing,
        amount_guaranteed=nothing,
        amount_refunded=nothing,
        amount_requested={"currency": currency, "value": asked["value"]},
        customer_details=customer_details(params.get("customer_details")),
        customer_presence=params.get("customer_presence"),
        description=params.get("description"),
        payment_method_details=details(params["payment_method_details"]),
        processor_details=processor(params.get("processor_details")),
        reported_by="self",
        shipping_details=shipping(params.get("shipping_details")),
    )
    conclude(record, params.get("outcome", "guaranteed"))
    record["latest_payment_attempt_record"] = world.ids.new("par")
    merge_metadata(record, params)
    emit(world, "payment_record.created", record)
    return record


def conclude(record: Obj, outcome: str) -> None:
    """Sets how the latest attempt ended: the requested amount moves to its outcome."""
    requested: Obj = record["amount_requested"]
    for name in ("guaranteed", "failed", "canceled"):
        value = requested["value"] if name == outcome else 0
        record[f"amount_{name}"] = {**requested, "value": value}


def customer_details(given: Obj | None) -> Obj | None:
    """The payer, with all keys."""
    names = ("customer", "email", "name", "phone")
    return {name: given.get(name) for name in names} if given else None


def shipping(given: Obj | None) -> Obj | None:
    """Where it was shipped, with all keys."""
    if not given:
        return None
    return {
        "address": address(given.get("address")) or dict.fromkeys(ADDRESS),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


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


def changed(world: World, record: Obj, params: Obj) -> Obj:
    """Merges metadata and announces what changed."""
    merge_metadata(record, params)
    emit(world, "payment_record.updated", record)
    return record


def attempt(world: World, call: Call) -> Obj:
    """POST /v1/payment_records/{id}/report_payment_attempt: another try of a failed payment."""
    record, params = world.get("payment_record", call.id), call.params
    if record["amount_guaranteed"]["value"]:
        raise bad("The payment record already has a guaranteed payment.", "id")
    if "payment_method_details" in params:
        record["payment_method_details"] = details(params["payment_method_details"])
    if "description" in params:
        record["description"] = params["description"]
    record["latest_payment_attempt_record"] = world.ids.new("par")
    conclude(record, params.get("outcome", ""))
    return changed(world, record, params)


def outcome(name: str) -> Handler:
    """POST /v1/payment_records/{id}/report_payment_attempt_{outcome}."""

    def act(world: World, call: Call) -> Obj:
        record = world.get("payment_record", call.id)
        if record["amount_guaranteed"]["value"]:
            raise bad("The payment record already has a guaranteed payment.", "id")
        conclude(record, name)
        return changed(world, record, call.params)

    return act


def informational(world: World, call: Call) -> Obj:
    """POST /v1/payment_records/{id}/report_payment_attempt_informational: who and what only."""
    record, params = world.get("payment_record", call.id), call.params
    if "customer_details" in params:
        record["customer_details"] = customer_details(params["customer_details"])
    if "description" in params:
        record["description"] = params["description"] or None
    if "shipping_details" in params:
        record["shipping_details"] = shipping(params["shipping_details"] or None)
    return changed(world, record, params)


def refund(world: World, call: Call) -> Obj:
    """POST /v1/payment_records/{id}/report_refund: at most what was guaranteed."""
    record, params = world.get("payment_record", call.id), call.params
    left = record["amount_guaranteed"]["value"] - record["amount_refunded"]["value"]
    amount = params.get("amount", {}).get("value", left)
    if not 1 <= amount <= left:
        raise bad(f"The refunded amount must be from 1 to {left}.", "amount[value]")
    refunded: Obj = record["amount_refunded"]
    record["amount_refunded"] = {**refunded, "value": refunded["value"] + amount}
    return changed(world, record, params)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/payment_records/{id}."""
    return world.get("payment_record", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/payment_records: by creation."""
    after, before = call.params.get("created_after", 0), call.params.get("created_before", 1 << 60)
    table = world.tables["payment_record"]
    return page(call, table, keep=lambda r: after <= r["created"] <= before)


ROUTES: Routes = {
    "GET /v1/payment_records": listed,
    "POST /v1/payment_records/report_payment": report,
    "GET /v1/payment_records/{id}": fetch,
    "POST /v1/payment_records/{id}/report_payment_attempt": attempt,
    "POST /v1/payment_records/{id}/report_payment_attempt_canceled": outcome("canceled"),
    "POST /v1/payment_records/{id}/report_payment_attempt_failed": outcome("failed"),
    "POST /v1/payment_records/{id}/report_payment_attempt_guaranteed": outcome("guaranteed"),
    "POST /v1/payment_records/{id}/report_payment_attempt_informational": informational,
    "POST /v1/payment_records/{id}/report_refund": refund,
}
