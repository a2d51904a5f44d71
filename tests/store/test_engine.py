"""Transactions, and the migration that makes a database complete."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.store import cursors, schema
from ml_connector.store.engine import DATABASE_AWAY, Store, driver_url
from ml_connector.store.tables import metadata

pytestmark = pytest.mark.anyio
MAIN = ConnectionId("main")


@pytest.fixture
def empty_database(postgres: Any) -> Iterator[str]:
    name = postgres.create(migrated=False)
    yield postgres.url_of(name)
    postgres.drop(name)


async def test_the_migrations_make_our_tables_and_the_job_queue(empty_database: str) -> None:
    store = Store.open(empty_database)
    assert await store.version() is None
    await store.migrate()
    async with store.transaction() as tx:
        found = await tx.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        names = set(found.scalars())
    assert set(metadata.tables) <= names
    assert "procrastinate_jobs" in names
    assert await store.version() == schema.newest()
    await store.dispose()


async def test_a_database_of_a_newer_program_is_left_alone(store_of_its_own: Store) -> None:
    store = store_of_its_own
    async with store.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer version of the connector"):
        await store.migrate()
    assert await store.version() == "9999"


async def test_processes_that_start_together_migrate_once(empty_database: str) -> None:
    stores = [Store.open(empty_database) for _ in range(4)]
    await asyncio.gather(*(store.migrate() for store in stores))
    assert {await store.version() for store in stores} == {schema.newest()}
    for store in stores:
        await store.dispose()


async def test_the_migrated_database_is_what_the_tables_say(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _parents: object) -> bool:
            return kind != "table" or not (name or "").startswith("procrastinate")

        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": ours}
        )
        return list(compare_metadata(context, metadata))

    async with store.transaction() as tx:
        assert await tx.run_sync(differences) == []


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    async def half_way() -> None:
        async with store.transaction() as tx:
            await cursors.advance(tx, MAIN, "stripe.events", {"after": "evt_1"})
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await half_way()
    async with store.transaction() as tx:
        assert await cursors.read(tx, MAIN, "stripe.events") is None


async def test_a_cursor_is_read_where_it_was_left(store: Store) -> None:
    async with store.transaction() as tx:
        await cursors.advance(tx, MAIN, "stripe.events", {"after": "evt_1"})
        await cursors.advance(tx, MAIN, "stripe.events", {"after": "evt_2", "n": 2})
    async with store.transaction() as tx:
        assert await cursors.read(tx, MAIN, "stripe.events") == {"after": "evt_2", "n": 2}
        assert await cursors.read(tx, ConnectionId("other"), "stripe.events") is None


async def test_an_amount_in_json_comes_back_exactly_and_never_as_float(store: Store) -> None:
    exact = {"amount": Decimal("1234567890123456.10"), "list": [Decimal("0.1")]}
    async with store.transaction() as tx:
        await cursors.advance(tx, MAIN, "x", exact)
        read = await cursors.read(tx, MAIN, "x")
    assert read == exact
    assert str(read["amount"]) == "1234567890123456.10"


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
    ],
)
def test_a_postgresql_url_of_any_spelling_is_opened(given: str, opened: str) -> None:
    assert driver_url(given) == opened


@pytest.mark.parametrize("given", ["sqlite:///x.db", "mysql://h/d", "h/d"])
def test_another_database_is_refused_with_the_setting_named(given: str) -> None:
    with pytest.raises(Misconfigured, match="ML_DATABASE_URL"):
        driver_url(given)


async def _server_process(store: Store) -> int:
    """The server's process behind the one pooled connection."""
    async with store.transaction() as tx:
        return (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()


async def test_a_connection_that_died_idle_is_replaced_before_it_is_used(
    store: Store, postgres: Any
) -> None:
    waiting = Store.open(_url(store), pool_size=1, idle_seconds=0.05)
    before = await _server_process(waiting)
    postgres.admin.execute("SELECT pg_terminate_backend(%s)", [before])
    await asyncio.sleep(0.1)
    assert await _server_process(waiting) != before
    await waiting.dispose()


async def test_a_connection_in_use_is_not_asked_before_each_transaction(
    store: Store, postgres: Any
) -> None:
    busy = Store.open(_url(store), pool_size=1, idle_seconds=60)
    before = await _server_process(busy)
    postgres.admin.execute("SELECT pg_terminate_backend(%s)", [before])
    with pytest.raises(DATABASE_AWAY):
        await _server_process(busy)
    assert await _server_process(busy) != before, "the dead one is not kept"
    await busy.dispose()


async def test_a_single_statement_is_kept_at_once_and_alone(store: Store) -> None:
    async with store.statement() as one:
        await cursors.advance(one, MAIN, "stripe.events", {"after": "evt_1"})
        async with store.transaction() as other:
            assert await cursors.read(other, MAIN, "stripe.events") == {"after": "evt_1"}


async def test_a_transaction_after_a_single_statement_is_one_again(store: Store) -> None:
    alone = Store.open(_url(store), pool_size=1)
    async with alone.statement() as one:
        await cursors.read(one, MAIN, "x")

    async def half_way() -> None:
        async with alone.transaction() as tx:
            await cursors.advance(tx, MAIN, "x", {"after": "evt_1"})
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await half_way()
    async with store.statement() as one:
        assert await cursors.read(one, MAIN, "x") is None
    await alone.dispose()


def _url(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


async def test_an_error_of_the_database_shows_nobodys_data(store: Store) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with store.transaction() as tx:
            await tx.execute(text("SELECT CAST(:name AS integer) / 0"), {"name": 1234567})
    assert "1234567" not in str(failed.value)
