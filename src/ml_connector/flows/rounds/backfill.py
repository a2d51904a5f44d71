"""History, loaded in windows: resumable, behind the live work, and held against the source."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from ml_connector.basics.clock import day_in, start_of_day
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.money import Money
from ml_connector.books.records import BalanceTransaction
from ml_connector.flows.cash.booking import DONE
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.promise.opening import opened, set_aside_all
from ml_connector.flows.rows import transaction_row
from ml_connector.flows.signals import Look, for_transaction
from ml_connector.store import audit, connections, cursors, transactions
from ml_connector.store.rows import JsonObject, as_object

STREAM = "backfill"
BEHIND_LIVE_WORK = -2

Sums = dict[str, dict[str, tuple[int, int]]]
"""Per day (ISO) and currency: how many movements, and their nets in minor units."""


@dataclass(slots=True)
class Progress:
    """How far a backfill has come: `done_until` is the first day that is not loaded yet."""

    first: date
    last: date
    done_until: date
    queued: int = 0
    source: Sums = field(default_factory=dict[str, dict[str, tuple[int, int]]])

    @property
    def whole(self) -> bool:
        """Whether every day has been loaded."""
        return self.done_until > self.last


async def backfill(c: Connected, first: date, last: date, *, days: int) -> AsyncGenerator[Progress]:
    """Loads what Stripe moved from `first` to `last` (days of the connection's zone), oldest first.

    A refund then finds its payment in the books. Each window of `days` is stored with the looks
    that it leads to, in one transaction; the same call again goes on where the last one ended.
    """
    progress = await _resumed(c, first, last)
    while not progress.whole:
        until = min(progress.done_until + timedelta(days=days), last + timedelta(days=1))
        await _load(c, progress, until)
        yield progress


async def _resumed(c: Connected, first: date, last: date) -> Progress:
    async with c.store.transaction() as tx:
        stored = await cursors.read(tx, c.id, STREAM)
    if stored is not None:
        known = msgspec.convert(stored, Progress)
        if (known.first, known.last) == (first, last) and not known.whole:
            return known
    return Progress(first, last, first)


async def _load(c: Connected, progress: Progress, until: date) -> None:
    """One window: stored, set aside or queued behind the live work, and counted."""
    zone = c.mapping.zone
    start, end = start_of_day(progress.done_until, zone), start_of_day(until, zone)
    moved = [bt async for bt in c.stripe.transactions(created_from=start, created_to=end)]
    rows = [transaction_row(c.id, bt) for bt in reversed(moved)]
    async with c.store.transaction() as tx:
        await transactions.remember(tx, c.id, rows)
        await set_aside_all(c, tx, rows)
        looks: set[Look] = set()
        for row in rows:
            stored = await transactions.get(tx, c.id, row.id)
            if stored is not None and stored.state not in DONE:
                looks.add(for_transaction(row.id, row.type, row.source))
        progress.queued += await look_all(tx, c.id, looks, priority=BEHIND_LIVE_WORK)
        _count(c, progress, moved)
        progress.done_until = until
        await cursors.advance(tx, c.id, STREAM, as_object(progress))


def _count(c: Connected, progress: Progress, moved: list[BalanceTransaction]) -> None:
    for bt in moved:
        day = progress.source.setdefault(day_in(bt.created, c.mapping.zone).isoformat(), {})
        count, minor = day.get(bt.net.currency, (0, 0))
        day[bt.net.currency] = (count + 1, minor + bt.moves.minor)


@dataclass(frozen=True, slots=True)
class Gap:
    """A day on which what is stored is not what Stripe lists."""

    day: date
    currency: str
    source: Money
    stored: Money
    missing: int


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The backfill held against its source: gaps by day, and money that is not posted, by name."""

    movements: int
    nets: tuple[Money, ...]
    gaps: tuple[Gap, ...]
    unposted: tuple[tuple[str, Money, str], ...]


async def reckon(c: Connected, progress: Progress) -> Reckoning:
    """Counts and sums what is stored, day by day, beside what Stripe listed."""
    zone = c.mapping.zone
    start = start_of_day(progress.first, zone)
    end = start_of_day(progress.last + timedelta(days=1), zone)
    stored: Sums = {}
    left: list[tuple[str, Money, str]] = []
    nets: dict[str, Money] = {}
    async with c.store.transaction() as tx:
        for row in await transactions.created_between(tx, c.id, start, end):
            day = stored.setdefault(day_in(row.created, zone).isoformat(), {})
            count, minor = day.get(row.currency, (0, 0))
            day[row.currency] = (count + 1, minor + row.net_minor)
            nets[row.currency] = nets.get(row.currency, Money.zero(row.currency)) + row.net
            if row.state not in DONE:
                left.append((row.id, row.net, row.reason or "It is being posted."))
    movements = sum(count for day in stored.values() for count, _ in day.values())
    return Reckoning(movements, tuple(nets.values()), tuple(_gaps(progress.source, stored)),
                     tuple(left))  # fmt: skip


def _gaps(source: Sums, stored: Sums) -> list[Gap]:
    found: list[Gap] = []
    for day in sorted({*source, *stored}):
        for code in sorted({*source.get(day, {}), *stored.get(day, {})}):
            listed = source.get(day, {}).get(code, (0, 0))
            kept = stored.get(day, {}).get(code, (0, 0))
            if listed != kept:
                sums = Money(listed[1], code), Money(kept[1], code)
                found.append(Gap(date.fromisoformat(day), code, *sums, listed[0] - kept[0]))
    return found


async def move_start(c: Connected, to: date, actor: str) -> None:
    """Lets our books begin earlier; only while no opening position is kept.

    What was set aside from that day on is owed again. Raises Misconfigured.
    """
    for code in c.mapping.currencies:
        if await opened(c, code) is not None:
            raise Misconfigured(
                f"The opening position of {code} is posted: our books cannot begin earlier.",
                cause="backfill.opened",
                remedy="Load the history without --move-start; it is kept, and not booked.",
            )
    now = c.clock.now()
    async with c.store.transaction() as tx:
        await connections.set_start_date(tx, c.id, to, now=now)
        await transactions.take_back_in(tx, c.id, start_of_day(to, c.mapping.zone), now=now)
        detail: JsonObject = {"from": c.record.start_date.isoformat(), "to": to.isoformat()}
        await audit.write(tx, c.id, actor, "start date moved", c.id, detail, now)
