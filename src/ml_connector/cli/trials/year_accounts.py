"""What must stand on the accounts between: transit, disputed money, reserve, suspense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.basics.money import Money
from ml_connector.cli.trials.findings import Facts

SETTLED = ("EUR", "GBP", "JPY", "USD")
NEVER_CONVERTED_INTO = ("EUR", "GBP", "JPY")
TRANSIT, COUNTERPART, DISPUTED, RESERVE, SUSPENSE = "10680", "10500", "12650", "12660", "24400"
DISPUTES = ("adjustment/dispute", "adjustment/dispute_reversal")
RESERVES = ("reserve_hold/risk_reserved_funds", "reserve_release/risk_reserved_funds")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the ledger.

    `tally` is the world's own count, `stripe` the sandbox's own books, `exchange` the answer of the
    command of that name, `suspense` what was put there, by currency of the buyer.
    """

    tally: Facts
    stripe: Facts
    exchange: Facts
    suspense: Mapping[str, Decimal]


def beside(known: Known, ledger: Sequence[Facts]) -> dict[str, dict[str, str]]:
    """By account and currency what must stand there, and what stands in Acumatica's ledger.

    What a bank has taken is disputed until it is won back or lost; what is held is in reserve.
    Between transit and its counterpart stands what was converted and is only listed. Suspense is
    compared where no other currency is converted into that one.
    """
    wanted = _converted(known.exchange)
    for code in SETTLED:
        lost = Decimal(known.tally["money"].get(code, {}).get("lost", "0"))
        wanted["disputed", DISPUTED, code] = -_moved(known.stripe, code, DISPUTES) - lost
        wanted["reserve", RESERVE, code] = -_moved(known.stripe, code, RESERVES)
    for code in NEVER_CONVERTED_INTO:
        wanted["suspense", SUSPENSE, code] = -known.suspense.get(code, Decimal(0))
    held = _balances(ledger)
    return {
        f"{name} {code}": {
            "expected": f"{amount:f}",
            "done": f"{held.get((account, code), Decimal(0)):f}",
        }
        for (name, account, code), amount in wanted.items()
    }


def _converted(exchange: Facts) -> dict[tuple[str, str, str], Decimal]:
    """What is listed, in both its currencies."""
    listed = [one for one in exchange["totals"] if not one["cleared"]]
    paid = sum((Decimal(one["paid"]["amount"]) for one in listed), Decimal(0))
    settled = sum((Decimal(one["settled"]["amount"]) for one in listed), Decimal(0))
    return {
        ("transit", TRANSIT, "CAD"): paid,
        ("counterpart", COUNTERPART, "USD"): -settled,
    }


def _moved(stripe: Facts, code: str, kinds: Sequence[str]) -> Decimal:
    """What rows of these kinds moved in Stripe's books of a currency."""
    kept = stripe["currencies"].get(code.lower(), {}).get("by_kind", {})
    minor = sum(int(kept[kind]["amount"]) for kind in kinds if kind in kept)
    return Money(minor, code).decimal


def _balances(ledger: Sequence[Facts]) -> Mapping[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for row in ledger:
        place = str(row["account"]), str(row["currency"])
        found[place] = found.get(place, Decimal(0)) + Decimal(str(row["balance"]))
    return found
