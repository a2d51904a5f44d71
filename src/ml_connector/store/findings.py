"""What people changed on documents that we had verified: one current finding per posting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, Text, any_, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.guardian import Edit, Grade
from ml_connector.books.postings import Purpose, State
from ml_connector.store.repair_tables import findings as table
from ml_connector.store.rows import JsonList, JsonObject, record, records
from ml_connector.store.tables import postings


class Decision(StrEnum):
    """What became of a finding."""

    OPEN = "open"
    """Waits for a person."""
    NOTED = "noted"
    """Harmless: kept, and nothing is asked."""
    ACCEPTED = "accepted"
    """A person said that it is meant so: what was seen is what is expected from now on."""
    RESTORED = "restored"
    """The document was reversed and posted anew."""
    RELINKED = "relinked"
    """The posting now stands in the document that replaced the old one."""
    GONE = "gone"
    """The document is as it was again, or was changed once more."""


CURRENT = (Decision.OPEN, Decision.NOTED, Decision.ACCEPTED)


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A change as it was found; `missing` is what the clearing account lacks through it.

    `other` is the document that reverses ours or stands in its place.
    """

    connection: ConnectionId
    key: PostingKey
    transaction_id: StripeId
    document: ErpRef
    other: ErpRef | None
    grade: Grade
    edits: Sequence[Edit]
    sentence: str
    missing: Money
    stake: Money
    seen: JsonObject | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as stored; `stake` is the amount of the document that was changed."""

    id: int
    connection: ConnectionId
    key: PostingKey
    transaction_id: StripeId
    document: ErpRef
    other: ErpRef | None
    grade: Grade
    edits: Sequence[Edit]
    sentence: str
    currency: str
    missing_minor: int
    stake_currency: str
    stake_minor: int
    seen: JsonObject | None
    state: Decision
    actor: str
    why: str
    found_at: datetime
    decided_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "grade", Grade(self.grade))
        object.__setattr__(self, "edits", tuple(Edit(str(one)) for one in self.edits))
        object.__setattr__(self, "state", Decision(self.state))

    @property
    def missing(self) -> Money:
        """What the clearing account lacks through the change."""
        return Money(self.missing_minor, self.currency)

    @property
    def stake(self) -> Money:
        """The amount of the document that was changed."""
        return Money(self.stake_minor, self.stake_currency)


async def current(tx: AsyncConnection, connection: ConnectionId, key: PostingKey) -> Finding | None:
    """The finding of a posting that counts now; None when the document is as it should be."""
    question = select(table).where(
        table.c.connection == connection, table.c.key == key, table.c.state.in_(CURRENT)
    )
    row = (await tx.execute(question)).mappings().one_or_none()
    return None if row is None else record(Finding, row)


async def get(tx: AsyncConnection, connection: ConnectionId, number: int) -> Finding | None:
    """One finding by its number."""
    question = select(table).where(table.c.connection == connection, table.c.id == number)
    row = (await tx.execute(question)).mappings().one_or_none()
    return None if row is None else record(Finding, row)


async def add(tx: AsyncConnection, new: NewFinding, state: Decision, now: datetime) -> Finding:
    """Stores a finding; the one that counted before must have been decided."""
    edits: JsonList = [str(one) for one in new.edits]
    values = {
        "connection": new.connection, "key": new.key, "transaction_id": new.transaction_id,
        "document": new.document, "other": new.other, "grade": new.grade, "edits": edits,
        "sentence": new.sentence, "currency": new.missing.currency,
        "missing_minor": new.missing.minor, "stake_currency": new.stake.currency,
        "stake_minor": new.stake.minor, "seen": new.seen, "state": state, "actor": "", "why": "",
        "found_at": now,
    }  # fmt: skip
    added = await tx.execute(insert(table).values(**values).returning(table))
    return record(Finding, added.mappings().one())


async def decide(  # noqa: PLR0917 - the facts of one decision
    tx: AsyncConnection, finding: Finding, state: Decision, actor: str, why: str, now: datetime
) -> bool:
    """Says what becomes of a finding; False when somebody else was faster."""
    statement = update(table).where(table.c.id == finding.id, table.c.state == finding.state)
    done = await tx.execute(statement.values(state=state, actor=actor, why=why, decided_at=now))
    return bool(done.rowcount)


async def in_state(tx: AsyncConnection, connection: ConnectionId, state: Decision) -> list[Finding]:
    """The findings of a connection in one state, oldest first."""
    question = select(table).where(table.c.connection == connection, table.c.state == state)
    return records(Finding, (await tx.execute(question.order_by(table.c.id))).mappings())


async def of_keys(
    tx: AsyncConnection, connection: ConnectionId, keys: Sequence[PostingKey]
) -> list[Finding]:
    """The findings of postings that count now, oldest first; of however many postings."""
    named = any_(literal(list(keys), ARRAY(Text)))  # one parameter, as a payout may have thousands
    question = select(table).where(
        table.c.connection == connection, table.c.key == named, table.c.state.in_(CURRENT)
    )
    return records(Finding, (await tx.execute(question.order_by(table.c.id))).mappings())


async def lacking(tx: AsyncConnection, connection: ConnectionId) -> list[Finding]:
    """The findings through which the clearing account lacks money, or has too much, now.

    A document that we have reversed since is not counted any more.
    """
    undone = exists().where(
        postings.c.connection == connection,
        postings.c.key == f"{Purpose.UNDO}:" + table.c.key,
        postings.c.state.in_((State.RELEASED, State.VERIFIED)),
    )
    question = select(table).where(
        table.c.connection == connection, table.c.state.in_((*CURRENT, Decision.RESTORED)),
        table.c.missing_minor != 0, ~undone,
    )  # fmt: skip
    return records(Finding, (await tx.execute(question.order_by(table.c.id))).mappings())
