"""The financial calendar as Acumatica shows it, as neutral periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from ml_connector.acumatica import fields, wire
from ml_connector.acumatica.fields import flag, text
from ml_connector.basics.errors import Bug
from ml_connector.books.calendar import AR, CA, GL, Calendar, Period

OPEN = "Open"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A row of the form; whether `end` is the last day or the day after it, no fact settles."""

    id: str
    start: date
    end: date
    open_in: frozenset[str]


def calendar(years: Sequence[wire.FinancialYearWire]) -> Calendar:
    """The periods of all years in order; those for adjustments hold no days of their own.

    Where one period ends on the day on which the next begins, every end is the day after.
    """
    rows = [row for year in years for row in year.details if not flag(row.adjustment_period)]
    shown = sorted((_shown(row) for row in rows), key=lambda one: one.start)
    after = any(one.end == then.start for one, then in pairwise(shown))
    return Calendar(
        tuple(
            Period(one.id, one.start, one.end - ONE_DAY if after else one.end, one.open_in)
            for one in shown
        )
    )


def _shown(row: wire.PeriodWire) -> _Shown:
    start, end = fields.day(row.start_date), fields.day(row.end_date)
    if start is None or end is None:
        raise Bug("Acumatica told no days of a period.", cause="acumatica.lacks:StartDate")
    return _Shown(text(row.financial_period_id).replace("-", ""), start, end, _open_in(row))


def _open_in(row: wire.PeriodWire) -> frozenset[str]:
    """Closed, locked and inactive periods take no document of any module."""
    if text(row.status) != OPEN:
        return frozenset()
    closed = {AR: flag(row.closed_in_ar), CA: flag(row.closed_in_ca)}
    return frozenset({GL, *(module for module, shut in closed.items() if not shut)})
