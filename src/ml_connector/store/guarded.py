"""The documents that are watched for changes by people, and what makes them another's."""

from collections.abc import Sequence

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, erp_keys
from ml_connector.books.postings import Purpose, State
from ml_connector.store.locks import one_at_a_time
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, records
from ml_connector.store.tables import postings as table


async def standing(
    tx: AsyncConnection, connection: ConnectionId, kinds: Sequence[str]
) -> list[PostingRow]:
    """The verified postings of some kinds of documents that we have not undone, by key."""
    other = table.alias()
    undone = exists().where(
        other.c.connection == connection, other.c.key == f"{Purpose.UNDO}:" + table.c.key
    )
    question = select(table).where(
        table.c.connection == connection, table.c.state == State.VERIFIED,
        table.c.kind.in_(kinds), ~undone,
    )  # fmt: skip
    return records(PostingRow, (await tx.execute(question.order_by(table.c.key))).mappings())


async def reversed_by_us(
    tx: AsyncConnection, connection: ConnectionId, ref: ErpRef, keys: Sequence[PostingKey]
) -> bool:
    """Whether a document is taken back, or being taken back, by one of our own."""
    voids: JsonObject = {"payment": ref}
    question = select(
        exists().where(
            table.c.connection == connection,
            or_(
                table.c.key.in_([f"{Purpose.UNDO}:{key}" for key in keys]),
                (table.c.kind == "void") & table.c.body.contains(voids),
            ),
            table.c.state != State.PLANNED,
        )
    )
    return bool((await tx.execute(question)).scalar_one())


async def hold(tx: AsyncConnection, connection: ConnectionId, ref: ErpRef) -> None:
    """Lets one transaction at a time decide what stands in a document; to be asked for first."""
    await one_at_a_time(tx, f"{connection}/stands in/{ref}")


async def relink(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    row: PostingRow,
    ref: ErpRef,
    erp_id: str,
    read_back: JsonObject,
    read_back_hash: str,
) -> bool:
    """A verified posting stands in another document from now on, as that was read back.

    False when it is not verified any more.
    """
    kind, number = erp_keys(ref)
    statement = update(table).where(
        table.c.connection == row.connection, table.c.key == row.key,
        table.c.state == State.VERIFIED,
    )  # fmt: skip
    done = await tx.execute(
        statement.values(
            erp_type=kind,
            erp_number=number,
            erp_id=erp_id,
            read_back=read_back,
            read_back_hash=read_back_hash,
        )
    )
    return bool(done.rowcount)
