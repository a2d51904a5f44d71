"""Payouts: the transfer to the bank, its members, and the proof that both agree to the cent."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.mapping import Role
from ml_connector.books.opening import arrival
from ml_connector.books.postings import State
from ml_connector.books.proof import Carried, Member, Proof, Shared, prove
from ml_connector.books.records import BalanceTransaction, Payout
from ml_connector.books.rules import Story
from ml_connector.flows.cash import fees
from ml_connector.flows.cash.booking import DONE, accounted_for, book, book_besides
from ml_connector.flows.cash.legs import opening_legs, payout_legs
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.promise.opening import opened, set_aside, set_aside_all, share_of
from ml_connector.flows.rows import changed_of, payout_of, payout_row, transaction_row
from ml_connector.flows.signals import for_transaction
from ml_connector.flows.writing.gate import HoldingBack
from ml_connector.flows.writing.timing import WAITS, lets_fees_in, wake_due
from ml_connector.store import audit, findings, payouts, postings, transactions
from ml_connector.store import fees as store_fees
from ml_connector.store.payouts import PayoutRow
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState

TakenOff = Mapping[PostingKey, Money]
"""What people took off documents, by posting."""


async def pay_out(c: Connected, payout_id: StripeId) -> None:
    """Books a payout's transfer (and its reversal), learns its members, and tries the proof."""
    payout = await c.stripe.payout(payout_id)
    async with c.store.statement() as tx:
        await payouts.remember(tx, [payout_row(c.id, payout)])
    held = HoldingBack()
    for transaction_id in (payout.transaction, payout.failure_transaction):
        if transaction_id is not None:
            with held.each():
                await _transfer(c, payout, transaction_id)
    if payout.composed:
        await _learn_members(c, payout)
    elif not payout.automatic:
        await fees.take_of_available(c, payout)
    if lets_fees_in(c, payout):
        with held.each():
            await fees.carry_out_of(c, payout.id)
    await wake_due(c)
    await try_proof(c, payout_id)
    held.tell()


async def story_of(c: Connected, payout: Payout, transfer: StripeId) -> Story:
    """What the documents of a payout say of it; what comes back leaves the account it went to."""
    returns = transfer == payout.failure_transaction
    legs = await payout_legs(c, payout.id) if returns else ()
    return Story(subject=payout.id, arrival=payout.arrival_date, legs=legs)


async def _transfer(c: Connected, payout: Payout, transaction_id: StripeId) -> None:
    """The journal between clearing and bank; one call less when it stands already."""
    async with c.store.statement() as tx:
        known = await transactions.get(tx, c.id, transaction_id)
    if known is not None and known.state is TransactionState.POSTED:
        return
    transaction = await c.stripe.transaction(transaction_id)
    if await set_aside(c, transaction):
        await _arrive(c, payout, transaction)
        return
    async with accounted_for(c, transaction):
        await book(c, transaction, await story_of(c, payout, transaction_id))


async def _arrive(c: Connected, payout: Payout, transfer: BalanceTransaction) -> None:
    """A payout that was under way when our books began leaves the account for that."""
    opening = await opened(c, payout.amount.currency)
    if opening is None or transfer.id != payout.transaction:
        return
    if payout.id in {part.subject for part in opening.position.in_transit}:
        async with accounted_for(c, transfer):
            under_way = await opening_legs(c, payout.amount.currency, Role.IN_TRANSIT)
            arrived = arrival(payout, transfer.id, c.mapping, *under_way)
            await book_besides(c, transfer.id, [arrived])


async def _learn_members(c: Connected, payout: Payout) -> None:
    """Stores what is inside, once; members not booked yet get a look of their own."""
    async with c.store.statement() as tx:
        row = await payouts.get(tx, c.id, payout.id)
    if row is not None and row.members_complete:
        return
    members = await c.stripe.members(payout.id)
    rows = [transaction_row(c.id, member, payout=payout.id) for member in members]
    async with c.store.transaction() as tx:
        await transactions.remember(tx, c.id, rows)
        ids = [member.id for member in members]
        await payouts.set_members(tx, c.id, payout.id, ids, complete=True)
        await set_aside_all(c, tx, rows)
        await fees.take_of_members(c, tx, payout, ids)
        stored = await transactions.of_payout(tx, c.id, payout.id)
        waiting = [row for row in stored if row.state not in DONE]
        looks = {for_transaction(row.id, row.type, row.source) for row in waiting
                 if row.cause != WAITS}  # fmt: skip
        await look_all(tx, c.id, looks)


async def try_proof(c: Connected, payout_id: StripeId) -> Proof | None:
    """Proves a payout from what is stored, without any call; None when it was never seen.

    The proof is kept, and written to the audit trail the first time that it holds.
    """
    now = c.clock.now()
    async with c.store.transaction() as tx:
        row = await payouts.get(tx, c.id, payout_id)
        if row is None:
            return None
        inside = await transactions.of_payout(tx, c.id, payout_id)
        proof = await _proof(c, tx, row, inside)
        proven_at = (row.proven_at or now) if proof.proven else None
        await payouts.set_proof(tx, c.id, payout_id, as_object(proof), proven_at, now=now)
        if row.proven_at is not None and not proof.proven:
            lost: JsonObject = {"amount": str(proof.amount), "gaps": list(proof.gaps)}
            await audit.write(tx, c.id, "connector", "payout proof lost", payout_id, lost, now)
        if proof.proven and row.proven_at is None:
            detail: JsonObject = {"amount": str(proof.amount), "members": len(inside)}
            await audit.write(tx, c.id, "connector", "payout proven", payout_id, detail, now)
    return proof


async def _proof(
    c: Connected, tx: AsyncConnection, row: PayoutRow, inside: list[BalanceTransactionRow]
) -> Proof:
    """The proof of a payout, with what people changed on its documents since."""
    lacking = await findings.lacking(tx, c.id)
    taken = {one.key: one.missing for one in lacking}
    members = [await _member(c, tx, one, taken) for one in inside]
    own = await transactions.by_source(tx, c.id, row.id)
    transfer = await _own(c, tx, own, taken, leaving=True)
    back = await _own(c, tx, own, taken, leaving=False)
    shared = await _shared(c, tx, inside, taken)
    every = [one for one in (*members, transfer, back) if one is not None]
    keys = {one.key for member in every for one in member.carried}
    current = await findings.of_keys(tx, c.id, sorted(keys))
    found = {one.key: one for one in [*lacking, *current] if one.key in keys}
    changed = [changed_of(found[key]) for key in sorted(found)]
    return prove(payout_of(row), members, transfer, back, shared, changed=changed)


async def _own(
    c: Connected,
    tx: AsyncConnection,
    own: list[BalanceTransactionRow],
    taken: TakenOff,
    *,
    leaving: bool,
) -> Member | None:
    """The payout's own movement: the transfer to the bank, or the one that brought it back."""
    row = next((one for one in own if (one.type == "payout") == leaving), None)
    return None if row is None else await _member(c, tx, row, taken)


async def _member(
    c: Connected, tx: AsyncConnection, row: BalanceTransactionRow, taken: TakenOff
) -> Member:
    """A balance transaction with the documents that carry it."""
    carried = [
        _carried(one, _left(one, taken)) for one in await postings.by_transaction(tx, c.id, row.id)
    ]
    if row.fee_key:
        apart = await postings.get(tx, c.id, row.fee_key)
        carried += [_carried(apart, -row.fee)] if apart is not None else []
    carried += await share_of(c, tx, row)
    return Member(row.id, row.type, row.category, row.net, tuple(carried))


async def _shared(
    c: Connected, tx: AsyncConnection, inside: Sequence[BalanceTransactionRow], taken: TakenOff
) -> list[Shared]:
    """The journals that carry the members' fees, each beside all the fees in it."""
    found: list[Shared] = []
    for key in sorted({row.fee_key for row in inside if row.fee_key}):
        row = await postings.get(tx, c.id, key)
        if row is not None:
            parts = await store_fees.shares(tx, c.id, key, row.currency)
            found.append(Shared(key, _left(row, taken), -parts))
    return found


def _left(row: PostingRow, taken: TakenOff) -> Money:
    """What a document does to the clearing account after what people took off it."""
    missing = taken.get(row.key)
    return row.clearing if missing is None else row.clearing - missing


def _carried(row: PostingRow, clearing: Money) -> Carried:
    """A document with the part of it that is the transaction's."""
    document: ErpRef | None = None
    if row.erp_type is not None and row.erp_number is not None:
        document = erp_ref(row.erp_type, row.erp_number)
    return Carried(row.key, State(row.state), document, clearing, row.read_back_hash or "")
