"""The postings: one row per document and reason, moved by whoever holds its claim.

A row is written before anything is sent. Whoever works on it claims it with a token of its own;
every move is a compare-and-set on that token and on the state, so a worker that slept while
another took over is stopped at its next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import Unpack

from ml_connector.basics.errors import Bug, TryAgain
from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.postings import GONE, State, may_move
from ml_connector.store.rows import JsonObject, moment, record, records
from ml_connector.store.tables import postings as table


class LostClaim(TryAgain):
    """Another worker holds the posting now: stop, touch nothing, let it go on."""

    def __init__(self, key: PostingKey) -> None:
        super().__init__(
            f"Another worker has taken over the posting {key}.",
            cause="posting.lost_claim",
            remedy="Nothing to do: the other worker goes on with it.",
        )


class NotAllowed(Bug):
    """A move that the table of moves does not have."""

    def __init__(self, key: PostingKey, start: State, end: State, why: str = "") -> None:
        super().__init__(
            f"The posting {key} may not go from {start} to {end}{why}.",
            cause=f"posting.not_allowed:{start}:{end}",
        )


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A posting as planned; `clearing` is its signed effect on the clearing account."""

    connection: ConnectionId
    key: PostingKey
    kind: str
    purpose: str
    transaction_id: StripeId
    tag: str
    clearing: Money
    body: JsonObject
    mapping_version: int | None = None


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A posting as stored. `attempts` counts how often it was sent."""

    connection: ConnectionId
    key: PostingKey
    kind: str
    purpose: str
    transaction_id: StripeId
    tag: str
    currency: str
    clearing_minor: int
    body: JsonObject
    mapping_version: int | None
    state: State
    claim: str | None
    claimed_at: datetime | None
    sending_at: datetime | None
    erp_type: str | None
    erp_number: str | None
    erp_id: str | None
    read_back: JsonObject | None
    read_back_hash: str | None
    failure: JsonObject | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    verified_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def clearing(self) -> Money:
        """What the document changes the clearing account by."""
        return Money(self.clearing_minor, self.currency)

    @property
    def taken(self) -> bool:
        """Whether a document of it stands in Acumatica, or may stand there."""
        return self.erp_number is not None or self.state is State.SENDING

    @property
    def gone(self) -> bool:
        """Whether its document was deleted or voided before its proof."""
        return self.failure is not None and str(self.failure["cause"]).startswith(GONE)


@dataclass(frozen=True, slots=True)
class PostingSum:
    """The postings of one currency and state: how many, and their effect on the clearing."""

    currency: str
    state: State
    count: int
    clearing: Money


class Facts(TypedDict, total=False):
    """What a move may learn about the document."""

    erp_type: str | None
    erp_number: str | None
    erp_id: str | None
    read_back: JsonObject | None
    read_back_hash: str | None
    failure: JsonObject | None


async def plan(
    tx: AsyncConnection, rows: Sequence[NewPosting], *, now: datetime | None = None
) -> list[PostingRow]:
    """Stores what is planned, once per key; the rows as stored, in the order given.

    Planning again replaces the plan while nothing of it stands in Acumatica: the row is still
    `planned`, or its document was refused (the mapping may be another one since). What was sent
    and taken, or perhaps taken, stays as it was sent.
    """
    if not rows:
        return []
    # In one order everywhere, so that two planners never wait for each other in a ring.
    ordered = sorted({(r.connection, r.key): r for r in rows}.items())
    statement = insert(table).values([_columns(row, now) for _, row in ordered])
    excluded = statement.excluded
    changing = ("kind", "purpose", "transaction_id", "currency", "clearing_minor", "body")
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.connection, table.c.key],
        set_={name: excluded[name] for name in (*changing, "mapping_version", "updated_at")},
        where=and_(
            or_(
                table.c.state == State.PLANNED,
                and_(table.c.state == State.FAILED, table.c.erp_number.is_(None)),
            ),
            or_(*(excluded[name] != table.c[name] for name in changing)),
        ),
    )
    await tx.execute(statement)
    return [await _stored(tx, row.connection, row.key) for row in rows]


async def forget_unsent(
    tx: AsyncConnection,
    connection: ConnectionId,
    transaction_id: StripeId,
    besides: Sequence[PostingKey],
) -> None:
    """Drops what was planned for a transaction under another mapping and never taken.

    `besides` are the keys that are still planned. What Acumatica has, or may have, stays.
    """
    unsent = or_(
        table.c.state == State.PLANNED,
        and_(table.c.state == State.FAILED, table.c.erp_number.is_(None)),
    )
    statement = delete(table).where(
        table.c.connection == connection,
        table.c.transaction_id == transaction_id,
        table.c.key.not_in(besides),
        unsent,
    )
    await tx.execute(statement)


def _columns(row: NewPosting, now: datetime | None) -> dict[str, object]:
    return {
        "connection": row.connection,
        "key": row.key,
        "kind": row.kind,
        "purpose": row.purpose,
        "transaction_id": row.transaction_id,
        "tag": row.tag,
        "currency": row.clearing.currency,
        "clearing_minor": row.clearing.minor,
        "body": row.body,
        "mapping_version": row.mapping_version,
        "state": State.PLANNED,
        "attempts": 0,
        "created_at": moment(now),
        "updated_at": moment(now),
    }


async def claim(  # noqa: PLR0917 - the facts of one row
    tx: AsyncConnection,
    connection: ConnectionId,
    key: PostingKey,
    token: str,
    now: datetime,
    stale_after: timedelta,
) -> PostingRow | None:
    """Takes the posting for one worker; None while another holds it and is not stale."""
    free = or_(
        table.c.claim.is_(None), table.c.claim == token, table.c.claimed_at <= now - stale_after
    )
    statement = update(table).where(_is(connection, key), free)
    taken = statement.values(claim=token, claimed_at=now).returning(table)
    row = (await tx.execute(taken)).mappings().one_or_none()
    return None if row is None else record(PostingRow, row)


async def let_go(
    tx: AsyncConnection, connection: ConnectionId, key: PostingKey, token: str
) -> None:
    """Frees the posting for the next worker; does nothing when the claim is lost already."""
    statement = update(table).where(_is(connection, key), table.c.claim == token)
    await tx.execute(statement.values(claim=None, claimed_at=None))


async def move(
    tx: AsyncConnection,
    row: PostingRow,
    token: str,
    to_state: State,
    *,
    now: datetime,
    nothing_found: bool = False,
    **facts: Unpack[Facts],
) -> PostingRow:
    """Moves a claimed posting on, with what was learned; the row as it is now.

    From `sending` back to `planned` only with `nothing_found`: a search has shown that the send
    had no effect. `verified` and `failed` end the claim. Raises LostClaim when another worker
    took over, NotAllowed (a Bug) for a move outside the table of moves.
    """
    if not may_move(row.state, to_state):
        raise NotAllowed(row.key, row.state, to_state)
    if (row.state, to_state) == (State.SENDING, State.PLANNED) and not nothing_found:
        raise NotAllowed(row.key, row.state, to_state, " before a search has found nothing")
    same = and_(
        _is(row.connection, row.key),
        table.c.claim == token,
        table.c.state == row.state,
        # What is sent is what this worker read, not what was planned anew meanwhile.
        table.c.body == row.body,
    )
    values: dict[str, object] = {"failure": None, **facts, **_stamps(row, to_state, now)}
    moved = update(table).where(same).values(**values).returning(table)
    found = (await tx.execute(moved)).mappings().one_or_none()
    if found is not None:
        return record(PostingRow, found)
    raise await _why_not(tx, row, token, to_state)


async def amend(
    tx: AsyncConnection, row: PostingRow, token: str, body: JsonObject, *, now: datetime
) -> PostingRow:
    """Another text for a claimed posting that was refused as it was; raises LostClaim."""
    same = and_(_is(row.connection, row.key), table.c.claim == token, table.c.state == row.state)
    changed = update(table).where(same).values(body=body, updated_at=now).returning(table)
    found = (await tx.execute(changed)).mappings().one_or_none()
    if found is None:
        raise LostClaim(row.key)
    return record(PostingRow, found)


async def make_anew(tx: AsyncConnection, connection: ConnectionId, key: PostingKey) -> None:
    """A person wants a failed posting's document again: it is looked for, and sent if not there."""
    statement = update(table).where(_is(connection, key), table.c.state == State.FAILED)
    nothing = dict.fromkeys(("erp_type", "erp_number", "erp_id", "failure"))
    await tx.execute(statement.values(state=State.SENDING, **nothing))


def _stamps(row: PostingRow, to_state: State, now: datetime) -> dict[str, object]:
    stamps: dict[str, object] = {"state": to_state, "updated_at": now}
    if to_state is State.SENDING:
        stamps |= {"sending_at": now, "attempts": row.attempts + 1}
    if to_state is State.VERIFIED:
        stamps["verified_at"] = now
    if to_state in {State.VERIFIED, State.FAILED}:
        stamps |= {"claim": None, "claimed_at": None}
    return stamps


async def _why_not(
    tx: AsyncConnection, row: PostingRow, token: str, to_state: State
) -> LostClaim | NotAllowed:
    stored = await get(tx, row.connection, row.key)
    if stored is None or stored.claim != token:
        return LostClaim(row.key)
    why = f": it is {stored.state} now" if stored.state != row.state else ": it was planned anew"
    return NotAllowed(row.key, row.state, to_state, why)


async def get(tx: AsyncConnection, connection: ConnectionId, key: PostingKey) -> PostingRow | None:
    """The posting of a key; None when nothing was ever planned under it."""
    row = (await tx.execute(select(table).where(_is(connection, key)))).mappings().one_or_none()
    return None if row is None else record(PostingRow, row)


async def by_transaction(
    tx: AsyncConnection, connection: ConnectionId, transaction_id: StripeId
) -> list[PostingRow]:
    """The postings of one balance transaction, by key."""
    return await _where(tx, connection, table.c.transaction_id == transaction_id)


async def before_release(tx: AsyncConnection, connection: ConnectionId) -> list[PostingRow]:
    """Every posting that is planned, refused, or made and not released yet, by key."""
    early = (State.PLANNED, State.CREATED, State.FAILED)
    return await _where(tx, connection, table.c.state.in_([str(one) for one in early]))


async def of_purpose(
    tx: AsyncConnection, connection: ConnectionId, purpose: str
) -> list[PostingRow]:
    """The postings for one reason, by key."""
    return await _where(tx, connection, table.c.purpose == purpose)


async def by_erp(
    tx: AsyncConnection, connection: ConnectionId, erp_type: str, erp_number: str
) -> list[PostingRow]:
    """The postings that stand in this Acumatica document: one, unless something is wrong."""
    same = and_(table.c.erp_type == erp_type, table.c.erp_number == erp_number)
    return await _where(tx, connection, same)


async def by_tag(tx: AsyncConnection, connection: ConnectionId, tag: str) -> list[PostingRow]:
    """The postings that carry this mark in Acumatica."""
    return await _where(tx, connection, table.c.tag == tag)


async def charged_with(tx: AsyncConnection, connection: ConnectionId, entry_type: str) -> bool:
    """Whether a payment was read back with a charge of this entry type."""
    charge: JsonObject = {"charges": [{"entry_type": entry_type}]}
    question = select(func.count()).where(
        table.c.connection == connection,
        table.c.body.contains(charge),
        table.c.read_back.contains(charge),
    )
    return bool((await tx.execute(question)).scalar_one())


async def documents(tx: AsyncConnection, connection: ConnectionId) -> set[tuple[str, str]]:
    """Type and number of every Acumatica document that is ours."""
    question = select(table.c.erp_type, table.c.erp_number).where(
        table.c.connection == connection, table.c.erp_number.is_not(None)
    )
    return {(kind or "", number or "") for kind, number in await tx.execute(question)}


async def sums(tx: AsyncConnection, connection: ConnectionId) -> list[PostingSum]:
    """The effect on the clearing account, added up per currency and state."""
    question = (
        select(table.c.currency, table.c.state, func.count(), func.sum(table.c.clearing_minor))
        .where(table.c.connection == connection)
        .group_by(table.c.currency, table.c.state)
        .order_by(table.c.currency, table.c.state)
    )
    return [
        PostingSum(currency, State(state), count, Money(int(minor), currency))
        for currency, state, count, minor in await tx.execute(question)
    ]


async def _stored(tx: AsyncConnection, connection: ConnectionId, key: PostingKey) -> PostingRow:
    found = await tx.execute(select(table).where(_is(connection, key)))
    return record(PostingRow, found.mappings().one())


async def _where(
    tx: AsyncConnection, connection: ConnectionId, condition: ColumnElement[bool]
) -> list[PostingRow]:
    question = select(table).where(table.c.connection == connection, condition)
    return records(PostingRow, (await tx.execute(question.order_by(table.c.key))).mappings())


def _is(connection: ConnectionId, key: PostingKey) -> ColumnElement[bool]:
    return and_(table.c.connection == connection, table.c.key == key)
