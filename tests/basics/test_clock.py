"""Instants are aware; the accountant's day depends on where the accountant sits."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.clock import ManualClock, SystemClock, day_in, from_unix, to_unix

CENTURY = st.integers(0, 4_102_444_800)


def test_the_machines_clock_is_aware_and_moves_forward() -> None:
    clock = SystemClock()
    first = clock.now()
    assert first.tzinfo is UTC
    assert clock.now() >= first


def test_a_manual_clock_moves_only_when_told() -> None:
    berlin = datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=1)))
    clock = ManualClock(berlin)
    assert clock.now() == clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(minutes=5))
    assert clock.now() == datetime(2026, 3, 1, 0, 5, tzinfo=UTC)


@given(CENTURY)
def test_stripes_seconds_come_back_unchanged(seconds: int) -> None:
    moment = from_unix(seconds)
    assert moment.tzinfo is UTC
    assert to_unix(moment) == seconds


@given(CENTURY, st.integers(0, 999_999))
def test_parts_of_a_second_are_cut_off(seconds: int, microseconds: int) -> None:
    assert to_unix(from_unix(seconds) + timedelta(microseconds=microseconds)) == seconds


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 3, 31)),
        ("UTC", date(2026, 4, 1)),
        ("Pacific/Auckland", date(2026, 4, 1)),
    ],
)
def test_a_payment_at_night_falls_on_the_accountants_own_day(zone: str, day: date) -> None:
    assert day_in(datetime(2026, 4, 1, 3, 59, tzinfo=UTC), ZoneInfo(zone)) == day
