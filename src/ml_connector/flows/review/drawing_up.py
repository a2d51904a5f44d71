"""Drawing up a plan: every document that would be written now, with the facts it rests on."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ml_connector.basics.errors import AlreadyDone, ConnectorError
from ml_connector.basics.ids import ErpRef, StripeId, in_words
from ml_connector.basics.money import Money
from ml_connector.books.approval import Verdict
from ml_connector.books.modes import OF_PURPOSE, RecordType
from ml_connector.books.plans import NotPlanned, Plan, PlannedDocument, entries_of
from ml_connector.books.postings import ArPayment, Booked, Posting, Voiding
from ml_connector.flows.connected import Connected
from ml_connector.flows.mirror.level import erp_invoice
from ml_connector.flows.review import mirror_plan
from ml_connector.flows.review.plan import (
    Planned,
    Stored,
    facts_of,
    left_over,
    owed,
    plan_again,
    plan_one,
)
from ml_connector.flows.rows import posting_row
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.gate import Write, posting_hash
from ml_connector.store import approvals
from ml_connector.store.rows import as_object, to_json

DECLINED = "declined"

Tell = Callable[[int, int], None]
"""Told how many records are looked at, of how many."""


def silently(done: int, of: int) -> None:
    """Tells nobody."""


def plan_hash(plan: Plan) -> str:
    """The SHA-256 over canonical JSON of the documents, the mapping's version and the name."""
    kept = as_object(plan)
    del kept["rest"]  # what is not planned is not applied either
    return hashlib.sha256(to_json(kept).encode()).hexdigest()


async def draw_up(c: Connected, tell: Tell = silently) -> Plan:
    """Everything that would be written now; nothing is.

    Costs the lists of what is new at both sides, and per record not settled one or two calls;
    an invoice of Acumatica is read once, however many payments settle it.
    """
    drawing = await _start(c)
    movements, looks = await owed(c), await mirror_plan.candidates(c)
    whole = len(movements) + len(looks)
    for at, transaction in enumerate(movements):
        tell(at, whole)
        await drawing.add_movement(await plan_one(c, transaction))
    for waiting in await left_over(c, {one.id for one in movements}):
        await drawing.add_stored(waiting)
    for at, look in enumerate(looks, start=len(movements)):
        tell(at, whole)
        await drawing.add_mirrored(look)
    tell(whole, whole)
    return drawing.plan()


async def draw_up_again(c: Connected, documents: Sequence[PlannedDocument]) -> Plan:
    """The plan of the same movements and records as they stand now, with all their documents."""
    drawing = await _start(c)
    for transaction in dict.fromkeys(one.transaction for one in documents if one.transaction):
        again = await plan_again(c, StripeId(transaction))
        if isinstance(again, Stored):
            await drawing.add_stored(again)
        else:
            await drawing.add_movement(again)
    records = {Look(Kind(one.kind), one.resource): None for one in documents if not one.transaction}
    for look in records:
        await drawing.add_mirrored(look)
    return drawing.plan()


async def _start(c: Connected) -> "_Drawing":
    async with c.store.transaction() as tx:
        said = await approvals.every(tx, c.id)
    return _Drawing(c, {one.key for one in said if one.verdict is Verdict.DECLINED})


@dataclass(slots=True)
class _Drawing:
    """A plan in the making; invoices that were read are kept."""

    c: Connected
    declined: set[str]
    documents: list[PlannedDocument] = field(default_factory=list[PlannedDocument])
    rest: list[NotPlanned] = field(default_factory=list[NotPlanned])
    invoices: dict[ErpRef, str] = field(default_factory=dict[ErpRef, str])

    async def add_movement(self, planned: Planned) -> None:
        """A balance transaction with all its documents, or the reason why none."""
        bt = planned.transaction
        if planned.why_not:
            self.rest.append(NotPlanned(bt.id, bt.net, planned.why_not, planned.remedy))
            return

        async def add() -> None:
            await self._add(planned.look, planned.postings, facts_of(bt))

        await self._unless_troubled(bt.id, bt.net, add)

    async def add_stored(self, waiting: Stored) -> None:
        """Documents that wait as they are stored, whatever they belong to."""

        async def add() -> None:
            await self._add(waiting.look, waiting.postings, waiting.facts)

        await self._unless_troubled(waiting.subject, None, add)

    async def _add(self, look: Look, made: Sequence[Posting], facts: dict[str, str]) -> None:
        self.documents += [await self._document(look, one, facts) for one in made]

    async def add_mirrored(self, look: Look) -> None:
        """A customer or an invoice with the write to Stripe that it is owed, if any."""

        async def add() -> None:
            write = await mirror_plan.write_of(self.c, look)
            if write is not None:
                self.documents.append(self._write(look, write))

        await self._unless_troubled(look.resource, None, add)

    async def _unless_troubled(
        self, subject: str, amount: Money | None, add: Callable[[], Awaitable[None]]
    ) -> None:
        try:
            await add()
        except AlreadyDone:
            return
        except ConnectorError as error:
            self.rest.append(NotPlanned(subject, amount, error.sentence, error.remedy))

    async def _document(
        self, look: Look, posting: Posting, facts: dict[str, str]
    ) -> PlannedDocument:
        c = self.c
        row = posting_row(c.id, posting, c.mapping.version)
        kind = OF_PURPOSE[posting.purpose]
        return PlannedDocument(
            key=posting.key,
            record_type=kind,
            standing=self._standing(kind, posting.key),
            title=_title(posting),
            kind=look.kind,
            resource=look.resource,
            transaction=posting.transaction,
            body_hash=posting_hash(posting.key, row.kind, row.body),
            body=row.body,
            entries=entries_of(posting, c.mapping),
            facts={**facts, **await self._invoices_of(posting)},
        )

    async def _invoices_of(self, posting: Posting) -> dict[str, str]:
        """How the invoices that a payment settles stand in Acumatica: one call for each."""
        paper = posting.document
        applied = paper.applications if isinstance(paper, ArPayment) else ()
        for one in applied:
            if one.document not in self.invoices:
                found = await erp_invoice(self.c, one.document)
                self.invoices[one.document] = f"{found.status}, {found.balance} owed"
        return {in_words(one.document): self.invoices[one.document] for one in applied}

    def _write(self, look: Look, write: Write) -> PlannedDocument:
        return PlannedDocument(
            key=write.key,
            record_type=write.kind,
            standing=self._standing(write.kind, write.key),
            title=write.title,
            kind=look.kind,
            resource=look.resource,
            transaction="",
            body_hash=write.body_hash,
            body=write.body,
        )

    def _standing(self, kind: RecordType, key: str) -> str:
        return DECLINED if key in self.declined else self.c.mapping.modes.of(kind)

    def plan(self) -> Plan:
        """The plan, its documents by key."""
        documents = tuple(sorted(self.documents, key=lambda one: one.key))
        return Plan(self.c.id, self.c.mapping.version, documents, tuple(self.rest))


def _title(posting: Posting) -> str:
    paper = posting.document
    if isinstance(paper, ArPayment):
        numbers = ", ".join(in_words(one.document) for one in paper.applications)
        return f"Payment of {paper.amount} by {paper.customer_id} on {numbers or 'account'}"
    if isinstance(paper, Voiding):
        return f"{in_words(paper.payment)} of {paper.amount} undone"
    if isinstance(paper, Booked):
        return f"{in_words(paper.payment)} of {paper.amount}, which others booked"
    return paper.description
