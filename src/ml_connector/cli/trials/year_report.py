"""Months in money: both sandboxes' own books beside what had to happen, and the choices used."""

import json as jsonlib
import subprocess
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ml_connector.cli import show
from ml_connector.cli.trials import year_accounts
from ml_connector.cli.trials.findings import tied_out
from ml_connector.cli.trials.stage import Facts, Sandbox, ask
from ml_connector.cli.trials.year_expected import Expected, unlike
from ml_connector.cli.trials.year_found import found_documents
from ml_connector.cli.trials.year_policies import Used, exercised
from ml_connector.flows.promise.tie_out import FEE_WAITS

Command = Callable[..., Facts]
CLEARING = {"USD": "10650ST", "EUR": "10670ST", "GBP": "10690ST", "JPY": "10660ST"}
"""The sandbox's cash accounts that stand for the Stripe balance."""
ENDED = "completed"
"""Stripe has named every member of a payout: it can be proven, unless a member of it waits."""


@dataclass(frozen=True, slots=True)
class YearReport:
    """What was found; `agrees` only when every document, cent and choice is as it must be."""

    facts: Facts

    @property
    def agrees(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.facts["wrong"]


def collect(
    command: Command,
    sandbox: Sandbox,
    expected: Expected,
    tally: Facts,
    *,
    used: Sequence[Used],
    restored: int,
    unsettled: Sequence[str],
    seconds: float,
) -> YearReport:
    """Counts what stands in both sandboxes' own books, beside what the world has done."""
    stripe, erp = ask(sandbox, "stripe", "books"), ask(sandbox, "acumatica", "books")
    [standing] = command("status")["connections"]
    items = [item for one in command("tieout")["currencies"] for item in one["unposted"]]
    asking = _asking(sandbox)
    wanted = expected.documents(tally, stripe)
    found = found_documents(asking)
    apart = sum(item["reason"] == FEE_WAITS for item in items)
    wanted["fees"] -= apart
    ended = sum(one["reconciliation_status"] == ENDED for one in stripe["payouts"])
    facts: Facts = {
        "documents": {
            kind: {"expected": count, "done": found.get(kind, 0)}
            for kind, count in sorted(wanted.items())
        },
        "world": tally["counts"],
        "money": tally["money"],
        "currencies": tied_out(asking, stripe, _named(items), CLEARING),
        "named": items,
        "waiting": {"expected": expected.held() + apart, "found": len(items)},
        "receivables": _beside(expected.receivables(tally), erp["receivables_open"]),
        "accounts": year_accounts.beside(
            year_accounts.Known(tally, stripe, command("exchange"), expected.suspense),
            ask(sandbox, "acumatica", "ledger")["rows"],
        ),
        "restored": {"expected": tally["counts"]["voided_ours"], "done": restored},
        "payouts": {"expected": ended, "proven": standing["payouts_proven"]},
        "doubled": [*erp["duplicates"]["payments"], *erp["duplicates"]["journals"]],
        "trial_balance": str(erp["trial_balance"]),
        "receivables_difference": str(erp["receivables_difference"]),
        "violations": stripe["invariant_violations"],
        "choices": [
            {"word": word, "value": value, "used": count} for word, value, count in exercised(used)
        ],
        "troubles": standing["troubles"],
        "unsettled": list(unsettled),
        "months": len(used),
        "seconds": round(seconds, 1),
    }
    facts["wrong"] = [*unsettled, *_wrong(facts, unlike(wanted, found))]
    return YearReport(facts)


def _asking(sandbox: Sandbox) -> Callable[[str, str], Any]:
    return lambda side, what: ask(sandbox, side, what)


def _named(items: Sequence[Facts]) -> dict[str, Decimal]:
    named: dict[str, Decimal] = {}
    for item in items:
        amount = item["amount"]
        before = named.get(amount["currency"], Decimal(0))
        named[amount["currency"]] = before + Decimal(amount["amount"])
    return named


def _beside(wanted: dict[str, Decimal], found: Facts) -> dict[str, dict[str, str]]:
    return {
        code: {
            "expected": f"{wanted.get(code, Decimal(0)):f}",
            "done": f"{Decimal(found.get(code, 0)):f}",
        }
        for code in sorted({*wanted, *found})
    }


def _wrong(facts: Facts, other_documents: Sequence[str]) -> list[str]:
    """Everything that is not as it must be, a sentence each."""
    wrong = [
        f"{facts['documents'][kind]['done']} {kind.replace('_', ' ')} instead of"
        f" {facts['documents'][kind]['expected']}."
        for kind in other_documents
    ]
    wrong += [
        f"{code}: a difference of {one['difference']} that nobody can name."
        for code, one in facts["currencies"].items()
        if Decimal(one["difference"])
    ]
    wrong += [
        f"{code}: customers owe {one['done']} instead of {one['expected']}."
        for code, one in facts["receivables"].items()
        if Decimal(one["done"]) != Decimal(one["expected"])
    ]
    wrong += [
        f"{name} holds {one['done']} instead of {one['expected']}."
        for name, one in facts["accounts"].items()
        if Decimal(one["done"]) != Decimal(one["expected"])
    ]
    if facts["restored"]["done"] != facts["restored"]["expected"]:
        restored = facts["restored"]
        wrong.append(f"{restored['done']} voids were restored instead of {restored['expected']}.")
    wrong += [f"Stands twice: {one}" for one in facts["doubled"]]
    wrong += [f"The sandbox complains: {one}" for one in facts["violations"]]
    for what in ("trial_balance", "receivables_difference"):
        if Decimal(facts[what]):
            wrong.append(f"The {what.replace('_', ' ')} is {facts[what]}, not zero.")
    if not 0 <= facts["payouts"]["expected"] - facts["payouts"]["proven"] <= len(facts["named"]):
        wrong.append("{proven} of {expected} payouts are proven.".format(**facts["payouts"]))
    if facts["waiting"]["found"] != facts["waiting"]["expected"]:
        waiting = facts["waiting"]
        wrong.append(f"{waiting['found']} movements wait instead of {waiting['expected']}.")
    return wrong + _unused(facts)


def _unused(facts: Facts) -> list[str]:
    """Twelve months turn every choice round; in fewer some values have no turn."""
    if facts["months"] < 12:  # noqa: PLR2004 - a year
        return []
    return [
        f"The choice {one['word']} = {one['value']} was never used."
        for one in facts["choices"]
        if not one["used"]
    ]


def lines(world: "subprocess.Popen[bytes]") -> Generator[dict[str, Any]]:
    """What the world reports, line by line."""
    for line in world.stdout or ():
        with suppress(ValueError):
            yield jsonlib.loads(line)


def show_report(report: YearReport) -> None:
    """The months as a controller reads them."""
    facts = report.facts
    _rows(f"Documents of {facts['months']} months", facts["documents"])
    columns = ("", "clearing in Acumatica ", "Stripe balance ", "not posted, named ", "difference ")
    tie_out = [
        (code, one["clearing"], one["stripe"], one["named"], one["difference"])
        for code, one in facts["currencies"].items()
    ]
    show.table("Tie-out", columns, tie_out)
    show.say("{proven} of {expected} payouts are proven to the cent.".format(**facts["payouts"]))
    show.say("")
    _rows("Owed by customers", facts["receivables"])
    _rows("Accounts between", facts["accounts"])
    choices = [(one["word"], one["value"], str(one["used"])) for one in facts["choices"]]
    show.table("Choices of the mapping, and how often each was used", ("", "", "used "), choices)
    show.say("")
    for item in facts["named"]:
        amount = item["amount"]
        show.say(f"{item['transaction']} {amount['amount']} {amount['currency']}: {item['reason']}")
    for trouble in facts["troubles"]:
        show.say(trouble["sentence"], mark=f"{trouble['count']} x", colour="yellow")
    for sentence in facts["wrong"]:
        show.say(sentence, mark="wrong", colour="red")
    if report.agrees:
        show.say(f"Every cent is explained ({facts['seconds']} s).", mark="ok", colour="green")


def _rows(title: str, facts: dict[str, dict[str, Any]]) -> None:
    rows = [
        (name.replace("_", " "), str(one["expected"]), str(one["done"]))
        for name, one in facts.items()
    ]
    show.table(title, ("", "expected ", "in the books "), rows)
    show.say("")
