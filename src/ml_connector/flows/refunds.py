"""Refunds: money given back becomes a journal, or the customer's credit that is paid out."""

from ml_connector.acumatica.documents import OPEN, ErpPayment
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.books.postings import ArPayment, Booked, Purpose, State, Voiding
from ml_connector.books.records import BalanceTransaction, Refund
from ml_connector.books.rules import Story
from ml_connector.flows.booking import DONE, accounted_for, book
from ml_connector.flows.connected import Connected
from ml_connector.flows.editions import standing
from ml_connector.flows.gate import HoldingBack
from ml_connector.flows.movements import NotPostedYet, receipt_of, voiding_of
from ml_connector.flows.opening import cut_over, set_aside
from ml_connector.flows.rows import document
from ml_connector.flows.timing import WAITS, NotDue, require_due
from ml_connector.store import transactions
from ml_connector.store.postings import PostingRow
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
        if transaction is not None and not await _stands(c, transaction):
            with held.each():
                async with accounted_for(c, transaction):
                    # Before it waits for its payment, it may not be due itself.
                    await require_due(c, transaction)
                    await book(c, transaction, await story_of(c, refund, transaction))
    held.tell()


async def _stands(c: Connected, transaction: BalanceTransaction) -> bool:
    """Whether nothing is to be done: it is in the ledger, or is of before our books began."""
    async with c.store.statement() as tx:
        row = await transactions.get(tx, c.id, transaction.id)
    return (row is not None and row.state in DONE) or await set_aside(c, transaction)


async def story_of(c: Connected, refund: Refund, transaction: BalanceTransaction) -> Story:
    """Whose money a refund gives back, or which refund a failure undoes.

    One call where its payment is in the books. Raises NotPostedYet or NotDue while that is still
    on its way.
    """
    text = f"of {refund.charge}" if refund.charge else ""
    if transaction.type == "refund_failure":
        return Story(subject=refund.id, text=text, voids=await _paid_back(c, refund))
    receipt = await _receipt(c, refund)
    if receipt is None or refund.amount != -transaction.amount:
        return Story(subject=refund.id, text=text)  # in another currency: no rate is guessed
    rest = await _rest_of(c, receipt, refund)
    if rest is not None:
        owner, ref = rest.customer_id, rest.ref
        return Story(subject=refund.id, text=text, customer_id=owner, unapplied=ref)
    paper = document(receipt)
    customer = paper.customer_id if isinstance(paper, ArPayment) else None
    return Story(subject=refund.id, text=text, customer_id=customer)


async def _paid_back(c: Connected, refund: Refund) -> Voiding | None:
    """How a refund in the books is undone; None of one that is a journal."""
    row = await standing(c, Purpose.REFUND_PAID, refund.id)
    return None if row is None else voiding_of(row)


async def _receipt(c: Connected, refund: Refund) -> PostingRow | None:
    """The posting of the payment that is given back; None where nothing of it is in our books."""
    if refund.charge is None:
        return None
    receipt = await receipt_of(c, refund.charge)
    if receipt is None and not await _on_its_way(c, refund.charge):
        return None
    if receipt is None or receipt.state is not State.VERIFIED:
        raise _not_yet(refund)
    return receipt


async def _rest_of(c: Connected, receipt: PostingRow, refund: Refund) -> ErpPayment | None:
    """The payment, where no less of it than the refund is on no invoice now: one call."""
    paper = document(receipt)
    if not isinstance(paper, ArPayment | Booked):
        return None
    clearing = c.mapping.of_currency(refund.amount.currency).clearing_cash
    if paper.cash_account != clearing or receipt.erp_type is None or receipt.erp_number is None:
        return None
    found = await c.acumatica.payment(erp_ref(receipt.erp_type, receipt.erp_number))
    return found if found.status == OPEN and found.rest >= refund.amount else None


async def _on_its_way(c: Connected, charge: StripeId) -> bool:
    """Whether a charge's money is known and its posting only a question of time.

    Raises NotDue where it waits for its moment by policy: then so does what is given back.
    """
    async with c.store.statement() as tx:
        rows = await transactions.by_source(tx, c.id, charge)
    rows = [row for row in rows if row.created >= cut_over(c)]
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
