"""Late arrivals: documents that stand on another day than that on which their money moved."""

from datetime import date

from sqlalchemy import Date, cast, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.books.postings import Purpose, State
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import records
from ml_connector.store.tables import postings as table

_TRUE_DAY = table.c.body["true_day"].astext
_DAY = table.c.body["day"].astext


async def every(tx: AsyncConnection, connection: ConnectionId) -> list[PostingRow]:
    """The documents that were moved to an open day and not undone, by the day of their money."""
    other = table.alias()
    undone = exists().where(
        other.c.connection == connection,
        other.c.key == f"{Purpose.UNDO}:" + table.c.key,
        other.c.state.in_((State.RELEASED, State.VERIFIED)),
    )
    question = select(table).where(
        table.c.connection == connection,
        _TRUE_DAY.is_not(None),
        table.c.erp_number.is_not(None),
        ~undone,
    )
    ordered = question.order_by(_TRUE_DAY, table.c.key)
    return records(PostingRow, (await tx.execute(ordered)).mappings())


async def latest_day(tx: AsyncConnection, connection: ConnectionId) -> list[date]:
    """The last day that a document was moved to; empty when none was."""
    question = (
        select(cast(_DAY, Date))
        .where(table.c.connection == connection, _TRUE_DAY.is_not(None))
        .order_by(_DAY.desc())
        .limit(1)
    )
    return list((await tx.execute(question)).scalars())
