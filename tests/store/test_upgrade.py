"""Upgrades of the embedded database: nothing is lost, and the old data is kept."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.store.binaries import every_packaged
from ml_connector.store.embedded import EmbeddedPostgres
from ml_connector.store.upgrade import upgrade

NEWEST, *_, OLDEST = every_packaged()


@pytest.fixture
def data() -> Iterator[Path]:
    # Not pytest's own temporary folder: it is closed to the account that the server runs as.
    with tempfile.TemporaryDirectory(prefix="mlt-") as folder:
        yield Path(folder) / "postgres"


@contextmanager
def a_server(data: Path, programs: Path) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    server = EmbeddedPostgres(data, fsync=False, programs=programs)
    try:
        url = server.start().replace("+psycopg", "")
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            yield connection
    finally:
        server.stop()


def make_old(data: Path) -> None:
    with a_server(data, OLDEST) as connection:
        connection.execute("CREATE TABLE kept AS SELECT n FROM generate_series(1, 100) n")


def total(connection: "psycopg.Connection[tuple[object, ...]]") -> object:
    row = connection.execute("SELECT sum(n)::int FROM kept").fetchone()
    return row[0] if row else None


def test_data_of_an_older_version_is_taken_over_whole(data: Path) -> None:
    make_old(data)
    with pytest.raises(Misconfigured, match="ml-connector db upgrade"):
        EmbeddedPostgres(data, fsync=False).start()
    version = (data / "PG_VERSION").read_text().strip()
    kept = upgrade(data, fsync=False)
    assert kept == data.with_name(f"postgres.{version}")
    with a_server(data, NEWEST) as connection:
        assert total(connection) == 5_050
        assert connection.info.server_version // 10_000 > int(version)
    with a_server(kept, OLDEST) as connection:
        assert total(connection) == 5_050
    assert upgrade(data, fsync=False) is None
    assert not data.with_name("postgres.dump").exists()


def test_data_in_use_is_not_upgraded(data: Path) -> None:
    make_old(data)
    with a_server(data, OLDEST) as connection:
        with pytest.raises(Misconfigured, match="Another program uses"):
            upgrade(data, fsync=False)
        assert total(connection) == 5_050


def test_the_kept_data_of_an_earlier_upgrade_is_never_overwritten(data: Path) -> None:
    make_old(data)
    version = (data / "PG_VERSION").read_text().strip()
    kept = data.with_name(f"postgres.{version}")
    kept.mkdir()
    with pytest.raises(Misconfigured, match="still kept"):
        upgrade(data, fsync=False)
    assert list(kept.iterdir()) == []
