"""The search for a difference, down to the record: by halving the periods, then by document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.calendar import Period
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
from ml_connector.books.tieout import TieOut, Unposted, tie_out
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise import guardian
from ml_connector.flows.promise.not_posted import not_posted
from ml_connector.flows.promise.tie_out import latest_period
from ml_connector.flows.rows import JOURNAL, ledger_name
from ml_connector.flows.writing.periods import calendar, periods_between
from ml_connector.store import clearing
from ml_connector.store.clearing import Effect
from ml_connector.store.transactions import TransactionState


async def search(c: Connected, found: TieOut) -> Drift:
    """The records that make up a difference, by day.

    Costs a balance for each halving of the tenant's financial periods and the lines of each one
    that differs; only what is still unnamed then is searched at Stripe. The tie-out must be fresh,
    and Stripe's movements swept.
    """
    batches = await not_posted(c, found.currency)
    found = await _bare(c, found, [one.named for one in batches])
    waiting = [one for one in batches if not one.takes_back]
    accounts = c.mapping.of_currency(found.currency)
    async with c.store.transaction() as tx:
        effects = await clearing.effects(tx, c.id, found.currency)
        nets = await clearing.nets(tx, c.id, found.currency)
    ours = [*ours_of(effects, c.record.start_date), *(one.lacking for one in waiting)]
    ledger = _Ledger(c, accounts.clearing, found.currency, ours, *await _periods(c, ours))
    posted = {one.id: one.amount for one in nets if one.state == TransactionState.POSTED}
    findings = [*await ledger.findings(), *(one.finding for one in waiting)]
    findings = [*in_order(findings), *miscarried(posted, _carried(effects))]
    drift = without_opening(Drift(found, tuple(findings)), c.record.start_date)
    if drift.unnamed:
        known = {one.id: one.amount for one in nets}
        more = await _at_stripe(c, drift, known)
        drift = Drift(found, tuple(in_order([*drift.findings, *more])))
    return drift


async def _bare(c: Connected, found: TieOut, waiting: Sequence[Unposted]) -> TieOut:
    """The tie-out without what people are known to have changed and what waits to be posted.

    The search names both itself.
    """
    known = [*await guardian.lacking(c), *waiting]
    rest = [one for one in found.unposted if one not in known]
    return tie_out(found.currency, clearing=found.clearing, stripe=found.stripe, unposted=rest)


def ours_of(effects: Sequence[Effect], start: date) -> list[Ours]:
    """Our documents by their names in the ledger; a voiding is dated like its payment."""
    days = {one.erp_number: one.day for one in effects if one.kind != JOURNAL and one.day}
    return [
        Ours(
            key=one.key,
            name=ledger_name(one.kind, one.erp_number),
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


async def _periods(c: Connected, ours: Sequence[Ours]) -> tuple[Sequence[Period], Period | None]:
    """Every period from the first document (or the start) on; and the one before them, if any."""
    days = [c.record.start_date, *(one.day for one in ours)]
    latest = await latest_period(c)
    found = await periods_between(c, min(days), max([latest.end, *days]))
    return found, (await calendar(c)).before(found[0])


@dataclass
class _Ledger:
    """The clearing account period by period, asked for as little as possible."""

    c: Connected
    account: str
    currency: str
    ours: Sequence[Ours]
    periods: Sequence[Period]
    before: Period | None
    balances: dict[str, Money] = field(default_factory=dict[str, Money])
    seen: dict[int, list[Finding]] = field(default_factory=dict[int, list[Finding]])

    async def findings(self) -> list[Finding]:
        """Every document that makes a period differ, until none differs or nothing is learned."""
        base = await self._base()
        while await self._left(len(self.periods) - 1, base):
            place = await self._first_that_differs(base)
            if place in self.seen:
                break  # its documents are right and its balance is not: nothing more to learn
            self.seen[place] = await self._look(self.periods[place])
        return merged([one for place in sorted(self.seen) for one in self.seen[place]])

    async def _first_that_differs(self, base: Money) -> int:
        steps, answer = halving(0, len(self.periods) - 1), None
        while True:
            try:
                asked = next(steps) if answer is None else steps.send(answer)
            except StopIteration as end:
                return int(end.value)
            answer = bool(await self._left(asked, base))

    async def _look(self, period: Period) -> list[Finding]:
        lines = await self.c.acumatica.movements(self.account, self.currency, period.id)
        ours = [one for one in self.ours if period.start <= one.day <= period.end]
        return in_ledger(lines, ours, self.currency)

    async def _left(self, place: int, base: Money) -> Money:
        """By how much the account differs at the end of a period, less what was found by then."""
        upto = self.periods[place]
        owed = total((one.amount for one in self.ours if one.day <= upto.end), self.currency)
        named = [one.effect for at, found in self.seen.items() if at <= place for one in found]
        return await self._balance(upto) - owed - base - total(named, self.currency)

    async def _base(self) -> Money:
        """What the account held before our first period; nothing where there is none before."""
        return await self._balance(self.before) if self.before else Money.zero(self.currency)

    async def _balance(self, period: Period) -> Money:
        if period.id not in self.balances:
            self.balances[period.id] = await self.c.acumatica.account_balance(
                self.account, self.currency, period.id
            )
        return self.balances[period.id]


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
