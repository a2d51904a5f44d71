"""When a movement of money is due in the books, by policy; until then it waits, named."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import TryAgain
from ml_connector.basics.ids import StripeId
from ml_connector.books.policies import PostWhen
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import is_transfer
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.signals import for_transaction
from ml_connector.store import payouts, postings, transactions
from ml_connector.store.transactions import BalanceTransactionRow

WAITS = "policy.post_when"
"""The cause beside a balance transaction that only waits for its moment."""

DECIDED = frozenset({"paid", "failed", "canceled"})
"""Statuses of a payout after which its members are in no other one."""


class NotDue(TryAgain):
    """Nothing is wrong: by policy, the movement is booked later."""


async def require_due(c: Connected, bt: BalanceTransaction) -> None:
    """Raises NotDue while the policy `post_when` keeps a movement out of the books.

    What becomes available is looked at again on that day; what waits for its payout, when that is
    done (`wake_due`).
    """
    why = await not_due(c, bt)
    if why is None:
        return
    if bt.available_on > c.clock.now():
        async with c.store.transaction() as tx:
            at = for_transaction(bt.id, bt.type, bt.source)
            await look(tx, c.id, at, not_before=bt.available_on)
    raise why


async def not_due(c: Connected, bt: BalanceTransaction) -> NotDue | None:
    """Why a movement is not booked yet; None when it is due, or begun already.

    Money that moves between the Stripe balance and the bank is always due.
    """
    when = c.mapping.policies.post_when
    if when is PostWhen.CAPTURED or is_transfer(bt):
        return None
    async with c.store.transaction() as tx:
        begun = any(row.taken for row in await postings.by_transaction(tx, c.id, bt.id))
        known = await transactions.get(tx, c.id, bt.id)
        payout = None if known is None else known.payout
        if begun or await _is_due(c, tx, bt.amount.currency, bt.available_on, payout):
            return None
    until = f"{bt.available_on:%Y-%m-%d}"
    if when is PostWhen.PAID_OUT:
        until = f"its payout is done (available on {until})"
    remedy = "Nothing to do: it is booked by itself then."
    return NotDue(f"Waits until {until}, by policy.", cause=WAITS, remedy=remedy)


async def wake_due(c: Connected) -> int:
    """Queues a look at each movement that waited by policy and is due now; returns how many."""
    async with c.store.transaction() as tx:
        waiting = [row for row in await transactions.unposted(tx, c.id) if row.cause == WAITS]
        due = [row for row in waiting if await _row_is_due(c, tx, row)]
        looks = {for_transaction(row.id, row.type, row.source) for row in due}
        for at in sorted(looks, key=lambda one: (one.kind, one.resource)):
            await look(tx, c.id, at)
    return len(looks)


async def _row_is_due(c: Connected, tx: AsyncConnection, row: BalanceTransactionRow) -> bool:
    return await _is_due(c, tx, row.currency, row.available_on, row.payout)


async def _is_due(
    c: Connected,
    tx: AsyncConnection,
    currency: str,
    available_on: datetime,
    payout: StripeId | None,
) -> bool:
    match c.mapping.policies.post_when:
        case PostWhen.CAPTURED:
            return True
        case PostWhen.AVAILABLE:
            return available_on <= c.clock.now()
        case PostWhen.PAID_OUT if payout is not None:
            holder = await payouts.get(tx, c.id, payout)
            return holder is not None and holder.status in DECIDED
        case PostWhen.PAID_OUT:
            return await _drawn_since(c, tx, currency, available_on)


async def _drawn_since(
    c: Connected, tx: AsyncConnection, currency: str, available_on: datetime
) -> bool:
    """Whether a payout without members was made of the balance that held the money."""
    for row in await payouts.every(tx, c.id):
        if row.automatic or row.currency != currency or row.status not in DECIDED:
            continue
        own = await transactions.by_source(tx, c.id, row.id)
        if any(one.type == "payout" and one.created >= available_on for one in own):
            return True
    return False
