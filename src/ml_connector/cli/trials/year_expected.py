"""What the books must show after so many months: from what happened, and from what was chosen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ml_connector.cli.trials.findings import Facts
from ml_connector.cli.trials.year_policies import in_month, maps_the_unheard

KINDS_AT_STRIPE: Mapping[str, tuple[str, ...]] = {
    "refunds": ("refund/refund", "payment_refund/refund"),
    "refund_failures": ("refund_failure/refund_failure",),
    "disputes": ("adjustment/dispute", "adjustment/dispute_reversal"),
    "topups": ("topup/topup", "topup_reversal/topup_reversal"),
    "bills": ("stripe_fee/fee", "tax_fee/tax", "adjustment/fee"),
    "payouts": ("payout/payout",),
    "payout_reversals": ("payout_failure/payout_reversal", "payout_cancel/payout_reversal"),
    "reserves": ("reserve_hold/risk_reserved_funds", "reserve_release/risk_reserved_funds"),
}
"""Journals of which there is one for each row of these kinds in Stripe's own books."""
RECEIPTS = ("charge/charge", "payment/charge")


@dataclass
class Expected:
    """What must be there by now; fed with each month's tally, in turn.

    `waiting` are payments of nobody: how many, of strangers and of known customers. `due` are
    documents by kind as far as the choices decide them; `owed` changes what the world says
    that customers owe; `suspense` is what went there, by currency.
    """

    waiting: Counter[str] = field(default_factory=Counter[str])
    unheard: int = 0
    due: Counter[str] = field(default_factory=Counter[str])
    owed: Counter[str] = field(default_factory=Counter[str])
    suspense: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    _before: Facts = field(default_factory=dict[str, object])
    _strange: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    _acquainted: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    _converted: int = 0

    def live(self, month: int, tally: Facts) -> None:
        """A month has been lived through under its choices; `tally` is of all months so far."""
        now = _since(tally, self._before)
        chosen = in_month(month)
        self.due["conversions"] += _for_conversion(month) * now.counts["converted"]
        # What was voided of the month before is posted anew as this one has it.
        other = _for_conversion(month) - _for_conversion(max(0, month - 1))
        self.due["conversions"] += other * now.counts["voided_converted"]
        self._lost(chosen, now)
        if chosen["refunds"] == "credit_memo":  # what comes back leaves the memo open
            self.owed.subtract(now.flow("failing"))
        self.waiting["strangers"] += now.counts["strangers"]
        self.waiting["acquaintances"] += now.counts["acquaintances"]
        self._converted += now.counts["acquaintances_converted"]
        self._strange = _sum(self._strange, now.flow("strange"))
        self._acquainted = _sum(self._acquainted, now.flow("acquainted"))
        self.unheard += now.counts["unheard"]
        self._before = tally
        self.choose(month)

    def _lost(self, chosen: Mapping[str, str], now: "_Since") -> None:
        if chosen["dispute_lost"] == "loss":
            self.due["losses"] += now.counts["lost"]
            return
        self.due["disputes_undone"] += now.counts["lost"]
        self.due["payments"] -= now.counts["lost"]
        self.owed.update(now.flow("lost"))

    def choose(self, month: int) -> None:
        """The choices of a month are in force: what waited goes where they put it."""
        chosen = in_month(month)
        if maps_the_unheard(month):
            self.due["suspense"] += self.unheard
            self.unheard = 0
        match chosen["unmatched"]:
            case "suspense":
                self.due["suspense"] += self.waiting.total()
                self.waiting.clear()
                self.suspense = _sum(self.suspense, _sum(self._strange, self._acquainted))
                self._strange = {}
                self._forget_acquaintances()
            case "unapplied":
                self.due["payments"] += self.waiting.pop("acquaintances", 0)
                self.due["conversions"] += self._converted * _for_conversion(month)
                self.owed.subtract(self._acquainted)
                self._forget_acquaintances()
            case _:
                pass

    def _forget_acquaintances(self) -> None:
        self._acquainted, self._converted = {}, 0

    def held(self) -> int:
        """Movements that wait, each of them named."""
        return self.waiting.total() + self.unheard

    def documents(self, tally: Facts, stripe: Facts) -> dict[str, int]:
        """Documents in the ledger by kind; `stripe` is what the sandbox's own books say."""
        counts = Counter[str](tally["counts"])
        rows = _rows(stripe)
        wanted = {kind: sum(rows[one] for one in named) for kind, named in KINDS_AT_STRIPE.items()}
        receipts = sum(rows[one] for one in RECEIPTS)
        wanted["payments"] = counts["settled"] - counts["bounced"] + self.due["payments"]
        wanted["fees"] = receipts - self.waiting.total() + counts["disputed"]
        for kind in ("losses", "disputes_undone", "suspense", "conversions"):
            wanted[kind] = self.due[kind]
        return wanted

    def receivables(self, tally: Facts) -> dict[str, Decimal]:
        """What customers owe, by currency."""
        told = {code: Decimal(flows["owed"]) for code, flows in tally["money"].items()}
        return {code: amount + self.owed[code] for code, amount in told.items()}


def _for_conversion(month: int) -> int:
    """Journals for each conversion, by the choice of a month."""
    return 2 if in_month(month)["fx"] == "gain_loss" else 1


@dataclass(frozen=True, slots=True)
class _Since:
    """What one month has added."""

    counts: Counter[str]
    money: Mapping[str, Mapping[str, Decimal]]

    def flow(self, name: str) -> dict[str, Decimal]:
        """By currency."""
        return {code: flows[name] for code, flows in self.money.items()}


def _since(now: Facts, before: Facts) -> _Since:
    counts = Counter[str](now["counts"])
    counts.subtract(before.get("counts", {}))
    past = before.get("money", {})
    money = {
        code: {
            name: Decimal(text) - Decimal(past.get(code, {}).get(name, "0"))
            for name, text in flows.items()
        }
        for code, flows in now["money"].items()
    }
    return _Since(counts, money)


def _sum(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    codes = {*one, *other}
    return {code: one.get(code, Decimal(0)) + other.get(code, Decimal(0)) for code in codes}


def _rows(stripe: Facts) -> Counter[str]:
    rows: Counter[str] = Counter()
    for currency in stripe["currencies"].values():
        rows.update({kind: one["count"] for kind, one in currency["by_kind"].items()})
    return rows


def unlike(wanted: Mapping[str, int], found: Mapping[str, int]) -> Sequence[str]:
    """The kinds of documents of which there are more or fewer than there must be."""
    return [kind for kind, count in wanted.items() if found.get(kind, 0) != count]
