"""One posting into Acumatica, exactly once: the only place that writes documents there.

    planned -> sending -> created -> released -> verified

Each arrow is stored before the next step begins, so a crash resumes at an arrow. A posting found
in `sending` has an unknown outcome: it is looked for by its mark, and only after the quiet time
(a request that timed out here may still commit there) is it ever sent again.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Unpack

from ml_connector.acumatica.documents import ErpDocument
from ml_connector.acumatica.errors import Missing
from ml_connector.basics.errors import (
    AskAPerson,
    Bug,
    ConnectorError,
    OutcomeUnknown,
    TryAgain,
)
from ml_connector.basics.ids import ErpRef, PostingKey, erp_keys, erp_ref, in_words
from ml_connector.books.postings import Document, State, Voiding
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.rows import document
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.amends import amendable, amended, in_plain_words, owed_less
from ml_connector.flows.writing.by_hand import Deleted, Voided, WaitsForRelease
from ml_connector.flows.writing.gate import permit_posting
from ml_connector.flows.writing.otherwise import permit_again
from ml_connector.flows.writing.paper import DayKept, Paper, ReadBack, dead
from ml_connector.flows.writing.papers import paper_of
from ml_connector.observe import POSTINGS
from ml_connector.store import audit, postings
from ml_connector.store.postings import Facts, LostClaim, PostingRow
from ml_connector.store.rows import JsonObject, as_object, to_json

TAKE_OVER_AT_ONCE = timedelta(0)
"""The queue runs one job per resource, so an older claim is a dead or frozen worker's: it is
taken over at once, and the older worker is stopped at its next step by its lost claim."""


class Doubled(AskAPerson):
    """More than one live document bears the mark of one posting: stop and touch nothing."""


class ReadBackDiffers(AskAPerson):
    """What stands in Acumatica is not what was sent (it answers 200 to fields it ignores)."""


async def carry_out(c: Connected, key: PostingKey) -> None:
    """Brings one posting to `verified`, from wherever it stands; does nothing when it is there.

    Raises what the error desk files: OutcomeUnknown or TryAgain to come back later, AskAPerson
    for a cause that a person must cure.
    """
    token = secrets.token_hex(8)
    async with c.store.statement() as tx:
        row = await postings.claim(tx, c.id, key, token, c.clock.now(), TAKE_OVER_AT_ONCE)
    if row is None:
        raise LostClaim(key)
    await _bring(_Held(c, row, token))


@dataclass(slots=True)
class _Held:
    """A posting in the hands of one worker: each move is stored and replaces `row`."""

    c: Connected
    row: PostingRow
    token: str

    @property
    def paper(self) -> Paper:
        """Its document, with the ways of its kind."""
        return paper_of(self.c, self.row)

    @property
    def document(self) -> Document:
        """What it says."""
        return document(self.row)

    @property
    def state(self) -> State:
        return self.row.state

    @property
    def ref(self) -> ErpRef:
        if self.row.erp_type is None or self.row.erp_number is None:
            raise Bug(f"{self.row.key} is {self.state} but has no document number.")
        return erp_ref(self.row.erp_type, self.row.erp_number)

    async def move(self, to: State, *, nothing_found: bool = False, **facts: Unpack[Facts]) -> None:
        """Stores one arrow with its audit entry, in one transaction of its own."""
        now = self.c.clock.now()
        async with self.c.store.transaction() as tx:
            moved = await postings.move(
                tx, self.row, self.token, to, now=now, nothing_found=nothing_found, **facts
            )
            detail: JsonObject = {
                "from": self.row.state,
                "to": to,
                "document": f"{moved.erp_type or ''} {moved.erp_number or ''}".strip(),
                "mapping_version": moved.mapping_version,
            }
            if moved.failure:
                detail["failure"] = moved.failure
            await audit.write(tx, self.c.id, "connector", "posting", moved.key, detail, now)
        self.row = moved

    async def found(self, document: ErpDocument) -> None:
        """Acumatica has it: keeps its number."""
        erp_type, number = erp_keys(document.ref)
        await self.move(State.CREATED, erp_type=erp_type, erp_number=number, erp_id=document.id)

    async def amend(self, other: Document, why: ConnectorError) -> None:
        """Stores another text for it, and why; an invoice that owes less gets a look."""
        body, now = as_object(other), self.c.clock.now()
        detail: JsonObject = {"cause": why.cause, "sentence": why.sentence, "now": body}
        async with self.c.store.transaction() as tx:
            self.row = await postings.amend(tx, self.row, self.token, body, now=now)
            key = self.row.key
            looks = [Look(Kind.INVOICE, ref) for ref in owed_less(other)]
            await look_all(tx, self.c.id, looks)
            await audit.write(tx, self.c.id, "connector", "posting amended", key, detail, now)

    async def fail(self, error: ConnectorError) -> None:
        """Stops here, with the reason."""
        failure: JsonObject = {
            "filed": error.filed,
            "cause": error.cause,
            "sentence": error.sentence,
            "remedy": error.remedy,
        }
        await self.move(State.FAILED, failure=failure)


async def _bring(held: _Held) -> None:
    """The walk through the states; each step is taken only from its own state."""
    if held.state is State.FAILED:
        await _claim_again(held)
    if held.state is State.SENDING:
        await _find_out(held)
    elif held.state is State.CREATED:
        await _look_before_release(held)
    if held.state is State.PLANNED:
        await _create(held)
    if held.state is State.CREATED:
        await _release(held)
    if held.state is State.RELEASED:
        await _verify(held)


async def _claim_again(held: _Held) -> None:
    """A failed posting goes on at its document when it has one, else from the start."""
    c, key = held.c, held.row.key
    async with c.store.statement() as tx:
        row = await postings.claim(tx, c.id, key, held.token, c.clock.now(), TAKE_OVER_AT_ONCE)
    if row is None:
        raise LostClaim(key)
    held.row = row
    await held.move(State.CREATED if row.erp_number else State.PLANNED)


async def _find_out(held: _Held) -> None:
    """Learns what became of a send without an answer; raises OutcomeUnknown until it is quiet."""
    found = await _search(held)
    if found is not None:
        await held.found(found)
        await _look_before_release(held)
        return
    now = held.c.clock.now()
    rest = held.c.quiet - (now - (held.row.sending_at or now))
    if rest > timedelta(0):
        raise OutcomeUnknown(
            f"{held.row.key} was sent and no answer came; it may still appear in Acumatica.",
            cause="carry_out.outcome_unknown",
            remedy="It is looked for again when the quiet time is over; nothing is sent before.",
            after=rest,
        )
    await held.move(State.PLANNED, nothing_found=True)


async def _search(held: _Held) -> ErpDocument | None:
    """The one live document that bears the posting's mark; raises Doubled when there are more."""
    live = await held.paper.hits()
    if len(live) > 1:
        numbers = ", ".join(one.ref for one in live)
        raise Doubled(
            f"{held.row.key} stands {len(live)} times in Acumatica: {numbers}.",
            cause=f"carry_out.doubled:{held.row.key}",
            remedy="Reverse all but one of them in Acumatica, then replay it.",
        )
    return live[0] if live else None


async def _create(held: _Held) -> None:
    await permit_posting(held.c, held.row)
    await held.move(State.SENDING)
    try:
        made = await held.paper.send()
    except OutcomeUnknown:
        raise  # it stays in `sending`: the next run looks before it does anything
    except TryAgain:
        # Acumatica proved that it did not take the request, which is as good as a search.
        await held.move(State.PLANNED, nothing_found=True)
        raise
    except ConnectorError as refusal:
        if not amendable(held.c, held.document, refusal):
            await held.fail(refusal)
            raise
        await held.move(State.PLANNED, nothing_found=True)
        await _amend(held, refusal)
        await _create(held)
        return
    await held.found(made)
    if held.paper.lacking(made):
        await _complete(held)


async def _look_before_release(held: _Held) -> None:
    """A document found again may have been released already, or lack what it shall settle."""
    try:
        stands = await held.paper.stands(held.ref)
    except Missing as gone:
        error = Deleted(held.ref)
        await held.fail(error)
        raise error from gone
    await _require_alive(held, stands.dead)
    if not stands.released:
        await permit_again(held.c, held.row)
    if stands.outdated:
        await _correct(held)
    if stands.lacking:
        await _complete(held)
    if stands.released:
        await held.move(State.RELEASED)


async def _require_alive(held: _Held, status: str) -> None:
    """What was voided meanwhile is not in the ledger, and takes no correction."""
    if dead(status):
        error = Voided(held.ref, status)
        await held.fail(error)
        raise error


async def _complete(held: _Held) -> None:
    """Says once more what Acumatica ignored."""
    try:
        await held.paper.complete(held.ref)
    except DayKept as kept:
        await held.amend(kept.said, kept)
        await permit_again(held.c, held.row)
    except TryAgain:
        raise  # it stays `created`; the next run looks at what it lacks first
    except ConnectorError as refusal:
        await _otherwise(held, refusal)


async def _otherwise(held: _Held, refusal: ConnectorError) -> None:
    """Says of a document that is made what policy allows instead, or stops here.

    It stays as it is, not released, until what is said instead is permitted.
    """
    if not amendable(held.c, held.document, refusal):
        stands = in_plain_words(held.c, held.document, refusal)
        await held.fail(stands)
        raise stands
    await _amend(held, refusal)
    await permit_again(held.c, held.row)
    await _correct(held)


async def _correct(held: _Held) -> None:
    """Says of a document that is made what was stored of it since; a refusal stops it here."""
    try:
        await held.paper.correct(held.ref)
    except DayKept as kept:
        await held.amend(kept.said, kept)
        await permit_again(held.c, held.row)
    except TryAgain:
        raise  # it stays `created`; the next run sees that it is outdated
    except ConnectorError as error:
        await held.fail(error)
        raise


async def _amend(held: _Held, refusal: ConnectorError) -> None:
    """Stores what policy allows to be said instead of what was refused, or stops here."""
    try:
        made = held.row.erp_number is not None
        other = await amended(held.c, held.document, refusal, made=made)
    except TryAgain:
        raise  # nothing was sent, or it stays `created`: the next run is refused again
    except ConnectorError as error:
        await held.fail(error)
        raise
    if other is None:
        await held.fail(refusal)
        raise refusal
    await held.amend(other, refusal)


async def _release(held: _Held) -> None:
    if not held.c.mapping.policies.release:
        raise await _left(held)
    try:
        await held.paper.release(held.ref)
    except TryAgain:
        raise  # it stays `created`; the next run reads its status first
    except ConnectorError as refusal:
        await _otherwise(held, refusal)
        await _release(held)
        return
    await held.move(State.RELEASED)


async def _left(held: _Held) -> WaitsForRelease:
    """The document stays balanced for an accountant, once it is found as it was sent."""
    await _require_equal(held, await held.paper.read_back(held.ref, released=False))
    return WaitsForRelease(held.ref)


async def _require_equal(held: _Held, found: ReadBack) -> None:
    """What differs is in the ledger all the same once it is released: it stays so, unproven."""
    if not found.differences:
        return
    error = ReadBackDiffers(
        f"{in_words(held.ref)} is not as it was sent. {' '.join(found.differences)}",
        cause=f"carry_out.read_back:{held.row.key}",
        remedy="Correct the document in Acumatica, or reverse it; then replay it.",
    )
    if held.state is not State.RELEASED:
        await held.fail(error)
    raise error


async def _verify(held: _Held) -> None:
    """Reads the document back; only what is found equal is proof."""
    found = await held.paper.read_back(held.ref)
    # What a voiding reads back is the payment that it has voided.
    if not isinstance(held.document, Voiding):
        await _require_alive(held, found.seen.status)
    await _require_equal(held, found)
    seen = as_object(found.seen)
    await held.move(State.VERIFIED, read_back=seen, read_back_hash=fingerprint(seen))
    POSTINGS.labels(held.c.id, held.row.purpose).inc()


def fingerprint(seen: JsonObject) -> str:
    """The SHA-256 of a document as it was read back, over canonical JSON."""
    return hashlib.sha256(to_json(seen).encode()).hexdigest()
