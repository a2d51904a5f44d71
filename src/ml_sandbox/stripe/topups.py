"""Top-ups: money brought from the bank onto the Stripe balance."""

from datetime import timedelta

from ml_sandbox.stripe import balance
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page, within
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

ARRIVES = timedelta(days=1)


def create(world: World, call: Call) -> Obj:
    """POST /v1/topups: pending until the bank's money arrives a day later."""
    params = call.params
    currency = params["currency"].lower()
    if currency not in world.money.settlement:
        raise bad(f"Top-ups in {currency} are not possible for this account.", "currency")
    if params["amount"] < 1:
        raise bad("This value must be greater than or equal to 1.", "amount")
    topup = world.new(
        "topup",
        "tu",
        amount=params["amount"],
        currency=currency,
        expected_availability_date=int((world.moment() + ARRIVES).timestamp()),
        status="pending",
    )
    apply(topup, params, ("description", "statement_descriptor", "transfer_group"))
    merge_metadata(topup, params)
    emit(world, "topup.created", topup)
    world.schedule.at(world.moment() + ARRIVES, lambda: succeed(world, topup))
    return topup


def succeed(world: World, topup: Obj) -> None:
    """The bank's money is there."""
    if topup["status"] != "pending":
        return
    topup["status"] = "succeeded"
    topup["balance_transaction"] = book(world, topup, "topup", topup["amount"])["id"]
    emit(world, "topup.succeeded", topup)


def book(world: World, topup: Obj, kind: str, amount: int) -> Obj:
    """Books a top-up or its reversal."""
    return balance.book(
        world,
        kind=kind,
        category=kind,
        amount=amount,
        currency=topup["currency"],
        source=topup["id"],
        description=topup["description"] or "Top-up",
    )


def fail(world: World, topup: Obj) -> Obj:
    """The bank refuses; one that had succeeded is reversed."""
    if topup["status"] == "succeeded":
        book(world, topup, "topup_reversal", -topup["amount"])
        topup["status"] = "reversed"
        emit(world, "topup.reversed", topup)
    elif topup["status"] == "pending":
        topup |= {"status": "failed", "failure_code": "insufficient_funds"}
        topup["failure_message"] = "The bank account has insufficient funds."
        emit(world, "topup.failed", topup)
    else:
        raise bad(f"Top-up {topup['id']} is {topup['status']}.")
    return topup


def cancel(world: World, call: Call) -> Obj:
    """POST /v1/topups/{topup}/cancel: only a pending one."""
    topup = world.get("topup", call.id, "topup")
    if topup["status"] != "pending":
        raise bad("Top-ups can only be canceled while they are pending.", "topup")
    topup["status"] = "canceled"
    emit(world, "topup.canceled", topup)
    return topup


def update(world: World, call: Call) -> Obj:
    """POST /v1/topups/{topup}: description and metadata."""
    topup = world.get("topup", call.id, "topup")
    apply(topup, call.params, ("description",))
    merge_metadata(topup, call.params)
    return topup


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/topups/{topup}."""
    return world.get("topup", call.id, "topup")


def listed(world: World, call: Call) -> Obj:
    """GET /v1/topups: by status, amount."""
    status, amount = call.params.get("status"), call.params.get("amount")

    def keep(topup: Obj) -> bool:
        fits = amount is None or within(topup["amount"], amount)
        return fits and status in {None, topup["status"]}

    return page(call, world.tables["topup"], keep=keep)


ROUTES: Routes = {
    "POST /v1/topups": create,
    "GET /v1/topups": listed,
    "GET /v1/topups/{topup}": fetch,
    "POST /v1/topups/{topup}": update,
    "POST /v1/topups/{topup}/cancel": cancel,
}
