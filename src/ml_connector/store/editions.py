"""Which edition of a balance transaction's documents stands, and the way in and out of undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.books.editions import MARK
from ml_connector.books.postings import Purpose, State
from ml_connector.books.records import BalanceTransaction
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import record, records
from ml_connector.store.standing import is_gone, may_stand
from ml_connector.store.tables import balance_transactions, postings
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState


def waits(transaction_id: StripeId) -> str:
    """The cause of what a person has undone, until it is owed again."""
    return f"undo.waits:{transaction_id}"


async def locked(
    tx: AsyncConnection, connection: ConnectionId, transaction_id: StripeId
) -> BalanceTransactionRow | None:
    """A balance transaction, held until the end of the database transaction."""
    question = select(balance_transactions).where(
        balance_transactions.c.connection == connection, balance_transactions.c.id == transaction_id
    )
    row = (await tx.execute(question.with_for_update())).mappings().one_or_none()
    return None if row is None else record(BalanceTransactionRow, row)


async def latest(
    tx: AsyncConnection, connection: ConnectionId, key: PostingKey
) -> PostingRow | None:
    """The newest edition of a plain key that stands or is on its way; None when it was undone."""
    editions = or_(postings.c.key == key, postings.c.key.startswith(key + MARK, autoescape=True))
    question = select(postings).where(postings.c.connection == connection, editions, _current())
    row = (await tx.execute(question)).mappings().one_or_none()
    return None if row is None else record(PostingRow, row)


def _current() -> ColumnElement[bool]:
    """Whether a posting is of the edition in which its balance transaction stands."""
    named = func.nullif(func.split_part(postings.c.key, MARK, 2), "")
    opened = (
        select(balance_transactions.c.edition)
        .where(
            balance_transactions.c.connection == postings.c.connection,
            balance_transactions.c.id == postings.c.transaction_id,
        )
        .scalar_subquery()
    )
    return cast(func.coalesce(named, "1"), Integer) == func.coalesce(opened, 1)


async def undone(
    tx: AsyncConnection, connection: ConnectionId, transaction_id: StripeId, reason: str,
    now: datetime,
) -> None:  # fmt: skip
    """Opens the next edition of a balance transaction; it waits until it is owed again."""
    statement = update(balance_transactions).where(
        balance_transactions.c.connection == connection, balance_transactions.c.id == transaction_id
    )
    await tx.execute(
        statement.values(
            edition=balance_transactions.c.edition + 1,
            state=TransactionState.UNDONE,
            reason=reason,
            cause=waits(transaction_id),
            updated_at=now,
        )
    )


async def owe_again(
    tx: AsyncConnection, connection: ConnectionId, transaction_id: StripeId, now: datetime
) -> bool:
    """Lets an undone balance transaction be posted again; False while its undoing is under way."""
    unfinished = exists().where(
        postings.c.connection == connection,
        postings.c.transaction_id == transaction_id,
        postings.c.purpose == Purpose.UNDO,
        postings.c.state != State.VERIFIED,
    )
    statement = update(balance_transactions).where(
        balance_transactions.c.connection == connection,
        balance_transactions.c.id == transaction_id,
        balance_transactions.c.state == TransactionState.UNDONE,
        ~unfinished,
    )
    waits = {"state": TransactionState.SEEN, "reason": "It is owed again.", "cause": ""}
    done = await tx.execute(statement.values(**waits, updated_at=now))
    return bool(done.rowcount)


async def with_purposes(
    tx: AsyncConnection, connection: ConnectionId, purposes: Sequence[str]
) -> list[PostingRow]:
    """Every posting for one of the reasons that was not undone, by key."""
    question = select(postings).where(
        postings.c.connection == connection, postings.c.purpose.in_(purposes), _current()
    )
    return records(PostingRow, (await tx.execute(question.order_by(postings.c.key))).mappings())


async def gone_back(
    tx: AsyncConnection,
    connection: ConnectionId,
    first: BalanceTransactionRow | BalanceTransaction,
    *,
    purpose: Purpose | None = None,
) -> list[PostingRow]:
    """What Acumatica has, or may have, of later movements the other way; the earliest first.

    Of the same Stripe object or payment; or, as no release of a reserve names its hold, of every
    document for a purpose in the same currency.
    """
    if purpose is None and first.source is None:
        return []
    later = balance_transactions.alias()
    named = or_(later.c.source == first.source, later.c.charge == first.source)
    every = and_(later.c.currency == first.amount.currency, postings.c.purpose == purpose)
    mine = (later.c.connection == postings.c.connection) & (later.c.id == postings.c.transaction_id)
    question = (
        select(postings)
        .join(later, mine)
        .where(
            postings.c.connection == connection, named if purpose is None else every,
            later.c.id != first.id, later.c.created >= first.created,
            later.c.amount_minor * first.amount.minor < 0,
            postings.c.purpose != Purpose.UNDO, may_stand(postings), _current(),
        )
        .order_by(later.c.created, postings.c.key)
    )  # fmt: skip
    return records(PostingRow, (await tx.execute(question)).mappings())


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in one place of the ledger, in minor units; debits are positive."""

    account: str
    subaccount: str
    branch: str
    minor: int


async def standing_places(
    tx: AsyncConnection, connection: ConnectionId, purpose: str, currency: str, *, besides: StripeId
) -> list[Standing]:
    """Where journals for a reason stand against clearing, in a currency; the oldest place first.

    Those that are planned count, too, and none that people took away; of other movements than one.
    """
    every = func.jsonb_array_elements(postings.c.body["lines"])
    lines = every.table_valued(column("value", JSONB)).lateral()
    line = lines.c.value
    minor = cast(line["amount"]["minor"].astext, BigInteger)
    branch = postings.c.body["branch"].astext
    place = (line["account"].astext, line["subaccount"].astext, branch)
    question = (
        select(*place, func.sum(minor))
        .select_from(postings.join(lines, true()))
        .where(
            postings.c.connection == connection, postings.c.purpose == purpose,
            postings.c.currency == currency, postings.c.transaction_id != besides,
            postings.c.clearing_minor * minor < 0, ~is_gone(postings), _current(),
        )
        .group_by(*place)
        .having(func.sum(minor) != 0)
        .order_by(func.min(postings.c.created_at), *place)
    )  # fmt: skip
    return [Standing(a, s, b, int(sum_)) for a, s, b, sum_ in await tx.execute(question)]


async def made_by_mapping(
    tx: AsyncConnection, connection: ConnectionId, version: int
) -> list[StripeId]:
    """The balance transactions whose standing documents were planned under a mapping version."""
    question = select(postings.c.transaction_id).distinct().where(
        postings.c.connection == connection, postings.c.mapping_version == version,
        postings.c.purpose != Purpose.UNDO, _current(),
    )  # fmt: skip
    return [StripeId(row) for (row,) in await tx.execute(question)]


async def dated(
    tx: AsyncConnection, connection: ConnectionId, first: str, last: str
) -> list[StripeId]:
    """The balance transactions with a standing document dated from `first` to `last` (ISO)."""
    day = postings.c.body["day"].astext
    question = select(postings.c.transaction_id).distinct().where(
        postings.c.connection == connection, day >= first, day <= last,
        postings.c.purpose != Purpose.UNDO, _current(),
    )  # fmt: skip
    return [StripeId(row) for (row,) in await tx.execute(question)]
