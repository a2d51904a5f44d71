"""What if: stored movements booked anew under another mapping, on paper; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books import rules
from ml_connector.books.disputes import Lost
from ml_connector.books.mapping import Mapping
from ml_connector.books.postings import ArPayment, ArRefund, Journal, Purpose, Voiding
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.what_if import LOSSES, REFUNDED, Known, NotKnown, Outcome, Place, outcome
from ml_connector.flows.cash.movements import story_of, voiding_of
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing, standing_of
from ml_connector.store import payouts, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState


@dataclass(frozen=True, slots=True)
class Differs:
    """A transaction that would be booked otherwise."""

    transaction: BalanceTransactionRow
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Shift:
    """What stands in one place, of what was looked at, under either mapping."""

    place: Place
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The answer: how many were looked at, what differs, and what only a new look would tell."""

    looked_at: int
    differing: Sequence[Differs]
    shifts: Sequence[Shift]
    not_known: Sequence[tuple[StripeId, str]]


async def what_if(c: Connected, other: Mapping, days: int) -> WhatIf:
    """The last days' movements under the mapping in force and under another one."""
    since = c.clock.now() - timedelta(days=days)
    async with c.store.statement() as tx:
        rows = await transactions.since(tx, c.id, since)
    rows = [row for row in rows if row.state is not TransactionState.IGNORED]
    differing: list[Differs] = []
    not_known: list[tuple[StripeId, str]] = []
    for row in rows:
        bt = msgspec.convert(row.body, BalanceTransaction)
        known = await _known(c, row, bt)
        try:
            before, after = outcome(bt, known, c.mapping), outcome(bt, known, other)
        except NotKnown as why:
            not_known.append((row.id, str(why)))
            continue
        if before != after:
            differing.append(Differs(row, before, after))
    return WhatIf(len(rows), differing, _shifts(differing), not_known)


def _shifts(differing: Sequence[Differs]) -> list[Shift]:
    """The differences by place and currency, what stays the same left out."""
    sums: dict[tuple[Place, str], tuple[Money, Money]] = {}
    for one in differing:
        for side, found in enumerate((one.before, one.after)):
            for place, amounts in found.moves.items():
                for amount in amounts:
                    nothing = Money.zero(amount.currency)
                    both = list(sums.get((place, amount.currency), (nothing, nothing)))
                    both[side] += amount
                    sums[place, amount.currency] = both[0], both[1]
    shifts = [Shift(place, before, after) for (place, _), (before, after) in sums.items()]
    moved = [one for one in shifts if one.before != one.after]
    return sorted(moved, key=lambda one: (str(one.place), one.before.currency))


async def _known(c: Connected, row: BalanceTransactionRow, bt: BalanceTransaction) -> Known:
    """What the store tells of a movement, in the place of what a new look would."""
    async with c.store.transaction() as tx:
        made = await standing_of(c, tx, row.id)
        payout = await payouts.get(tx, c.id, row.source) if row.source else None
    if rules.is_receipt(bt):
        return _receipt(row, made)
    if rules.is_bounce(bt):
        return await _returned(c, bt)
    if row.category in REFUNDED:
        return await _refunded(c, row, made)
    return _ended(Known(arrival=None if payout is None else payout.arrival_date), row, made)


async def _refunded(c: Connected, row: BalanceTransactionRow, made: Sequence[PostingRow]) -> Known:
    """A refund, or its failure, by the document that paid it out."""
    aside = any(one.purpose == Purpose.SUSPENSE for one in made)
    paid = await standing(c, Purpose.REFUND_PAID, row.source) if row.source else None
    paper = None if paid is None else document(paid)
    if paid is None or not isinstance(paper, ArRefund):
        return Known(aside=aside)
    return Known(aside=aside, refunded=paper, voids=voiding_of(paid))


def _receipt(row: BalanceTransactionRow, made: Sequence[PostingRow]) -> Known:
    papers = [document(one) for one in made]
    payment = next((paper for paper in papers if isinstance(paper, ArPayment)), None)
    aside = any(one.purpose == Purpose.SUSPENSE for one in made)
    return Known(payment=payment, nobodys=aside or row.cause == "payment.no_invoice")


async def _returned(c: Connected, bt: BalanceTransaction) -> Known:
    try:
        story = await story_of(c, bt)
    except ConnectorError as error:
        return Known(waits=error.sentence)
    return Known(voids=story.voids, settled_as=story.settled_as, aside=story.aside)


def _ended(known: Known, row: BalanceTransactionRow, made: Sequence[PostingRow]) -> Known:
    """A lost dispute's end, as far as its stored documents tell it."""
    ends = {Purpose(one.purpose): document(one) for one in made if one.purpose in LOSSES}
    paper = next((one for one in ends.values() if isinstance(one, Journal)), None)
    if paper is None or row.source is None:
        return known
    taken = max(line.amount for line in paper.lines)
    lost = Lost(row.source, "its charge", taken, row.id, paper.day)
    voids = (document(one) for one in made if one.purpose == Purpose.VOID)
    reopened = next((one for one in voids if isinstance(one, Voiding)), None)
    won = Purpose.LOSS_REVERSAL in ends
    return replace(known, lost=lost, reopened=reopened, won=won)
