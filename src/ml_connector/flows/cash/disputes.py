"""Disputes: what the bank took and gave back, and what becomes of it once the bank has decided."""

from collections.abc import Sequence
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import AskAPerson, Bug
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.differences import difference
from ml_connector.books.disputes import (
    CannotReopen,
    Lost,
    PartlyBack,
    WonAfterReopening,
    as_loss,
    as_loss_reversed,
    as_reopened,
)
from ml_connector.books.legs import Leg, back, leg, mapped
from ml_connector.books.mapping import Role
from ml_connector.books.policies import WhenLost
from ml_connector.books.postings import Journal, Posting, Purpose, State, Voiding
from ml_connector.books.records import BalanceTransaction, Dispute
from ml_connector.books.rules import Story
from ml_connector.flows.cash import stubs
from ml_connector.flows.cash.booking import accounted_for, book, book_besides, carry_out_all
from ml_connector.flows.cash.legs import leg_of_row, legs_before
from ml_connector.flows.cash.movements import NotPostedYet, receipt_of, voiding_of
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import opened, set_aside
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing, standing_of
from ml_connector.flows.writing.elsewhere import carried_by_others
from ml_connector.flows.writing.gate import HoldingBack
from ml_connector.store import postings, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState

OF_THE_DISPUTE = frozenset({"dispute", "dispute_reversal"})
"""The categories of what a bank takes and gives back; a fee or an adjustment is neither."""


async def follow(c: Connected, dispute_id: StripeId) -> None:
    """Books what a dispute has moved, then its end; an inquiry has moved nothing.

    Only balance transactions are money: a dispute's own amount is never posted.
    """
    dispute = await c.stripe.dispute(dispute_id)
    await _forget_end(c, dispute)
    held = HoldingBack()
    for transaction in await _moved(c, dispute):
        if await set_aside(c, transaction):
            continue
        with held.each():
            async with accounted_for(c, transaction, dispute.charge):
                c.mapping.hold.refuse_charge(dispute.charge, f"The dispute {dispute.id}")
                await book(c, transaction, await story_of(c, dispute, transaction))
    held.tell()
    await _end(c, dispute)


async def story_of(c: Connected, dispute: Dispute, bt: BalanceTransaction) -> Story:
    """What the documents of a dispute say of it; what comes back leaves the account it went to."""
    returns = bt.amount.minor > 0
    legs = await legs_before(c, bt, Purpose.DISPUTE, Role.DISPUTED) if returns else ()
    return Story(subject=dispute.id, text=f"of {dispute.charge}", legs=legs)


async def _forget_end(c: Connected, dispute: Dispute) -> None:
    """A loss that waits for approval is none any more when the dispute was won meanwhile."""
    if dispute.lost:
        return
    ends = (Purpose.DISPUTE_LOSS, Purpose.DISPUTE_UNDONE)
    rows = [await standing(c, purpose, dispute.id) for purpose in ends]
    rows.append(await standing(c, Purpose.VOID, str(dispute.charge)))
    mine = {row.id for row in await _known(c, dispute.id)}
    planned = [row for row in rows if row is not None and row.transaction_id in mine]
    if not planned or any(row.taken for row in planned):
        return
    async with c.store.transaction() as tx:
        known = await postings.by_transaction(tx, c.id, planned[0].transaction_id)
        gone = {row.key for row in planned}
        kept = [row.key for row in known if row.key not in gone]
        await postings.forget_unsent(tx, c.id, planned[0].transaction_id, kept)


async def _moved(c: Connected, dispute: Dispute) -> list[BalanceTransaction]:
    """What is not in the ledger yet: what the dispute shows, and what only a sweep has seen."""
    rows = {row.id: row for row in await _known(c, dispute.id)}
    shown = {one.id for one in dispute.transactions}
    moved = [one for one in dispute.transactions if not _posted(rows.get(one.id))]
    swept = [row.id for row in rows.values() if row.id not in shown and not _posted(row)]
    moved += [await c.stripe.transaction(one) for one in swept]
    return sorted(moved, key=lambda one: (one.created, one.id))


def _posted(row: BalanceTransactionRow | None) -> bool:
    return row is not None and row.state in (TransactionState.POSTED, TransactionState.OPENING)


async def _known(c: Connected, dispute: StripeId) -> list[BalanceTransactionRow]:
    async with c.store.statement() as tx:
        return await transactions.by_source(tx, c.id, dispute)


async def _end(c: Connected, dispute: Dispute) -> None:
    """A lost dispute is booked by policy; a loss that was booked and then won is taken back."""
    known = await _known(c, dispute.id)
    rows = [row for row in known if row.category in OF_THE_DISPUTE]
    taken = [row for row in rows if row.amount_minor < 0]
    if not taken:
        return
    withdrawal = taken[-1]
    away = Money(-sum(row.amount_minor for row in rows), withdrawal.currency)
    if dispute.lost and away.minor > 0 and await _is_ours(c, dispute, withdrawal):
        loss = await standing(c, Purpose.DISPUTE_LOSS, dispute.id)
        undone = await standing(c, Purpose.DISPUTE_UNDONE, dispute.id)
        rest = away - await _exchanged(c, rows)
        lost = await _lost(c, dispute, withdrawal, rest, loss or undone)
        await _book_loss(c, lost, loss)
        return
    if not away or (dispute.won and len(taken) < len(rows)):
        for row in taken:
            await _finish(c, row)
        await _take_back(c, dispute)
    if away and dispute.given_back and len(taken) * 2 <= len(rows):
        await _settle_rest(c, dispute, rows, away)


async def _finish(c: Connected, withdrawal: BalanceTransactionRow) -> None:
    """Finishes an end that was sent before the dispute was won, so that it can be taken back.

    Of a withdrawal from before our books nothing else does: it is not booked by itself.
    """
    async with c.store.transaction() as tx:
        rows = await standing_of(c, tx, withdrawal.id)
    open_ = [row for row in rows if row.state is not State.VERIFIED and not row.gone]
    if not any(row.taken for row in open_):
        return
    transaction = await c.stripe.transaction(withdrawal.id)
    async with accounted_for(c, transaction):
        await carry_out_all(c, [row.key for row in open_])


async def _take_back(c: Connected, dispute: Dispute) -> None:
    """A loss that stands is taken back; an invoice that was opened again is a person's."""
    loss = await standing(c, Purpose.DISPUTE_LOSS, dispute.id)
    if loss is None or loss.state is not State.VERIFIED:
        await _require_payment(c, dispute)
        return
    before = await standing(c, Purpose.LOSS_REVERSAL, dispute.id)
    given_back = _taken_back(c, dispute, loss, before)
    await _besides(c, given_back, [as_loss_reversed(given_back, c.mapping)])


async def _settle_rest(
    c: Connected, dispute: Dispute, rows: list[BalanceTransactionRow], away: Money
) -> None:
    """What is left where the disputed money stood, once each withdrawal has had its return.

    If it was converted, it is exchange difference. In its own currency it is money that did not
    come back: raises PartlyBack.
    """
    taken = [row for row in rows if row.amount_minor < 0]
    if dispute.amount.currency == away.currency:
        stands = await leg_of_row(c, taken[-1], Purpose.DISPUTE, Role.DISPUTED)
        left = back(stands[0], away) if stands else _disputed(c, away)
        raise PartlyBack(dispute.id, str(dispute.charge), away, left.account)
    if len(taken) * 2 == len(rows):
        await _exchange(c, dispute, rows, away)


async def _exchange(
    c: Connected, dispute: Dispute, rows: list[BalanceTransactionRow], away: Money
) -> None:
    """What is left where converted money stood is exchange difference."""
    first = [row for row in rows if row.amount_minor < 0][-1]
    last = [row for row in rows if row.amount_minor > 0][-1]
    rest = away - await _exchanged(c, [row for row in rows if row.id != last.id])
    if not rest:
        return
    stands = await leg_of_row(c, first, Purpose.DISPUTE, Role.DISPUTED)
    left = back(stands[0], rest) if stands else _disputed(c, rest)
    before = await standing(c, Purpose.DISPUTE_EXCHANGE, last.id)
    lost = Lost(dispute.id, str(dispute.charge), rest, last.id, _first_seen(c, before))
    what, why = f"dispute {dispute.id} of {dispute.charge}", Purpose.DISPUTE_EXCHANGE
    await _besides(c, lost, [difference(why, last.id, what, left, lost.day, c.mapping)])


def _disputed(c: Connected, amount: Money) -> Leg:
    """Of a dispute from before our books no leg is stored where the opening needed no entry."""
    return mapped(c.mapping.account(Role.DISPUTED), amount, c.mapping)


async def _exchanged(c: Connected, rows: Sequence[BalanceTransactionRow]) -> Money:
    """How much of a dispute was booked as exchange difference."""
    booked = Money.zero(rows[0].currency)
    for row in rows:
        found = await standing(c, Purpose.DISPUTE_EXCHANGE, row.id)
        paper = None if found is None else document(found)
        if isinstance(paper, Journal):
            booked += paper.lines[0].amount
    return booked


def _taken_back(
    c: Connected, dispute: Dispute, loss: PostingRow, before: PostingRow | None
) -> Lost:
    """The loss as it was booked: what came back may be another amount, at another rate."""
    paper = document(loss)
    if not isinstance(paper, Journal):
        raise Bug(f"The loss of a dispute is no journal: {loss.key}")
    written_off, disputed = sorted(paper.lines, key=lambda one: one.amount.minor, reverse=True)
    return Lost(
        dispute.id,
        str(dispute.charge),
        written_off.amount,
        loss.transaction_id,
        _first_seen(c, before),
        stands=leg(disputed, paper),
        written_off=leg(written_off, paper),
    )


async def _require_payment(c: Connected, dispute: Dispute) -> None:
    """A dispute won after its invoice was opened again is a person's, until a payment stands.

    Two calls, for such disputes alone. Raises WonAfterReopening.
    """
    undone = await standing(c, Purpose.DISPUTE_UNDONE, dispute.id)
    if undone is None or undone.state is not State.VERIFIED or dispute.charge is None:
        return
    charge = await c.stripe.charge(dispute.charge)
    if await carried_by_others(c, charge) is None:
        raise WonAfterReopening(dispute.id, dispute.charge, charge.amount, undone.clearing)


class BeforeOurBooks(AskAPerson):
    """A dispute of before the cut-over ended, and no opening position holds its money."""


async def _is_ours(c: Connected, dispute: Dispute, withdrawal: BalanceTransactionRow) -> bool:
    """Whether the disputed money stands in our books; one lost before the cut-over never did."""
    if withdrawal.state is not TransactionState.OPENING:
        return True
    opening = await opened(c, withdrawal.currency)
    if opening is None:
        raise BeforeOurBooks(
            f"The dispute {dispute.id} of {dispute.amount} began before {c.record.start_date} and"
            " is lost.",
            cause=f"opening.dispute:{dispute.id}",
            remedy="Post the opening position (`ml-connector opening --post`), or book it by hand.",
        )
    return dispute.id in {part.subject for part in opening.position.disputed}


async def _lost(
    c: Connected,
    dispute: Dispute,
    row: BalanceTransactionRow,
    taken: Money,
    before: PostingRow | None,
) -> Lost:
    first = await leg_of_row(c, row, Purpose.DISPUTE, Role.DISPUTED)
    return Lost(
        dispute.id,
        str(dispute.charge),
        taken,
        row.id,
        _first_seen(c, before),
        stands=first[0] if first else None,
    )


def _first_seen(c: Connected, before: PostingRow | None) -> date:
    """The day of an end: that of what was planned of it before, else today.

    Were it always today, a plan that a person approves would be another one on the next day.
    """
    if before is not None and isinstance(paper := document(before), Journal):
        return paper.true_day or paper.day
    return day_in(c.clock.now(), c.mapping.zone)


async def _book_loss(c: Connected, lost: Lost, loss: PostingRow | None) -> None:
    """By policy; what Acumatica has begun to hold is finished as it was begun."""
    undone = await standing(c, Purpose.DISPUTE_UNDONE, lost.dispute)
    void = await standing(c, Purpose.VOID, lost.charge)
    reopening = any(one is not None and one.taken and one.transaction_id == lost.transaction
                    for one in (void, undone))  # fmt: skip
    begun = loss is not None and loss.taken
    if begun or (c.mapping.policies.dispute_lost is WhenLost.LOSS and not reopening):
        await _besides(c, lost, [as_loss(lost, c.mapping)])
    else:
        transaction = await c.stripe.transaction(lost.transaction)
        async with accounted_for(c, transaction):
            made = as_reopened(lost, await _payment_of(c, lost, void), c.mapping)
        await _besides(c, lost, made)


async def _payment_of(c: Connected, lost: Lost, void: PostingRow | None) -> Voiding:
    """The payment that is undone; raises CannotReopen when it is not whole any more."""
    receipt = await receipt_of(c, lost.charge)
    old = await stubs.undone_by(c, StripeId(lost.charge)) if receipt is None else None
    if old is not None:
        return old
    if receipt is None or receipt.state is not State.VERIFIED:
        raise NotPostedYet(f"The dispute {lost.dispute} was lost over", lost.charge)
    voiding = voiding_of(receipt)
    if voiding is None:
        raise CannotReopen(lost, "its payment was set aside and is on no invoice.")
    if void is not None and void.transaction_id != lost.transaction:
        raise CannotReopen(lost, "its payment is undone already.")
    refunds = await c.stripe.refunds_of_charge(StripeId(lost.charge))
    if any(one.transaction is not None and one.failure_transaction is None for one in refunds):
        raise CannotReopen(lost, "a part of its payment was refunded.")
    return voiding


async def _besides(c: Connected, lost: Lost, made: list[Posting]) -> None:
    """Books documents that belong to a withdrawal besides its own; nothing when they stand."""
    for posting in made:
        row = await standing(c, Purpose(posting.purpose), posting.key.partition(":")[2])
        if row is None or row.state is not State.VERIFIED:
            break
    else:
        return
    transaction = await c.stripe.transaction(lost.transaction)
    async with accounted_for(c, transaction):
        await book_besides(c, transaction.id, made)
