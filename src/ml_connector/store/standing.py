"""What stands on an account by our own documents: those that Acumatica has, or may have."""

from sqlalchemy import BigInteger, ColumnElement, cast, column, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.books.postings import State
from ml_connector.store.tables import postings

_voids = postings.alias()


async def on_clearing(tx: AsyncConnection, connection: ConnectionId) -> dict[str, Money]:
    """What all documents together do to the clearing account of each currency."""
    question = (
        select(postings.c.currency, func.sum(postings.c.clearing_minor))
        .where(postings.c.connection == connection, _taken())
        .group_by(postings.c.currency)
    )
    return {code: Money(int(minor), code) for code, minor in await tx.execute(question)}


async def in_transit(
    tx: AsyncConnection, connection: ConnectionId, cash: str, account: str, currency: str
) -> Money:
    """What stands on a transit account: its payments that were not undone, and its journals."""
    paid = await tx.execute(
        select(func.sum(cast(postings.c.body["amount"]["minor"].astext, BigInteger))).where(
            postings.c.connection == connection,
            postings.c.kind == "payment",
            postings.c.body["cash_account"].astext == cash,
            _taken(),
            ~_undone(),
        )
    )
    every = func.jsonb_array_elements(postings.c.body["lines"])
    lines = every.table_valued(column("value", JSONB)).lateral()
    amount = lines.c.value["amount"]
    moved = await tx.execute(
        select(func.sum(cast(amount["minor"].astext, BigInteger)))
        .select_from(postings.join(lines, true()))
        .where(
            postings.c.connection == connection,
            postings.c.kind == "journal",
            lines.c.value["account"].astext == account,
            amount["currency"].astext == currency,
            _taken(),
        )
    )
    return Money(int(paid.scalar_one() or 0) + int(moved.scalar_one() or 0), currency)


def _taken() -> ColumnElement[bool]:
    return or_(postings.c.erp_number.is_not(None), postings.c.state == State.SENDING)


def _undone() -> ColumnElement[bool]:
    """Whether a payment was voided, by a bank or by a person's undo."""
    return exists().where(
        _voids.c.connection == postings.c.connection,
        _voids.c.kind == "void",
        _voids.c.body["payment"].astext == postings.c.erp_type + "|" + postings.c.erp_number,
        or_(_voids.c.erp_number.is_not(None), _voids.c.state == State.SENDING),
    )
