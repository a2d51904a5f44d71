"""The promise, measured: the clearing account beside the Stripe balance, per currency."""

from collections.abc import Mapping
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.money import Money, total
from ml_connector.books.calendar import Period
from ml_connector.books.postings import IN_THE_LEDGER
from ml_connector.books.tieout import TieOut, Unposted, tie_out
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise import guardian
from ml_connector.flows.promise.not_posted import not_posted
from ml_connector.flows.writing.periods import period_of
from ml_connector.observe import DIFFERENCE
from ml_connector.store import cursors, fees, late, payouts, postings, tie_outs, transactions
from ml_connector.store.rows import as_object
from ml_connector.store.tie_outs import Measured, Since

TAKEN_BACK = "The fees of its payout are being taken back, as it was undone."
FEE_WAITS = "Its fee is posted with its payout."


async def measure(c: Connected) -> list[TieOut]:
    """The equation of each mapped or seen currency, now: one Stripe call, one ERP call each.

    What people have changed on our documents is named, too; a difference that they do not explain
    costs two ERP calls more, to learn of changes that nobody has looked at yet, and one to learn
    of batches that are released and not posted to the ledger.
    Money that Stripe has moved and no sweep has seen yet shows up as a difference; so catch up
    with `stripe.transactions` first when the last cent matters.
    """
    stripe = await c.stripe.balance()
    unposted = await _unposted(c)
    currencies = sorted({code for code, held in stripe.items() if held} | set(c.mapping.currencies))
    found = [await _measure_one(c, code, stripe, unposted) for code in currencies]
    named = await _all_explained(c, found)
    if not all(one.holds for one in named):
        await guardian.look_around(c)
        named = await _all_explained(c, found)
        found = [
            plain if one.holds else await _with_not_posted(c, plain)
            for plain, one in zip(found, named, strict=True)
        ]
        named = await _all_explained(c, found)
    for one in named:
        await _keep(c, one)
    return named


async def _measure_one(
    c: Connected, code: str, stripe: Mapping[str, Money], unposted: list[Unposted]
) -> TieOut:
    accounts = c.mapping.currencies.get(code)
    clearing = Money.zero(code)
    if accounts is not None:
        clearing = await ledger_balance(c, accounts.clearing, code)
    return tie_out(
        code,
        clearing=clearing,
        stripe=stripe.get(code, Money.zero(code)),
        unposted=_of(code, unposted),
    )


async def ledger_balance(c: Connected, account: str, code: str) -> Money:
    """What an account of the ledger holds with everything posted so far: one ERP call."""
    return await c.acumatica.account_balance(account, code, (await latest_period(c)).id)


def _of(code: str, items: list[Unposted]) -> list[Unposted]:
    return [item for item in items if item.amount.currency == code]


async def _keep(c: Connected, result: TieOut) -> None:
    """Shows the result to the metrics, and stores it: as the last one, and in the history."""
    DIFFERENCE.labels(c.id, result.currency).set(result.difference.minor)
    now = c.clock.now()
    kept = as_object(result) | {"at": now.isoformat()}
    measured = Measured(
        connection=c.id,
        currency=result.currency,
        at=now,
        clearing_minor=result.clearing.minor,
        stripe_minor=result.stripe.minor,
        named_minor=result.named.minor,
        difference_minor=result.difference.minor,
    )
    async with c.store.transaction() as tx:
        await tie_outs.keep(tx, measured)
        await cursors.advance(tx, c.id, f"tieout.{result.currency}", kept)


async def _with_not_posted(c: Connected, found: TieOut) -> TieOut:
    """The tie-out with our documents named that the ledger does not show because nobody posted."""
    if found.currency not in c.mapping.currencies:
        return found
    waiting = [one.named for one in await not_posted(c, found.currency)]
    return _explained(found, waiting)


async def _all_explained(c: Connected, found: list[TieOut]) -> list[TieOut]:
    changed = await guardian.lacking(c)
    return [_explained(one, changed) for one in found]


def _explained(found: TieOut, changed: list[Unposted]) -> TieOut:
    """The tie-out with more that is known to be missing named."""
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
            fee = await postings.get(tx, c.id, row.fee_key) if row.fee_key else None
            if fee is not None and fee.state in IN_THE_LEDGER:
                stands -= row.fee
            found.append(Unposted(row.id, row.net - stands, row.reason or "It is being posted."))
        apart = await fees.waiting(tx, c.id)
        back = await fees.being_taken_back(tx, c.id)
    found += [Unposted(row.id, -row.fee, FEE_WAITS) for row in apart]
    found += [Unposted(row.transaction_id, row.clearing, TAKEN_BACK) for row in back]
    return found


async def latest_period(c: Connected) -> Period:
    """The period that holds everything posted so far.

    A payout's journal is dated on its arrival, which may lie in the month to come, and so may the
    next open day.
    """
    today = day_in(c.clock.now(), c.mapping.zone)
    async with c.store.transaction() as tx:
        arrivals: list[date] = [row.arrival_date for row in await payouts.every(tx, c.id, limit=1)]
        moved = await late.latest_day(tx, c.id)
    return await period_of(c, max([today, *arrivals, *moved]))


async def since(c: Connected, currency: str) -> Since | None:
    """Since when a currency differs, as far as it was measured; None when it held last."""
    async with c.store.transaction() as tx:
        return await tie_outs.since(tx, c.id, currency)
