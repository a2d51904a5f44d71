"""When a movement of money is due in the books, by policy; until then it waits, named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import TryAgain
from ml_connector.basics.ids import StripeId
from ml_connector.books.policies import PostWhen
from ml_connector.books.records import PAYOUT_ENDED, BalanceTransaction, Payout
from ml_connector.books.rules import is_transfer
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.signals import for_transaction
from ml_connector.flows.writing.editions import standing_of
from ml_connector.store import reports, transactions

WAITS = "policy.post_when"
"""The cause beside a balance transaction that only waits for its moment."""


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
    if c.mapping.policies.post_when is PostWhen.AVAILABLE:
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
        if any(row.taken for row in await standing_of(c, tx, bt.id)):
            return None
        known = await transactions.get(tx, c.id, bt.id)
        payout = None if known is None else known.payout
        gate = await _gate(c, tx)
        if gate.lets_in(bt.amount.currency, bt.available_on, payout):
            return None
    until = f"{bt.available_on:%Y-%m-%d}"
    if when is PostWhen.PAID_OUT:
        until = f"its payout is done (available on {until})"
    remedy = "Nothing to do: it is booked by itself then."
    return NotDue(f"Waits until {until}, by policy.", cause=WAITS, remedy=remedy)


def lets_fees_in(c: Connected, payout: Payout) -> bool:
    """Whether the journal of a payout's fees may be posted: not before its members are."""
    done = payout.status in PAYOUT_ENDED
    return done or c.mapping.policies.post_when is not PostWhen.PAID_OUT


async def wake_due(c: Connected) -> int:
    """Queues a look at each movement that waited by policy and is due now; returns how many."""
    async with c.store.transaction() as tx:
        waiting = [row for row in await transactions.unposted(tx, c.id) if row.cause == WAITS]
        gate = await _gate(c, tx)
        due = [row for row in waiting if gate.lets_in(row.currency, row.available_on, row.payout)]
        looks = {for_transaction(row.id, row.type, row.source) for row in due}
        await look_all(tx, c.id, looks)
    return len(looks)


@dataclass(frozen=True, slots=True)
class _Gate:
    """What the policy lets into the books at one moment.

    `done` are the payouts that are over; `drawn`, by currency, when the last one without members
    was made of the balance.
    """

    when: PostWhen
    now: datetime
    done: frozenset[StripeId]
    drawn: Mapping[str, datetime]

    def lets_in(self, currency: str, available_on: datetime, payout: StripeId | None) -> bool:
        match self.when:
            case PostWhen.CAPTURED:
                return True
            case PostWhen.AVAILABLE:
                return available_on <= self.now
            case PostWhen.PAID_OUT if payout is not None:
                return payout in self.done
            case PostWhen.PAID_OUT:
                return currency in self.drawn and available_on <= self.drawn[currency]


async def _gate(c: Connected, tx: AsyncConnection) -> _Gate:
    """The policy with what it asks of the payouts: nothing, unless it is about them."""
    when, now = c.mapping.policies.post_when, c.clock.now()
    if when is not PostWhen.PAID_OUT:
        return _Gate(when, now, frozenset(), {})
    done = await reports.payouts_in(tx, c.id, PAYOUT_ENDED)
    return _Gate(when, now, done, await reports.last_drawn(tx, c.id, PAYOUT_ENDED))
