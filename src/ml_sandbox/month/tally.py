"""What has happened so far, counted, and the money it moved, exact and per currency."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

KINDS = tuple("customers invoices payments refunds payouts stripe_bills disputes".split())
FLOWS = ("invoiced", "paid", "refunded", "paid_out")
_DECIMALS = {"USD": 2, "JPY": 0}


def in_minor(amount: Decimal, currency: str) -> int:
    """An amount in the currency's smallest unit; raises ValueError when it has a rest."""
    minor = amount.scaleb(_DECIMALS[currency])
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} {currency} has more decimals than the currency")
    return int(minor)


def as_text(minor: int, currency: str) -> str:
    """An amount as a decimal text: 1234 US cents are 12.34."""
    places = _DECIMALS[currency]
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


@dataclass
class Tally:
    """Counts by kind, and minor units by currency and flow."""

    counts: Counter[str] = field(default_factory=Counter[str])
    paid_in_full: int = 0
    money: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def add(self, kind: str, flow: str, currency: str, minor: int) -> None:
        """One more of a kind, which moved money."""
        self.counts[kind] += 1
        self.money[currency, flow] += minor

    def facts(self) -> dict[str, int]:
        """How many of each kind both sides must know; every payment here carries a fee."""
        return {name: self.counts[name] for name in KINDS} | {"fees": self.counts["payments"]}

    def amounts(self) -> dict[str, dict[str, str]]:
        """By currency and flow, as decimal texts; `paid` is before fees, `paid_out` after them."""
        return {
            currency: {flow: as_text(self.money[currency, flow], currency) for flow in FLOWS}
            for currency in _DECIMALS
        }

    def expected(self) -> dict[str, object]:
        """The month's last word."""
        return {"done": True, "expected": self.facts(), "money": self.amounts()}
