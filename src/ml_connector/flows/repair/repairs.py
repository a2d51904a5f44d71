"""What a person decides of a change that the guardian found: accept it, restore, or relink."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.acumatica.documents import PAYMENT_RELEASED, ErpPayment
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref, in_words
from ml_connector.books.entries import On, sides
from ml_connector.books.guardian import Edit, how_to_mend, restorable
from ml_connector.books.postings import ArPayment, Booked, Purpose
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look
from ml_connector.flows.promise.edits import brings
from ml_connector.flows.promise.guardian import payout_with
from ml_connector.flows.repair.foresight import Choice
from ml_connector.flows.repair.undo import begin
from ml_connector.flows.rows import CREDIT_MEMO, DEBIT_MEMO, document
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.carry_out import fingerprint
from ml_connector.store import audit, findings, guarded, postings
from ml_connector.store.findings import CURRENT, Decision, Finding
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, as_object
from ml_connector.store.undos import UndoRow

BY_HAND = (CREDIT_MEMO, DEBIT_MEMO)
"""Kinds that nobody can void: a change of them is taken back by hand."""
ENTER_AGAIN = "Make it in Acumatica as it was, or accept the finding with --why."


class NotForUs(AskAPerson):
    """A change that only a person can take back in Acumatica; the remedy says how."""


class NotItsPlace(AskAPerson):
    """A document that cannot stand for the posting, because its money differs."""


async def accept(c: Connected, number: int, *, why: str, actor: str) -> Finding:
    """What was found is meant so: it is expected from now on, and named while money is missing.

    Raises Misconfigured without a reason or for a number that nobody knows.
    """
    if not why.strip():
        raise Misconfigured(
            "An accepted change needs a reason.",
            cause="guardian.no_reason",
            remedy='Say it with --why "...": it is kept in the audit trail.',
        )
    finding = await _open(c, number)
    await _decide(c, finding, Decision.ACCEPTED, actor, why)
    return finding


async def restore(c: Connected, number: int, *, actor: str) -> UndoRow:
    """Makes it as it was: a person's reversal is taken as ours, and the money is posted anew.

    All documents of the balance transaction go into the next edition together. What rests on it,
    and a fee that the journal of its payout carries, stand as they did. Raises NotForUs with the
    way to do it by hand where the change is no reversal.
    """
    finding = await _open(c, number)
    row = await _posting(c, finding)
    ours = row is not None and row.kind not in BY_HAND
    if not ours or not restorable(finding.edits):
        raise NotForUs(
            finding.sentence,
            cause=f"guardian.by_hand:{finding.key}",
            remedy=how_to_mend(finding.edits) if ours else ENTER_AGAIN,
        )
    many = finding.key.startswith(f"{Purpose.FEES_OF_PAYOUT}:")
    choice = Choice(number=finding.key if many else finding.transaction_id, anew=not many)
    why = f"restore finding {finding.id}"
    return await begin(c, choice, why=why, actor=actor, repost=True)


async def relink(c: Connected, number: int, *, to: str = "", actor: str) -> ErpRef:
    """The posting stands in the payment that a person entered in place of the voided one.

    `to` is its number; left out, the one that the guardian found. Raises NotItsPlace when it
    brings another amount to another account, or is not in the ledger.
    """
    finding = await _open(c, number)
    if Edit.REENTERED not in finding.edits and Edit.VOIDED not in finding.edits:
        raise NotForUs(
            finding.sentence,
            cause=f"guardian.no_relink:{finding.key}",
            remedy="Only a voided payment can be relinked; accept or restore this finding.",
        )
    ref = erp_ref("Payment", to) if to else finding.other
    row = await _posting(c, finding)
    if ref is None or row is None:
        raise NotItsPlace(
            f"No payment is known that stands in the place of {finding.document}.",
            cause=f"guardian.no_other:{finding.key}",
            remedy=f"Name its number: ml-connector guardian relink {finding.id} --to NUMBER.",
        )
    await _stand_in(c, finding, row, ref, actor)
    return ref


async def _stand_in(
    c: Connected, finding: Finding, row: PostingRow, ref: ErpRef, actor: str
) -> None:
    found = await c.acumatica.payment(ref)
    sent = document(row)
    cash = [(one.name, one.amount) for one in sides(sent) if one.on is On.CASH]
    fits = (
        isinstance(sent, ArPayment | Booked)
        and found.amount == sent.amount
        and [(found.cash_account, brings(found))] == cash
        and found.status in PAYMENT_RELEASED
    )
    if not fits:
        raise _not_its_place(finding, found, "")
    seen, why = as_object(found), f"stands in {in_words(ref)}"
    async with c.store.transaction() as tx:
        await guarded.hold(tx, c.id, ref)
        if await postings.by_erp(tx, c.id, *erp_keys(ref)):
            raise _not_its_place(finding, found, ", and stands for another posting")
        await _settle(c, tx, finding, Decision.RELINKED, actor, why)
        if not await guarded.relink(tx, row, ref, found.id, seen, fingerprint(seen)):
            raise NotItsPlace(
                f"{row.key} is not verified any more, so nothing stands in its place.",
                cause=f"guardian.moved:{finding.key}",
                remedy="Look again: ml-connector guardian.",
            )
        await _tell(c, tx, finding, Decision.RELINKED, actor, why)


def _not_its_place(finding: Finding, found: ErpPayment, more: str) -> NotItsPlace:
    return NotItsPlace(
        f"{in_words(found.ref)} is {found.amount} on {found.cash_account}, {found.status}{more}.",
        cause=f"guardian.does_not_fit:{finding.key}",
        remedy="Name a released payment of the same amount on the same cash account.",
    )


async def _open(c: Connected, number: int) -> Finding:
    """A finding that waits for a decision; raises Misconfigured."""
    async with c.store.statement() as tx:
        finding = await findings.get(tx, c.id, number)
    if finding is None or finding.state not in CURRENT:
        known = "is decided already" if finding is not None else "is not known"
        raise Misconfigured(
            f"The finding {number} {known}.",
            cause="guardian.no_finding",
            remedy="List them with `ml-connector guardian`.",
        )
    return finding


async def _posting(c: Connected, finding: Finding) -> PostingRow | None:
    async with c.store.statement() as tx:
        return await postings.get(tx, c.id, finding.key)


async def _decide(c: Connected, finding: Finding, state: Decision, actor: str, why: str) -> None:
    async with c.store.transaction() as tx:
        await _settle(c, tx, finding, state, actor, why)
        await _tell(c, tx, finding, state, actor, why)


async def _settle(  # noqa: PLR0917 - the facts of one decision
    c: Connected, tx: AsyncConnection, finding: Finding, state: Decision, actor: str, why: str
) -> None:
    """Decides a finding, first of all; raises Misconfigured when somebody was faster."""
    if not await findings.decide(tx, finding, state, actor, why, c.clock.now()):
        raise Misconfigured(
            f"The finding {finding.id} was decided by somebody else meanwhile.",
            cause="guardian.no_finding",
            remedy="List them with `ml-connector guardian`.",
        )


async def _tell(  # noqa: PLR0917 - the facts of one decision
    c: Connected, tx: AsyncConnection, finding: Finding, state: Decision, actor: str, why: str
) -> None:
    """Lets the proof be tried again and notes the decision, last of all."""
    payout = await payout_with(c, tx, finding.key, finding.transaction_id)
    if payout is not None:
        await look(tx, c.id, Look(Kind.PROOF, payout))
    detail: JsonObject = {
        "finding": finding.id,
        "sentence": finding.sentence,
        "missing": str(finding.missing),
        "why": why,
    }
    now = c.clock.now()
    await audit.write(tx, c.id, actor, f"finding {state}", finding.key, detail, now)
