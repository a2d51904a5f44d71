"""What we would have posted beside what people did post, with a score in money.

Four outcomes, all measured by what they do to the clearing account:

    same     the same money against the same other side, on nearly the same day
    split    the same money in another way: netted, gathered, against other accounts, or settling
             another invoice
    missing  we would have posted it, and nobody did
    extra    somebody posted it, and we would not have

Where people booked another amount for the same thing, the common part is `split` and the
difference is missing or extra, so that always
`would have been posted - missing + extra = was posted`.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ml_connector.basics.ids import in_words
from ml_connector.basics.money import Money, total

WINDOW = timedelta(days=5)
"""So many days may lie between our date and a person's for the same thing."""


class Outcome(StrEnum):
    """How a part of the money compares."""

    SAME = "same"
    SPLIT = "split"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Ours:
    """A document that we would have posted; `clearing` is what it does to the clearing account.

    `words` are the names that a person may quote (charge, balance transaction, payout). `others`
    is the other side by account; a customer's receivables stand under `customer ID`. `settles` is
    what of it goes to which document, in minor units; None where nothing is settled by it.
    """

    key: str
    purpose: str
    transaction: str
    day: date
    clearing: Money
    others: Mapping[str, int]
    words: frozenset[str]
    settles: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Theirs:
    """A document that stands in the ERP and was not posted by us.

    `settles` is what it settles of which document; None where that could not be read.
    """

    document: str
    day: date
    clearing: Money
    others: Mapping[str, int]
    text: str
    settles: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Documents of both sides that stand for each other, or one that stands alone."""

    outcome: Outcome
    amount: Money
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One currency: every part of the money once, and the score."""

    currency: str
    parts: tuple[Compared, ...]

    def moved(self, outcome: Outcome) -> Money:
        """How much money had an outcome, in and out of the clearing account added up."""
        return total((abs(p.amount) for p in self.parts if p.outcome is outcome), self.currency)

    @property
    def whole(self) -> Money:
        """All the money that was compared."""
        return total((abs(part.amount) for part in self.parts), self.currency)

    @property
    def difference(self) -> Money:
        """What was posted less what we would have posted."""
        sums = {
            outcome: total((p.amount for p in self.parts if p.outcome is outcome), self.currency)
            for outcome in (Outcome.EXTRA, Outcome.MISSING)
        }
        return sums[Outcome.EXTRA] - sums[Outcome.MISSING]

    @property
    def agrees(self) -> bool:
        """Whether everything was posted as we would have, to the cent."""
        return all(part.outcome is Outcome.SAME for part in self.parts)


def compare(currency: str, ours: Sequence[Ours], theirs: Sequence[Theirs]) -> Comparison:
    """Compares the documents of one currency; the order in which they come does not matter.

    Surest evidence first: the same document, with its name quoted and without; one that settles
    another invoice; a movement
    netted; documents of one kind, then of all kinds, gathered by day and by month; the same amount
    against another side; another amount under a quoted name.
    """
    left = _Left(ours, theirs)
    left.one_by_one(lambda mine, other: _like(mine, other) and _quotes(mine, other))
    left.one_by_one(lambda mine, other: _like(mine, other) and not _elsewhere(mine, other))
    left.one_by_one(_like)
    left.gathered(lambda one: one.transaction, _near)
    left.gathered(lambda one: (one.purpose, one.day), _near)
    left.gathered(lambda one: (one.purpose in TRANSFERS, one.day), _near)
    left.gathered(lambda one: (one.purpose, one.day.year, one.day.month), _soon_after)
    left.gathered(lambda one: (one.purpose in TRANSFERS, one.day.year, one.day.month), _soon_after)
    left.one_by_one(_near)
    left.under_quoted_names()
    return Comparison(currency, tuple(left.end()))


TRANSFERS = frozenset({"payout", "payout_reversal", "topup"})
"""What goes between clearing and bank is never gathered with what goes to other accounts."""

_WORD = re.compile(r"\w+")

Alike = Callable[[Ours, Theirs], bool]


def _near(mine: Ours, other: Theirs) -> bool:
    return abs(mine.day - other.day) <= WINDOW


def _soon_after(last: Ours, other: Theirs) -> bool:
    """A month's journal is written in the month or soon after its end."""
    same_month = (last.day.year, last.day.month) == (other.day.year, other.day.month)
    return same_month or timedelta(0) <= other.day - last.day <= timedelta(days=31)


def _like(mine: Ours, other: Theirs) -> bool:
    return _near(mine, other) and dict(mine.others) == dict(other.others)


def _elsewhere(mine: Ours, other: Theirs) -> bool:
    """Whether both settle documents, and not the same ones; what was not read tells nothing."""
    if mine.settles is None or other.settles is None:
        return False
    return dict(mine.settles) != dict(other.settles)


def _quotes(mine: Ours, other: Theirs) -> bool:
    return not mine.words.isdisjoint(_words(other))


def _words(other: Theirs) -> frozenset[str]:
    return frozenset(_WORD.findall(other.text))


def _nearest(found: Sequence[Theirs], day: date) -> Theirs:
    return min(found, key=lambda other: (abs(other.day - day), other.document))


class _Left:
    """What is not compared yet; what is goes into `parts`."""

    def __init__(self, ours: Sequence[Ours], theirs: Sequence[Theirs]) -> None:
        moving = (one for one in ours if one.clearing)
        self.ours = {one.key: one for one in sorted(moving, key=lambda one: (one.day, one.key))}
        standing = (one for one in theirs if one.clearing)
        ordered = sorted(standing, key=lambda one: (one.day, one.document))
        self.theirs = {one.document: one for one in ordered}
        self.parts: list[Compared] = []

    def one_by_one(self, alike: Alike) -> None:
        """Pairs documents of the same amount, the nearest day first."""
        found = self._by_amount()
        for mine in list(self.ours.values()):
            fitting = [other for other in found.get(mine.clearing.minor, ()) if alike(mine, other)]
            if fitting:
                nearest = _nearest(fitting, mine.day)
                found[mine.clearing.minor].remove(nearest)
                same = _like(mine, nearest) and not _elsewhere(mine, nearest)
                self._take(Outcome.SAME if same else Outcome.SPLIT, [mine], [nearest])

    def gathered(self, key: Callable[[Ours], Hashable], alike: Alike) -> None:
        """Pairs several of ours with one document of theirs of their sum."""
        groups: dict[Hashable, list[Ours]] = {}
        for mine in self.ours.values():
            groups.setdefault(key(mine), []).append(mine)
        found = self._by_amount()
        for group in groups.values():
            last, minor = group[-1], sum(one.clearing.minor for one in group)
            fitting = [other for other in found.get(minor, ()) if alike(last, other)]
            if len(group) > 1 and fitting:
                nearest = _nearest(fitting, last.day)
                found[minor].remove(nearest)
                self._take(Outcome.SPLIT, group, [nearest])

    def under_quoted_names(self) -> None:
        """What quotes a movement's name stands for it, whatever its amount and day."""
        quoting: dict[str, list[Theirs]] = {}
        for other in self.theirs.values():
            for word in _words(other):
                quoting.setdefault(word, []).append(other)
        groups: dict[str, list[Ours]] = {}
        for mine in self.ours.values():
            groups.setdefault(mine.transaction, []).append(mine)
        for group in groups.values():
            words = sorted({word for one in group for word in one.words})
            named = {o.document: o for w in words for o in quoting.get(w, ()) if o.document in
                     self.theirs}  # fmt: skip
            if named:
                self._unequal(group, list(named.values()))

    def _unequal(self, group: list[Ours], named: list[Theirs]) -> None:
        """The common part, and what one side has more of; nothing when the signs differ."""
        mine, other = _sum(group), _sum(named)
        if not mine or not other or (mine.minor > 0) != (other.minor > 0):
            return
        common = min(mine, other, key=abs)
        more, less = mine - common, other - common
        self._take(Outcome.SPLIT, group, named, common)
        for outcome, amount in ((Outcome.MISSING, more), (Outcome.EXTRA, less)):
            if amount:
                self._note(outcome, amount, group, named)

    def end(self) -> list[Compared]:
        """Every part, with what stands alone."""
        for mine in list(self.ours.values()):
            self._take(Outcome.MISSING, [mine], [])
        for other in list(self.theirs.values()):
            self._take(Outcome.EXTRA, [], [other])
        return self.parts

    def _by_amount(self) -> dict[int, list[Theirs]]:
        found: dict[int, list[Theirs]] = {}
        for other in self.theirs.values():
            found.setdefault(other.clearing.minor, []).append(other)
        return found

    def _take(
        self, outcome: Outcome, ours: list[Ours], theirs: list[Theirs], amount: Money | None = None
    ) -> None:
        for mine in ours:
            del self.ours[mine.key]
        for other in theirs:
            del self.theirs[other.document]
        self._note(outcome, _sum(ours or theirs) if amount is None else amount, ours, theirs)

    def _note(
        self, outcome: Outcome, amount: Money, ours: list[Ours], theirs: list[Theirs]
    ) -> None:
        keys = tuple(one.key for one in ours)
        documents = tuple(one.document for one in theirs)
        sentence = _sentence(outcome, amount, ours, theirs)
        self.parts.append(Compared(outcome, amount, keys, documents, sentence))


def _sum(documents: Sequence[Ours] | Sequence[Theirs]) -> Money:
    return total((one.clearing for one in documents), documents[0].clearing.currency)


def _sentence(outcome: Outcome, amount: Money, ours: list[Ours], theirs: list[Theirs]) -> str:
    planned = ", ".join(one.key for one in ours)
    stands = ", ".join(one.document for one in theirs)
    match outcome:
        case Outcome.SAME:
            return f"{stands} is {planned} as it would be posted."
        case Outcome.SPLIT:
            return f"{stands} holds {amount} of {planned}{_how(ours, theirs)}."
        case Outcome.MISSING if theirs:
            return f"{stands} is {abs(amount)} short of {planned}."
        case Outcome.MISSING:
            return f"Nobody has posted {planned} of {amount}."
        case Outcome.EXTRA if ours:
            return f"{stands} holds {abs(amount)} more than {planned}."
        case _:
            return f"{stands} of {amount} on {theirs[0].day} would not be posted."


def _how(ours: list[Ours], theirs: list[Theirs]) -> str:
    if len(ours) > 1 or len(theirs) > 1:
        return " in one sum" if len(theirs) == 1 else ""
    if _like(ours[0], theirs[0]) and _elsewhere(ours[0], theirs[0]):
        stands, planned = _settled(theirs[0].settles), _settled(ours[0].settles)
        return f", but settles {stands}; it would have settled {planned}"
    other, mine = " and ".join(theirs[0].others), " and ".join(ours[0].others)
    return f", against {other} instead of {mine}" if other != mine else ", otherwise split"


def _settled(settles: Mapping[str, int] | None) -> str:
    """The documents by name, such as `Invoice 000123`."""
    return " and ".join(sorted(in_words(one) for one in settles or ())) or "nothing"
