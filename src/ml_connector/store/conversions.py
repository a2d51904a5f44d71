"""Conversions: the documents of movements that were paid in one currency and settled in another."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.books.postings import Purpose, State
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import records
from ml_connector.store.tables import postings as table

CONCERNED = (
    Purpose.PAYMENT,
    Purpose.VOID,
    Purpose.CONVERSION,
    Purpose.EXCHANGE,
    Purpose.RATE_DIFFERENCE,
)


async def every(tx: AsyncConnection, connection: ConnectionId) -> list[PostingRow]:
    """The documents of such movements, but for their fees, in order.

    Only what is in the ledger and was not undone.
    """
    stands = (State.CREATED, State.RELEASED, State.VERIFIED)
    other, whole = table.alias(), table.alias()
    undone = exists().where(
        other.c.connection == connection,
        other.c.key == f"{Purpose.UNDO}:" + table.c.key,
        other.c.state.in_(stands),
    )
    converted = select(whole.c.transaction_id).where(
        whole.c.connection == connection, whole.c.purpose == Purpose.CONVERSION
    )
    question = select(table).where(
        table.c.connection == connection,
        table.c.transaction_id.in_(converted),
        table.c.purpose.in_(CONCERNED),
        table.c.state.in_(stands),
        ~undone,
    )
    ordered = question.order_by(table.c.transaction_id, table.c.key)
    return records(PostingRow, (await tx.execute(ordered)).mappings())
