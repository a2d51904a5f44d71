"""What the firm bills: kinds of work, quantities and prices, and the invoices made of them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line; the price is in the client's currency, before tax."""

    text: str
    unit: str
    quantity: Decimal
    price: Decimal
    taxable: bool


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as the clerk enters it: the ERP computes taxes and totals.

    `terms` and `due` override what the client has agreed; None leaves it to the ERP.
    """

    key: int
    client: int
    day: date
    order: str
    description: str
    terms: str | None
    due: date | None
    lines: tuple[Line, ...]


# text, unit, the price in dollars, whether it is taxed
_KINDS = (
    ("Consulting, senior partner", "HOUR", 320, True),
    ("Consulting, associate", "HOUR", 185, True),
    ("Structural survey – Hauptstraße", "HOUR", 140, True),  # noqa: RUF001 - as it is written there
    ("Drafting and review of contracts", "HOUR", 210, True),
    ("Project management", "HOUR", 125, True),
    ("Expert opinion (exempt)", "EACH", 950, False),
    ("Court and filing fees, passed on", "EACH", 75, False),
    ("Traduction assermentée", "EACH", 60, False),
    ("Travel, as agreed", "EACH", 48, False),
)
_CENTS = (0, 0, 50, 25, 75, 99)
_DESCRIPTIONS = (
    "Services in September",
    "Services rendered",
    "Retainer and expenses",
    "Projet Été",
)
YEN_PER_DOLLAR = 150
MOST_LINES = 6


def draw_lines(chance: Random, currency: str) -> tuple[Line, ...]:
    """One to six lines; the first one is large enough for any card's minimum."""
    return tuple(_line(chance, currency) for _ in range(chance.randint(1, MOST_LINES)))


def draw_description(chance: Random) -> str:
    """What the invoice is for."""
    return chance.choice(_DESCRIPTIONS)


def _line(chance: Random, currency: str) -> Line:
    text, unit, dollars, taxable = chance.choice(_KINDS)
    if unit == "HOUR":
        quantity = Decimal(chance.randint(2, 96)) / 4
    else:
        quantity = Decimal(chance.randint(1, 5))
    return Line(text, unit, quantity, _price(chance, currency, dollars), taxable)


def _price(chance: Random, currency: str, dollars: int) -> Decimal:
    """A price near the usual one; in yen whole, and whole again for a quarter of an hour."""
    around = dollars + chance.randint(-dollars // 8, dollars // 8)
    if currency == "JPY":
        return Decimal(around * YEN_PER_DOLLAR // 4 * 4)
    return around + Decimal(chance.choice(_CENTS)) / 100
