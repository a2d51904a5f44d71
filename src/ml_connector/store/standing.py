"""What stands on an account by our own documents: those that Acumatica has, or may have."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.books.postings import GONE, State
from ml_connector.store.tables import postings

_voids = postings.alias()


async def on_clearing(tx: AsyncConnection, connection: ConnectionId) -> dict[str, Money]:
    """What all documents together do to the clearing account of each currency."""
    question = (
        select(postings.c.currency, func.sum(postings.c.clearing_minor))
        .where(postings.c.connection == connection, may_stand(postings))
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
            may_stand(postings),
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
            may_stand(postings),
        )
    )
    return Money(int(paid.scalar_one() or 0) + int(moved.scalar_one() or 0), currency)


def may_stand(table: FromClause) -> ColumnElement[bool]:
    """Whether Acumatica has a posting's document, or may have it; what people took away is gone."""
    there = and_(table.c.erp_number.is_not(None), ~is_gone(table))
    return or_(there, table.c.state == State.SENDING)


def is_gone(table: FromClause) -> ColumnElement[bool]:
    """Whether people took a posting's document away before it was proven."""
    cause = func.coalesce(table.c.failure["cause"].astext, "")
    return and_(table.c.state == State.FAILED, or_(*(cause.startswith(one) for one in GONE)))


def _undone() -> ColumnElement[bool]:
    """Whether a payment was voided, by a bank or by a person's undo."""
    return exists().where(
        _voids.c.connection == postings.c.connection,
        _voids.c.kind == "void",
        _voids.c.body["payment"].astext == postings.c.erp_type + "|" + postings.c.erp_number,
        may_stand(_voids),
    )
