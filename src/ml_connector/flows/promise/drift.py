"""The search for a difference, down to the record: by halving the months, then by document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.drift import (
    Drift,
    Finding,
    Moved,
    Ours,
    at_stripe,
    halving,
    in_ledger,
    in_order,
    merged,
    miscarried,
    without_opening,
)
from ml_connector.books.tieout import TieOut, tie_out
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise import guardian
from ml_connector.flows.promise.tie_out import latest_period
from ml_connector.flows.rows import JOURNAL
from ml_connector.flows.writing.periods import calendar
from ml_connector.store import clearing
from ml_connector.store.clearing import Effect
from ml_connector.store.transactions import TransactionState

Month = tuple[int, int]
"""A year and a month of it: financial periods are taken to be calendar months, as everywhere."""


async def search(c: Connected, found: TieOut) -> Drift:
    """The records that make up a difference, by day.

    Costs a balance for each halving of the months and the lines of each month that differs; only
    what is still unnamed then is searched at Stripe. The tie-out must be fresh, and Stripe's
    movements swept.
    """
    found = await _bare(c, found)
    accounts = c.mapping.of_currency(found.currency)
    async with c.store.transaction() as tx:
        effects = await clearing.effects(tx, c.id, found.currency)
        nets = await clearing.nets(tx, c.id, found.currency)
    ours = ours_of(effects, c.record.start_date)
    ledger = _Ledger(c, accounts.clearing, found.currency, ours, await _months(c, ours))
    posted = {one.id: one.amount for one in nets if one.state == TransactionState.POSTED}
    findings = [*await ledger.findings(), *miscarried(posted, _carried(effects))]
    drift = without_opening(Drift(found, tuple(findings)), c.record.start_date)
    if drift.unnamed:
        known = {one.id: one.amount for one in nets}
        more = await _at_stripe(c, drift, known)
        drift = Drift(found, tuple(in_order([*drift.findings, *more])))
    return drift


async def _bare(c: Connected, found: TieOut) -> TieOut:
    """The tie-out without what people are known to have changed: the search names that itself."""
    known = await guardian.lacking(c)
    rest = [one for one in found.unposted if one not in known]
    return tie_out(found.currency, clearing=found.clearing, stripe=found.stripe, unposted=rest)


def ours_of(effects: Sequence[Effect], start: date) -> list[Ours]:
    """Our documents by their names in the ledger; a voiding is dated like its payment."""
    days = {one.erp_number: one.day for one in effects if one.kind != JOURNAL and one.day}
    return [
        Ours(
            key=one.key,
            name=("GL" if one.kind == JOURNAL else "AR", one.erp_number),
            day=one.day or days.get(one.erp_number, start),
            amount=one.amount,
        )
        for one in effects
    ]


def _carried(effects: Sequence[Effect]) -> dict[StripeId, Money]:
    """What the documents of each balance transaction make together."""
    sums: dict[StripeId, Money] = {}
    for one in effects:
        before = sums.get(one.transaction, Money.zero(one.amount.currency))
        sums[one.transaction] = before + one.amount
    return sums


async def _months(c: Connected, ours: Sequence[Ours]) -> list[Month]:
    """Every month from the first document (or the start) to the last period, in order."""
    first = min([c.record.start_date, *(one.day for one in ours)])
    period = await latest_period(c)
    last = max(_month(one.day) for one in ours) if ours else _month(first)
    last = max(last, (int(period[2:]), int(period[:2])))
    year, month = _month(first)
    found: list[Month] = []
    while (year, month) <= last:
        found.append((year, month))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004
    return found


def _month(day: date) -> Month:
    return day.year, day.month


def _period(month: Month) -> str:
    return f"{month[1]:02}{month[0]}"


@dataclass
class _Ledger:
    """The clearing account month by month, asked for as little as possible."""

    c: Connected
    account: str
    currency: str
    ours: Sequence[Ours]
    months: list[Month]
    balances: dict[Month, Money] = field(default_factory=dict[Month, Money])
    seen: dict[int, list[Finding]] = field(default_factory=dict[int, list[Finding]])

    async def findings(self) -> list[Finding]:
        """Every document that makes a month differ, until none differs or nothing is learned."""
        base = await self._before()
        while await self._left(len(self.months) - 1, base):
            month = await self._first_that_differs(base)
            if month in self.seen:
                break  # its documents are right and its balance is not: nothing more to learn
            self.seen[month] = await self._look(month)
        return merged([one for month in sorted(self.seen) for one in self.seen[month]])

    async def _first_that_differs(self, base: Money) -> int:
        steps, answer = halving(0, len(self.months) - 1), None
        while True:
            try:
                asked = next(steps) if answer is None else steps.send(answer)
            except StopIteration as end:
                return int(end.value)
            answer = bool(await self._left(asked, base))

    async def _look(self, month: int) -> list[Finding]:
        period = _period(self.months[month])
        lines = await self.c.acumatica.movements(self.account, self.currency, period)
        ours = [one for one in self.ours if _month(one.day) == self.months[month]]
        return in_ledger(lines, ours, self.currency)

    async def _left(self, month: int, base: Money) -> Money:
        """By how much the account differs at the end of a month, less what was found by then."""
        upto = self.months[month]
        owed = total((one.amount for one in self.ours if _month(one.day) <= upto), self.currency)
        named = [one.effect for at, found in self.seen.items() if at <= month for one in found]
        return await self._balance(upto) - owed - base - total(named, self.currency)

    async def _before(self) -> Money:
        """What the account held before our first month; nothing where there is no such period."""
        year, month = self.months[0]
        before = (year - 1, 12) if month == 1 else (year, month - 1)
        periods = (await calendar(self.c)).periods
        if _period(before) not in {one.id for one in periods}:
            return Money.zero(self.currency)
        return await self._balance(before)

    async def _balance(self, month: Month) -> Money:
        if month not in self.balances:
            self.balances[month] = await self.c.acumatica.account_balance(
                self.account, self.currency, _period(month)
            )
        return self.balances[month]


async def _at_stripe(c: Connected, drift: Drift, known: dict[StripeId, Money]) -> list[Finding]:
    """What Stripe moved that we do not know so, newest first, until nothing is unnamed."""
    found: list[Finding] = []
    left = drift.unnamed
    async for bt in c.stripe.transactions(created_from=c.begins):
        if bt.net.currency != left.currency:
            continue
        moved = Moved(bt.id, day_in(bt.created, c.mapping.zone), bt.moves)
        one = at_stripe(moved, known)
        if one is not None:
            found.append(one)
            left -= one.effect
        if not left:
            break
    return found
