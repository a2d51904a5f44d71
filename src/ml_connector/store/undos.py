"""What people had undone: one row per undo, with the reversing documents in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.store.repair_tables import undos as table
from ml_connector.store.rows import record


@dataclass(frozen=True, slots=True)
class UndoRow:
    """One undo: which documents reverse, in order, and of which balance transactions."""

    id: int
    connection: ConnectionId
    what: str
    why: str
    actor: str
    repost: bool
    reversing: Sequence[PostingKey]
    transactions: Sequence[StripeId]
    created_at: datetime
    done_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reversing", tuple(self.reversing))
        object.__setattr__(self, "transactions", tuple(self.transactions))


async def add(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    what: str,
    why: str,
    actor: str,
    reversing: Sequence[PostingKey],
    transactions: Sequence[StripeId],
    now: datetime,
    *,
    repost: bool,
) -> UndoRow:
    """Stores an undo before anything of it is sent."""
    values = {
        "connection": connection, "what": what, "why": why, "actor": actor, "repost": repost,
        "reversing": list(reversing), "transactions": list(transactions), "created_at": now,
    }  # fmt: skip
    added = await tx.execute(insert(table).values(**values).returning(table))
    return record(UndoRow, added.mappings().one())


async def get(tx: AsyncConnection, connection: ConnectionId, undo: int) -> UndoRow:
    """One undo; raises Bug when there is none."""
    question = select(table).where(table.c.connection == connection, table.c.id == undo)
    row = (await tx.execute(question)).mappings().one_or_none()
    if row is None:
        raise Bug(f"There is no undo {undo}.")
    return record(UndoRow, row)


async def finish(tx: AsyncConnection, undo: UndoRow, now: datetime) -> bool:
    """Marks an undo as done; False when it was done before."""
    statement = update(table).where(table.c.id == undo.id, table.c.done_at.is_(None))
    return bool((await tx.execute(statement.values(done_at=now))).rowcount)
