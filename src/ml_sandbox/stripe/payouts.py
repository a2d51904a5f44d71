"""Payouts: automatic runs over the available rows, manual ones, and their failures."""

from datetime import UTC, datetime, timedelta

from ml_sandbox.stripe import balance
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.money import check_divisible
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

WHOLE_UNIT_PAYOUTS = frozenset(["huf", "twd"])
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "could_not_process": "The bank could not process this payout.",
    "no_account": "The bank account could not be located.",
}


def run(world: World, currency: str | None = None, *, instant: bool = True) -> list[Obj]:
    """Pays out what is available, one payout a currency; debts are carried over."""
    open_rows: dict[str, list[Obj]] = {}
    for row in world.tables["balance_transaction"]:
        held = row["balance_type"] == balance.PAYMENTS and row["status"] == "available"
        if held and row["id"] not in world.notes.paid_out:
            open_rows.setdefault(row["currency"], []).append(row)
    chosen = [c for c in open_rows if currency is None or c == currency]
    made = [automatic(world, c, open_rows[c], instant=instant) for c in chosen]
    return [payout for payout in made if payout is not None]


def automatic(world: World, currency: str, rows: list[Obj], *, instant: bool) -> Obj | None:
    """A payout of these rows, or None when they do not add up to something to pay."""
    amount = sum(row["net"] for row in rows)
    debited = world.switches.negative_payouts or world.settings.debit_negative_balances
    if amount == 0 or (amount < 0 and not debited):
        return None
    kept = kept_back(world, currency, amount)
    if kept == amount:
        return None
    members = [row["id"] for row in rows]
    if kept:
        members.append(technical(world, "hold", -kept, currency)["id"])
        technical(world, "release", kept, currency)
    payout = make(world, amount - kept, currency, is_automatic=True)
    own = [payout["balance_transaction"]] if world.switches.payout_lists_own_row else []
    world.notes.members[payout["id"]] = members + own
    world.notes.paid_out.update(members, [payout["balance_transaction"]])
    check(world, payout, members)
    if instant:
        finish(world, payout)
    else:
        plan(world, payout)
    return payout


def kept_back(world: World, currency: str, amount: int) -> int:
    """What stays on the balance: the minimum balance, and parts of whole units (HUF, TWD)."""
    if amount < 0:
        return 0
    kept = min(amount, world.settings.minimum_balances.get(currency, 0))
    uneven = (amount - kept) % 100 if currency in WHOLE_UNIT_PAYOUTS else 0
    return kept + uneven


def technical(world: World, word: str, amount: int, currency: str) -> Obj:
    """One row of the pair that keeps money back: the hold is paid with, the release comes next."""
    kind = f"payout_minimum_balance_{word}"
    return balance.book(
        world,
        kind=kind,
        category=kind,
        amount=amount,
        currency=currency,
        description="Payout minimum balance",
    )


def check(world: World, payout: Obj, members: list[str]) -> None:
    """A payout is the sum of its members, and its own row takes exactly that away."""
    rows = world.tables["balance_transaction"].rows
    total = sum(rows[key]["net"] for key in members)
    own = rows[payout["balance_transaction"]]["net"]
    if total != payout["amount"] or own != -payout["amount"]:
        world.violated(f"{payout['id']} pays {payout['amount']}, its members sum to {total}")


def make(
    world: World, amount: int, currency: str, *, is_automatic: bool, method: str = "standard"
) -> Obj:
    """Stores a payout with its balance transaction and announces it."""
    day = world.moment().replace(hour=0, minute=0, second=0, microsecond=0)
    payout = world.new(
        "payout",
        "po",
        amount=amount,
        arrival_date=int((day + timedelta(days=1)).timestamp()),
        automatic=is_automatic,
        currency=currency,
        description="STRIPE PAYOUT",
        destination=bank_account(world, currency),
        method=method,
        reconciliation_status="in_progress" if is_automatic else "not_applicable",
        source_type="card",
        statement_descriptor=world.settings.statement_descriptor,
        status="pending",
        trace_id={"status": "pending", "value": None},
        type="bank_account",
    )
    row = balance.book(
        world,
        kind="payout",
        category="payout",
        amount=-amount,
        currency=currency,
        source=payout["id"],
        description="STRIPE PAYOUT",
    )
    payout["balance_transaction"] = row["id"]
    emit(world, "payout.created", payout)
    return payout


def bank_account(world: World, currency: str) -> str:
    """The id of the merchant's bank account for a currency; made when first needed."""
    key = f"ba_1{currency}{world.account_id[6:]}"
    if key not in world.tables["bank_account"].rows:
        world.new(
            "bank_account",
            "ba",
            id=key,
            account_holder_name="Sandbox",
            account_holder_type="company",
            bank_name="STRIPE TEST BANK",
            country="US",
            currency=currency,
            last4="6789",
            metadata={},
            routing_number="110000000",
            status="new",
        )
    return key


def plan(world: World, payout: Obj) -> None:
    """Lets the clock carry a payout: in transit after six hours, paid and itemised on arrival."""
    arrival = datetime.fromtimestamp(payout["arrival_date"], UTC)
    departure = min(world.moment() + timedelta(hours=6), arrival)
    world.schedule.at(departure, lambda: advance(world, payout, "pending", "in_transit"))
    world.schedule.at(arrival, lambda: finish(world, payout))


def advance(world: World, payout: Obj, was: str, becomes: str) -> None:
    """One step of the life cycle, unless the payout has left its path."""
    if payout["status"] != was:
        return
    before = world.wire.frozen(payout)
    payout["status"] = becomes
    emit(world, "payout.updated", payout, changes(world, before, payout))


def finish(world: World, payout: Obj) -> None:
    """Carries a payout to `paid` and its reconciliation to `completed`."""
    advance(world, payout, "pending", "in_transit")
    if payout["status"] != "in_transit":
        return
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": world.ids.capitals(12)}
    emit(world, "payout.paid", payout)
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        emit(world, "payout.reconciliation_completed", payout)


def fail(world: World, payout: Obj, code: str = "account_closed") -> Obj:
    """The bank refuses, perhaps days after `paid`: the money is back on the balance."""
    if payout["status"] not in {"pending", "in_transit", "paid"}:
        raise bad(f"Payout {payout['id']} cannot fail in status {payout['status']}.")
    before = world.wire.frozen(payout)
    payout["status"] = "failed"
    payout["failure_code"] = code
    payout["failure_message"] = FAILURES.get(code, "The payout failed.")
    payout["failure_balance_transaction"] = reverse(world, payout, "payout_failure")["id"]
    emit(world, "payout.failed", payout)
    emit(world, "payout.updated", payout, changes(world, before, payout))
    return payout


def reverse(world: World, payout: Obj, kind: str) -> Obj:
    """Books the money of a payout back."""
    return balance.book(
        world,
        kind=kind,
        category="payout_reversal",
        amount=payout["amount"],
        currency=payout["currency"],
        source=payout["id"],
        description="PAYOUT REVERSAL",
    )


def create(world: World, call: Call) -> Obj:
    """POST /v1/payouts: manual; its composition is never known."""
    params = call.params
    amount, currency = params["amount"], params["currency"].lower()
    world.money.check_currency(currency)
    check_divisible(amount, currency, "amount")
    if amount < 1:
        raise bad("This value must be greater than or equal to 1.", "amount")
    if currency in WHOLE_UNIT_PAYOUTS and amount % 100:
        raise bad(f"Payouts in {currency.upper()} must be whole units.", "amount")
    if amount > world.notes.available.get(currency, 0):
        text = (
            "You have insufficient funds in your Stripe account for this payout. Your card balance "
            "is too low. You can use the the /v1/balance endpoint to view your Stripe balance."
        )
        raise bad(text, "amount", "balance_insufficient")
    method = params.get("method", "standard")
    payout = make(world, amount, currency, is_automatic=False, method=method)
    apply(payout, params, ("description", "statement_descriptor"))
    merge_metadata(payout, params)
    plan(world, payout)
    return payout


def cancel(world: World, call: Call) -> Obj:
    """POST /v1/payouts/{payout}/cancel: only a pending manual one."""
    payout = world.get("payout", call.id)
    if payout["status"] != "pending" or payout["automatic"]:
        raise bad("Payouts can only be canceled while they are pending.", "payout")
    payout["status"] = "canceled"
    payout["failure_balance_transaction"] = reverse(world, payout, "payout_cancel")["id"]
    emit(world, "payout.canceled", payout)
    return payout


def undo(world: World, call: Call) -> Obj:
    """POST /v1/payouts/{payout}/reverse: a paid one is fetched back by a payout of its opposite."""
    payout = world.get("payout", call.id, "payout")
    if payout["status"] != "paid" or payout["reversed_by"] or payout["original_payout"]:
        text = f"Payout {payout['id']} cannot be reversed: only paid payouts can, and only once."
        raise bad(text, "payout")
    if payout["currency"] != "usd":
        raise bad("Only payouts to US bank accounts can be reversed.", "payout")
    back = make(world, -payout["amount"], payout["currency"], is_automatic=False)
    back["original_payout"] = payout["id"]
    merge_metadata(back, call.params)
    before = world.wire.frozen(payout)
    payout["reversed_by"] = back["id"]
    emit(world, "payout.updated", payout, changes(world, before, payout))
    plan(world, back)
    return back


def update(world: World, call: Call) -> Obj:
    """POST /v1/payouts/{payout}: metadata only."""
    payout = world.get("payout", call.id)
    before = world.wire.frozen(payout)
    merge_metadata(payout, call.params)
    former = changes(world, before, payout)
    if former:
        emit(world, "payout.updated", payout, former)
    return payout


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/payouts/{payout}."""
    return world.get("payout", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/payouts: by status, dates, destination."""
    wanted = {k: call.params[k] for k in ("status", "destination") if k in call.params}
    table = world.tables["payout"]
    return page(call, table, keep=lambda p: all(p[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "POST /v1/payouts": create,
    "GET /v1/payouts": listed,
    "GET /v1/payouts/{payout}": fetch,
    "POST /v1/payouts/{payout}": update,
    "POST /v1/payouts/{payout}/cancel": cancel,
    "POST /v1/payouts/{payout}/reverse": undo,
}
