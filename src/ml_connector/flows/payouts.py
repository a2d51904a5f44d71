"""Payouts: the transfer to the bank, its members, and the proof that both agree to the cent."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import State
from ml_connector.books.proof import Carried, Member, Proof, prove
from ml_connector.books.records import Payout
from ml_connector.books.rules import Story
from ml_connector.flows.booking import accounted_for, book
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.rows import payout_of, payout_row, transaction_row
from ml_connector.flows.signals import for_transaction
from ml_connector.store import audit, findings, payouts, postings, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState


async def pay_out(c: Connected, payout_id: StripeId) -> None:
    """Books a payout's transfer (and its reversal), learns its members, and tries the proof."""
    payout = await c.stripe.payout(payout_id)
    async with c.store.transaction() as tx:
        await payouts.remember(tx, [payout_row(c.id, payout)])
    for transaction_id in (payout.transaction, payout.failure_transaction):
        if transaction_id is not None:
            await _transfer(c, payout, transaction_id)
    if payout.composed:
        await _learn_members(c, payout)
    await try_proof(c, payout_id)


async def _transfer(c: Connected, payout: Payout, transaction_id: StripeId) -> None:
    """The journal between clearing and bank; one call less when it stands already."""
    async with c.store.transaction() as tx:
        known = await transactions.get(tx, c.id, transaction_id)
    if known is not None and known.state is TransactionState.POSTED:
        return
    transaction = await c.stripe.transaction(transaction_id)
    async with accounted_for(c, transaction):
        await book(c, transaction, Story(subject=payout.id, arrival=payout.arrival_date))


async def _learn_members(c: Connected, payout: Payout) -> None:
    """Stores what is inside, once; members not booked yet get a look of their own."""
    async with c.store.transaction() as tx:
        row = await payouts.get(tx, c.id, payout.id)
    if row is not None and row.members_complete:
        return
    members = await c.stripe.members(payout.id)
    rows = [transaction_row(c.id, member, payout=payout.id) for member in members]
    async with c.store.transaction() as tx:
        await transactions.remember(tx, c.id, rows)
        ids = [member.id for member in members]
        await payouts.set_members(tx, c.id, payout.id, ids, complete=True)
        stored = await transactions.of_payout(tx, c.id, payout.id)
        waiting = (row for row in stored if row.state is not TransactionState.POSTED)
        looks = {for_transaction(row.id, row.type, row.source) for row in waiting}
        for at in sorted(looks, key=lambda one: (one.kind, one.resource)):
            await look(tx, c.id, at)


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
        changed = {one.key: one.missing for one in await findings.lacking(tx, c.id)}
        members = [await _member(c, tx, one, changed) for one in inside]
        own = await transactions.by_source(tx, c.id, payout_id)
        transfer = next((one for one in own if one.type == "payout"), None)
        carried = await _member(c, tx, transfer, changed) if transfer is not None else None
        proof = prove(payout_of(row), members, carried)
        proven_at = (row.proven_at or now) if proof.proven else None
        await payouts.set_proof(tx, c.id, payout_id, as_object(proof), proven_at, now=now)
        if row.proven_at is not None and not proof.proven:
            lost: JsonObject = {"amount": str(proof.amount), "gaps": list(proof.gaps)}
            await audit.write(tx, c.id, "connector", "payout proof lost", payout_id, lost, now)
        if proof.proven and row.proven_at is None:
            detail: JsonObject = {"amount": str(proof.amount), "members": len(members)}
            await audit.write(tx, c.id, "connector", "payout proven", payout_id, detail, now)
    return proof


async def _member(
    c: Connected,
    tx: AsyncConnection,
    row: BalanceTransactionRow,
    changed: Mapping[PostingKey, Money],
) -> Member:
    """A balance transaction with the documents that carry it; `changed` is what people took off."""
    rows = await postings.by_transaction(tx, c.id, row.id)
    carried = [_carried(one, changed.get(one.key)) for one in rows]
    return Member(row.id, row.type, row.category, row.net, tuple(carried))


def _carried(row: PostingRow, missing: Money | None) -> Carried:
    """A posting as the proof sees it; what people took off it since is `missing`."""
    document: ErpRef | None = None
    if row.erp_type is not None and row.erp_number is not None:
        document = erp_ref(row.erp_type, row.erp_number)
    clearing = row.clearing if missing is None else row.clearing - missing
    return Carried(row.key, State(row.state), document, clearing, row.read_back_hash or "")
