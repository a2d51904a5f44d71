"""The links: this Stripe object is that ERP record, and how we know."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, ErpRef, StripeId
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import links


class LinkWouldMove(Bug):
    """A Stripe object that is one ERP record already cannot quietly become another."""

    def __init__(self, stripe_id: StripeId, stored: ErpRef, wanted: ErpRef) -> None:
        super().__init__(
            f"{stripe_id} is linked to {stored}; it cannot be linked to {wanted} as well.",
            cause="link.would_move",
            remedy="Look at both records; a person must decide which one it is.",
        )


@dataclass(frozen=True, slots=True)
class Link:
    """One Stripe object and one ERP record; `how` says by which evidence they were joined."""

    connection: ConnectionId
    kind: str
    stripe_id: StripeId
    erp_ref: ErpRef
    how: str
    detail: JsonObject = field(default_factory=dict[str, object])
    created_at: datetime | None = None


async def add(tx: AsyncConnection, link: Link, *, now: datetime | None = None) -> Link:
    """Stores a link, or adds its detail to the same link; raises LinkWouldMove."""
    statement = insert(links).values(
        connection=link.connection,
        kind=link.kind,
        stripe_id=link.stripe_id,
        erp_ref=link.erp_ref,
        how=link.how,
        detail=link.detail,
        created_at=moment(now if link.created_at is None else link.created_at),
    )
    statement = statement.on_conflict_do_update(
        index_elements=[links.c.connection, links.c.kind, links.c.stripe_id],
        set_={"detail": links.c.detail.concat(statement.excluded.detail)},
        where=links.c.erp_ref == statement.excluded.erp_ref,
    )
    row = (await tx.execute(statement.returning(links))).mappings().one_or_none()
    if row is not None:
        return record(Link, row)
    stored = await by_stripe(tx, link.connection, link.kind, link.stripe_id)
    raise LinkWouldMove(link.stripe_id, stored.erp_ref if stored else ErpRef("?"), link.erp_ref)


async def by_stripe(
    tx: AsyncConnection, connection: ConnectionId, kind: str, stripe_id: StripeId
) -> Link | None:
    """The link of a Stripe object; None when it has none."""
    question = select(links).where(
        links.c.connection == connection, links.c.kind == kind, links.c.stripe_id == stripe_id
    )
    row = (await tx.execute(question)).mappings().one_or_none()
    return None if row is None else record(Link, row)


async def by_erp(
    tx: AsyncConnection, connection: ConnectionId, kind: str, erp_ref: ErpRef
) -> list[Link]:
    """The links of an ERP record, oldest first: it may have several Stripe objects over time."""
    question = select(links).where(
        links.c.connection == connection, links.c.kind == kind, links.c.erp_ref == erp_ref
    )
    ordered = question.order_by(links.c.created_at, links.c.stripe_id)
    return records(Link, (await tx.execute(ordered)).mappings())


async def with_detail(
    tx: AsyncConnection, connection: ConnectionId, kind: str, detail: JsonObject
) -> list[Link]:
    """The links of a kind whose detail contains all of this, oldest first."""
    question = select(links).where(
        links.c.connection == connection, links.c.kind == kind, links.c.detail.contains(detail)
    )
    ordered = question.order_by(links.c.created_at, links.c.stripe_id)
    return records(Link, (await tx.execute(ordered)).mappings())


URL_ENDS = "url_ends"
"""Until when the payment link works that a mirrored invoice's link keeps; empty when nobody
needs one any more."""


async def with_ending_url(
    tx: AsyncConnection, connection: ConnectionId, kind: str, before: datetime
) -> list[Link]:
    """The links of a kind whose payment link ends before a moment, or nobody knows when."""
    ends = func.coalesce(links.c.detail[URL_ENDS].astext, "0")
    question = select(links).where(
        links.c.connection == connection, links.c.kind == kind,
        ends != "", ends < before.astimezone(UTC).isoformat(),
    )  # fmt: skip
    return records(Link, (await tx.execute(question.order_by(links.c.stripe_id))).mappings())


async def every(
    tx: AsyncConnection, connection: ConnectionId, kind: str | None = None
) -> list[Link]:
    """All links of a connection, or of one kind."""
    question = select(links).where(links.c.connection == connection)
    if kind is not None:
        question = question.where(links.c.kind == kind)
    ordered = question.order_by(links.c.kind, links.c.stripe_id)
    return records(Link, (await tx.execute(ordered)).mappings())


async def amend_detail(
    tx: AsyncConnection,
    connection: ConnectionId,
    kind: str,
    stripe_id: StripeId,
    changes: JsonObject,
) -> Link:
    """Adds to, or replaces parts of, a link's detail; raises Bug when there is no such link."""
    statement = update(links).where(
        links.c.connection == connection, links.c.kind == kind, links.c.stripe_id == stripe_id
    )
    merged = statement.values(detail=links.c.detail.concat(changes)).returning(links)
    row = (await tx.execute(merged)).mappings().one_or_none()
    if row is None:
        raise Bug(f"There is no {kind} link of {stripe_id} to amend.")
    return record(Link, row)


async def remove(
    tx: AsyncConnection, connection: ConnectionId, kind: str, stripe_id: StripeId
) -> None:
    """Forgets a link whose Stripe object is gone; the audit trail keeps that it was there."""
    same = and_(
        links.c.connection == connection, links.c.kind == kind, links.c.stripe_id == stripe_id
    )
    await tx.execute(delete(links).where(same))
