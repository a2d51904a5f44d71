"""Refunds: money given back becomes a journal, or the customer's credit that is paid out."""

from ml_connector.acumatica.documents import OPEN, ErpPayment
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.books.modes import OF_PURPOSE, Mode
from ml_connector.books.postings import ArPayment, Booked, Purpose, State, Voiding
from ml_connector.books.records import BalanceTransaction, Refund
from ml_connector.books.rules import Story
from ml_connector.flows.cash.booking import DONE, accounted_for, book
from ml_connector.flows.cash.legs import leg_in, leg_of
from ml_connector.flows.cash.movements import NotPostedYet, kept_out, receipt_of, voiding_of
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import set_aside
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing
from ml_connector.flows.writing.gate import HoldingBack
from ml_connector.flows.writing.timing import require_due
from ml_connector.store import transactions
from ml_connector.store.postings import PostingRow


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
                async with accounted_for(c, transaction, refund.charge):
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

    One call where its payment is in the books. Raises NotPostedYet, NotDue or WaitsWithIt while
    that is not.
    """
    c.mapping.hold.refuse_charge(refund.charge, f"The refund {refund.id} of {refund.amount}")
    text = f"of {refund.charge}" if refund.charge else ""
    if transaction.type == "refund_failure":
        voids, aside = await _paid_back(c, refund), await _was_aside(c, refund)
        legs = leg_in(aside) if aside else await leg_of(c, Purpose.REFUND, refund.id)
        return Story(subject=refund.id, text=text, voids=voids, aside=aside is not None, legs=legs)
    receipt = await _receipt(c, refund)
    if receipt is not None and receipt.purpose == Purpose.SUSPENSE:
        return Story(subject=refund.id, text=text, aside=True, legs=leg_in(receipt))
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


async def _was_aside(c: Connected, refund: Refund) -> PostingRow | None:
    """The suspense journal that a refund is, to whose account its failure goes back."""
    moved = refund.transaction
    return None if moved is None else await standing(c, Purpose.SUSPENSE, moved.id)


async def _receipt(c: Connected, refund: Refund) -> PostingRow | None:
    """The posting of the payment that is given back; None where nothing of it is in our books."""
    if refund.charge is None:
        return None
    what = f"The refund {refund.id} gives back"
    receipt = await receipt_of(c, refund.charge)
    if receipt is None:
        why = await kept_out(c, refund.charge, what)
        if why is not None:
            raise why
        return None
    if receipt.state is not State.VERIFIED and not _in_shadow(c, receipt):
        raise NotPostedYet(what, refund.charge)
    return receipt


def _in_shadow(c: Connected, receipt: PostingRow) -> bool:
    """Whether a payment is only planned, for ever: nothing that goes back of it waits for that."""
    return c.mapping.modes.of(OF_PURPOSE[Purpose(receipt.purpose)]) is Mode.SHADOW


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
