"""What people were shown, and what they said of it: plans and approvals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.books.approval import Said, Verdict
from ml_connector.store.rows import JsonObject, record, records
from ml_connector.store.tables import approvals, plans


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person said of one document; `plan` is the hash of what was shown."""

    connection: ConnectionId
    key: str
    verdict: Verdict
    body_hash: str
    plan: str
    mapping_version: int
    actor: str
    why: str
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", Verdict(self.verdict))

    @property
    def said(self) -> Said:
        """The word itself, as the rules need it."""
        return Said(self.verdict, self.body_hash, self.mapping_version, self.actor, self.why)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was shown."""

    connection: ConnectionId
    hash: str
    body: JsonObject
    made_at: datetime


async def say(tx: AsyncConnection, approval: Approval) -> None:
    """Stores a person's word on a document; a later word replaces an earlier one."""
    facts = {
        "verdict": approval.verdict,
        "body_hash": approval.body_hash,
        "plan": approval.plan,
        "mapping_version": approval.mapping_version,
        "actor": approval.actor,
        "why": approval.why,
        "at": approval.at,
    }
    statement = insert(approvals).values(connection=approval.connection, key=approval.key, **facts)
    keys = [approvals.c.connection, approvals.c.key]
    await tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=facts))


async def get(tx: AsyncConnection, connection: ConnectionId, key: str) -> Approval | None:
    """A person's word on a document; None when nobody said one."""
    row = (await tx.execute(select(approvals).where(_is(connection, key)))).mappings()
    found = row.one_or_none()
    return None if found is None else record(Approval, found)


async def every(tx: AsyncConnection, connection: ConnectionId) -> list[Approval]:
    """Every word that stands, by key."""
    question = select(approvals).where(approvals.c.connection == connection)
    return records(Approval, (await tx.execute(question.order_by(approvals.c.key))).mappings())


async def spend(tx: AsyncConnection, connection: ConnectionId, key: str) -> None:
    """An approval that was carried out is none for a second time; the audit trail keeps it."""
    await tx.execute(delete(approvals).where(_is(connection, key)))


async def keep_plan(tx: AsyncConnection, plan: StoredPlan) -> None:
    """Stores a plan once; the same plan again stays as it was first shown."""
    statement = insert(plans).values(
        connection=plan.connection, hash=plan.hash, body=plan.body, made_at=plan.made_at
    )
    await tx.execute(statement.on_conflict_do_nothing())


async def plans_named(
    tx: AsyncConnection, connection: ConnectionId, beginning: str
) -> Sequence[StoredPlan]:
    """The plans whose hash begins so: one, unless the beginning is too short."""
    question = select(plans).where(
        plans.c.connection == connection, plans.c.hash.startswith(beginning, autoescape=True)
    )
    return records(StoredPlan, (await tx.execute(question.order_by(plans.c.hash))).mappings())


async def was_shown(tx: AsyncConnection, connection: ConnectionId, key: str) -> bool:
    """Whether a plan that was shown holds a document of this key."""
    held: JsonObject = {"documents": [{"key": key}]}
    question = select(exists().where(plans.c.connection == connection, plans.c.body.contains(held)))
    return bool((await tx.execute(question)).scalar_one())


def _is(connection: ConnectionId, key: str) -> ColumnElement[bool]:
    return and_(approvals.c.connection == connection, approvals.c.key == key)
