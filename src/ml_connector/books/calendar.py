"""The ERP's financial periods: which one holds a day, and where the next open day is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

GL, AR, CA = "GL", "AR", "CA"
"""The modules whose closing stops our documents: every one, payments, cash."""


@dataclass(frozen=True, slots=True)
class Period:
    """A financial period (`MMYYYY` as the ERP counts them), its days, and where it is open.

    `end` is its last day. A period that is closed in the general ledger is open nowhere.
    """

    id: str
    start: date
    end: date
    open_in: frozenset[str]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The periods of every generated year, in order, without those for adjustments only."""

    periods: tuple[Period, ...]

    def holding(self, day: date) -> Period | None:
        """The period that holds a day; None when no calendar reaches so far."""
        return next((one for one in self.periods if one.start <= day <= one.end), None)

    def latest_at(self, day: date) -> Period | None:
        """The period that holds a day, or the last one before it; None before them all."""
        begun = [one for one in self.periods if one.start <= day]
        return begun[-1] if begun else None

    def same_period(self, day: date, other: date) -> bool:
        """Whether one period holds both days."""
        held = self.holding(day)
        return held is not None and held == self.holding(other)

    def between(self, first: date, last: date) -> tuple[Period, ...]:
        """The periods that hold the days from one to another."""
        return tuple(one for one in self.periods if one.end >= first and one.start <= last)

    def before(self, period: Period) -> Period | None:
        """The period that ends before another begins; None before them all."""
        earlier = [one for one in self.periods if one.end < period.start]
        return earlier[-1] if earlier else None

    def next_open(self, day: date, modules: Collection[str]) -> date | None:
        """The first day from this one on that is open in all modules; None when there is none."""
        for one in self.periods:
            if one.end >= day and one.open_in.issuperset(modules):
                return max(one.start, day)
        return None
