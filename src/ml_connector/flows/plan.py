"""The dry run: what would be sent and posted now, and why not the rest; nothing is written."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import StripeId
from ml_connector.books import rules
from ml_connector.books.matching import settled
from ml_connector.books.postings import ArPayment, ArRefund, Booked, CreditMemo, Posting, Voiding
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story
from ml_connector.flows import movements, receipts, refunds
from ml_connector.flows.connected import Connected
from ml_connector.flows.fees import followed
from ml_connector.flows.opening import cut_over
from ml_connector.flows.timing import not_due
from ml_connector.store import transactions
from ml_connector.store.transactions import TransactionState

REFUNDED = frozenset({"refund", "payment_refund", "refund_failure"})


@dataclass(frozen=True, slots=True)
class Planned:
    """What one balance transaction would become, or the sentence why it cannot."""

    transaction: BalanceTransaction
    postings: tuple[Posting, ...]
    why_not: str = ""
    remedy: str = ""


async def plan(c: Connected) -> AsyncGenerator[Planned]:
    """Every balance transaction that is not in the ledger yet, oldest first, as it would go."""
    owed = [bt async for bt in c.stripe.transactions(created_from=cut_over(c))]
    for transaction in reversed(owed):
        if not await _posted(c, transaction.id):
            yield await _planned(c, transaction)


async def _posted(c: Connected, transaction: StripeId) -> bool:
    async with c.store.transaction() as tx:
        row = await transactions.get(tx, c.id, transaction)
    return row is not None and row.state is TransactionState.POSTED


async def _planned(c: Connected, transaction: BalanceTransaction) -> Planned:
    later = await not_due(c, transaction)
    if later is not None:
        return Planned(transaction, (), later.sentence, later.remedy)
    try:
        story = await _story(c, transaction)
        return Planned(transaction, tuple(rules.postings(transaction, story, followed(c))))
    except ConnectorError as error:
        return Planned(transaction, (), error.sentence, error.remedy)


async def _story(c: Connected, transaction: BalanceTransaction) -> Story:
    subject = transaction.source or transaction.id
    if rules.is_receipt(transaction):
        charge = await c.stripe.charge(subject)
        settled(charge)
        return await receipts.story_of(c, charge)
    if transaction.type.startswith("payout"):
        payout = await c.stripe.payout(subject)
        return Story(subject=subject, arrival=payout.arrival_date)
    if transaction.type in REFUNDED:
        refund = await c.stripe.refund(subject)
        return await refunds.story_of(c, refund, transaction)
    return await movements.story_of(c, transaction)


def accounts_moved(planned: Planned) -> list[tuple[str, str]]:
    """What a plan does to each account, as a person reads it: the account and the amount."""
    moved: list[tuple[str, str]] = []
    for posting in planned.postings:
        paper = posting.document
        if isinstance(paper, ArPayment):
            moved.append((paper.cash_account, str(paper.cash)))
            moved += [(one.account, str(one.amount)) for one in paper.charges]
            moved.append((f"AR of {paper.customer_id}", str(-paper.amount)))
        elif isinstance(paper, CreditMemo):
            moved.append((paper.account, str(paper.amount)))
            moved.append((f"AR of {paper.customer_id}", str(-paper.amount)))
        elif isinstance(paper, ArRefund):
            moved.append((f"AR of {paper.customer_id}", str(paper.amount)))
            moved.append((paper.cash_account, str(-paper.amount)))
        elif isinstance(paper, Booked):
            moved.append((f"is {paper.payment.replace('|', ' ')}", str(paper.amount)))
        elif isinstance(paper, Voiding):
            moved.append((f"voids {paper.payment.replace('|', ' ')}", str(-paper.amount)))
        else:
            moved += [(line.account, str(line.amount)) for line in paper.lines]
    return moved
