"""The promise, measured: the clearing account beside the Stripe balance, per currency."""

from collections.abc import Mapping
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.money import Money, total
from ml_connector.books.postings import State
from ml_connector.books.tieout import TieOut, Unposted, tie_out
from ml_connector.flows import guardian
from ml_connector.flows.connected import Connected
from ml_connector.observe import DIFFERENCE
from ml_connector.store import cursors, payouts, postings, transactions
from ml_connector.store.rows import as_object

IN_THE_LEDGER = frozenset({State.RELEASED, State.VERIFIED})


async def measure(c: Connected) -> list[TieOut]:
    """The equation of each mapped or seen currency, now: one Stripe call, one ERP call each.

    What people have changed on our documents is named, too; a difference that they do not explain
    costs two ERP calls more, to learn of changes that nobody has looked at yet.
    Money that Stripe has moved and no sweep has seen yet shows up as a difference; so catch up
    with `stripe.transactions` first when the last cent matters.
    """
    stripe = await c.stripe.balance()
    unposted = await _unposted(c)
    period = await _latest_period(c)
    currencies = sorted({code for code, held in stripe.items() if held} | set(c.mapping.currencies))
    found = [await _measure_one(c, code, stripe, unposted, period) for code in currencies]
    named = [_explained(one, await guardian.lacking(c)) for one in found]
    if not all(one.holds for one in named):
        await guardian.look_around(c)
        named = [_explained(one, await guardian.lacking(c)) for one in found]
    for one in named:
        await _keep(c, one)
    return named


async def _measure_one(
    c: Connected, code: str, stripe: Mapping[str, Money], unposted: list[Unposted], period: str
) -> TieOut:
    accounts = c.mapping.currencies.get(code)
    clearing = Money.zero(code)
    if accounts is not None:
        clearing = await c.acumatica.account_balance(accounts.clearing, code, period)
    return tie_out(
        code,
        clearing=clearing,
        stripe=stripe.get(code, Money.zero(code)),
        unposted=_of(code, unposted),
    )


def _of(code: str, items: list[Unposted]) -> list[Unposted]:
    return [item for item in items if item.amount.currency == code]


async def _keep(c: Connected, result: TieOut) -> None:
    """Shows the result to the metrics, and stores it as the last one."""
    DIFFERENCE.labels(c.id, result.currency).set(result.difference.minor)
    kept = as_object(result) | {"at": c.clock.now().isoformat()}
    async with c.store.transaction() as tx:
        await cursors.advance(tx, c.id, f"tieout.{result.currency}", kept)


def _explained(found: TieOut, changed: list[Unposted]) -> TieOut:
    """The tie-out with what people have changed on our documents named."""
    named = [*found.unposted, *_of(found.currency, changed)]
    return tie_out(found.currency, clearing=found.clearing, stripe=found.stripe, unposted=named)


async def _unposted(c: Connected) -> list[Unposted]:
    """What of each balance transaction is not in the ledger, with the reason beside it."""
    found: list[Unposted] = []
    async with c.store.transaction() as tx:
        for row in await transactions.unposted(tx, c.id):
            carried = await postings.by_transaction(tx, c.id, row.id)
            stands = total(
                (one.clearing for one in carried if one.state in IN_THE_LEDGER), row.currency
            )
            found.append(Unposted(row.id, row.net - stands, row.reason or "It is being posted."))
    return found


async def _latest_period(c: Connected) -> str:
    """The period (`MMYYYY`) that holds everything posted so far.

    A payout's journal is dated on its arrival, which may lie in the month to come.
    """
    today = day_in(c.clock.now(), c.mapping.zone)
    async with c.store.transaction() as tx:
        arrivals: list[date] = [row.arrival_date for row in await payouts.every(tx, c.id, limit=1)]
    return f"{max([today, *arrivals]):%m%Y}"
