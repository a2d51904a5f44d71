"""The mapping's versions: which accounts and policies were in force when, and who said so."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.store.locks import one_at_a_time
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import connections, postings
from ml_connector.store.tables import mapping_versions as table


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One version: `body` as parsed, `text` as a person wrote it."""

    connection: ConnectionId
    version: int
    body: JsonObject
    text: str
    created_at: datetime
    author: str
    note: str


@dataclass(frozen=True, slots=True)
class MadeUnder:
    """The documents in Acumatica that were made under one version, of one currency.

    `clearing` is what they change the clearing account by, all together.
    """

    version: int
    currency: str
    count: int
    clearing: Money


async def made_under(tx: AsyncConnection, connection: ConnectionId) -> list[MadeUnder]:
    """How much was posted under each version, by currency."""
    which = postings.c.mapping_version, postings.c.currency
    question = (
        select(*which, func.count(), func.sum(postings.c.clearing_minor))
        .where(
            postings.c.connection == connection,
            postings.c.erp_number.is_not(None),
        )
        .group_by(*which)
        .order_by(*which)
    )
    return [
        MadeUnder(version, currency, count, Money(int(minor), currency))
        for version, currency, count, minor in await tx.execute(question)
        if version is not None
    ]


async def add_version(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    body: JsonObject,
    written: str,
    author: str,
    note: str = "",
    *,
    now: datetime | None = None,
) -> int:
    """Stores a new version; its number, from 1.

    It comes in force by `connections.set_mapping_version`.
    """
    await one_at_a_time(tx, f"mapping/{connection}")
    newest = select(func.max(table.c.version)).where(table.c.connection == connection)
    version = ((await tx.execute(newest)).scalar_one() or 0) + 1
    statement = insert(table).values(
        connection=connection,
        version=version,
        body=body,
        text=written,
        author=author,
        note=note,
        created_at=moment(now),
    )
    await tx.execute(statement)
    return version


async def current(tx: AsyncConnection, connection: ConnectionId) -> MappingVersion | None:
    """The version in force; the newest when the connection names none, None when there is none."""
    chosen = select(connections.c.mapping_version).where(connections.c.id == connection)
    newest = select(func.max(table.c.version)).where(table.c.connection == connection)
    wanted = func.coalesce(chosen.scalar_subquery(), newest.scalar_subquery())
    same = and_(table.c.connection == connection, table.c.version == wanted)
    row = (await tx.execute(select(table).where(same))).mappings().one_or_none()
    return None if row is None else record(MappingVersion, row)


async def get(tx: AsyncConnection, connection: ConnectionId, version: int) -> MappingVersion | None:
    """One version by its number."""
    same = and_(table.c.connection == connection, table.c.version == version)
    row = (await tx.execute(select(table).where(same))).mappings().one_or_none()
    return None if row is None else record(MappingVersion, row)


async def every(tx: AsyncConnection, connection: ConnectionId) -> list[MappingVersion]:
    """All versions, newest first."""
    mine = select(table).where(table.c.connection == connection)
    found = await tx.execute(mine.order_by(table.c.version.desc()))
    return records(MappingVersion, found.mappings())
