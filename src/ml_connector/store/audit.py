"""The audit trail: who or what did what, and why; each row seals the one before it.

The hash of a row covers all its facts and the hash of the row before, per connection (the empty
name is the installation itself). The database refuses to change or delete rows; who gets around
that is found by `verify`.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import CursorResult, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.locks import one_at_a_time
from ml_connector.store.rows import JsonObject, record, records, to_json
from ml_connector.store.tables import Json, audit

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act; `previous` and `hash` chain it to the one before in its connection."""

    seq: int
    connection: ConnectionId
    at: datetime
    actor: str
    action: str
    subject: str
    detail: JsonObject
    previous: str
    hash: str

    def expected_hash(self) -> str:
        """The hash that these facts must have."""
        return chain_hash(
            self.connection, self.at, self.actor, self.action, self.subject, self.detail,
            self.previous,
        )  # fmt: skip


def chain_hash(  # noqa: PLR0917 - the facts of one row
    connection: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: JsonObject,
    previous: str,
) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no spaces) of all facts and the last hash."""
    facts = {
        "connection": connection,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
        "previous": previous,
    }
    return hashlib.sha256(to_json(facts).encode()).hexdigest()


async def write(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    actor: str,
    action: str,
    subject: str,
    detail: JsonObject,
    now: datetime,
) -> AuditEntry:
    """Adds one act to the connection's chain.

    Writers of one connection queue here until they commit: write it last in a transaction.
    """
    await one_at_a_time(tx, _lock(connection))
    mine = select(audit.c.hash).where(audit.c.connection == connection)
    last = mine.order_by(audit.c.seq.desc()).limit(1).scalar_subquery()
    # jsonb keeps numbers in its own form; what is hashed must be what will be read back.
    kept = await tx.execute(select(cast(literal(detail, Json), Json), func.coalesce(last, "")))
    stored, previous = kept.one()
    values = {
        "connection": connection,
        "at": now,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": stored,
        "previous": previous,
        "hash": chain_hash(connection, now, actor, action, subject, stored, previous),
    }
    added = await tx.execute(insert(audit).values(**values).returning(audit))
    return record(AuditEntry, added.mappings().one())


def _lock(connection: ConnectionId) -> str:
    return f"audit/{connection}"


async def show(tx: AsyncConnection, connection: ConnectionId, subject: str) -> list[AuditEntry]:
    """Everything that happened to a subject, oldest first."""
    same = (audit.c.connection == connection) & (audit.c.subject == subject)
    found = await tx.execute(select(audit).where(same).order_by(audit.c.seq))
    return records(AuditEntry, found.mappings())


async def of_subjects(
    tx: AsyncConnection, connection: ConnectionId, subjects: Collection[str]
) -> list[AuditEntry]:
    """Everything that happened to any of some subjects, oldest first."""
    same = (audit.c.connection == connection) & audit.c.subject.in_(sorted(subjects))
    found = await tx.execute(select(audit).where(same).order_by(audit.c.seq))
    return records(AuditEntry, found.mappings())


async def recent(
    tx: AsyncConnection, connection: ConnectionId, limit: int = 100
) -> list[AuditEntry]:
    """The last acts of a connection, newest first."""
    mine = select(audit).where(audit.c.connection == connection)
    found = await tx.execute(mine.order_by(audit.c.seq.desc()).limit(limit))
    return records(AuditEntry, found.mappings())


async def verify(tx: AsyncConnection, connection: ConnectionId | None = None) -> int | None:
    """Walks a chain, or all of them; the first row (`seq`) that does not fit, or None."""
    last: dict[str, str] = {}
    broken: int | None = None
    seen = 0
    while broken is None:
        page = await _page(tx, connection, seen)
        rows = records(AuditEntry, page.mappings())
        if not rows:
            return None
        broken = _first_broken(rows, last)
        seen = rows[-1].seq
    return broken


def _first_broken(rows: list[AuditEntry], last: dict[str, str]) -> int | None:
    for row in rows:
        if row.previous != last.get(row.connection, "") or row.hash != row.expected_hash():
            return row.seq
        last[row.connection] = row.hash
    return None


async def _page(
    tx: AsyncConnection, connection: ConnectionId | None, after: int
) -> CursorResult[object]:
    question = select(audit).where(audit.c.seq > after)
    if connection is not None:
        question = question.where(audit.c.connection == connection)
    return await tx.execute(question.order_by(audit.c.seq).limit(AT_ONCE))
