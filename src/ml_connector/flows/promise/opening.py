"""Go-live: what Stripe held at the cut-over, the one entry that says so, and its proof."""

from collections.abc import Iterable
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import AskAPerson, Bug, TryAgain
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.basics.money import Money, total
from ml_connector.books.opening import (
    Opening,
    Position,
    opening_entry,
    opening_key,
    opening_posting,
    position,
)
from ml_connector.books.postings import Journal, State
from ml_connector.books.proof import Carried
from ml_connector.books.records import BalanceTransaction, Payout
from ml_connector.books.rules import why_passed_over
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.promise.not_posted import REMEDY, lines_waiting
from ml_connector.flows.promise.tie_out import IN_THE_LEDGER, ledger_balance
from ml_connector.flows.rows import clearing_account, document, posting_row, transaction_row
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.carry_out import carry_out, fingerprint
from ml_connector.store import audit, openings, postings, reports, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState

FIRST_OF_ALL = datetime(2011, 1, 1, tzinfo=UTC)
"""Before any Stripe account was opened."""
LONGEST_TRANSIT = timedelta(days=31)


class NotWhole(TryAgain):
    """Stripe's list of movements and its balance do not agree at this moment."""


@dataclass(slots=True)
class History:
    """Everything that Stripe moved before the cut-over, and what it holds now."""

    before: list[BalanceTransaction] = field(default_factory=list[BalanceTransaction])
    since: dict[str, Money] = field(default_factory=dict[str, Money])
    payouts: dict[StripeId, Payout] = field(default_factory=dict[StripeId, Payout])


async def set_aside(c: Connected, bt: BalanceTransaction) -> bool:
    """Whether a movement is not to be booked; then it is stored so, with the reason.

    It is in the opening position, or of a balance that the clearing account does not stand for.
    """
    row, why = transaction_row(c.id, bt), why_passed_over(bt, c.mapping)
    if bt.created >= c.begins and not why:
        return False
    async with c.store.transaction() as tx:
        await transactions.remember(tx, c.id, [row])
        if why:
            await transactions.mark(tx, c.id, bt.id, TransactionState.IGNORED, why)
        await set_aside_all(c, tx, [row])
    return True


async def set_aside_all(
    c: Connected, tx: AsyncConnection, rows: Iterable[BalanceTransactionRow]
) -> None:
    """Marks those of stored movements that are in the opening position."""
    cut, reason = c.begins, f"It is in the opening position of {c.record.start_date}."
    for row in rows:
        if row.created < cut:
            await transactions.mark(tx, c.id, row.id, TransactionState.OPENING, reason)


async def share_of(c: Connected, tx: AsyncConnection, row: BalanceTransactionRow) -> list[Carried]:
    """The opening entry as that which carries a movement of before; empty until it stands."""
    stored = await openings.body(tx, c.id, row.currency)
    if row.state is not TransactionState.OPENING or stored is None:
        return []
    key = opening_key(row.currency)
    entry = await postings.get(tx, c.id, key)
    if entry is None:  # the ledger held it all when our books began
        return [Carried(key, State.VERIFIED, None, row.net, fingerprint(stored))]
    number = entry.erp_number
    paper = erp_ref(entry.erp_type or "", number) if number else None
    return [Carried(key, entry.state, paper, row.net, entry.read_back_hash or "")]


async def opening_shares(c: Connected, tx: AsyncConnection, row: PostingRow) -> Money:
    """What all movements of before have of the opening entry: less what the ledger held of them."""
    opening = await openings.kept(tx, c.id, row.currency)
    if opening is None:
        raise Bug(f"{row.key} is planned, and its opening is not kept.")
    held = opening.holds.get(clearing_account(row, c.mapping), Money.zero(row.currency))
    return opening.position.balance - held


async def opened(c: Connected, currency: str) -> Opening | None:
    """The opening as it was posted; None before that."""
    async with c.store.statement() as tx:
        return await openings.kept(tx, c.id, currency)


async def propose(
    c: Connected, against: str, given: ReadOnly[str, Money] | None = None
) -> list[Opening]:
    """The opening of every currency: as posted, else the one entry that is needed now.

    `given` says what an account holds where the ledger cannot tell. One call for each hundred
    movements that Stripe ever made, one for each dispute that was open, two for each account.
    Raises NotWhole while Stripe's own figures differ, NotMapped where an account lacks, AskAPerson
    while batches on an account wait to be posted.
    """
    history = await _history(c)
    found: list[Opening] = []
    for code in sorted({bt.amount.currency for bt in history.before}):
        posted = await opened(c, code)
        found.append(posted or await _proposed(c, history, code, against, given or {}))
    return found


async def _proposed(
    c: Connected, history: History, code: str, against: str, given: ReadOnly[str, Money]
) -> Opening:
    place = position(
        code,
        c.record.start_date,
        history.before,
        payouts=history.payouts,
        open_disputes=await _open_disputes(c, history.before),
    )
    await _agrees_with_the_balance(c, place, history)
    accounts = place.wanted(c.mapping)
    holds = {
        one: given[one] if one in given else await _held_by_others(c, one, code) for one in accounts
    }
    return Opening(place, holds, against, opening_entry(place, holds, c.mapping, against))


async def _history(c: Connected) -> History:
    """The whole list of movements, cut in two."""
    cut, history = c.begins, History()
    async for bt in c.stripe.transactions(FIRST_OF_ALL):
        if bt.created < cut:
            history.before.append(bt)
        else:
            code = bt.net.currency
            history.since[code] = history.since.get(code, Money.zero(code)) + bt.moves
    async for payout in c.stripe.payouts(cut - LONGEST_TRANSIT):
        history.payouts[payout.id] = payout
    return history


async def _open_disputes(c: Connected, before: list[BalanceTransaction]) -> frozenset[StripeId]:
    """The disputes of before that are not lost: their money may still come back."""
    sources = {bt.source for bt in before if bt.category == "dispute" and bt.source is not None}
    return frozenset([one for one in sorted(sources) if not (await c.stripe.dispute(one)).lost])


async def _agrees_with_the_balance(c: Connected, place: Position, history: History) -> None:
    """What Stripe holds now must be the position and what moved since."""
    nothing = Money.zero(place.currency)
    now = (await c.stripe.balance()).get(place.currency, nothing)
    if now != place.balance + history.since.get(place.currency, nothing):
        raise NotWhole(
            f"Stripe holds {now}, but its movements add up to"
            f" {place.balance + history.since.get(place.currency, nothing)}.",
            cause="opening.not_whole",
            remedy="Try again in a moment: money moved while it was read.",
        )


async def _held_by_others(c: Connected, account: str, code: str) -> Money:
    """What an account holds without our own postings: the work of people, before and since."""
    await _require_posted(c, account, code)
    held = await ledger_balance(c, account, code)
    async with c.store.statement() as tx:
        rows = await reports.posted_on(tx, c.id, account, code, c.mapping.currencies[code].clearing)
    return held - total((_effect(row, account) for row in rows), code)


async def _require_posted(c: Connected, account: str, code: str) -> None:
    """Raises AskAPerson while batches on an account wait: no balance of it holds them."""
    waiting = await lines_waiting(c, account, code)
    if waiting:
        batches = ", ".join(sorted({f"{one.module} {one.batch}" for one in waiting}))
        raise AskAPerson(
            f"What account {account} holds is not known: released and not posted there are the"
            f" batches {batches}.",
            cause=f"opening.not_posted:{account}",
            remedy=REMEDY,
        )


def _effect(row: PostingRow, account: str) -> Money:
    paper = document(row)
    if row.state not in IN_THE_LEDGER:
        return Money.zero(row.currency)
    return paper.effect_on(account) if isinstance(paper, Journal) else row.clearing


async def post(c: Connected, opening: Opening, actor: str) -> Opening:
    """Posts the entry once and keeps the opening with it; one that is kept already stays as it is.

    What was under way is looked at anew, so that its later course is booked.
    """
    code = opening.position.currency
    kept = await opened(c, code)
    if kept is None:
        await _keep(c, opening, actor)
    standing = kept or opening
    if standing.entry is not None:
        await carry_out(c, opening_key(code))
    async with c.store.transaction() as tx:
        looks = [Look(Kind.PAYOUT, part.subject) for part in standing.position.in_transit]
        looks += [Look(Kind.DISPUTE, part.subject) for part in standing.position.disputed]
        await look_all(tx, c.id, looks)
    return standing


async def _keep(c: Connected, opening: Opening, actor: str) -> None:
    """Stores the opening, and its entry before anything is sent."""
    now, key = c.clock.now(), opening_key(opening.position.currency)
    async with c.store.transaction() as tx:
        if opening.entry is not None:
            posting = opening_posting(opening.entry, c.mapping)
            row = posting_row(c.id, posting, c.mapping.version)
            await postings.plan(tx, [row], now=now)
        kept = await openings.keep(tx, c.id, opening, now)
        await audit.write(tx, c.id, actor, "opening kept", key, kept, now)


async def state_of(c: Connected, opening: Opening) -> str:
    """How far the opening has come: `proposed`, `needs no entry`, or the state of its entry."""
    code = opening.position.currency
    if await opened(c, code) is None:
        return "proposed"
    async with c.store.statement() as tx:
        row = await postings.get(tx, c.id, opening_key(code))
    return "needs no entry" if row is None else row.state
