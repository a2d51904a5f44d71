"""Undo: what we posted is taken back by reversing documents, and owed again afterwards.

Foreseen first, in money and documents; then stored whole in one step, and carried out by a job
like any posting, so a crash resumes where it was.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import AskAPerson, Bug
from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.books.postings import Purpose
from ml_connector.flows.cash.booking import carry_out_all
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.repair.foresight import Choice, Foresight, Item, Undoing
from ml_connector.flows.rows import posting_row
from ml_connector.flows.signals import Kind, Look, for_transaction
from ml_connector.flows.writing.adopting import adopt
from ml_connector.flows.writing.editions import standing_of
from ml_connector.store import audit, editions, fees, findings, payouts, postings, transactions
from ml_connector.store import undos as runs
from ml_connector.store.findings import Decision
from ml_connector.store.rows import JsonObject
from ml_connector.store.transactions import BalanceTransactionRow
from ml_connector.store.undos import UndoRow


class RefusedUndo(AskAPerson):
    """A part of what was named cannot be undone, so nothing is."""


async def begin(
    c: Connected,
    choice: Choice,
    *,
    why: str,
    actor: str,
    repost: bool = False,
    shown: Undoing | None = None,
) -> UndoRow:
    """Stores the undo whole and queues its work; from then on what it takes back waits, named.

    Raises NothingToUndo, or RefusedUndo when a part cannot be undone and `skip` is not set, or
    when the documents are not those any more that a person was `shown`.
    """
    now = c.clock.now()
    async with c.store.transaction() as tx:
        found = await Foresight(tx, c.id, choice, locked=True).all()
        if found.refused and not choice.skip:
            raise _refusal(found)
        if shown is not None and shown.keys != found.keys:
            raise RefusedUndo(
                f"The documents of {choice.named} changed while they were shown.",
                cause="undo.moved",
                remedy="Look at the effect again.",
            )
        await _free_fees(c, tx, found, why, now)
        for row in found.transactions:
            await _open_next(c, tx, row, found, why, now)
        run = await runs.add(
            tx, c.id, choice.named, why, actor, found.keys,
            [row.id for row in found.transactions], now, repost=repost,
        )  # fmt: skip
        await look_all(tx, c.id, [Look(Kind.PROOF, payout) for payout in found.unproven])
        await look(tx, c.id, Look(Kind.UNDO, str(run.id)), priority=1)
        for row in found.transactions:
            detail: JsonObject = {"what": run.what, "why": why, "edition": row.edition}
            detail["reversed"] = [
                item.stands.key for item in found.items if item.stands.transaction == row.id
            ]
            await audit.write(tx, c.id, actor, "undo", row.id, detail, now)
    return run


def _refusal(found: Undoing) -> RefusedUndo:
    return RefusedUndo(
        " ".join(found.refused),
        cause="undo.refused",
        remedy="Take along what rests on it with --along, void what others booked with --others,"
        " leave out what cannot be undone with --skip, or settle it first.",
    )


async def _open_next(  # noqa: PLR0917 - the facts of one act
    c: Connected,
    tx: AsyncConnection,
    row: BalanceTransactionRow,
    found: Undoing,
    why: str,
    now: datetime,
) -> None:
    """Plans the reversing documents of one balance transaction and closes its edition."""
    mine = [item for item in found.items if item.stands.transaction == row.id]
    # What was planned and never taken will not be sent any more.
    await postings.forget_unsent(tx, c.id, row.id, [item.stands.key for item in mine])
    for item in mine:
        await _plan(c, tx, item, why, now)
    await editions.undone(tx, c.id, row.id, f"It was undone: {why}".strip(), now)


async def _free_fees(
    c: Connected, tx: AsyncConnection, found: Undoing, why: str, now: datetime
) -> None:
    """Plans what takes back the journals of payouts' fees; each member bears its fee from now on.

    All of them are undone or were never sent, so each fee is posted anew with its own transaction,
    and nowhere else.
    """
    for item in found.shared:
        await _plan(c, tx, item, why, now)
        members = await fees.carried_by(tx, c.id, item.stands.key)
        taken = {row.id for row in found.transactions}
        for one in members:
            if one.id not in taken:
                await _forget_plans(c, tx, one.id)
        await fees.carry(tx, c.id, [one.id for one in members], None)


async def _forget_plans(c: Connected, tx: AsyncConnection, transaction: StripeId) -> None:
    """Drops what was planned without the fee; raises RefusedUndo when it was sent just now."""
    known = await postings.by_transaction(tx, c.id, transaction)
    ours = [one.key for one in known if one.purpose == Purpose.UNDO]
    await postings.forget_unsent(tx, c.id, transaction, ours)
    if await standing_of(c, tx, transaction):
        raise RefusedUndo(
            f"{transaction} is on its way into the books.",
            cause="undo.moved",
            remedy="Try again in a moment.",
        )


async def _plan(c: Connected, tx: AsyncConnection, item: Item, why: str, now: datetime) -> None:
    """Plans one reversing document, or takes a person's own for it."""
    planned = posting_row(c.id, item.reverses, item.mapping_version or c.mapping.version)
    await postings.plan(tx, [planned], now=now)
    if item.adopted is not None and item.adopted.other is not None:
        await adopt(tx, planned, item.adopted.other, now)
    await _settle_finding(tx, c.id, item.stands.key, why, now)


async def _settle_finding(
    tx: AsyncConnection, connection: ConnectionId, key: PostingKey, why: str, now: datetime
) -> None:
    finding = await findings.current(tx, connection, key)
    if finding is not None:
        await findings.decide(tx, finding, Decision.RESTORED, "undo", why, now)


async def reverse(c: Connected, run_id: int) -> None:
    """Carries an undo out, document by document in its order; does nothing once it is done."""
    async with c.store.statement() as tx:
        run = await runs.get(tx, c.id, run_id)
    if run.done_at is not None:
        return
    await carry_out_all(c, run.reversing)
    now = c.clock.now()
    async with c.store.transaction() as tx:
        if await runs.finish(tx, run, now):
            await _ended(c, tx, run, now)


async def _ended(c: Connected, tx: AsyncConnection, run: UndoRow, now: datetime) -> None:
    """What was taken back is told to its payouts, owed again where that was asked, and noted."""
    rows = [await _undone(c, tx, one) for one in run.transactions]
    again = await owe_again(tx, c.id, rows, now) if run.repost else []
    looks = {at for row in rows for at in await _proofs_with(c, tx, row)}
    await look_all(tx, c.id, looks | looks_at(again))
    for row in rows:
        detail: JsonObject = {"what": run.what, "why": run.why}
        await audit.write(tx, c.id, run.actor, "undone", row.id, detail, now)
    await note_owed_again(tx, c.id, again, run.actor, now)


async def _undone(c: Connected, tx: AsyncConnection, one: StripeId) -> BalanceTransactionRow:
    row = await transactions.get(tx, c.id, one)
    if row is None:
        raise Bug(f"{one} was undone and is not known.")
    return row


async def _proofs_with(c: Connected, tx: AsyncConnection, row: BalanceTransactionRow) -> list[Look]:
    """The proofs of the payouts that a movement is inside, or is."""
    return [
        Look(Kind.PROOF, payout)
        for payout in {row.payout, row.source}
        if payout is not None and await payouts.get(tx, c.id, payout) is not None
    ]


async def owe_again(
    tx: AsyncConnection,
    connection: ConnectionId,
    rows: Iterable[BalanceTransactionRow],
    now: datetime,
) -> list[BalanceTransactionRow]:
    """Lets what was undone be posted again; those for which there was cause.

    Who calls it queues their looks and notes it, last, in the same transaction.
    """
    return [row for row in rows if await editions.owe_again(tx, connection, row.id, now)]


def looks_at(rows: Iterable[BalanceTransactionRow]) -> set[Look]:
    """The resources that stand for some movements."""
    return {for_transaction(row.id, row.type, row.source) for row in rows}


async def note_owed_again(
    tx: AsyncConnection,
    connection: ConnectionId,
    rows: Iterable[BalanceTransactionRow],
    actor: str,
    now: datetime,
) -> None:
    """Writes into the audit trail who let what was undone be posted again."""
    for row in rows:
        detail: JsonObject = {"edition": row.edition}
        await audit.write(tx, connection, actor, "owed again", row.id, detail, now)
