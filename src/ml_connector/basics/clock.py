"""What time it is, as a parameter, and how an instant becomes a calendar day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """The present instant: aware, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant: aware, UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told, for tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Moves forward."""
        self._moment += by


def from_unix(seconds: int) -> datetime:
    """A Unix time (whole seconds, as Stripe sends) as an aware UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def to_unix(moment: datetime) -> int:
    """An aware instant as whole Unix seconds."""
    return int(moment.timestamp())


def day_in(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day on which an instant falls in a time zone: the accountant's date."""
    return moment.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day of a time zone, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)
