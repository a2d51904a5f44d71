"""One open database for many tests and examples: each leaves it as it found it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ml_connector.store.engine import Store


@asynccontextmanager
async def emptied(database: Store) -> AsyncGenerator[Store]:
    """The store; what is written meanwhile is gone afterwards, whatever happened."""
    try:
        yield database
    finally:
        await _empty(database)


_EMPTY = """
    DO $$ BEGIN
        SET LOCAL session_replication_role = replica;
        SET LOCAL lock_timeout = '10s';
        EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ')
                    || ' RESTART IDENTITY CASCADE'
                 FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version');
    END $$
"""


async def _empty(store: Store) -> None:
    """Nothing that a test has stored is seen by the next one."""
    async with store.transaction() as tx:
        await tx.exec_driver_sql(_EMPTY)
