"""The guardian: what people changed on documents that we posted and verified.

A list of changes is only a hint. Each document of ours on it is read and compared with what was
read back when it was verified; what differs is graded by one table, kept, shown, and offered for
repair. Nothing is ever fought.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.acumatica.client import Polled
from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    PAYMENT_RELEASED,
    Changed,
    ErpJournal,
    ErpMemo,
    ErpPayment,
)
from ml_connector.acumatica.errors import Missing
from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_keys, erp_ref, in_words
from ml_connector.basics.money import Money
from ml_connector.books.guardian import Change, Edit, Paper, grade, of_interest
from ml_connector.books.postings import Purpose, State
from ml_connector.books.tieout import Unposted
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.promise.edits import (
    cash_missing,
    journal_changes,
    ledger_missing,
    marked_changes,
    memo_changes,
    payment_changes,
)
from ml_connector.flows.rows import (
    BOOKED,
    CREDIT_MEMO,
    DEBIT_MEMO,
    JOURNAL,
    PAYMENT,
    REFUND,
    clearing_account,
)
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.paper import DEAD
from ml_connector.flows.writing.periods import reaching
from ml_connector.store import (
    audit,
    cursors,
    findings,
    guarded,
    payouts,
    postings,
    transactions,
)
from ml_connector.store.findings import Decision, Finding, NewFinding
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, as_object

OVERLAP = timedelta(minutes=5)
"""As of the other polls: clocks differ, and long transactions commit under an earlier stamp."""
TAG = re.compile(r"\bmlc[a-z2-7]{12}\b")
WATCHED: tuple[Polled, ...] = ("Payment", "JournalTransaction")
PAPERS = {
    PAYMENT: Paper.PAYMENT,
    JOURNAL: Paper.JOURNAL,
    REFUND: Paper.REFUND,
    CREDIT_MEMO: Paper.CREDIT_MEMO,
    DEBIT_MEMO: Paper.CREDIT_MEMO,
    BOOKED: Paper.BOOKED,
}
"""The kinds of postings whose documents are watched; the rest mirror one of these."""


async def changes(c: Connected) -> int:
    """Queues a look at each document of ours that somebody may have changed; returns how many.

    Two calls, a third once there are credit memos, and none for documents that stand as they were
    read back.
    """
    found = await _candidates(c)
    async with c.store.transaction() as tx:
        await look_all(tx, c.id, [Look(Kind.DOCUMENT, ref) for ref in found.refs])
        await _advance(c, tx, found)
    return len(found.refs)


async def look_around(c: Connected) -> None:
    """The same at once: each such document is examined now, a call or two for each."""
    found = await _candidates(c)
    for ref in found.refs:
        await examine(c, ref)
    async with c.store.transaction() as tx:
        await _advance(c, tx, found)


async def every_document(c: Connected) -> list[ErpRef]:
    """Each document of ours that stands: what a look at all of them takes in."""
    async with c.store.statement() as tx:
        rows = await guarded.standing(tx, c.id, list(PAPERS))
    return [_ref(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What may have been changed, and how far each list was read to find it."""

    refs: list[ErpRef]
    marks: dict[str, datetime]


async def _advance(c: Connected, tx: AsyncConnection, found: _Candidates) -> None:
    """The lists are read so far: only once what they named is queued or examined."""
    for stream, mark in sorted(found.marks.items()):
        await cursors.advance(tx, c.id, stream, {"at": mark.isoformat()})


async def _candidates(c: Connected) -> _Candidates:
    """What changed since the last look and is ours, or bears the mark of one of ours."""
    found: set[ErpRef] = set()
    marks: dict[str, datetime] = {}
    for entity in await _watched(c):
        stream = f"acumatica.guardian.{entity.lower()}"
        mark = await _watermark(c, stream)
        newest = mark
        async for row in c.acumatica.changed(entity, since=mark - OVERLAP):
            newest = max(newest, row.modified)
            found |= await _ours(c, row)
        marks[stream] = newest
    return _Candidates(sorted(found), marks)


async def _watched(c: Connected) -> tuple[Polled, ...]:
    """Invoices are listed only for the sake of our memos among them."""
    async with c.store.statement() as tx:
        memos = await guarded.standing(tx, c.id, (CREDIT_MEMO, DEBIT_MEMO))
    return (*WATCHED, "Invoice") if memos else WATCHED


async def _watermark(c: Connected, stream: str) -> datetime:
    async with c.store.statement() as tx:
        value = await cursors.read(tx, c.id, stream)
    if value is not None:
        return datetime.fromisoformat(str(value["at"]))
    return c.begins


async def _ours(c: Connected, row: Changed) -> set[ErpRef]:
    """The document of ours that a changed record is, or that it bears the mark of."""
    kind, number = erp_keys(row.ref)
    async with c.store.transaction() as tx:
        mine = await postings.by_erp(tx, c.id, kind, number)
        if not mine:
            marks = TAG.findall(row.description)
            mine = [one for mark in marks for one in await postings.by_tag(tx, c.id, mark)]
        return {
            _ref(one)
            for one in mine
            if one.erp_number is not None
            and one.kind in PAPERS
            and not await _as_known(c, tx, one, row)
        }


async def _as_known(c: Connected, tx: AsyncConnection, mine: PostingRow, row: Changed) -> bool:
    """Whether the stamp of a change is the one under which we have seen the document."""
    if _ref(mine) != row.ref:
        return False
    finding = await findings.current(tx, c.id, mine.key)
    seen = [mine.read_back, finding.seen if finding is not None else None]
    stamps = [datetime.fromisoformat(str(one["modified"])) for one in seen if one is not None]
    return row.modified in stamps


def _ref(row: PostingRow) -> ErpRef:
    return erp_ref(row.erp_type or "", row.erp_number or "")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A document as it stands now, and what that means."""

    paper: Paper
    changes: Sequence[Change]
    missing: Money
    stake: Money
    now: ErpPayment | ErpJournal | ErpMemo | None
    other: ErpRef | None = None


async def examine(c: Connected, ref: ErpRef) -> Finding | None:
    """Compares one document of ours with what we verified; the finding that counts now.

    Nothing is found in a document that we have reversed ourselves, or have not verified yet.
    """
    kind, number = erp_keys(ref)
    async with c.store.transaction() as tx:
        rows = await postings.by_erp(tx, c.id, kind, number)
        undone = await guarded.reversed_by_us(tx, c.id, ref, [row.key for row in rows])
    row = next((one for one in rows if one.state is State.VERIFIED), None)
    if row is None or row.read_back is None or row.kind not in PAPERS:
        return None
    if undone:
        return await _keep(c, row, None)
    seen = await _look_at(c, row)
    return await _keep(c, row, seen if seen.changes else None)


async def _look_at(c: Connected, row: PostingRow) -> _Seen:
    """One document beside what was read back of it."""
    match PAPERS[row.kind]:
        case Paper.JOURNAL:
            return await _journal(c, row)
        case Paper.CREDIT_MEMO:
            return await _memo(c, row)
        case Paper.PAYMENT | Paper.REFUND | Paper.BOOKED:
            return await _payment(c, row)


async def _memo(c: Connected, row: PostingRow) -> _Seen:
    """A memo moves no money: it breaks the receivables at most."""
    was = msgspec.convert(row.read_back, ErpMemo)
    try:
        now = await c.acumatica.memo(_ref(row))
    except Missing:
        gone = [Change(Edit.DELETED, "It was deleted.")]
        return _Seen(Paper.CREDIT_MEMO, gone, row.clearing, was.amount, None)
    periods = await reaching(c, now.day)
    return _Seen(Paper.CREDIT_MEMO, memo_changes(was, now, periods), row.clearing, was.amount, now)


async def _payment(c: Connected, row: PostingRow) -> _Seen:
    paper = PAPERS[row.kind]
    was = msgspec.convert(row.read_back, ErpPayment)
    try:
        now = await c.acumatica.payment(_ref(row))
    except Missing:
        gone = [Change(Edit.DELETED, "It was deleted.")]
        return _Seen(paper, gone, row.clearing, was.amount, None)
    found = of_interest(paper, payment_changes(was, now, await reaching(c, now.day)))
    missing = cash_missing(was, now, row.clearing)
    if paper is Paper.PAYMENT and [one.edit for one in found] == [Edit.VOIDED]:
        other = await _in_its_place(c, was)
        if other is not None:
            return await _reentered(c, was, now, other, cash_missing(was, other, row.clearing))
    return _Seen(paper, found, missing, was.amount, now)


async def _in_its_place(c: Connected, was: ErpPayment) -> ErpPayment | None:
    """The one released payment with the reference and amount of a voided one: two calls."""
    hits = [
        one.ref
        for one in await c.acumatica.find_payments(was.payment_ref)
        if one.ref != was.ref and one.ref.startswith("Payment|") and one.status not in DEAD
    ]
    if len(hits) != 1:
        return None
    other = await c.acumatica.payment(hits[0])
    fits = other.amount == was.amount and other.status in PAYMENT_RELEASED
    return other if fits else None


async def _reentered(
    c: Connected, was: ErpPayment, now: ErpPayment, other: ErpPayment, missing: Money
) -> _Seen:
    number = in_words(other.ref)
    story = f"It was voided, and {number} with the same reference and amount is in its place."
    # Its number and texts are new of course; what counts is where the money is and what it settles.
    changes = payment_changes(was, other, await reaching(c, other.day))
    more = [one for one in changes if one.edit is not Edit.DESCRIPTION]
    found = [Change(Edit.REENTERED, story), *more]
    return _Seen(Paper.PAYMENT, found, missing, was.amount, now, other.ref)


async def _journal(c: Connected, row: PostingRow) -> _Seen:
    was = msgspec.convert(row.read_back, ErpJournal)
    account = clearing_account(row, c.mapping)
    stake = Money(sum(max(one.amount.minor, 0) for one in was.lines), was.currency)
    try:
        now = await c.acumatica.journal(_ref(row))
    except Missing:
        gone = [Change(Edit.DELETED, "It was deleted.")]
        return _Seen(Paper.JOURNAL, gone, ledger_missing(account, was, None, ()), stake, None)
    hits = [one for one in await c.acumatica.find_journals(row.tag) if one.ref != was.ref]
    others = [await c.acumatica.journal(one.ref) for one in hits if one.status in JOURNAL_RELEASED]
    marked = marked_changes(was, others)
    found = [*journal_changes(was, now, await reaching(c, now.day)), *marked]
    other = ErpRef(", ".join(one.ref for one in others)) if marked else None
    # A person's reversal is adopted as it stands, so what was seen of it is its own day.
    shown = others[0] if len(others) == 1 and marked else now
    missing = ledger_missing(account, was, now, others)
    return _Seen(Paper.JOURNAL, found, missing, stake, shown, other)


async def _keep(c: Connected, row: PostingRow, seen: _Seen | None) -> Finding | None:
    """Stores what was found, once: the same state again is no news, another replaces it."""
    now = c.clock.now()
    async with c.store.transaction() as tx:
        before = await findings.current(tx, c.id, row.key)
        new = None if seen is None else _finding(c, row, seen)
        if before is None and new is None:
            return None
        if before is not None and new is not None and _same(before, new):
            return before
        if before is not None:
            await findings.decide(tx, before, Decision.GONE, "connector", "changed again", now)
        found = None
        if new is not None:
            state = Decision.OPEN if new.grade.asks else Decision.NOTED
            found = await findings.add(tx, new, state, now)
        payout = await payout_with(c, tx, row.key, row.transaction_id)
        if payout is not None:
            await look(tx, c.id, Look(Kind.PROOF, payout))
        action, detail = _told(before, found)
        await audit.write(tx, c.id, "guardian", action, row.key, detail, now)
    return found


async def payout_with(
    c: Connected, tx: AsyncConnection, key: PostingKey, subject: StripeId
) -> StripeId | None:
    """The payout whose proof rests on a document; None where there is none yet."""
    if key.startswith(f"{Purpose.FEES_OF_PAYOUT}:"):
        return subject
    row = await transactions.get(tx, c.id, subject)
    if row is None or row.payout is not None or row.source is None:
        return None if row is None else row.payout
    its_own = await payouts.get(tx, c.id, row.source)  # the transfer of a payout is no member of it
    return None if its_own is None else its_own.id


def _finding(c: Connected, row: PostingRow, seen: _Seen) -> NewFinding:
    what = in_words(_ref(row))
    story = " ".join(dict.fromkeys(one.sentence for one in seen.changes))
    return NewFinding(
        connection=c.id,
        key=row.key,
        transaction_id=row.transaction_id,
        document=_ref(row),
        other=seen.other,
        grade=grade(seen.paper, seen.changes, seen.missing),
        edits=list(dict.fromkeys(one.edit for one in seen.changes)),
        sentence=f"{what} ({row.key}) was changed in Acumatica after it was posted. {story}",
        missing=seen.missing,
        stake=seen.stake,
        seen=None if seen.now is None else as_object(seen.now),
    )


def _same(before: Finding, new: NewFinding) -> bool:
    return (before.sentence, before.missing, before.other) == (
        new.sentence,
        new.missing,
        new.other,
    )


def _told(before: Finding | None, found: Finding | None) -> tuple[str, JsonObject]:
    if found is None:
        return "as it was again", {"finding": before.id if before is not None else None}
    detail: JsonObject = {"finding": found.id, "grade": found.grade, "sentence": found.sentence}
    return "changed by people", detail | {"missing": str(found.missing)}


async def lacking(c: Connected) -> list[Unposted]:
    """What the clearing account lacks through changes of people, named for the tie-out."""
    async with c.store.statement() as tx:
        rows = await findings.lacking(tx, c.id)
    return [Unposted(one.transaction_id, one.missing, _reason(one)) for one in rows]


def _reason(finding: Finding) -> str:
    if finding.state is Decision.ACCEPTED:
        return f"{finding.sentence} Accepted by {finding.actor}: {finding.why}"
    return finding.sentence
