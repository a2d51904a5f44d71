"""What comes back goes where it came from: to the accounts of its first leg, not today's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ml_connector.basics.money import Money
from ml_connector.books.mapping import Mapping
from ml_connector.books.postings import Document, Journal, Line


@dataclass(frozen=True, slots=True)
class Leg:
    """A side of a document and where it stands; a positive amount debits the account."""

    account: str
    subaccount: str
    branch: str
    amount: Money


def other_leg(journal: Journal, clearing: Money) -> Leg | None:
    """The one side of a journal that faces the clearing account; None where there is none."""
    facing = [line for line in journal.lines if clearing and line.amount == -clearing]
    return leg(facing[0], journal) if len(facing) == 1 else None


def places(document: Document, clearing: Money) -> frozenset[Leg]:
    """Where a journal stands besides clearing, without its amounts; nowhere if it is none."""
    if not isinstance(document, Journal):
        return frozenset()
    facing = [line for line in document.lines if line.amount.minor * clearing.minor < 0]
    return frozenset(back(leg(line, document), Money.zero(clearing.currency)) for line in facing)


def leg(line: Line, journal: Journal) -> Leg:
    """A line as the leg that it is."""
    return Leg(line.account, line.subaccount, journal.branch, line.amount)


def mapped(account: str, amount: Money, mapping: Mapping) -> Leg:
    """A first leg: where the mapping of today has it."""
    return Leg(account, mapping.subaccount, mapping.branch, amount)


def back(first: Leg, amount: Money) -> Leg:
    """Another amount in the place of a first leg."""
    return replace(first, amount=amount)


def spread(standing: Sequence[Leg], amount: Money) -> list[Leg]:
    """An amount over what stands, oldest first, as far as it takes off that; the rest is left out.

    Only within the branch that it begins in: a journal is of one.
    """
    parts: list[Leg] = []
    rest = amount.minor
    for one in standing:
        stands = one.amount.minor
        here = not parts or one.branch == parts[0].branch
        if here and rest * stands < 0:
            size = min(abs(rest), abs(stands))
            taken = size if rest > 0 else -size
            parts.append(back(one, Money(taken, amount.currency)))
            rest -= taken
    return parts
