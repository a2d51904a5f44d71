"""What the books of both sides show after a scenario, and what of it is not as it must be."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ml_connector.basics.money import Money

Facts = dict[str, Any]
Ask = Callable[[str, str], Any]
"""A question to a sandbox's control plane: which side, and what."""

CLEARING = {"USD": "10650ST", "JPY": "10660ST"}
"""The sandbox's cash accounts that stand for the Stripe balance."""
IN_THE_LEDGER = frozenset({"Open", "Closed", "Posted", "Unposted"})
JOURNALS = {
    "fee": "fees",
    "refund": "refunds",
    "refund failure": "refund_failures",
    "dispute": "disputes",
    "dispute loss": "losses",
    "loss reversal": "loss_reversals",
    "dispute undone": "disputes_undone",
    "suspense": "suspense",
    "topup": "topups",
    "conversion": "conversions",
    "stripe charge": "bills",
    "payout": "payouts",
    "payout reversal": "payout_reversals",
    "reserve": "reserves",
}
"""What our journals call themselves, by what they are counted as."""
COUNTED = ("payments", *JOURNALS.values(), "proven")
_PURPOSE = re.compile(r"Stripe ([a-z ]+?)(?: of)? [a-z]+_")


def collect(standing: Facts, tie_outs: Sequence[Facts], ask: Ask) -> Facts:
    """Counts what stands in both sandboxes' own books, beside the connector's own view.

    `standing` and `tie_outs` are what `status` and `tieout` say of the one connection.
    """
    stripe, erp = ask("stripe", "books"), ask("acumatica", "books")
    items = [item for one in tie_outs for item in one["unposted"]]
    named: dict[str, Decimal] = {}
    for item in items:
        amount = item["amount"]
        before = named.get(amount["currency"], Decimal(0))
        named[amount["currency"]] = before + Decimal(amount["amount"])
    return {
        **counted(ask),
        "proven": standing["payouts_proven"],
        "owed": _not_zero(erp["receivables_open"]),
        "unposted": _not_zero(named),
        "items": items,
        "held": standing["troubles"],
        "mirrored": stripe["invoices_by_status"],
        "currencies": tied_out(ask, stripe, named),
        "doubled": [*erp["duplicates"]["payments"], *erp["duplicates"]["journals"]],
        "trial_balance": str(erp["trial_balance"]),
        "receivables_difference": str(erp["receivables_difference"]),
        "violations": stripe["invariant_violations"],
    }


def complaints(expected: Facts, found: Facts) -> list[str]:
    """Everything that is not as it must be, a sentence each; empty when all is."""
    wrong = [
        f"{found[kind]} {kind.replace('_', ' ')} instead of {expected[kind]}."
        for kind in COUNTED
        if found[kind] != expected[kind]
    ]
    for what in ("owed", "unposted"):
        wanted = {code: Decimal(text) for code, text in expected[what].items()}
        have = {code: Decimal(text) for code, text in found[what].items()}
        if wanted != have:
            wrong.append(f"{what} is {found[what]} instead of {expected[what]}.")
    if expected["mirrored"] is not None and found["mirrored"] != expected["mirrored"]:
        wrong.append(f"At Stripe are {found['mirrored']} instead of {expected['mirrored']}.")
    return wrong + _held(expected["held"], found["held"]) + unsound(found)


def unsound(found: Facts) -> list[str]:
    """What must never be, whatever has happened: an unnamed cent, a doubled document."""
    wrong = [
        f"{code}: a difference of {one['difference']} that nobody can name."
        for code, one in found["currencies"].items()
        if Decimal(one["difference"])
    ]
    wrong += [f"{item['transaction']} waits without a reason." for item in found["items"]
              if not item["reason"]]  # fmt: skip
    wrong += [f"There is no remedy for: {one['sentence']}" for one in found["held"]
              if not one["remedy"]]  # fmt: skip
    wrong += [f"Stands twice: {one}" for one in found["doubled"]]
    wrong += [f"The sandbox complains: {one}" for one in found["violations"]]
    for what in ("trial_balance", "receivables_difference"):
        if Decimal(found[what]):
            wrong.append(f"The {what.replace('_', ' ')} is {found[what]}, not zero.")
    return wrong


def _held(expected: Mapping[str, int], found: list[Facts]) -> list[str]:
    """Troubles are compared by the beginning of their cause, word by word."""
    counted: Counter[str] = Counter()
    for one in found:
        begins = [cause for cause in expected if re.match(rf"{re.escape(cause)}\b", one["cause"])]
        counted[max(begins, key=len) if begins else one["cause"]] += one["count"]
    if counted == Counter(expected):
        return []
    return [f"What waits is {dict(counted)} instead of {dict(expected)}."]


def counted(ask: Ask) -> dict[str, int]:
    """Our documents in the ledger, by kind."""
    found = dict.fromkeys(COUNTED, 0)
    for one in ask("acumatica", "documents?type=Payment"):
        ours = _value(one, "PaymentRef").startswith(("ch_", "py_"))
        if ours and _value(one, "Type") == "Payment" and _value(one, "Status") in IN_THE_LEDGER:
            found["payments"] += 1
    for one in ask("acumatica", "documents?type=JournalTransaction"):
        purpose = _PURPOSE.match(_value(one, "Description"))
        if purpose and _value(one, "Module") == "GL" and _value(one, "Status") in IN_THE_LEDGER:
            found[JOURNALS[purpose.group(1)]] += 1
    return found


def tied_out(
    ask: Ask, stripe: Facts, named: Mapping[str, Decimal], clearing_of: Mapping[str, str] = CLEARING
) -> dict[str, dict[str, str]]:
    """Per currency both sides' own books, less what the connector has named."""
    cash = ask("acumatica", "cash-accounts")
    shown: dict[str, dict[str, str]] = {}
    for code in sorted({*clearing_of, *(name.upper() for name in stripe["currencies"])}):
        place = clearing_of.get(code)
        clearing = Decimal(str(cash[place]["balance"])) if place else Decimal(0)
        held = stripe["currencies"].get(code.lower(), {}).get("total", 0)
        balance = Money(held, code).decimal
        open_items = named.get(code, Decimal(0))
        amounts = {
            "clearing": clearing,
            "stripe": balance,
            "named": open_items,
            "difference": clearing - (balance - open_items),
        }
        shown[code] = {name: _text(amount, code) for name, amount in amounts.items()}
    return shown


def _not_zero(amounts: Mapping[str, Any]) -> dict[str, str]:
    return {
        code: _text(Decimal(str(amount)), code)
        for code, amount in amounts.items()
        if Decimal(str(amount))
    }


def _text(amount: Decimal, code: str) -> str:
    return f"{Money.of(amount, code).decimal:f}"


def _value(record: Facts, field: str) -> str:
    return str(record.get(field, {}).get("value", ""))
