"""What every test shares: asyncio as the one event loop, and a PostgreSQL with clean databases.

By default each test process starts an embedded server of its own. `--server URL` (or the variable
ML_TEST_DATABASE_URL) runs the same tests on another one, whose account may create databases.
"""

import asyncio
import contextlib
import os
import tempfile
import uuid
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy import make_url

from build.emptied import emptied
from ml_connector.store.embedded import EmbeddedPostgres
from ml_connector.store.engine import Store, driver_url

# A busy machine is no defect: nothing in the tests depends on how long it takes.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        metavar="URL",
        default=os.environ.get("ML_TEST_DATABASE_URL"),
        help="run on this PostgreSQL server instead of an embedded one",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the service itself runs on."""
    return "asyncio", {"use_uvloop": True}


@dataclass(frozen=True)
class Server:
    """A server on which tests may create and drop databases of their own."""

    url: str
    admin: psycopg.Connection[tuple[object, ...]]
    template: str = field(default_factory=lambda: f"mlt_template_{uuid.uuid4().hex}")

    def url_of(self, database: str) -> str:
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    def create(self, *, migrated: bool = True) -> str:
        """A new database, a clone of the migrated template or empty; its name."""
        name = f"mlt_{uuid.uuid4().hex}"
        source = self.template if migrated else "template0"
        # Copying files is faster than logging every page, and tests need no log.
        command = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
        if self.admin.info.server_version < 150000:
            command = "CREATE DATABASE {} TEMPLATE {}"
        self.admin.execute(sql.SQL(command).format(sql.Identifier(name), sql.Identifier(source)))
        return name

    def drop(self, name: str) -> None:
        self.admin.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def make_template(self) -> None:
        name = self.create(migrated=False)
        asyncio.run(_migrate(self.url_of(name)))
        self.admin.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(name), sql.Identifier(self.template)
            )
        )


async def _migrate(url: str) -> None:
    store = Store.open(url)
    try:
        await store.migrate()
    finally:
        await store.dispose()


@contextlib.contextmanager
def embedded_server() -> Generator[str]:
    # Not pytest's own temporary folder: it is closed to the account that the server runs as.
    with tempfile.TemporaryDirectory(prefix="mlt-") as home:
        server = EmbeddedPostgres(Path(home) / "postgres", fsync=False)
        try:
            yield server.start()
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Generator[Server]:
    """The server of this test process, with a template database that is migrated once."""
    given: str | None = request.config.getoption("--server")
    with contextlib.ExitStack() as stack:
        url = driver_url(given) if given else stack.enter_context(embedded_server())
        plain = make_url(url).set(drivername="postgresql", database="postgres")
        admin = stack.enter_context(
            psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)
        )
        server = Server(url, admin)
        server.make_template()
        try:
            yield server
        finally:
            server.drop(server.template)


@pytest.fixture(scope="session")
async def database(
    postgres: Server, anyio_backend: tuple[str, dict[str, bool]]
) -> AsyncGenerator[Store]:
    """The one migrated database of this test process, kept open: its statements stay compiled."""
    name = postgres.create()
    opened = Store.open(postgres.url_of(name))
    yield opened
    await opened.dispose()
    postgres.drop(name)


@pytest.fixture
async def store(database: Store) -> AsyncGenerator[Store]:
    """An open store on a database that is migrated and empty."""
    async with emptied(database) as opened:
        yield opened


@pytest.fixture
async def store_of_its_own(
    postgres: Server, anyio_backend: tuple[str, dict[str, bool]]
) -> AsyncGenerator[Store]:
    """For a test that changes the schema itself: a migrated database that nobody else sees."""
    name = postgres.create()
    opened = Store.open(postgres.url_of(name))
    yield opened
    await opened.dispose()
    postgres.drop(name)
