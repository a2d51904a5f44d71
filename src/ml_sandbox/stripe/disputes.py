"""Disputes: opened by test card or control plane, answered, won or lost, with their money."""

from ml_sandbox.stripe import balance, charges
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

OPEN = frozenset(
    "needs_response under_review warning_needs_response warning_under_review "
    "appeal_needs_response appeal_under_review".split()
)
UNANSWERED = frozenset(["needs_response", "warning_needs_response", "appeal_needs_response"])
INQUIRIES = frozenset(["warning_needs_response", "warning_under_review"])
DAYS_TO_ANSWER = 9


def open_on(world: World, charge: Obj, amount: int, reason: str, *, inquiry: bool = False) -> Obj:
    """Opens a dispute; all but inquiries withdraw the amount and a fee at once."""
    charges.ensure_settled(world, charge)
    before = world.wire.frozen(charge)
    dispute = world.new(
        "dispute",
        "du",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=evidence(world),
        evidence_details={
            "due_by": deadline(world),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "manual",
        },
        is_charge_refundable=inquiry,
        payment_intent=charge["payment_intent"],
        payment_method_details=used(charge, inquiry=inquiry),
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    if not inquiry:
        withdraw(world, charge, dispute)
        charge["disputed"] = True
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        emit(world, "charge.dispute.funds_withdrawn", dispute)
        emit(world, "charge.updated", charge, changes(world, before, charge))
    plan_deadline(world, dispute)
    return dispute


def evidence(world: World) -> Obj:
    """Empty evidence with all of its keys."""
    known = world.contract.objects["dispute"]["evidence"]["of"]
    empty: Obj = dict.fromkeys(known)
    return {**empty, "enhanced_evidence": {}}


def used(charge: Obj, *, inquiry: bool) -> Obj:
    """The disputed payment method."""
    details: Obj = charge["payment_method_details"]
    if details["type"] != "card":
        return {"type": details["type"]}
    card: Obj = details["card"]
    shown = {
        "brand": card["brand"],
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": card["network"],
        "network_reason_code": "10",
    }
    return {"card": shown, "type": "card"}


def withdraw(world: World, charge: Obj, dispute: Obj) -> None:
    """Takes the disputed amount and the dispute fee off the balance."""
    settled = world.money.settle(dispute["amount"], charge["currency"])
    book(world, dispute, "dispute", -settled.amount, world.switches.dispute_fee)


def book(world: World, dispute: Obj, category: str, amount: int, fee: int) -> Obj:
    """One adjustment in the settlement currency, embedded in the dispute too."""
    settled = world.money.settle(dispute["amount"], dispute["currency"])
    words = "Chargeback withdrawal" if category == "dispute" else "Chargeback reversal"
    row = balance.book(
        world,
        kind="adjustment",
        category=category,
        amount=amount,
        fee=fee,
        fee_description="Dispute fee",
        currency=settled.currency,
        source=dispute["id"],
        description=f"{words} for {dispute['charge']}",
        rate=settled.rate,
    )
    dispute["balance_transactions"].append(row)
    return row


def update(world: World, call: Call) -> Obj:
    """POST /v1/disputes/{dispute}: evidence; test evidence texts decide the case."""
    dispute = unresolved(world, call.id)
    given: Obj = call.params.get("evidence", {})
    if given and dispute["evidence_details"]["past_due"]:
        raise bad("The deadline for submitting evidence has passed.", "evidence")
    before = world.wire.frozen(dispute)
    dispute["evidence"] |= {k: v or None for k, v in given.items() if k != "enhanced_evidence"}
    merge_metadata(dispute, call.params)
    details: Obj = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(given)
    if given and call.params.get("submit", True):
        submit(world, dispute)
    emit(world, "charge.dispute.updated", dispute, changes(world, before, dispute))
    decide_by_text(world, dispute, given.get("uncategorized_text"))
    return dispute


def submit(world: World, dispute: Obj) -> None:
    """Sends the evidence to the bank; a countered fee may be charged, without a source."""
    dispute["evidence_details"]["submission_count"] += 1
    inquiry = dispute["status"] in INQUIRIES
    appealed = dispute["status"].startswith("appeal_")
    stage = "warning_" if inquiry else "appeal_" if appealed else ""
    dispute["status"] = f"{stage}under_review"
    fee = world.switches.countered_fee
    if fee and not inquiry and dispute["id"] not in world.notes.dispute_fees:
        world.notes.dispute_fees[dispute["id"]] = fee
        counter_fee(world, dispute, -fee)


def counter_fee(world: World, dispute: Obj, amount: int) -> None:
    """The fee for countering a dispute, or its return: a row that names no source."""
    settled = world.money.settle(dispute["amount"], dispute["currency"])
    day = world.moment().date().isoformat()
    balance.book(
        world,
        kind="adjustment",
        category="fee",
        amount=amount,
        currency=settled.currency,
        description=f"Card Dispute Countered Fee ({day})",
    )


def decide_by_text(world: World, dispute: Obj, text: str | None) -> None:
    """The test evidence texts close, or escalate, a dispute."""
    if text in {"winning_evidence", "losing_evidence"}:
        resolve(world, dispute, won=text == "winning_evidence")
    elif text == "escalate_inquiry_evidence" and dispute["status"] in INQUIRIES:
        escalate(world, dispute)


def escalate(world: World, dispute: Obj) -> None:
    """An inquiry becomes a chargeback and now moves money."""
    charge = world.get("charge", dispute["charge"])
    before = world.wire.frozen(dispute)
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    dispute["payment_method_details"] = used(charge, inquiry=False)
    withdraw(world, charge, dispute)
    charge["disputed"] = True
    emit(world, "charge.dispute.updated", dispute, changes(world, before, dispute))
    emit(world, "charge.dispute.funds_withdrawn", dispute)


def unresolved(world: World, key: str) -> Obj:
    """A dispute that can still change."""
    dispute = world.get("dispute", key)
    if dispute["status"] not in OPEN:
        raise bad(f"This dispute is already closed ({dispute['status']}).", code="dispute_closed")
    return dispute


def resolve(world: World, dispute: Obj, *, won: bool, returned: int | None = None) -> None:
    """Closes a dispute; a won one gives the amount back, or a part (and the countered fee)."""
    if dispute["status"] in INQUIRIES:
        dispute["status"] = "warning_closed"
        emit(world, "charge.dispute.closed", dispute)
        return
    dispute["status"] = "won" if won else "lost"
    if won:
        withdrawn: Obj = dispute["balance_transactions"][0]
        fee = -withdrawn["fee"] if world.switches.dispute_win_returns_fee else 0
        amount = returned or given_back(world, dispute, withdrawn)
        book(world, dispute, "dispute_reversal", amount, fee)
        if countered := world.notes.dispute_fees.pop(dispute["id"], 0):
            counter_fee(world, dispute, countered)
        dispute["is_charge_refundable"] = True
    emit(world, "charge.dispute.closed", dispute)
    if won:
        emit(world, "charge.dispute.funds_reinstated", dispute)


def given_back(world: World, dispute: Obj, withdrawn: Obj) -> int:
    """What comes back of a withdrawal: as much, or as much as it is worth today."""
    if world.switches.returns_at_todays_rate:
        return world.money.settle(dispute["amount"], dispute["currency"]).amount
    return -int(withdrawn["amount"])


def close(world: World, call: Call) -> Obj:
    """POST /v1/disputes/{dispute}/close: accepts the loss."""
    dispute = unresolved(world, call.id)
    resolve(world, dispute, won=False)
    return dispute


def appeal(world: World, dispute: Obj) -> Obj:
    """A decided dispute is appealed: it must be answered once more, won money is away again."""
    if dispute["status"] not in {"won", "lost"}:
        raise bad(f"Only a decided dispute can be appealed, not one that is {dispute['status']}.")
    before = world.wire.frozen(dispute)
    dispute["status"] = "appeal_needs_response"
    dispute["evidence_details"] |= {"due_by": deadline(world), "past_due": False}
    back = len(dispute["balance_transactions"]) > 1
    if back:
        given = dispute["balance_transactions"].pop()
        book(world, dispute, "dispute", -given["amount"], 0)
    emit(world, "charge.dispute.updated", dispute, changes(world, before, dispute))
    if back:
        emit(world, "charge.dispute.funds_withdrawn", dispute)
    plan_deadline(world, dispute)
    return dispute


def prevent(world: World, dispute: Obj) -> Obj:
    """A rapid resolution ends a dispute before it becomes one; withdrawn money comes back."""
    dispute["status"] = "prevented"
    if dispute["balance_transactions"]:
        row: Obj = dispute["balance_transactions"][0]
        book(world, dispute, "dispute_reversal", given_back(world, dispute, row), -row["fee"])
    emit(world, "charge.dispute.closed", dispute)
    return dispute


def deadline(world: World) -> int:
    """When evidence must be there, unix seconds."""
    return world.now() + DAYS_TO_ANSWER * 86_400


def plan_deadline(world: World, dispute: Obj) -> None:
    """What happens when nobody answers in time."""
    due = dispute["evidence_details"]["due_by"]
    world.schedule.at(world.at(due), lambda: miss(world, dispute, due))


def miss(world: World, dispute: Obj, due: int) -> None:
    """The deadline has passed: unanswered disputes are lost, inquiries close."""
    details: Obj = dispute["evidence_details"]
    if dispute["status"] not in UNANSWERED or details["due_by"] != due:
        return
    details["past_due"] = True
    if world.switches.dispute_deadlines:
        resolve(world, dispute, won=False)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/disputes/{dispute}."""
    return world.get("dispute", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/disputes: by charge, payment intent."""
    wanted = {k: call.params[k] for k in ("charge", "payment_intent") if k in call.params}
    table = world.tables["dispute"]
    first = next(iter(wanted), None)
    ids = None if first is None else table.ids(first, wanted[first])
    return page(call, table, ids, lambda d: all(d[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "GET /v1/disputes": listed,
    "GET /v1/disputes/{dispute}": fetch,
    "POST /v1/disputes/{dispute}": update,
    "POST /v1/disputes/{dispute}/close": close,
}
