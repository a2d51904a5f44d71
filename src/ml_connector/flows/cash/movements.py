"""Movements without a flow of their own: product fees, adjustments, reserves, returned debits."""

from ml_connector.basics.errors import AskAPerson, ConnectorError, TryAgain
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    Purpose,
    State,
    Voiding,
)
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story, is_bounce
from ml_connector.flows.cash import stubs
from ml_connector.flows.cash.booking import accounted_for, behind, book
from ml_connector.flows.cash.legs import converted, leg_in, legs_of_movement
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import set_aside
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing
from ml_connector.flows.writing.timing import WAITS, NotDue, require_due
from ml_connector.store import transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import TransactionState

ON_ITS_WAY = frozenset({TransactionState.SEEN, TransactionState.OWED})
STUCK = frozenset({TransactionState.HELD, TransactionState.UNDONE})


class NotPostedYet(TryAgain):
    """A payment that is to be undone is not in the books itself; both stay named until it is."""

    def __init__(self, what: str, charge: str) -> None:
        super().__init__(
            f"{what} the payment {charge}, which is not in the books itself yet.",
            cause=behind(charge),
            remedy="Nothing to do here: it follows as soon as the payment is booked.",
        )


class WaitsWithIt(AskAPerson):
    """Money went back of a payment that a person has to place first; its cause is the payment's."""

    def __init__(self, what: str, charge: str, reason: str, cause: str) -> None:
        super().__init__(
            f"{what} the payment {charge}, which waits itself. {reason}".strip(),
            cause=cause or behind(charge),
            remedy="Place the payment, and this follows. One that went back whole needs no invoice:"
            " name its customer by the charge's metadata erp_customer, or set the policy unmatched"
            ' to "suspense"; then both are booked and cancel out.',
        )


async def account_for(c: Connected, transaction_id: StripeId) -> None:
    """Books one balance transaction by its pair alone; raises Unexplained when none is known."""
    transaction = await c.stripe.transaction(transaction_id)
    if await set_aside(c, transaction):
        return
    async with accounted_for(c, transaction):
        await require_due(c, transaction)  # before it waits for what itself may not be due
        await book(c, transaction, await story_of(c, transaction))


async def story_of(c: Connected, transaction: BalanceTransaction) -> Story:
    """What else is known of a movement; of a returned debit, the payment that it undoes."""
    subject = transaction.source or transaction.id
    c.mapping.hold.refuse_charge(transaction.source, f"{transaction.id} of {transaction.net}")
    if not is_bounce(transaction):
        legs = await legs_of_movement(c, transaction)
        return Story(subject=subject, text=transaction.description, legs=legs)
    row = await receipt_of(c, subject)
    old = await stubs.undone_by(c, StripeId(subject)) if row is None else None
    if old is not None:
        return Story(subject=subject, voids=old, text="returned by the bank")
    if row is None or row.state is not State.VERIFIED:
        what = f"The bank took back ({transaction.id})"
        why = await kept_out(c, StripeId(subject), what) if row is None else None
        raise why or NotPostedYet(what, subject)
    voiding = voiding_of(row)
    async with c.store.statement() as tx:
        brought = await transactions.get(tx, c.id, row.transaction_id)
    return Story(
        subject=subject,
        voids=voiding,
        settled_as=None if brought is None else brought.amount,
        aside=voiding is None,
        text="returned by the bank",
        legs=leg_in(row),
        converted=await converted(c, row),
    )


async def receipt_of(c: Connected, charge: str) -> PostingRow | None:
    """The posting of a charge's own money: a payment, or a journal by policy; None before that."""
    payment = await standing(c, Purpose.PAYMENT, charge)
    if payment is not None:
        return payment
    async with c.store.statement() as tx:
        rows = await transactions.by_source(tx, c.id, StripeId(charge))
    for row in rows:
        aside = await standing(c, Purpose.SUSPENSE, row.id)
        if aside is not None and row.amount_minor > 0:
            return aside
    return None


async def kept_out(c: Connected, charge: StripeId, what: str) -> ConnectorError | None:
    """Why a charge without a posting is not in the books; None where nothing of it is ours.

    `what` begins the sentence. One call where we have never heard of the charge.
    """
    async with c.store.statement() as tx:
        known = await transactions.by_source(tx, c.id, charge)
    rows = [row for row in known if row.created >= c.begins]
    if any(row.cause == WAITS for row in rows):
        return NotDue(
            f"Waits until the payment {charge} is booked, by policy.",
            cause=WAITS,
            remedy="Nothing to do: it is booked by itself then.",
        )
    stuck = next((row for row in rows if row.state in STUCK), None)
    if stuck is not None:
        return WaitsWithIt(what, charge, stuck.reason or "", stuck.cause or "")
    if any(row.state in ON_ITS_WAY for row in rows) or (not known and await _is_new(c, charge)):
        return NotPostedYet(what, charge)
    return None


async def _is_new(c: Connected, charge: StripeId) -> bool:
    """Whether a charge that we have not heard of is of our own books."""
    made = (await c.stripe.charge(charge)).transaction
    return made is not None and made.created >= c.begins


def voiding_of(row: PostingRow) -> Voiding | None:
    """How a payment or refund in the books is undone; None for money that a journal moved."""
    paper = document(row)
    if row.erp_type is None or row.erp_number is None:
        return None
    ref = erp_ref(row.erp_type, row.erp_number)
    if isinstance(paper, ArRefund):
        return Voiding(ref, paper.payment_ref, paper.amount)
    if isinstance(paper, ArPayment | Booked):
        return Voiding(ref, paper.payment_ref, paper.amount, paper.charges)
    return None
