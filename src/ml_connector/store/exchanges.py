"""The exchanges: every HTTP call that left the connector, redacted, with its duration."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import records
from ml_connector.store.tables import exchanges as table

AT_ONCE = 1000
"""Rows per statement: PostgreSQL takes 65,535 parameters."""

AN_ID = (
    r"/([a-z]+_[A-Za-z0-9_]{6,}"  # a Stripe id
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"  # a GUID
    r"|[A-Z0-9-]*[0-9]{3,}[A-Z0-9-]*"  # a document's number
    r"|[A-Z]{3,})"  # a customer's or account's name
    r"(?=/|$)"
)
"""A segment of a path that names one record, so that its calls count as one kind."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; bodies are redacted before they come here."""

    connection: ConnectionId
    at: datetime
    service: str
    method: str
    path: str
    status: int | None
    duration_ms: int
    resource: str = ""
    request_id: str = ""
    request: str = ""
    response: str = ""
    error: str = ""


async def record(tx: AsyncConnection, rows: Sequence[Exchange]) -> None:
    """Stores exchanges, many at once."""
    for start in range(0, len(rows), AT_ONCE):
        values = [asdict(row) for row in rows[start : start + AT_ONCE]]
        await tx.execute(insert(table).values(values))


async def of_resources(
    tx: AsyncConnection, connection: ConnectionId, resources: Collection[str]
) -> dict[str, int]:
    """How many calls each of some resources has cost so far, by resource."""
    mine = (table.c.connection == connection) & table.c.resource.in_(sorted(resources))
    question = select(table.c.resource, func.count()).where(mine).group_by(table.c.resource)
    found = await tx.execute(question.order_by(table.c.resource))
    return {row[0]: row[1] for row in found}


async def recent(
    tx: AsyncConnection,
    connection: ConnectionId,
    *,
    resource: str | None = None,
    failed_only: bool = False,
    limit: int = 100,
) -> list[Exchange]:
    """The last exchanges, newest first; of one resource, or only the failed ones, when asked."""
    columns = [column for column in table.c if column.name != "id"]
    question = select(*columns).where(table.c.connection == connection)
    if resource is not None:
        question = question.where(table.c.resource == resource)
    if failed_only:
        question = question.where(table.c.status.is_(None) | (table.c.status >= 400))  # noqa: PLR2004
    ordered = question.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    return records(Exchange, (await tx.execute(ordered)).mappings())


async def prune(
    tx: AsyncConnection, connection: ConnectionId, before: datetime, *, most: int = 10_000
) -> int:
    """Deletes what is older, the oldest first and so many at most; how many."""
    old = select(table.c.id).where(table.c.connection == connection, table.c.at < before)
    some = old.order_by(table.c.at).limit(most).with_for_update(skip_locked=True)
    return (await tx.execute(delete(table).where(table.c.id.in_(some)))).rowcount
