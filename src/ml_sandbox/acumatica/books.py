"""Questions about the books that a controller asks: trial balance, cash, totals, duplicates."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.forms.applications import ACCOUNT, open_balance
from ml_sandbox.acumatica.forms.base import BASE_BALANCE, CURRENCY, money
from ml_sandbox.acumatica.forms.invoices import released
from ml_sandbox.acumatica.ledger import ZERO, total
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.wire import Json
from ml_sandbox.acumatica.world import World

_CREDITS = frozenset(("Payment", "Prepayment", "Credit Memo"))
_RELEASED = frozenset(("Open", "Closed", "Reserved", "Voided"))


def trial_balance(world: World) -> Json:
    """Rows per account, subaccount, branch and currency, with totals per currency and in base."""
    rows: list[Json] = []
    totals: dict[str, Decimal] = defaultdict(Decimal)
    bases: dict[str, Decimal] = defaultdict(Decimal)
    for (account, subaccount, branch, currency), periods in world.ledger.places():
        sums = total(periods.values())
        rows.append(
            {
                "account": account,
                "subaccount": subaccount,
                "branch": branch,
                "currency": currency,
                "debit": sums.debit,
                "credit": sums.credit,
                "balance": sums.balance,
                "base_debit": sums.base_debit,
                "base_credit": sums.base_credit,
                "base_balance": sums.base_balance,
            }
        )
        totals[currency] += sums.balance
        bases[world.setup.base_of(branch)] += sums.base_balance
    return {
        "rows": rows,
        "totals": {
            "base": sum(map(abs, bases.values()), ZERO),
            "bases": dict(bases),
            "currencies": dict(totals),
        },
        "receivables": receivables(world),
        "unposted_batches": sum(not batch.posted for batch in world.ledger.batches),
    }


def receivables(world: World) -> Json:
    """Open documents against the AR control account, per currency and in base."""
    owed: dict[str, Decimal] = defaultdict(Decimal)
    owed_base = ZERO
    for document in _released_documents(world):
        if document.custom.get(ACCOUNT, world.setup.receivables) != world.setup.receivables:
            continue
        sign = -1 if document.get("Type") in _CREDITS else 1
        owed[document.custom[CURRENCY]] += sign * open_balance(document)
        owed_base += sign * money(document.custom.get(BASE_BALANCE))
    booked: dict[str, Decimal] = defaultdict(Decimal)
    booked_base = ZERO
    for batch in world.ledger.batches:
        for line in batch.lines:
            if line.account == world.setup.receivables:
                booked[batch.currency] += line.amount
                booked_base += line.base
    currencies = sorted({*owed, *booked})
    return {
        "documents": {code: owed[code] for code in currencies},
        "ledger": {code: booked[code] for code in currencies},
        "documents_base": owed_base,
        "ledger_base": booked_base,
        "difference": sum((abs(owed[c] - booked[c]) for c in currencies), ZERO)
        + abs(owed_base - booked_base),
    }


def _released_documents(world: World) -> Iterable[Record]:
    for record in world.tables["Invoice"]:
        if released(record):
            yield record
    for record in world.tables["Payment"]:
        if record.get("Type") != "Credit Memo" and record.get("Status") in _RELEASED:
            yield record


def cash_accounts(world: World) -> Json:
    """Each cash account's GL place and balance in its own currency."""
    return {
        cash.code: {
            "currency": cash.currency,
            "account": cash.account,
            "subaccount": cash.subaccount,
            "branch": cash.branch,
            "description": cash.description,
            "balance": world.ledger.moved(
                cash.account, cash.subaccount, cash.branch, cash.currency
            ),
        }
        for cash in world.setup.cash_accounts.values()
    }


def books(world: World) -> Json:
    """Counts and sums by kind and status, duplicates, open receivables and the trial balance."""
    balance = trial_balance(world)
    return {
        "invoices": _grouped(world.tables["Invoice"], "Amount"),
        "payments": _grouped(
            (r for r in world.tables["Payment"] if r.get("Type") != "Credit Memo"), "PaymentAmount"
        ),
        "journals": _grouped(world.tables["JournalTransaction"], None, kind="Module"),
        "duplicates": {"payments": _double_payments(world), "journals": _double_journals(world)},
        "receivables_open": balance["receivables"]["documents"],
        "receivables_difference": balance["receivables"]["difference"],
        "trial_balance": balance["totals"]["base"],
    }


def _grouped(records: Iterable[Record], amount: str | None, kind: str = "Type") -> list[Json]:
    groups: dict[tuple[str, str, str], Json] = {}
    for record in records:
        currency = record.custom.get(CURRENCY) or record.get("CurrencyID") or ""
        name = (str(record.get(kind)), str(record.get("Status")), str(currency))
        group = groups.setdefault(
            name,
            {"type": name[0], "status": name[1], "currency": name[2], "count": 0, "sum": ZERO},
        )
        group["count"] += 1
        group["sum"] += money(record.get(amount)) if amount else ZERO
    return [groups[name] for name in sorted(groups)]


def _more_than_one(
    records: Iterable[Record], key: Callable[[Record], Iterable[str]], label: str
) -> list[Json]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for each in set(key(record)):
            groups[each].append(record)
    return [
        {"key": each, "documents": [str(record.get(label)) for record in found]}
        for each, found in sorted(groups.items())
        if len(found) > 1
    ]


def _double_payments(world: World) -> list[Json]:
    def key(record: Record) -> Iterable[str]:
        reference: Any = record.get("PaymentRef")
        if reference:
            yield f"{record.get('Type')} {reference}"

    live = (
        record
        for record in world.tables["Payment"]
        if record.get("Status") != "Voided" and not str(record.get("Type")).startswith("Voided")
    )
    return _more_than_one(live, key, "ReferenceNbr")


def _double_journals(world: World) -> list[Json]:
    def key(record: Record) -> Iterable[str]:
        for row in record.rows("Details"):
            if row.get("ReferenceNbr"):
                yield str(row.get("ReferenceNbr"))

    manual = (r for r in world.tables["JournalTransaction"] if r.get("Module") == "GL")
    return _more_than_one(manual, key, "BatchNbr")
