"""Refunds: full or partial, at once, pending, or failing weeks later, with their money."""

from ml_sandbox.stripe import balance, charges
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.cards import Card
from ml_sandbox.stripe.errors import bad, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.money import check_divisible, shown
from ml_sandbox.stripe.payments import card_behind
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def create(world: World, call: Call) -> Obj:
    """POST /v1/refunds."""
    charge = charge_of(world, call.params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = call.params.get("amount", left)
    check(charge, amount, left)
    if not charge["captured"]:
        return charges.release(world, charge, left, call.params.get("reason"))
    return make(world, charge, amount, call.params)


def charge_of(world: World, params: Obj) -> Obj:
    """The charge to refund, named directly or by its payment intent."""
    if "charge" in params:
        return world.get("charge", params["charge"], "charge", 400)
    if "payment_intent" not in params:
        raise required("charge")
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent", 400)
    if intent["latest_charge"] is None or intent["status"] != "succeeded":
        text = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise bad(text, "payment_intent", "payment_intent_unexpected_state")
    return world.get("charge", intent["latest_charge"])


def check(charge: Obj, amount: int, left: int) -> None:
    """Raises StripeError when this amount of the charge cannot be refunded."""
    currency = charge["currency"]
    if charge["status"] != "succeeded":
        raise bad(f"Charge {charge['id']} has not succeeded and cannot be refunded.", "charge")
    if charge["disputed"]:
        text = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise bad(text, code="charge_disputed")
    if left == 0:
        text = f"Charge {charge['id']} has already been refunded."
        raise bad(text, code="charge_already_refunded")
    if amount < 1:
        raise bad("This value must be greater than or equal to 1.", "amount")
    check_divisible(amount, currency, "amount")
    if amount > left:
        text = (
            f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on "
            f"charge ({shown(left, currency)})"
        )
        raise bad(text, "amount")


def make(world: World, charge: Obj, amount: int, params: Obj) -> Obj:
    """Stores a refund and moves its money according to the card's behaviour."""
    charges.ensure_settled(world, charge)
    card = card_behind(world, charge)
    if params.get("instructions_email") and charge["id"].startswith("py_"):
        return ask_payer(world, charge, amount, params)
    reason = None if card.refund != "pending" else "processing"
    if reason is None and short_of_money(world, charge, amount):
        reason = "insufficient_funds"
    refund = world.new(
        "refund",
        "pyr" if charge["id"].startswith("py_") else "re",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=destination(charge),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        status="succeeded" if reason is None else "pending",
    )
    if reason is not None:
        refund["pending_reason"] = reason
    apply(refund, params, [n for n in ("instructions_email",) if n in params])
    merge_metadata(refund, params)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    if reason is None or world.switches.pending_refund_moves_money:
        pay_out(world, refund)
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    plan_rest(world, refund, card)
    return refund


def ask_payer(world: World, charge: Obj, amount: int, params: Obj) -> Obj:
    """A refund that waits for the payer to say where to; no money moves until then."""
    refund = world.new(
        "refund",
        "pyr",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        instructions_email=params["instructions_email"],
        next_action={
            "display_details": {
                "email_sent": {
                    "email_sent_at": world.now(),
                    "email_sent_to": params["instructions_email"],
                },
                "expires_at": world.now() + 45 * 86_400,
            },
            "type": "display_details",
        },
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        status="requires_action",
    )
    merge_metadata(refund, params)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    return refund


def expire(world: World, call: Call) -> Obj:
    """POST /v1/test_helpers/refunds/{refund}/expire: the payer never answered."""
    refund = world.get("refund", call.id, "refund")
    if refund["status"] != "requires_action":
        raise bad(f"Refund {refund['id']} is {refund['status']}, not requires_action.", "refund")
    refund.pop("next_action", None)
    fail(world, refund, "unknown")
    return refund


def destination(charge: Obj) -> Obj:
    """Where the money goes back to."""
    if charge["id"].startswith("py_"):
        return {"type": "us_bank_transfer", "us_bank_transfer": {}}
    card = {
        "reference": None,
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {"card": card, "type": "card"}


def short_of_money(world: World, priced: Obj, amount: int) -> bool:
    """Whether the available balance does not cover a refund (only when switched on)."""
    if not world.switches.refunds_need_balance:
        return False
    settled = world.money.settle(amount, priced["currency"])
    return world.notes.available.get(settled.currency, 0) < settled.amount


def pay_out(world: World, refund: Obj) -> None:
    """Books the refund at today's rate; the original fee does not come back."""
    settled = world.money.settle(refund["amount"], refund["currency"])
    row = balance.book(
        world,
        kind="payment_refund" if refund["id"].startswith("pyr_") else "refund",
        category="refund",
        amount=-settled.amount,
        currency=settled.currency,
        source=refund["id"],
        description="REFUND FOR CHARGE",
        rate=settled.rate,
    )
    refund["balance_transaction"] = row["id"]


def plan_rest(world: World, refund: Obj, card: Card) -> None:
    """What follows later: the reference number, the end of pending, or a late failure."""
    if refund["status"] == "pending":
        seconds = world.switches.pending_refund_seconds
        if refund["pending_reason"] == "processing":
            world.schedule.after(seconds, lambda: conclude(world, refund))
        else:
            world.when_available.append(lambda: try_again(world, refund))
        return
    emit(world, "charge.refund.updated", refund)
    world.schedule.after(2, lambda: give_reference(world, refund))
    if card.refund == "failed":
        seconds = world.switches.late_refund_failure_seconds
        world.schedule.after(seconds, lambda: fail(world, refund, "expired_or_canceled_card"))


def try_again(world: World, refund: Obj) -> None:
    """Money became available: a refund that waits for it goes out, or waits on."""
    if refund["status"] != "pending":
        return
    if short_of_money(world, refund, refund["amount"]):
        world.when_available.append(lambda: try_again(world, refund))
    else:
        conclude(world, refund)


def give_reference(world: World, refund: Obj) -> None:
    """The acquirer's reference number arrives."""
    card = refund["destination_details"].get("card")
    if card is None or refund["status"] != "succeeded":
        return
    before = world.wire.frozen(refund)
    card["reference"] = f"{world.random.randrange(10**22):023d}"
    card["reference_status"] = "available"
    emit(world, "refund.updated", refund, changes(world, before, refund))


def conclude(world: World, refund: Obj) -> None:
    """A pending refund succeeds; its money moves unless it already has."""
    if refund["status"] != "pending":
        return
    before = world.wire.frozen(refund)
    refund["status"] = "succeeded"
    refund.pop("pending_reason", None)
    if refund["balance_transaction"] is None:
        pay_out(world, refund)
    former = changes(world, before, refund)
    emit(world, "refund.updated", refund, former)
    emit(world, "charge.refund.updated", refund, former)


def fail(world: World, refund: Obj, reason: str) -> None:
    """A refund fails, perhaps long after it succeeded: the money comes back."""
    if refund["status"] not in {"succeeded", "pending", "requires_action"}:
        return
    before = world.wire.frozen(refund)
    refund["status"] = "failed"
    refund["failure_reason"] = reason
    refund.pop("pending_reason", None)
    charge = take_back(world, refund)
    former = changes(world, before, refund)
    emit(world, "refund.updated", refund, former)
    emit(world, "refund.failed", refund)
    emit(world, "charge.refund.updated", refund, former)
    emit(world, "charge.updated", charge[0], charge[1])


def take_back(world: World, refund: Obj) -> tuple[Obj, Obj]:
    """Returns refunded money to the balance; the charge and its former values."""
    if refund["balance_transaction"] is not None:
        out = world.get("balance_transaction", refund["balance_transaction"])
        row = balance.book(
            world,
            kind="refund_failure",
            category="refund_failure",
            amount=-out["amount"],
            currency=out["currency"],
            source=refund["id"],
            description="REFUND FAILURE",
            rate=out["exchange_rate"],
        )
        refund["failure_balance_transaction"] = row["id"]
    charge = world.get("charge", refund["charge"])
    before = world.wire.frozen(charge)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    return charge, changes(world, before, charge)


def cancel(world: World, call: Call) -> Obj:
    """POST /v1/refunds/{refund}/cancel: only a pending one."""
    refund = world.get("refund", call.id)
    if refund["status"] not in {"pending", "requires_action"}:
        raise bad(f"Refund {refund['id']} cannot be canceled in status {refund['status']}.")
    before = world.wire.frozen(refund)
    refund["status"] = "canceled"
    refund.pop("pending_reason", None)
    charge, former = take_back(world, refund)
    emit(world, "refund.updated", refund, changes(world, before, refund))
    emit(world, "charge.updated", charge, former)
    return refund


def update(world: World, call: Call) -> Obj:
    """POST /v1/refunds/{refund}: metadata only."""
    refund = world.get("refund", call.id)
    before = world.wire.frozen(refund)
    merge_metadata(refund, call.params)
    former = changes(world, before, refund)
    if former:
        emit(world, "refund.updated", refund, former)
        emit(world, "charge.refund.updated", refund, former)
    return refund


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/refunds/{refund}."""
    return world.get("refund", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/refunds: by charge, payment intent."""
    wanted = {k: call.params[k] for k in ("charge", "payment_intent") if k in call.params}
    table = world.tables["refund"]
    first = next(iter(wanted), None)
    ids = None if first is None else table.ids(first, wanted[first])
    return page(call, table, ids, lambda r: all(r[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "POST /v1/refunds": create,
    "GET /v1/refunds": listed,
    "GET /v1/refunds/{refund}": fetch,
    "POST /v1/refunds/{refund}": update,
    "POST /v1/refunds/{refund}/cancel": cancel,
    "POST /v1/test_helpers/refunds/{refund}/expire": expire,
}
