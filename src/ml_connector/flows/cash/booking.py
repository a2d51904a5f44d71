"""A balance transaction into the books: remember it, plan its postings, carry them out."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_keys
from ml_connector.books import rules
from ml_connector.books.postings import Posting, Purpose, State, Voiding, settles
from ml_connector.books.records import PAYMENTS, BalanceTransaction
from ml_connector.books.rules import Story
from ml_connector.books.unexplained import OtherBalance, Unexplained
from ml_connector.flows.cash import fees
from ml_connector.flows.cash.legs import met
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.rows import document, posting_row, transaction_row
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.by_hand import Gone, WaitsForRelease
from ml_connector.flows.writing.carry_out import carry_out
from ml_connector.flows.writing.debit_papers import MemoUsed
from ml_connector.flows.writing.editions import of_edition, standing_of, tell_posted_again
from ml_connector.flows.writing.gate import HoldingBack
from ml_connector.flows.writing.otherwise import as_it_stands
from ml_connector.flows.writing.timing import require_due
from ml_connector.store import postings, reports, transactions
from ml_connector.store.transactions import SETTLED, TransactionState

AFTER_THE_POLLS = timedelta(minutes=15)
"""By then a poll has listed what it lists at all."""
DONE = frozenset(SETTLED)
"""The states of a movement to which nothing is added."""


@asynccontextmanager
async def accounted_for(
    c: Connected, bt: BalanceTransaction, charge: StripeId | None = None
) -> AsyncGenerator[None]:
    """Keeps a balance transaction named while the block works on it.

    Whatever stops its posting is written beside it, so that the tie-out can say why the money is
    not in the ledger yet; the error goes on to the error desk. `charge` is the payment that a
    refund or a dispute is of.
    """
    async with c.store.statement() as tx:
        await transactions.remember(tx, c.id, [transaction_row(c.id, bt, charge=charge)])
    try:
        if bt.balance != PAYMENTS:
            raise OtherBalance(bt)  # before it waits for what can only come to payments
        yield
    except ConnectorError as error:
        unknown = isinstance(error, Unexplained)
        state = TransactionState.UNEXPLAINED if unknown else TransactionState.HELD
        async with c.store.transaction() as tx:
            await transactions.mark(tx, c.id, bt.id, state, error.sentence, error.cause)
        raise


async def book(c: Connected, bt: BalanceTransaction, story: Story) -> None:
    """Posts everything that one balance transaction becomes, and nothing twice.

    Runs inside `accounted_for`. What has been sent is kept as it was sent; what is verified is
    passed over. Raises NotDue while the policy lets it wait.
    """
    await require_due(c, bt)
    async with c.store.transaction() as tx:
        whole = await met(c, tx, bt, await fees.with_its_fee(c, tx, bt, story))
        made = rules.postings(bt, whole, fees.followed(c))
        keys = await plan_anew(c, tx, bt.id, await of_edition(c, tx, bt.id, made))
        await fees.remember(c, tx, bt)
        await transactions.mark(tx, c.id, bt.id, TransactionState.OWED)
    await carry_out_all(c, keys)
    async with c.store.transaction() as tx:
        await settle(c, tx, bt.id)


async def book_besides(c: Connected, bt: StripeId, made: Sequence[Posting]) -> None:
    """Posts more documents that belong to a balance transaction which is booked itself.

    Runs inside `accounted_for`. What else was planned besides, and never taken, is dropped.
    """
    async with c.store.transaction() as tx:
        made = await of_edition(c, tx, bt, made)
        known = await postings.by_transaction(tx, c.id, bt)
        keys = [posting.key for posting in made]
        own = [row.key for row in known if row.state is State.VERIFIED]
        await postings.forget_unsent(tx, c.id, bt, [*own, *keys])
        made = await as_it_stands(c, tx, made)
        rows = [posting_row(c.id, posting, c.mapping.version) for posting in made]
        await postings.plan(tx, rows, now=c.clock.now())
        await transactions.mark(tx, c.id, bt, TransactionState.OWED)
    await carry_out_all(c, keys)
    async with c.store.transaction() as tx:
        await settle(c, tx, bt)


async def carry_out_all(c: Connected, keys: Sequence[PostingKey]) -> None:
    """What may go is posted; one that is held back or waits does not keep the next from it."""
    held, left, gone = HoldingBack(), list[ErpRef](), list[Gone]()
    memo_stands = True
    for key in keys:
        if _pays_out_a_memo(key, keys) and not memo_stands:
            continue
        stopped = len(held.held) + len(left) + len(gone)
        try:
            with held.each():
                await carry_out(c, key)
        except WaitsForRelease as waits:
            left += waits.refs
        except MemoUsed:
            if not left:  # else it is free as soon as that is released
                raise
        except Gone as error:
            gone.append(error)
        if _is(key, Purpose.CREDIT_MEMO):
            memo_stands = len(held.held) + len(left) + len(gone) == stopped
    if gone:
        raise gone[0]
    if left:
        raise WaitsForRelease(*left)
    held.tell()


def _pays_out_a_memo(key: PostingKey, keys: Sequence[PostingKey]) -> bool:
    """Whether a document can only follow a credit memo among the same ones."""
    return _is(key, Purpose.REFUND_PAID) and any(_is(one, Purpose.CREDIT_MEMO) for one in keys)


def _is(key: PostingKey, purpose: Purpose) -> bool:
    return key.startswith(f"{purpose}:")


async def plan_anew(
    c: Connected, tx: AsyncConnection, bt: StripeId, planned: Sequence[Posting]
) -> list[PostingKey]:
    """Stores what a transaction becomes; the keys to carry out, in order.

    Once Acumatica has a part of it, a change of the policies comes too late for the rest: the
    same documents are made as were planned then, or the sum would be wrong.
    """
    known = await standing_of(c, tx, bt)
    keys = [posting.key for posting in planned]
    if any(row.taken for row in known):
        stored = [row.key for row in known]
        planned = [posting for posting in planned if posting.key in stored]
        keys = [*(one.key for one in planned), *(key for key in stored if key not in keys)]
    else:
        await postings.forget_unsent(tx, c.id, bt, keys)
    planned = await as_it_stands(c, tx, planned)
    rows = [posting_row(c.id, posting, c.mapping.version) for posting in planned]
    await postings.plan(tx, rows, now=c.clock.now())
    return keys


async def settle(c: Connected, tx: AsyncConnection, bt: StripeId) -> None:
    """Marks a balance transaction as posted, and lets its payout's proof be tried."""
    before = await transactions.get(tx, c.id, bt)
    await transactions.mark(tx, c.id, bt, TransactionState.POSTED)
    if before is None:
        return
    if before.payout is not None:
        await look(tx, c.id, Look(Kind.PROOF, before.payout))
    await tell_posted_again(c, tx, before)
    await _wake_behind(c, tx, before.source)
    # Only what took money off can have undone a payment.
    if before.amount_minor < 0 and before.state is not TransactionState.POSTED:
        await _look_at_what_is_owed_again(c, tx, bt)


async def _look_at_what_is_owed_again(c: Connected, tx: AsyncConnection, bt: StripeId) -> None:
    """Looks at the invoices of a payment that went back, now that its voiding is in the ledger.

    The polls see most of them sooner. One that an accountant released long before we looked was
    listed while we did not know it yet, and is not listed again.
    """
    later = c.clock.now() + AFTER_THE_POLLS
    known = await postings.by_transaction(tx, c.id, bt)
    voids = [document(row) for row in known if row.purpose == Purpose.VOID]
    for void in voids:
        if isinstance(void, Voiding):
            paid = await postings.by_erp(tx, c.id, *erp_keys(void.payment))
            settled = [one for row in paid for one in settles(document(row))]
            looks = [Look(Kind.INVOICE, ref) for ref in settled]
            await look_all(tx, c.id, looks, not_before=later)


def behind(source: str) -> str:
    """The cause of what goes on as soon as the money of a Stripe object is in the ledger."""
    return f"movements.not_posted:{source}"


async def _wake_behind(c: Connected, tx: AsyncConnection, source: StripeId | None) -> None:
    """What goes back of a payment need not wait for its own next try."""
    if source is not None:
        for kind, resource in await reports.troubled_by(tx, c.id, behind(source)):
            await look(tx, c.id, Look(Kind(kind), resource), not_before=c.clock.now())


async def posted(c: Connected, source: StripeId) -> bool:
    """Whether every balance transaction that we know of a Stripe object is in the ledger."""
    async with c.store.statement() as tx:
        rows = await transactions.by_source(tx, c.id, source)
    return bool(rows) and all(row.state in DONE for row in rows)
