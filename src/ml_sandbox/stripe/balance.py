"""The Stripe balance: balance transactions, when they become available, and their invariants."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.money import rounded
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

FULL_CHECK_EVERY = 200
PAYMENTS, PREFUNDING, ISSUING = "payments", "refund_and_dispute_prefunding", "issuing"


def book(
    world: World,
    *,
    kind: str,
    category: str,
    amount: int,
    currency: str,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    source: str | None = None,
    description: str | None = None,
    rate: Decimal | None = None,
    available_on: int | None = None,
    fee_details: list[Obj] | None = None,
    balance_type: str = PAYMENTS,
) -> Obj:
    """Books one balance transaction; net = amount - fee, minor units of the settlement currency.

    Without `available_on` the money moves at once; `fee_details` where the fee is of other parts,
    `balance_type` where the money is of another balance than that of payments.
    """
    now = world.now()
    due = now if available_on is None else available_on
    row = world.new(
        "balance_transaction",
        "txn",
        type=kind,
        reporting_category=category,
        balance_type=balance_type,
        amount=amount,
        fee=fee,
        net=amount - fee,
        currency=currency,
        exchange_rate=rate,
        fee_details=fee_details or fee_rows(world, fee, currency, fee_description),
        source=source,
        status="pending" if due > now else "available",
        available_on=due,
        description=description,
    )
    count(world, row)
    check_row(world, row)
    return row


def fee_rows(world: World, fee: int, currency: str, description: str) -> list[Obj]:
    """The fee split into Stripe's own and, when switched on, the tax on it."""
    if fee == 0:
        return []
    percent = Decimal(world.switches.vat_percent_on_fees)
    tax = fee - rounded(Decimal(fee) * 100 / (100 + percent))
    rows = [fee_row(fee - tax, currency, description, "stripe_fee")]
    return rows + ([fee_row(tax, currency, "VAT", "tax")] if tax else [])


def fee_row(amount: int, currency: str, description: str, kind: str) -> Obj:
    """One entry of fee_details."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": kind,
    }


def count(world: World, row: Obj) -> None:
    """Adds a row to its running balance and plans the moment it becomes available."""
    currency, notes = row["currency"], world.notes
    if row["balance_type"] != PAYMENTS:
        beside = (row["balance_type"], currency)
        notes.beside[beside] = notes.beside.get(beside, 0) + row["net"]
        return
    notes.booked[currency] = notes.booked.get(currency, 0) + row["net"]
    if row["status"] == "available":
        notes.available[currency] = notes.available.get(currency, 0) + row["net"]
        return
    notes.pending[currency] = notes.pending.get(currency, 0) + row["net"]
    group = (currency, row["available_on"])
    if group not in notes.awaiting:
        due = datetime.fromtimestamp(row["available_on"], UTC)
        world.schedule.at(due, lambda: mature(world, group))
    notes.awaiting.setdefault(group, []).append(row["id"])


def mature(world: World, group: tuple[str, int]) -> None:
    """Makes all rows of one currency and moment available."""
    currency, notes = group[0], world.notes
    for key in notes.awaiting.pop(group, []):
        row = world.tables["balance_transaction"].rows[key]
        row["status"] = "available"
        notes.pending[currency] -= row["net"]
        notes.available[currency] = notes.available.get(currency, 0) + row["net"]
    check_running(world, currency)
    emit(world, "balance.available", current(world))
    waiting, world.when_available = world.when_available, []
    for act in waiting:
        act()


def business_days_later(world: World, days: int) -> int:
    """Midnight UTC so many business days from now, unix seconds."""
    day = world.moment().replace(hour=0, minute=0, second=0, microsecond=0)
    while days > 0:
        day += timedelta(days=1)
        days -= 1 if day.weekday() < 5 else 0
    return int(day.timestamp())


def check_row(world: World, row: Obj) -> None:
    """The invariants after each money effect; a broken one is recorded and answered 500."""
    if row["net"] != row["amount"] - row["fee"]:
        world.violated(f"{row['id']}: net {row['net']} is not amount - fee")
    if sum(f["amount"] for f in row["fee_details"]) != row["fee"]:
        world.violated(f"{row['id']}: fee details do not add up to the fee")
    check_running(world, row["currency"])
    if len(world.tables["balance_transaction"]) % FULL_CHECK_EVERY == 0:
        check_balance(world)


def check_running(world: World, currency: str) -> None:
    """Available and pending together are what was booked; cheap enough for every effect."""
    notes = world.notes
    shown = notes.available.get(currency, 0) + notes.pending.get(currency, 0)
    if shown != notes.booked.get(currency, 0):
        booked = notes.booked.get(currency, 0)
        world.violated(f"balance in {currency} is {shown}, {booked} was booked")


def check_balance(world: World) -> None:
    """The balance must equal the sum of all nets of payments, per currency."""
    sums: dict[str, int] = {}
    for row in world.tables["balance_transaction"]:
        if row["balance_type"] != PAYMENTS:
            continue
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["net"]
    notes = world.notes
    for currency, total in sums.items():
        shown = notes.available.get(currency, 0) + notes.pending.get(currency, 0)
        if shown != total:
            world.violated(f"balance in {currency} is {shown}, its transactions sum to {total}")


def rows_of(sums: dict[str, int], currencies: Sequence[str]) -> list[Obj]:
    """Amounts per currency in the form of the balance object."""
    return [
        {"amount": sums.get(c, 0), "currency": c, "source_types": {"card": sums.get(c, 0)}}
        for c in currencies
    ]


def current(world: World) -> Obj:
    """The balance object as of now."""
    notes = world.notes
    held = {*notes.available, *notes.pending}
    currencies = ["usd", *sorted(held - {"usd"})]
    issues = any(kind == ISSUING for kind, _ in notes.beside)
    issued = {ISSUING: {"available": beside(world, ISSUING, currencies)}} if issues else {}
    return {
        "object": "balance",
        "available": rows_of(notes.available, currencies),
        "livemode": False,
        "pending": rows_of(notes.pending, currencies),
        PREFUNDING: {
            "available": beside(world, PREFUNDING, currencies),
            "pending": [{"amount": 0, "currency": c} for c in currencies],
        },
        **issued,
    }


def beside(world: World, balance_type: str, currencies: Sequence[str]) -> list[Obj]:
    """What a balance beside that of payments holds."""
    held = world.notes.beside
    return [{"amount": held.get((balance_type, c), 0), "currency": c} for c in currencies]


def fetch_balance(world: World, _call: Call) -> Obj:
    """GET /v1/balance."""
    return current(world)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/balance_transactions/{id}."""
    return world.get("balance_transaction", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/balance_transactions: by source, type, currency, or the members of a payout."""
    table, params = world.tables["balance_transaction"], call.params
    wanted = {k: params[k] for k in ("currency", "source", "type") if k in params}
    ids = members(world, params["payout"]) if "payout" in params else None
    if ids is None and wanted:
        first = next(k for k in ("source", "type", "currency") if k in wanted)
        ids = table.ids(first, wanted[first])
    return page(call, table, ids, lambda row: all(row[k] == v for k, v in wanted.items()))


def members(world: World, payout_id: str) -> list[str]:
    """The rows of an automatic payout; raises StripeError while they are not known yet."""
    payout = world.get("payout", payout_id, "payout", 400)
    if not payout["automatic"]:
        raise bad(
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
            "payout",
        )
    if payout["reconciliation_status"] != "completed":
        text = f"The reconciliation of payout {payout_id} is not ready yet. Try again later."
        raise bad(text, "payout", "payout_reconciliation_not_ready")
    return world.notes.members.get(payout_id, [])


ROUTES: Routes = {
    "GET /v1/balance": fetch_balance,
    "GET /v1/balance_transactions": listed,
    "GET /v1/balance_transactions/{id}": fetch,
}
