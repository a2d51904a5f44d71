"""The sandbox's own books: what the account holds and whether everything adds up."""

from collections import Counter
from contextlib import suppress

from ml_sandbox.stripe import balance
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def books(world: World) -> Obj:
    """Balances, sums per kind of row, payouts with their members, broken invariants."""
    with suppress(AssertionError):  # recorded in world.violations, which is shown below
        balance.check_balance(world)
    return {
        "currencies": currencies(world),
        "counts": {kind: len(table) for kind, table in world.tables.items()},
        "invoices_by_status": dict(Counter(i["status"] for i in world.tables["invoice"])),
        "paid_invoices": [paid(i) for i in world.tables["invoice"] if i["status"] == "paid"],
        "payouts": [payout(world, p) for p in world.tables["payout"]],
        "invariant_violations": list(dict.fromkeys(world.violations)),
    }


def currencies(world: World) -> Obj:
    """Per currency: available, pending, total, and the sums by type and category."""
    sums: dict[str, dict[str, Obj]] = {}
    for row in world.tables["balance_transaction"]:
        key = f"{row['type']}/{row['reporting_category']}"
        blank: Obj = {"count": 0, "amount": 0, "fee": 0, "net": 0}
        entry = sums.setdefault(row["currency"], {}).setdefault(key, blank)
        entry["count"] += 1
        for name in ("amount", "fee", "net"):
            entry[name] += row[name]
    notes = world.notes
    return {
        currency: {
            "available": notes.available.get(currency, 0),
            "pending": notes.pending.get(currency, 0),
            "total": notes.available.get(currency, 0) + notes.pending.get(currency, 0),
            "by_kind": kinds,
        }
        for currency, kinds in sums.items()
    }


def paid(invoice: Obj) -> Obj:
    """One paid invoice in short."""
    names = ("id", "number", "currency", "total", "amount_paid", "amount_overpaid", "metadata")
    return {name: invoice[name] for name in names}


def payout(world: World, row: Obj) -> Obj:
    """One payout and the sum of its members without its own row."""
    rows = world.tables["balance_transaction"].rows
    members = world.notes.members.get(row["id"], [])
    others = [rows[key] for key in members if key != row["balance_transaction"]]
    names = ("id", "amount", "currency", "status", "automatic", "reconciliation_status")
    return {name: row[name] for name in names} | {
        "members": len(others),
        "member_sum": sum(r["net"] for r in others),
    }
