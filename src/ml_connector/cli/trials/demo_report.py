"""The month in money: what both sandboxes' own books say, beside what should have happened."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.basics.money import Money
from ml_connector.cli import show
from ml_connector.cli.trials.findings import IN_THE_LEDGER
from ml_connector.cli.trials.stage import Facts, Sandbox, ask

Command = Callable[..., Facts]

KINDS = ("customers", "invoices", "payments", "fees", "refunds", "payouts", "stripe_bills")
JOURNALS = {
    "Stripe fee": "fees",
    "Stripe refund": "refunds",
    "Stripe payout": "payouts",
    "Stripe stripe charge": "stripe_bills",
}
"""How the descriptions of our journals begin, by what they are counted as."""
CLEARING = {"USD": "10650ST", "JPY": "10660ST"}
"""The sandbox's cash accounts that stand for the Stripe balance."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a demo found; `agrees` only when every count and every cent does."""

    facts: Facts

    @property
    def agrees(self) -> bool:
        """Whether all that should have happened did, once, and the books are level."""
        counted = all(self.facts[kind]["expected"] == self.facts[kind]["done"] for kind in KINDS)
        level = all(Decimal(text) == 0 for text in self.facts["difference"].values())
        spotless = not self.facts["doubled"] and not self.facts["unexplained"]
        proven = self.facts["payouts_proven"] == self.facts["payouts"]["expected"]
        sound = Decimal(self.facts["trial_balance"]) == 0 and not self.facts["violations"]
        return counted and level and spotless and proven and sound


def nothing_on_its_way(sandbox: Sandbox, command: Command) -> bool:
    """Whether no webhook is outstanding, no job is due, and no money waits to be posted."""
    if not ask(sandbox, "stripe", "settled")["idle"]:
        return False
    [standing] = command("status")["connections"]
    waits = any(row["state"] not in ("posted", "ignored") for row in standing["money"])
    seen = sum(row["count"] for row in standing["money"])
    known = ask(sandbox, "stripe", "books")["counts"].get("balance_transaction", 0)
    level = standing["payouts"] == standing["payouts_proven"]
    return standing["idle"] and not waits and seen == known and level


def collect(
    command: Command, sandbox: Sandbox, expected: Facts, *, seconds: float, kills: int
) -> Report:
    """Counts what stands in the two sandboxes' own books, and asks the connector for its view."""
    stripe, erp = ask(sandbox, "stripe", "books"), ask(sandbox, "acumatica", "books")
    cash = ask(sandbox, "acumatica", "cash-accounts")
    [standing] = command("status")["connections"]
    done = _done(sandbox, stripe)
    wanted = expected["expected"] | {"customers": _count(sandbox, "Customer")}
    balances = {code: _stripe_balance(stripe, code) for code in CLEARING}
    clearing = {code: Decimal(str(cash[place]["balance"])) for code, place in CLEARING.items()}
    facts: Facts = {kind: {"expected": wanted[kind], "done": done[kind]} for kind in KINDS}
    facts |= {
        "money": expected["money"],
        "clearing": {code: _text(amount, code) for code, amount in clearing.items()},
        "stripe_balance": {code: _text(amount, code) for code, amount in balances.items()},
        "difference": {code: _text(clearing[code] - balances[code], code) for code in CLEARING},
        "unexplained": [
            row for row in standing["money"] if row["state"] not in ("posted", "ignored")
        ],
        "troubles": standing["troubles"],
        "doubled": [*erp["duplicates"]["payments"], *erp["duplicates"]["journals"]],
        "payouts_proven": standing["payouts_proven"],
        "trial_balance": str(erp["trial_balance"]),
        "violations": stripe["invariant_violations"],
        **_calls(sandbox, done),
        "kills": kills,
        "seconds": round(seconds, 1),
    }
    return Report(facts)


def _done(sandbox: Sandbox, stripe: Facts) -> Counter[str]:
    """What stands in the books, counted by kind from the documents themselves."""
    done: Counter[str] = Counter()
    done["customers"] = stripe["counts"].get("customer", 0)
    done["invoices"] = sum(
        count
        for status, count in stripe["invoices_by_status"].items()
        if status in ("open", "paid")
    )
    payments = ask(sandbox, "acumatica", "documents?type=Payment")
    done["payments"] = sum(_value(one, "Status") in IN_THE_LEDGER for one in payments)
    for batch in ask(sandbox, "acumatica", "documents?type=JournalTransaction"):
        if _value(batch, "Module") == "GL" and _value(batch, "Status") in IN_THE_LEDGER:
            text = _value(batch, "Description")
            for beginning, kind in JOURNALS.items():
                done[kind] += text.startswith(beginning)
    return done


def _calls(sandbox: Sandbox, done: Counter[str]) -> Facts:
    """The API calls that both sandboxes counted: in all, and per invoice and payment."""
    erp, stripe = ask(sandbox, "acumatica", "calls"), ask(sandbox, "stripe", "calls")
    to_send = _sum(stripe["calls"], ("POST /v1/invoices",))
    to_settle = _sum(stripe["calls"], ("GET /v1/charges/{", "GET /v1/invoice_payments"))
    to_post = _sum(erp["calls"], ("/Payment",))
    return {
        "acumatica_calls": erp["total"],
        "stripe_calls": stripe["total"],
        "stripe_calls_per_invoice": _per(to_send, done["invoices"]),
        "stripe_calls_per_payment": _per(to_settle, done["payments"]),
        "acumatica_calls_per_payment": _per(to_post, done["payments"]),
    }


def _sum(calls: Mapping[str, int], parts: Sequence[str]) -> int:
    """The calls whose route contains one of the parts, payment methods left out."""
    return sum(
        count
        for route, count in calls.items()
        if "PaymentMethod" not in route and any(part in route for part in parts)
    )


def _per(calls: int, things: int) -> float:
    return round(calls / things, 2) if things else 0.0


def _count(sandbox: Sandbox, entity: str) -> int:
    return len(ask(sandbox, "acumatica", f"documents?type={entity}"))


def _value(record: Facts, field: str) -> str:
    return str(record.get(field, {}).get("value", ""))


def _stripe_balance(books: Facts, code: str) -> Decimal:
    minor = books["currencies"].get(code.lower(), {}).get("total", 0)
    return Money(minor, code).decimal


def _text(amount: Decimal, code: str) -> str:
    return f"{Money.of(amount, code).decimal:f}"


def show_report(report: Report) -> None:
    """The month as a controller reads it."""
    facts = report.facts
    rows = [
        (kind.replace("_", " "), str(facts[kind]["expected"]), str(facts[kind]["done"]))
        for kind in KINDS
    ]
    rows.append(("payouts proven", str(facts["payouts"]["expected"]), str(facts["payouts_proven"])))
    show.table("October 2026", ("", "expected ", "in the books "), rows)
    show.say("")
    money = [
        (
            code,
            *(facts["money"][code][what] for what in ("invoiced", "paid", "refunded", "paid_out")),
        )
        for code in CLEARING
    ]
    show.table("Money", ("", "invoiced ", "paid ", "refunded ", "paid out "), money)
    show.say("")
    level = [
        (code, facts["clearing"][code], facts["stripe_balance"][code], facts["difference"][code])
        for code in CLEARING
    ]
    columns = ("", "clearing in Acumatica ", "Stripe balance ", "difference ")
    show.table("Tie-out", columns, level)
    show.say("")
    show.say(
        f"{facts['stripe_calls']} Stripe calls ({facts['stripe_calls_per_invoice']} per invoice,"
        f" {facts['stripe_calls_per_payment']} per payment), {facts['acumatica_calls']} Acumatica"
        f" calls ({facts['acumatica_calls_per_payment']} per payment), {facts['seconds']} s."
    )
    for trouble in facts["troubles"]:
        show.say(trouble["sentence"], mark=f"{trouble['count']} x", colour="yellow")
    if report.agrees:
        show.say("Every cent is explained.", mark="ok", colour="green")
    else:
        show.say("It does not agree.", mark="no", colour="red")
