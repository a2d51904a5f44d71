"""What was really done under each version of the mapping: for whoever tries its choices out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.books.postings import IN_THE_LEDGER
from ml_connector.store.tables import (
    audit,
    balance_transactions,
    exchanges,
    links,
    mapping_versions,
    postings,
)


@dataclass(frozen=True, slots=True)
class Documents:
    """So many documents in the ledger of one purpose, planned under one version of the mapping.

    `pair` is the kind of Stripe movement (`charge/charge`), empty for what is of a whole payout;
    `on_account` marks payments that settle no invoice, `charged` those that carry their fee,
    `late` documents that stand on another day than their money's.
    """

    version: int
    purpose: str
    pair: str
    on_account: bool
    charged: bool
    late: bool
    count: int


async def documents(tx: AsyncConnection, connection: ConnectionId) -> list[Documents]:
    """Our documents in the ledger by mapping version, purpose and kind of movement."""
    applied = func.jsonb_array_length(postings.c.body["applications"])
    charges = func.jsonb_array_length(postings.c.body["charges"])
    pair = balance_transactions.c.type + "/" + balance_transactions.c.category
    same = and_(
        balance_transactions.c.connection == postings.c.connection,
        balance_transactions.c.id == postings.c.transaction_id,
    )
    columns = (
        postings.c.mapping_version,
        postings.c.purpose,
        func.coalesce(pair, ""),
        func.coalesce(applied == 0, False),
        func.coalesce(charges > 0, False),
        func.coalesce(postings.c.body["true_day"].astext, "") != "",
    )
    question = (
        select(*columns, func.count())
        .outerjoin(balance_transactions, same)
        .where(
            postings.c.connection == connection,
            postings.c.state.in_(IN_THE_LEDGER),
            postings.c.mapping_version.is_not(None),
        )
        .group_by(*columns)
    )
    return [Documents(*row) for row in await tx.execute(question)]


async def linked(
    tx: AsyncConnection, connection: ConnectionId, kind: str
) -> dict[tuple[int, str], int]:
    """Links of a kind by mapping version and by how each was found or made."""
    version = _in_force(links.c.connection, links.c.created_at)
    question = (
        select(version, links.c.how, func.count())
        .where(links.c.connection == connection, links.c.kind == kind)
        .group_by(version, links.c.how)
    )
    return {(found, how): count for found, how, count in await tx.execute(question)}


async def calls(tx: AsyncConnection, connection: ConnectionId, path: str) -> dict[int, int]:
    """Calls whose path fits a pattern (`%` stands for anything), by mapping version."""
    version = _in_force(exchanges.c.connection, exchanges.c.at)
    question = (
        select(version, func.count())
        .where(exchanges.c.connection == connection, exchanges.c.path.like(path))
        .group_by(version)
    )
    return dict((await tx.execute(question)).tuples().all())


async def done(tx: AsyncConnection, connection: ConnectionId, action: str) -> dict[int, int]:
    """Entries of the audit trail of one action, by mapping version."""
    version = _in_force(audit.c.connection, audit.c.at)
    question = (
        select(version, func.count())
        .where(audit.c.connection == connection, audit.c.action == action)
        .group_by(version)
    )
    return dict((await tx.execute(question)).tuples().all())


async def waited(tx: AsyncConnection, connection: ConnectionId, cause: str) -> dict[int, int]:
    """How many items began to wait for a cause that begins so, by mapping version."""
    version = _in_force(audit.c.connection, audit.c.at)
    question = (
        select(version, func.count())
        .where(
            audit.c.connection == connection,
            audit.c.action == "trouble",
            audit.c.detail["cause"].astext.startswith(cause, autoescape=True),
        )
        .group_by(version)
    )
    return dict((await tx.execute(question)).tuples().all())


def _in_force(connection: ColumnElement[str], at: ColumnElement[datetime]) -> ScalarSelect[int]:
    """The version of the mapping that was the newest at a moment."""
    return (
        select(func.max(mapping_versions.c.version))
        .where(mapping_versions.c.connection == connection, mapping_versions.c.created_at <= at)
        .scalar_subquery()
    )
