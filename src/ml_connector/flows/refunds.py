"""Refunds: money given back becomes a journal, or a credit memo that is paid out."""

from ml_connector.basics.ids import StripeId
from ml_connector.books.policies import RefundsAs
from ml_connector.books.postings import ArPayment, Purpose, State, Voiding
from ml_connector.books.records import BalanceTransaction, Refund
from ml_connector.books.rules import Story
from ml_connector.flows.booking import accounted_for, book
from ml_connector.flows.connected import Connected
from ml_connector.flows.editions import standing
from ml_connector.flows.gate import HoldingBack
from ml_connector.flows.movements import NotPostedYet, receipt_of, voiding_of
from ml_connector.flows.opening import set_aside
from ml_connector.flows.rows import document
from ml_connector.flows.timing import WAITS, NotDue, require_due
from ml_connector.store import transactions
from ml_connector.store.transactions import TransactionState

ON_ITS_WAY = frozenset({TransactionState.SEEN, TransactionState.OWED})


async def give_back(c: Connected, refund_id: StripeId) -> None:
    """Books what a refund has done to the balance so far; nothing while it is pending.

    A refund without a balance transaction has moved no money (fact S4.4); its update, or
    the sweep, comes when it has.
    """
    refund = await c.stripe.refund(refund_id)
    moved: list[BalanceTransaction | None] = [refund.transaction, refund.failure_transaction]
    held = HoldingBack()
    for transaction in moved:
        if transaction is not None and not await set_aside(c, transaction):
            with held.each():
                async with accounted_for(c, transaction):
                    # Before it waits for its payment, it may not be due itself.
                    await require_due(c, transaction)
                    await book(c, transaction, await story_of(c, refund, transaction))
    held.tell()


async def story_of(c: Connected, refund: Refund, transaction: BalanceTransaction) -> Story:
    """Whose money a refund gives back, or which refund a failure undoes.

    Raises NotPostedYet or NotDue while the policy wants the customer and the payment is still on
    its way.
    """
    text = f"of {refund.charge}" if refund.charge else ""
    if transaction.type == "refund_failure":
        return Story(subject=refund.id, text=text, voids=await _paid_back(c, refund))
    customer = await _customer_of(c, refund, transaction)
    return Story(subject=refund.id, text=text, customer_id=customer)


async def _paid_back(c: Connected, refund: Refund) -> Voiding | None:
    """How a refund in the books is undone; None of one that is a journal."""
    row = await standing(c, Purpose.REFUND_PAID, refund.id)
    return None if row is None else voiding_of(row)


async def _customer_of(c: Connected, refund: Refund, transaction: BalanceTransaction) -> str | None:
    """Whose credit memo a refund becomes; None where it becomes a journal.

    In another currency than the charge's it is a journal of what Stripe took: no rate is guessed.
    """
    by_memo = c.mapping.policies.refunds is RefundsAs.CREDIT_MEMO
    if not by_memo or refund.charge is None or refund.amount != -transaction.amount:
        return None
    receipt = await receipt_of(c, refund.charge)
    if receipt is None:
        if await _on_its_way(c, refund.charge):
            raise _not_yet(refund)
        return None
    if receipt.state is not State.VERIFIED:
        raise _not_yet(refund)
    paper = document(receipt)
    return paper.customer_id if isinstance(paper, ArPayment) else None


async def _on_its_way(c: Connected, charge: StripeId) -> bool:
    """Whether a charge's money is known and its posting only a question of time.

    Raises NotDue where it waits for its moment by policy: then so does what is given back.
    """
    async with c.store.statement() as tx:
        rows = await transactions.by_source(tx, c.id, charge)
    rows = [row for row in rows if row.created >= c.begins]
    if any(row.cause == WAITS for row in rows):
        raise NotDue(
            f"Waits until the payment {charge} is booked, by policy.",
            cause=WAITS,
            remedy="Nothing to do: it is booked by itself then.",
        )
    return any(row.state in ON_ITS_WAY for row in rows)


def _not_yet(refund: Refund) -> NotPostedYet:
    return NotPostedYet(
        f"The refund {refund.id} gives back the payment {refund.charge}, which is not in the"
        " books itself yet.",
        cause=f"movements.not_posted:{refund.charge}",
        remedy="Nothing to do here: it follows as soon as the payment is booked.",
    )
