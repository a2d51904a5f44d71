"""History, loaded in windows: resumable, behind the live work, and held against the source."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from ml_connector.basics.clock import day_in, start_of_day
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import StripeId
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
from ml_connector.store.transactions import BalanceTransactionRow

STREAM = "backfill"
BEHIND_LIVE_WORK = -2
AT_ONCE = timedelta(days=7)
"""How much of the range is compared at once: years of it need no more memory than a week."""


@dataclass(slots=True)
class Progress:
    """How far a backfill has come: `done_until` is the first day that is not loaded yet."""

    first: date
    last: date
    done_until: date
    queued: int = 0

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
    """One window: stored, set aside or queued behind the live work."""
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
        progress.done_until = until
        await cursors.advance(tx, c.id, STREAM, as_object(progress))


@dataclass(frozen=True, slots=True)
class Astray:
    """A movement that only one side has, or that the two have with different money."""

    id: StripeId
    day: date
    listed: Money | None
    stored: Money | None


@dataclass(slots=True)
class Beside:
    """All movements of a currency: what Stripe lists, and what is stored."""

    listed: Money
    stored: Money
    listed_count: int = 0
    stored_count: int = 0


@dataclass(slots=True)
class Reckoning:
    """The backfill held against its source, and the money that is not posted, by name."""

    sums: dict[str, Beside]
    astray: list[Astray]
    unposted: list[tuple[str, Money, str]]

    @property
    def whole(self) -> bool:
        """Whether both sides have the same movements with the same money."""
        return not self.astray


async def reckon(c: Connected, first: date, last: date) -> Reckoning:
    """Lists the days anew from Stripe and compares each movement with what is stored.

    What was stored cannot vouch for itself: a page that was left out is found only so.
    """
    zone = c.mapping.zone
    start, end = start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone)
    found = Reckoning({}, [], [])
    while start < end:
        until = min(start + AT_ONCE, end)
        listed = {bt.id: bt async for bt in c.stripe.transactions(start, until)}
        async with c.store.transaction() as tx:
            stored = await transactions.created_between(tx, c.id, start, until)
        _compare(c, found, listed, stored)
        start = until
    return found


def _compare(
    c: Connected,
    found: Reckoning,
    listed: Mapping[StripeId, BalanceTransaction],
    stored: Sequence[BalanceTransactionRow],
) -> None:
    """Adds one part of the range: the sums, what is astray, and what is not posted."""
    zone, known = c.mapping.zone, {row.id: row for row in stored}
    for bt in listed.values():
        sums = _beside(found, bt.moves.currency)
        sums.listed, sums.listed_count = sums.listed + bt.moves, sums.listed_count + 1
        row = known.get(bt.id)
        if row is None or row.net != bt.moves:
            kept = None if row is None else row.net
            found.astray.append(Astray(bt.id, day_in(bt.created, zone), bt.moves, kept))
    for row in stored:
        sums = _beside(found, row.currency)
        sums.stored, sums.stored_count = sums.stored + row.net, sums.stored_count + 1
        if row.id not in listed:
            found.astray.append(Astray(row.id, day_in(row.created, zone), None, row.net))
        if row.state not in DONE:
            found.unposted.append((row.id, row.net, row.reason or "It is being posted."))


def _beside(found: Reckoning, currency: str) -> Beside:
    zero = Money.zero(currency)
    return found.sums.setdefault(currency, Beside(zero, zero))


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
