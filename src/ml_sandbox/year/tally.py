"""What has happened so far, counted, and the money of it; the sandboxes' own knowledge."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

COUNTED = (
    "customers", "invoices", "settled", "unsettled", "declined", "by_evidence", "bounced",
    "checks", "wires", "credit_memos", "strangers", "acquaintances", "disputed", "lost",
    "payouts", "payouts_by_hand", "unheard", "edits", "converted", "acquaintances_converted",
    "failing", "voided_ours", "voided_converted",
)  # fmt: skip
"""What is told: `settled` are payments of invoices, `unsettled` those that moved no money,
`disputed` those of which a bank took money, `converted` those that Stripe settled in another
currency, `failing` refunds of payments in their own currency that the bank sends back,
`voided_ours` payments of the connector's that an accountant voided, `voided_converted` those of
them that Stripe settled in another currency."""
FLOWS = (
    "invoiced",
    "paid",
    "bounced",
    "checked",
    "credited",
    "strange",
    "acquainted",
    "lost",
    "failing",
)


def in_minor(amount: object, currency: str) -> int:
    """A decimal amount in the currency's smallest unit; raises ValueError when it has a rest."""
    minor = Decimal(str(amount)).scaleb(places(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} {currency} has more decimals than the currency")
    return int(minor)


def as_text(minor: int, currency: str) -> str:
    """Minor units as a decimal text."""
    return f"{Decimal(minor).scaleb(-places(currency)):.{places(currency)}f}"


def places(currency: str) -> int:
    """The decimals of a currency that the firm uses."""
    return 0 if currency == "JPY" else 2


@dataclass
class Tally:
    """Counts by kind; minor units by currency and flow."""

    counts: Counter[str] = field(default_factory=Counter[str])
    money: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def add(self, kind: str, flow: str, currency: str, minor: int) -> None:
        """One more of a kind, which moved money."""
        self.counts[kind] += 1
        self.money[currency, flow] += minor

    def owed(self, currency: str) -> int:
        """What customers owe by what has happened, before any choice of how to book it.

        Without money that is for no invoice, and with every dispute's invoice still paid.
        """
        flow = {name: self.money[currency, name] for name in FLOWS}
        settled = flow["paid"] - flow["bounced"] + flow["checked"] + flow["credited"]
        return flow["invoiced"] - settled

    def facts(self) -> dict[str, Any]:
        """The same as one JSON object; amounts as decimal texts."""
        currencies = sorted({currency for currency, _ in self.money})
        return {
            "counts": {name: self.counts[name] for name in COUNTED},
            "money": {
                code: {flow: as_text(self.money[code, flow], code) for flow in FLOWS}
                | {"owed": as_text(self.owed(code), code)}
                for code in currencies
            },
        }
