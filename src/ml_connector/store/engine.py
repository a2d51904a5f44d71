"""The way into the database: transactions on connections that are opened when used."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic
from typing import cast

import psycopg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from ml_connector.basics.errors import Misconfigured
from ml_connector.store import schema
from ml_connector.store.rows import from_json, to_json

OVERFLOW = 100
"""A holder of one connection may need a second (a lock around a call): so nobody ever waits for
one that is held by a waiter. What bounds the number is how many jobs run at once."""
IDLE_SECONDS = 10.0
"""A connection that lay unused for longer is asked before it is used again. Asking before each
transaction would cost a third of its round trips."""

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""What the driver raises when the database, not our statement, is in trouble: try again."""


def is_away(error: BaseException) -> bool:
    """Whether an error, or each one of a group, comes of a database that does not answer."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(is_away(one) for one in group.exceptions)
    if isinstance(error, (*DATABASE_AWAY, psycopg.OperationalError)):
        return True
    return error.__cause__ is not None and is_away(error.__cause__)


class Store:
    """One PostgreSQL database of the connector; opens connections only when used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, pool_size: int = 10, idle_seconds: float = IDLE_SECONDS) -> "Store":
        """A store for `postgresql://…` or `postgresql+psycopg://…`; raises Misconfigured.

        A connection that lay idle for longer is asked first, and replaced when it is dead.
        """
        engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=OVERFLOW,
            # A statement's parameters are customers' data, and a traceback is kept.
            hide_parameters=True,
            json_serializer=to_json,
            json_deserializer=from_json,
        )
        _ask_after_idleness(engine, idle_seconds)
        return cls(engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends well, else rolled back."""
        async with self.engine.begin() as tx:
            yield tx

    @asynccontextmanager
    async def statement(self) -> AsyncGenerator[AsyncConnection]:
        """For one statement that needs no other with it: committed by itself, in one round trip.

        What it locks is free again when it ends. Two statements that belong together need a
        transaction.
        """
        async with self.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def dispose(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()

    async def migrate(self) -> None:
        """Brings the schema to this program's version; processes that start together queue."""
        async with self.transaction() as tx:
            await schema.bring_up(tx)

    async def version(self) -> str | None:
        """The schema's version in the database; None before the first migration."""
        async with self.transaction() as tx:
            return await schema.stored(tx)


def _ask_after_idleness(engine: AsyncEngine, idle_seconds: float) -> None:
    """Lets the pool ask a connection that lay idle for long whether it still lives."""
    pool, dialect = engine.sync_engine.pool, engine.sync_engine.dialect

    def put_back(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = monotonic()

    def taken(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        since = entry.info.pop("idle_since", None)
        if since is None or monotonic() - since <= idle_seconds:
            return
        try:
            dialect.do_ping(connection)
        except psycopg.Error as error:
            # The server went away, most likely: all that lay idle meanwhile goes with it.
            raise InvalidatePoolError from error

    event.listen(pool, "checkin", put_back)
    event.listen(pool, "checkout", taken)


def driver_url(url: str) -> str:
    """The URL with the driver that the store uses; raises Misconfigured for other databases."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise Misconfigured(
            f"The database URL begins with {scheme!r}, but the connector runs on PostgreSQL only.",
            cause="store.url",
            remedy="Set ML_DATABASE_URL to postgresql://user:password@host/database, or unset it.",
        )
    return f"postgresql+psycopg://{rest}"
