"""The dry run of Stripe's movements: what each would become now, and why not the rest.

The documents are made by the same stories as those that are posted, so that what a person is
shown and what is written later are the same to the letter. Nothing is written.
"""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field

import msgspec

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.books import rules
from ml_connector.books.editions import in_edition
from ml_connector.books.matching import settled
from ml_connector.books.modes import BY_COMMAND
from ml_connector.books.postings import Posting, Purpose
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story
from ml_connector.flows.cash import disputes, movements, payouts, receipts, refunds
from ml_connector.flows.cash.fees import followed
from ml_connector.flows.cash.legs import met
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.signals import Kind, Look, for_transaction
from ml_connector.flows.writing.editions import WasUndone, standing_of
from ml_connector.flows.writing.otherwise import as_it_stands, waits_for_a_word
from ml_connector.flows.writing.timing import not_due
from ml_connector.store import payouts as stored_payouts
from ml_connector.store import postings, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState

REFUNDED = frozenset({"refund", "payment_refund", "refund_failure"})


@dataclass(frozen=True, slots=True)
class Planned:
    """What one balance transaction would become, or the sentence why it cannot."""

    transaction: BalanceTransaction
    postings: tuple[Posting, ...]
    why_not: str = ""
    remedy: str = ""

    @property
    def look(self) -> Look:
        """The look that carries it out."""
        bt = self.transaction
        return for_transaction(bt.id, bt.type, bt.source)


async def plan(c: Connected) -> AsyncGenerator[Planned]:
    """Every balance transaction that is not in the ledger yet, oldest first, as it would go.

    One call for the list (100 a page), and one or two for each that is not in the ledger.
    """
    for transaction in await owed(c):
        yield await plan_one(c, transaction)


@dataclass(frozen=True, slots=True)
class Stored:
    """Documents that wait although their movement is owed nothing, as they are stored.

    The fees of a payout belong to no movement; what began before our books is in the opening.
    """

    subject: StripeId
    look: Look
    postings: tuple[Posting, ...]
    facts: dict[str, str] = field(default_factory=dict[str, str])


async def owed(c: Connected) -> list[BalanceTransaction]:
    """The balance transactions that are not in the ledger and are ours to post, oldest first."""
    found = [bt async for bt in c.stripe.transactions(created_from=c.begins)]
    rows = [(bt, await _known(c, bt)) for bt in reversed(found)]
    return [bt for bt, row in rows if row is None or row.state is not TransactionState.POSTED]


async def left_over(c: Connected, besides: Collection[StripeId]) -> list[Stored]:
    """What waits in our own rows and belongs to none of some movements: no call."""
    async with c.store.statement() as tx:
        rows = await postings.before_release(tx, c.id)
    asked = [row.transaction_id for row in rows if row.purpose not in BY_COMMAND]
    found = [await stored(c, one) for one in dict.fromkeys(asked) if one not in besides]
    return [one for one in found if one.postings]


async def plan_again(c: Connected, subject: StripeId) -> Planned | Stored:
    """What a movement, or a payout with its fees, would become as it stands now."""
    async with c.store.statement() as tx:
        payout = await stored_payouts.get(tx, c.id, subject)
    if payout is not None:
        return await stored(c, subject)
    bt = await c.stripe.transaction(subject)
    row = await _known(c, bt)
    posted = row is not None and row.state is TransactionState.POSTED
    return await stored(c, subject) if posted or bt.created < c.begins else await plan_one(c, bt)


async def stored(c: Connected, subject: StripeId) -> Stored:
    """The stored documents of a movement or a payout that are not written, or wait as amended."""
    async with c.store.transaction() as tx:
        bt = await transactions.get(tx, c.id, subject)
        rows = await standing_of(c, tx, subject)
    waiting = [posting_of(row) for row in rows if not row.taken or await waits_for_a_word(c, row)]
    if bt is None:
        return Stored(subject, Look(Kind.PAYOUT, subject), tuple(waiting))
    at = for_transaction(bt.id, bt.type, bt.source)
    facts = facts_of(msgspec.convert(bt.body, BalanceTransaction))
    return Stored(subject, at, tuple(waiting), facts)


def facts_of(bt: BalanceTransaction) -> dict[str, str]:
    """What the documents of a movement rest on at Stripe."""
    return {f"the amount of {bt.id}": str(bt.amount), f"the fee of {bt.id}": str(bt.fee)}


async def _known(c: Connected, bt: BalanceTransaction) -> BalanceTransactionRow | None:
    async with c.store.statement() as tx:
        return await transactions.get(tx, c.id, bt.id)


async def plan_one(c: Connected, bt: BalanceTransaction) -> Planned:
    """What one balance transaction would become; never raises what stops it."""
    row = await _known(c, bt)
    if row is not None and row.state is TransactionState.UNDONE:
        why = WasUndone(row)
        return Planned(bt, (), why.sentence, why.remedy)
    later = await not_due(c, bt)
    if later is not None:
        return Planned(bt, (), later.sentence, later.remedy)
    try:
        story = await _story(c, bt)
        async with c.store.transaction() as tx:
            story = await met(c, tx, bt, story)
        planned = rules.postings(bt, story, followed(c))
        made = [in_edition(one, 1 if row is None else row.edition) for one in planned]
        return Planned(bt, tuple(await _still_to_send(c, bt.id, made)))
    except ConnectorError as error:
        return Planned(bt, (), error.sentence, error.remedy)


async def _story(c: Connected, bt: BalanceTransaction) -> Story:
    """The story that the flow of its kind would tell: at most one call, and the match's."""
    at = for_transaction(bt.id, bt.type, bt.source)
    subject = StripeId(at.resource)
    match at.kind:
        case Kind.CHARGE:
            charge = await c.stripe.charge(subject)
            settled(charge)
            return await receipts.story_of(c, charge)
        case Kind.REFUND:
            return await refunds.story_of(c, await c.stripe.refund(subject), bt)
        case Kind.DISPUTE:
            return await disputes.story_of(c, await c.stripe.dispute(subject), bt)
        case Kind.PAYOUT:
            return await payouts.story_of(c, await c.stripe.payout(subject), bt.id)
        case _:
            return await movements.story_of(c, bt)


async def _still_to_send(c: Connected, bt: StripeId, made: list[Posting]) -> list[Posting]:
    """The documents that Acumatica has nothing of, as `booking.plan_anew` would plan them.

    One that stands there, said otherwise than was approved, waits all the same. Once a part is
    taken, the same documents are made as were planned then; what belongs to the movement besides
    (the loss of a dispute) is among them.
    """
    async with c.store.transaction() as tx:
        known = {row.key: row for row in await standing_of(c, tx, bt)}
        made = await as_it_stands(c, tx, made)
    if not any(row.taken for row in known.values()):
        return made
    made_already = [row for row in known.values() if await waits_for_a_word(c, row)]
    keys: set[PostingKey] = {one.key for one in made}
    kept = [one for one in made if one.key in known and not known[one.key].taken]
    besides = [row for key, row in known.items() if key not in keys and not row.taken]
    return [*kept, *(posting_of(row) for row in (*besides, *made_already))]


def posting_of(row: PostingRow) -> Posting:
    """A stored posting as it was planned."""
    purpose = Purpose(row.purpose)
    return Posting(row.key, purpose, row.transaction_id, document(row), row.clearing)
