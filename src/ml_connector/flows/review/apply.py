"""A person's word on a plan: applied exactly as it was shown, declined, or refused as stale."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.basics.ids import ConnectionId, PostingKey
from ml_connector.books.approval import Verdict
from ml_connector.books.modes import Mode
from ml_connector.books.plans import NotPlanned, Plan, PlannedDocument, moved
from ml_connector.books.postings import Purpose, State
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.review.drawing_up import DECLINED, draw_up_again, plan_hash
from ml_connector.flows.signals import Kind, Look, for_transaction
from ml_connector.store import approvals, audit, mapping, postings, transactions, troubles
from ml_connector.store.approvals import Approval, StoredPlan
from ml_connector.store.engine import Store
from ml_connector.store.rows import JsonObject, from_json, to_json

SHORTEST_HASH = 8
ANEW = "Draw up a new plan with `ml-connector plan`, look at it, and apply that one."


class PlanMoved(AskAPerson):
    """The truth is another one than the plan shows; nothing of it was approved."""


class PlanRefused(Misconfigured):
    """No such plan, a file that was altered, or keys that it does not hold."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was approved: the plan's hash, and the documents as they were shown."""

    plan: str
    documents: tuple[PlannedDocument, ...]


async def keep(c: Connected, plan: Plan) -> str:
    """Stores a plan that is shown to a person; its hash."""
    hashed = plan_hash(plan)
    # The database keeps numbers in its own form; what was hashed is kept as it was written.
    held: list[object] = [{"key": one.key} for one in plan.documents]
    body: JsonObject = {"documents": held, "text": to_json(plan)}
    async with c.store.transaction() as tx:
        await approvals.keep_plan(tx, StoredPlan(c.id, hashed, body, c.clock.now()))
    return hashed


async def stored_plan(store: Store, connection: ConnectionId, beginning: str) -> Plan:
    """The plan that was shown under a hash, or the beginning of one; raises PlanRefused."""
    if len(beginning) < SHORTEST_HASH:
        raise _refused(f"{beginning!r} is too short for a plan's hash.", "plan.hash")
    async with store.transaction() as tx:
        found = await approvals.plans_named(tx, connection, beginning)
    if len(found) != 1:
        known = "No plan was" if not found else "More than one plan was"
        raise _refused(f"{known} shown under {beginning}.", "plan.unknown")
    return msgspec.convert(from_json(str(found[0].body["text"])), Plan)


def plan_in_file(text: str) -> Plan:
    """A plan as `plan --out` wrote it; raises PlanRefused when it was altered since."""
    try:
        held = msgspec.convert(from_json(text), _PlanFile)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _refused(f"The file holds no plan: {error}.", "plan.unreadable") from error
    if plan_hash(held.plan) != held.hash:
        raise _refused("The file is not as it was written: its hash differs.", "plan.altered")
    return held.plan


@dataclass(frozen=True, slots=True)
class _PlanFile:
    """What a plan's file holds."""

    hash: str
    plan: Plan


def _refused(sentence: str, cause: str) -> PlanRefused:
    return PlanRefused(sentence, cause=cause, remedy=ANEW)


def chosen(
    plan: Plan, only: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[PlannedDocument, ...]:
    """The documents of a plan that are to be applied; raises PlanRefused for a key unknown to it.

    Without `only`, all but those in shadow mode and those that were declined.
    """
    known = {one.key for one in plan.documents}
    unknown = [key for key in (*only, *without) if key not in known]
    if unknown:
        raise _refused(f"The plan does not hold {', '.join(unknown)}.", "plan.unknown_key")
    shadows = [one.key for one in plan.documents if one.standing == Mode.SHADOW]
    asked = [key for key in only if key in shadows]
    if asked:
        sentence = f"In shadow mode nothing is written: {', '.join(asked)}."
        remedy = "Set the mode of its kind to approve or automatic in the mapping first."
        raise PlanRefused(sentence, cause="plan.shadow", remedy=remedy)
    resting = {one.key for one in plan.documents if one.standing == DECLINED}
    wanted = set(only) or known - set(shadows) - resting
    return tuple(one for one in plan.documents if one.key in wanted - set(without))


async def apply(
    c: Connected, plan: Plan, documents: Sequence[PlannedDocument], actor: str
) -> Applied:
    """Approves documents exactly as a plan has shown them, and queues the looks that write them.

    All or nothing: raises PlanMoved, with every difference, when either side, the mapping or a
    document has moved since. Reads again what each document rests on.
    """
    _same_connection(c, plan)
    await _same_mapping(c, plan)
    again = await draw_up_again(c, documents)
    hashed, now = plan_hash(plan), {one.key: one for one in again.documents}
    async with c.store.transaction() as tx:
        gone = _why_gone(documents, again.rest) | await _taken(c, tx, documents)
        differences = moved(documents, now, gone)
        if differences:
            raise _stale(*differences)
        await _approve(c, tx, documents, hashed, actor)
    return Applied(hashed, tuple(documents))


def _stale(*differences: str) -> PlanMoved:
    sentence = " ".join(("The plan is stale, nothing of it was applied.", *differences))
    return PlanMoved(sentence, cause="plan.moved", remedy=ANEW)


def _same_connection(c: Connected, plan: Plan) -> None:
    if plan.connection != c.id:
        raise _refused(f"The plan is one of the connection {plan.connection}.", "plan.connection")


async def _same_mapping(c: Connected, plan: Plan) -> None:
    """The mapping in force must be the plan's, in our hands as in the database."""
    async with c.store.transaction() as tx:
        stored = await mapping.current(tx, c.id)
    current = c.mapping.version if stored is None else stored.version
    if plan.mapping_version != current or current != c.mapping.version:
        raise _stale(f"The mapping was version {plan.mapping_version} and is version {current}.")


def _why_gone(documents: Sequence[PlannedDocument], rest: Sequence[NotPlanned]) -> dict[str, str]:
    """By key why a document is not planned any more, where a reason was met."""
    why = {one.subject: one.why for one in rest}
    subjects = {one.key: one.transaction or one.resource for one in documents}
    return {key: why[subject] for key, subject in subjects.items() if subject in why}


async def _taken(
    c: Connected, tx: AsyncConnection, documents: Sequence[PlannedDocument]
) -> dict[str, str]:
    """What Acumatica has, or may have, of the documents by now."""
    found: dict[str, str] = {}
    for document in documents:
        row = await postings.get(tx, c.id, PostingKey(document.key))
        if row is not None and row.taken:
            number = f" as {row.erp_type} {row.erp_number}" if row.erp_number else ""
            found[document.key] = f"it was posted meanwhile{number}."
    return found


async def _approve(
    c: Connected,
    tx: AsyncConnection,
    documents: Sequence[PlannedDocument],
    hashed: str,
    actor: str,
) -> None:
    now, version = c.clock.now(), c.mapping.version
    for one in documents:
        word = Approval(
            c.id, one.key, Verdict.APPROVED, one.body_hash, hashed, version, actor, "", now
        )
        await approvals.say(tx, word)
    looks = {Look(Kind(one.kind), one.resource) for one in documents}
    await look_all(tx, c.id, looks, not_before=now)
    for one in documents:
        detail: JsonObject = {"plan": hashed, "document": one.body_hash, "title": one.title}
        await audit.write(tx, c.id, actor, "approved", one.key, detail, now)


async def decline(c: Connected, keys: Sequence[str], why: str, actor: str) -> tuple[str, ...]:
    """A person does not want documents written; all or nothing.

    Each stays named in the tie-out with the reason, until it is applied by name after all. Raises
    PlanRefused for a key that nobody knows, PlanMoved for a document that stands already.
    """
    now = c.clock.now()
    async with c.store.transaction() as tx:
        looks = {await _declinable(c, tx, key) for key in keys}
        for key in keys:
            word = Approval(c.id, key, Verdict.DECLINED, "", "", c.mapping.version, actor, why, now)
            await approvals.say(tx, word)
        await look_all(tx, c.id, (at for at in looks if at), not_before=now)
        for key in keys:
            await audit.write(tx, c.id, actor, "declined", key, {"why": why}, now)
    return tuple(keys)


async def _declinable(c: Connected, tx: AsyncConnection, key: str) -> Look | None:
    """The look that names a declined document with its reason, where one does."""
    row = await postings.get(tx, c.id, PostingKey(key))
    if row is not None and row.taken:
        raise PlanMoved(
            f"{key} stands in Acumatica already, or may; nothing was declined.",
            cause="plan.taken",
            remedy="Reverse it there, if it shall not be.",
        )
    if row is None and not await approvals.was_shown(tx, c.id, key):
        raise _refused(f"Nobody knows {key}; nothing was declined.", "plan.unknown_key")
    if row is None:
        kind, _, resource = key.partition(":")
        return Look(Kind(kind), resource) if kind in (Kind.CUSTOMER, Kind.INVOICE) else None
    if row.purpose == Purpose.FEES_OF_PAYOUT:
        return Look(Kind.PAYOUT, row.transaction_id)
    bt = await transactions.get(tx, c.id, row.transaction_id)
    return None if bt is None else for_transaction(bt.id, bt.type, bt.source)


@dataclass(frozen=True, slots=True)
class After:
    """What became of an approved document: whether it is written, and as what, or why not."""

    key: str
    written: bool
    stands: str


async def outcomes(c: Connected, applied: Applied) -> tuple[After, ...]:
    """How each approved document stands now, from our own rows alone."""
    async with c.store.transaction() as tx:
        return tuple([await _after(c, tx, one) for one in applied.documents])


async def _after(c: Connected, tx: AsyncConnection, document: PlannedDocument) -> After:
    trouble = await troubles.get(tx, c.id, document.kind, document.resource)
    why = trouble.sentence if trouble is not None and trouble.open else ""
    if not document.transaction:
        return After(document.key, not why, why)
    row = await postings.get(tx, c.id, PostingKey(document.key))
    if row is not None and row.state is State.VERIFIED:
        return After(document.key, written=True, stands=f"as {row.erp_type} {row.erp_number}")
    return After(document.key, written=False, stands=why or "is on its way.")
