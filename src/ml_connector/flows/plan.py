"""The dry run of Stripe's movements: what each would become now, and why not the rest.

The documents are made by the same stories as those that are posted, so that what a person is
shown and what is written later are the same to the letter. Nothing is written.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.books import rules
from ml_connector.books.editions import in_edition
from ml_connector.books.matching import settled
from ml_connector.books.postings import Posting, Purpose
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story
from ml_connector.flows import disputes, movements, payouts, receipts, refunds
from ml_connector.flows.connected import Connected
from ml_connector.flows.editions import WasUndone, standing_of
from ml_connector.flows.fees import followed
from ml_connector.flows.rows import document
from ml_connector.flows.signals import Kind, Look, for_transaction
from ml_connector.flows.timing import not_due
from ml_connector.store import transactions
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


async def owed(c: Connected) -> list[BalanceTransaction]:
    """The balance transactions that are not in the ledger and are ours to post, oldest first."""
    found = [bt async for bt in c.stripe.transactions(created_from=c.begins)]
    rows = [(bt, await _known(c, bt)) for bt in reversed(found)]
    return [bt for bt, row in rows if row is None or row.state is not TransactionState.POSTED]


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
        planned = rules.postings(bt, await _story(c, bt), followed(c))
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
            return disputes.story_of(await c.stripe.dispute(subject))
        case Kind.PAYOUT:
            return payouts.story_of(await c.stripe.payout(subject))
        case _:
            return await movements.story_of(c, bt)


async def _still_to_send(c: Connected, bt: StripeId, made: list[Posting]) -> list[Posting]:
    """The documents that Acumatica has nothing of, as `booking.plan_anew` would plan them.

    Once a part is taken, the same documents are made as were planned then; what belongs to the
    movement besides (the loss of a dispute) is among them.
    """
    async with c.store.transaction() as tx:
        known = {row.key: row for row in await standing_of(c, tx, bt)}
    if not any(row.taken for row in known.values()):
        return made
    keys: set[PostingKey] = {one.key for one in made}
    kept = [one for one in made if one.key in known and not known[one.key].taken]
    besides = [row for key, row in known.items() if key not in keys and not row.taken]
    return [*kept, *(posting_of(row) for row in besides)]


def posting_of(row: PostingRow) -> Posting:
    """A stored posting as it was planned."""
    purpose = Purpose(row.purpose)
    return Posting(row.key, purpose, row.transaction_id, document(row), row.clearing)
