"""Financial periods: the one that holds a day, and the next open day, for any calendar."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from build.records import a_journal
from ml_connector.acumatica import wire
from ml_connector.acumatica.calendar import calendar
from ml_connector.acumatica.fields import ABSENT, sent
from ml_connector.books.calendar import AR, CA, GL, Calendar, Period
from ml_connector.books.closed import moved_to

FIRST = date(2026, 1, 1)
MODULES = st.frozensets(st.sampled_from([GL, AR, CA]))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Periods of any length, one after the other, open here and closed there."""
    start, found = FIRST, list[Period]()
    for number in range(1, draw(st.integers(1, 8)) + 1):
        end = start + timedelta(days=draw(st.integers(0, 40)))
        found.append(Period(f"{number:02d}2026", start, end, draw(MODULES)))
        start = end + timedelta(days=1)
    return Calendar(tuple(found))


days = st.integers(-10, 200).map(lambda n: FIRST + timedelta(days=n))


@given(calendars(), days, MODULES)
def test_the_next_open_day_is_open_and_no_day_between_is(
    made: Calendar, day: date, modules: frozenset[str]
) -> None:
    def is_open(one: date) -> bool:
        return any(p.start <= one <= p.end and modules <= p.open_in for p in made.periods)

    later = [day + timedelta(days=n) for n in range(400)]
    assert made.next_open(day, modules) == next((one for one in later if is_open(one)), None)


@given(calendars(), days)
def test_the_latest_period_at_a_day_has_begun_and_no_later_one_has(
    made: Calendar, day: date
) -> None:
    begun = [one for one in made.periods if one.start <= day]
    assert made.latest_at(day) == (max(begun, key=lambda one: one.start) if begun else None)


@given(calendars(), days, st.integers(0, 100))
def test_the_periods_between_two_days_are_all_that_hold_a_day_of_them(
    made: Calendar, first: date, more: int
) -> None:
    last = first + timedelta(days=more)
    held = [made.holding(first + timedelta(days=n)) for n in range(more + 1)]
    assert list(made.between(first, last)) == list(dict.fromkeys(one for one in held if one))


@given(calendars())
def test_each_period_is_known_by_the_one_before_it(made: Calendar) -> None:
    before = [made.before(one) for one in made.periods]
    assert before == [None, *made.periods][: len(before)]


@given(calendars(), days, days)
def test_two_days_are_of_the_same_period_when_one_period_holds_both(
    made: Calendar, day: date, other: date
) -> None:
    both = any(one.start <= min(day, other) and max(day, other) <= one.end for one in made.periods)
    assert made.same_period(day, other) == both


def row(code: str, start: str, end: str, status: str = "Open", **facts: bool) -> wire.PeriodWire:
    shut = {"adjustment_period": ABSENT, "closed_in_ar": ABSENT} | {
        name: sent(value) for name, value in facts.items()
    }
    return wire.PeriodWire(
        financial_period_id=sent(code),
        start_date=sent(start),
        end_date=sent(end),
        status=sent(status),
        adjustment_period=shut["adjustment_period"],
        closed_in_ar=shut["closed_in_ar"],
    )


def test_both_ways_to_write_the_end_of_a_period_give_the_same_calendar() -> None:
    last_days = [
        row("022026", "2026-02-01", "2026-02-28"),
        row("012026", "2026-01-01", "2026-01-31"),
    ]
    days_after = [
        row("012026", "2026-01-01", "2026-02-01"),
        row("022026", "2026-02-01", "2026-03-01"),
    ]
    one, other = (
        calendar([wire.FinancialYearWire(details=tuple(r))]) for r in (last_days, days_after)
    )
    assert one == other
    assert [p.end for p in one.periods] == [date(2026, 1, 31), date(2026, 2, 28)]


def test_a_period_takes_what_its_status_and_its_modules_let_in() -> None:
    rows = (
        row("012026", "2026-01-01", "2026-01-31", "Closed"),
        row("022026", "2026-02-01", "2026-02-28", closed_in_ar=True),
        row("032026", "2026-03-01", "2026-03-31"),
        row("132026", "2026-03-31", "2026-03-31", adjustment_period=True),
        row("042026", "2026-04-01", "2026-04-30", "Inactive"),
    )
    found = calendar([wire.FinancialYearWire(details=rows)])
    assert [sorted(p.open_in) for p in found.periods] == [[], [CA, GL], [AR, CA, GL], []]


def test_a_document_that_is_moved_twice_keeps_its_true_day_and_says_it_once() -> None:
    journal = a_journal(("60100", "0.65 USD"), ("10300", "-0.65 USD"))
    moved = moved_to(moved_to(journal, date(2026, 5, 1)), date(2026, 6, 1))
    assert (moved.day, moved.true_day) == (date(2026, 6, 1), journal.day)
    assert moved.description == f"{journal.description} of {journal.day}"
