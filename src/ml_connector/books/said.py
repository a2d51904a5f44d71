"""What the lines of a paper say, for whoever counts it again; raises NotAPaper for none."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import cast

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.money import Money
from ml_connector.books.sealed import Facts, NotAPaper

Numbered = tuple[int, Facts]


def every(lines: Sequence[Numbered], what: str) -> list[Numbered]:
    """The lines of one kind."""
    return [(number, facts) for number, facts in lines if facts.get("what") == what]


def only(lines: Sequence[Numbered], what: str) -> Numbered:
    """The one line of a kind."""
    found = every(lines, what)
    if len(found) != 1:
        raise NotAPaper(f"it has {len(found)} lines of the kind {what!r}")
    return found[0]


def rows(facts: Facts, name: str) -> list[Facts]:
    """A list inside a line, of objects."""
    value = facts.get(name)
    if not isinstance(value, list):
        raise NotAPaper(f"{name!r} is not a list")
    found: list[Facts] = []
    for row in cast("list[object]", value):
        if not isinstance(row, dict):
            raise NotAPaper(f"{name!r} does not hold objects")
        found.append(cast("Facts", row))
    return found


def text(facts: Facts, name: str) -> str:
    """A text of a line."""
    value = facts.get(name)
    if not isinstance(value, str):
        raise NotAPaper(f"{name!r} is not a text")
    return value


def money(facts: Facts, name: str) -> Money:
    """An amount as the paper says it: `-12.50 USD`."""
    number, _, currency = text(facts, name).partition(" ")
    try:
        return Money.of(Decimal(number), currency)
    except (InvalidOperation, ConnectorError):
        raise NotAPaper(f"{name!r} is not an amount: {facts.get(name)!r}") from None


def summed(amounts: Iterable[Money], like: Money) -> Money:
    """The sum of those of one currency: shares and sides in others do not move this clearing."""
    minor = (one.minor for one in amounts if one.currency == like.currency)
    return Money(sum(minor), like.currency)
