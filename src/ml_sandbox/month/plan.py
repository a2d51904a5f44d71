"""What will happen in October 2026: a pure function of the seed and the size."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from ml_sandbox.month.people import Client, draw_client
from ml_sandbox.month.work import Invoice, draw_description, draw_lines

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
LAST_ISSUE = date(2026, 10, 29)
PAYOUT_DAYS = tuple(date(2026, 10, day) for day in (9, 16, 23, 30))
LONGEST_DELAY = 20
EARLY = timedelta(days=5)
"""How soon the first of two parts comes."""
ONE_DAY = timedelta(days=1)
Row = TypeVar("Row")

AT_ONCE = "4000000000000077"
"""The test card whose money is available at once; others take two business days."""
_CARDS = (
    AT_ONCE, "4242424242424242", "4000056655665556", "5555555555554444", "378282246310005",
    AT_ONCE, "4000008260000000",
)  # fmt: skip
_DECLINING = (
    "4000000000000002", "4000000000009995", "4000000000000069", "4000000000000127",
    "4000000000000119",
)  # fmt: skip
_BILLS = (
    (date(2026, 10, 30), 12350, "Billing - Usage Fee (2026-10-01 - 2026-10-31)"),
    (date(2026, 10, 30), 1840, "Radar for Fraud Teams (2026-10)"),
    (date(2026, 10, 31), 500, "Sigma (2026-10)"),
)
"""Day, US cents, text: the first two fall into the last payout, the third stays behind."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A buyer at the invoice page: a share in percent of what is due; 100 is all that is left."""

    key: int
    invoice: int
    day: date
    card: str
    percent: int
    succeeds: bool


@dataclass(frozen=True, slots=True)
class Return:
    """Money given back on a visit: a percentage of it, 100 in full."""

    visit: int
    day: date
    percent: int


@dataclass(frozen=True, slots=True)
class Contest:
    """A cardholder who disputes a visit's whole payment."""

    visit: int
    day: date


@dataclass(frozen=True, slots=True)
class Bill:
    """A product fee that Stripe takes from the balance, in US cents."""

    day: date
    cents: int
    text: str


@dataclass(frozen=True, slots=True)
class Month:
    """Everything that happens, in the order in which it happens within each day."""

    clients: tuple[Client, ...]
    invoices: tuple[Invoice, ...]
    visits: tuple[Visit, ...]
    returns: tuple[Return, ...]
    contests: tuple[Contest, ...]
    bills: tuple[Bill, ...]
    payout_days: tuple[date, ...] = PAYOUT_DAYS


def plan(seed: int, customers: int, invoices: int, disputes: int = 0) -> Month:
    """The month of a firm of that size; the same arguments give the same month.

    Needs at least two customers (one of them pays in yen) and one invoice; raises ValueError.
    """
    if customers < 2 or invoices < 1:
        raise ValueError("a month needs at least 2 customers and 1 invoice")
    chance = Random(seed)
    clients = _clients(chance, customers)
    issued = _invoices(chance, clients, invoices)
    visits = _visits(chance, issued)
    returns = _returns(chance, visits)
    returned = {row.visit for row in returns}
    left = [v for v in visits if v.succeeds and v.key not in returned and v.day < LAST]
    contests = tuple(
        Contest(visit.key, visit.day + ONE_DAY) for visit in _some(chance, left, disputes)
    )
    bills = tuple(Bill(*row) for row in _BILLS)
    return Month(clients, issued, visits, returns, contests, bills)


def days() -> list[date]:
    """The month's days in order."""
    return [FIRST + ONE_DAY * number for number in range((LAST - FIRST).days + 1)]


def is_business_day(day: date) -> bool:
    """Whether the clerk works that day: Monday to Friday."""
    return day.weekday() < 5


def _some(chance: Random, rows: list[Row], count: int) -> list[Row]:
    """So many rows, chosen at random, in their own order."""
    chosen = sorted(chance.sample(range(len(rows)), min(count, len(rows))))
    return [rows[place] for place in chosen]


def _part(whole: int, percent: int) -> int:
    """That many percent of a number, rounded, but at least one of something."""
    return min(whole, max(1, (whole * percent + 50) // 100))


def _clients(chance: Random, count: int) -> tuple[Client, ...]:
    """One in six is billed in yen."""
    in_yen = set(_some(chance, list(range(count)), _part(count, 17)))
    return tuple(
        draw_client(chance, key, "JPY" if key in in_yen else "USD") for key in range(count)
    )


def _invoices(chance: Random, clients: tuple[Client, ...], count: int) -> tuple[Invoice, ...]:
    """Every client gets an invoice before anyone gets a second one; numbered by day."""
    billed = [client.key for client in clients]
    chance.shuffle(billed)
    billed = [*billed, *(chance.choice(billed) for _ in range(count - len(billed)))][:count]
    working = [day for day in days() if is_business_day(day) and day <= LAST_ISSUE]
    issued = sorted(chance.choice(working) for _ in range(count))
    return tuple(
        _invoice(chance, key, clients[client], day)
        for key, (client, day) in enumerate(zip(billed, issued, strict=True))
    )


def _invoice(chance: Random, key: int, client: Client, day: date) -> Invoice:
    return Invoice(
        key=key,
        client=client.key,
        day=day,
        order=f"PO-{chance.randint(1000, 9999)}",
        description=draw_description(chance),
        terms="NET15" if chance.random() < 0.1 else None,
        due=day + timedelta(days=45) if chance.random() < 0.1 else None,
        lines=draw_lines(chance, client.currency),
    )


def _visits(chance: Random, invoices: tuple[Invoice, ...]) -> tuple[Visit, ...]:
    """Who pays when: 15 % never do, 8 % pay in two parts, one in ten has a card declined first."""
    unpaid = _some(chance, list(invoices), _part(len(invoices), 15))
    paying = [row for row in invoices if row not in unpaid]
    early = [row for row in paying if row.day <= LAST - 2 * EARLY]
    halved = _some(chance, early, _part(len(paying), 8))
    declined = _some(chance, paying, _part(len(paying), 10)) + unpaid[::4]
    drawn: list[Visit] = []
    for row in invoices:
        day = _pay_day(chance, row.day, EARLY.days if row in halved else LONGEST_DELAY)
        if row in declined:
            drawn.append(Visit(0, row.key, day, chance.choice(_DECLINING), 100, succeeds=False))
        if row in halved:
            part = chance.randint(25, 75)
            drawn.append(Visit(0, row.key, day, chance.choice(_CARDS), part, succeeds=True))
            day = _pay_day(chance, day, LONGEST_DELAY)
        if row in paying:
            drawn.append(Visit(0, row.key, day, chance.choice(_CARDS), 100, succeeds=True))
    drawn.sort(key=lambda visit: visit.day)
    return tuple(replace(visit, key=key) for key, visit in enumerate(drawn))


def _pay_day(chance: Random, after: date, longest: int) -> date:
    """A later day, so many days later at most, and within the month."""
    return after + ONE_DAY * chance.randint(1, min(longest, (LAST - after).days))


def _returns(chance: Random, visits: tuple[Visit, ...]) -> tuple[Return, ...]:
    """4 % of the paid invoices come back, half of them in full, within a week."""
    whole = [visit for visit in visits if visit.succeeds and visit.percent == 100]
    rows: list[Return] = []
    for visit in _some(chance, [v for v in whole if v.day < LAST], _part(len(whole), 4)):
        percent = 100 if chance.random() < 0.5 else chance.randint(10, 90)
        day = min(LAST, visit.day + ONE_DAY * chance.randint(1, 7))
        rows.append(Return(visit.key, day, percent))
    rows.sort(key=lambda row: row.day)
    return tuple(rows)
