"""The way into the database: transactions on connections that are opened when used."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ml_connector.basics.errors import Misconfigured
from ml_connector.store import schema
from ml_connector.store.rows import from_json, to_json

OVERFLOW = 100
"""A holder of one connection may need a second (a lock around a call): so nobody ever waits for
one that is held by a waiter. What bounds the number is how many jobs run at once."""

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""What the driver raises when the database, not our statement, is in trouble: try again."""


class Store:
    """One PostgreSQL database of the connector; opens connections only when used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, pool_size: int = 10) -> "Store":
        """A store for `postgresql://…` or `postgresql+psycopg://…`; raises Misconfigured."""
        engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=OVERFLOW,
            pool_pre_ping=True,
            json_serializer=to_json,
            json_deserializer=from_json,
        )
        return cls(engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends well, else rolled back."""
        async with self.engine.begin() as tx:
            yield tx

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
