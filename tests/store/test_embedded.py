"""The embedded server: made once, adopted after a kill, shared, and stopped by the last one out."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.store.binaries import packaged, server_account
from ml_connector.store.embedded import EmbeddedPostgres

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another account")

# A program that uses the server until its standard input closes.
PROGRAM = """
import sys
from pathlib import Path
from ml_connector.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False)
print(server.start(), flush=True)
sys.stdin.read()
print(server.last_one_out(), flush=True)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's own temporary folder: it is closed to the account that the server runs as.
    with tempfile.TemporaryDirectory(prefix="mlt-") as folder:
        yield Path(folder)


@contextmanager
def a_server(
    data: Path, programs: Path | None = None, *, fsync: bool = False
) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data, fsync=fsync, programs=programs)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def a_program(data: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def ask(url: str, question: str) -> object:
    with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def said(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def test_data_outlives_a_stop(home: Path) -> None:
    with a_server(home / "postgres") as server:
        ask(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
        assert server.last_one_out()
        assert not server.running()
        assert ask(server.start(), "SELECT n FROM kept") == 7


def test_the_server_keeps_checksums_and_compares_bytes(home: Path) -> None:
    with a_server(home / "postgres") as server:
        url = server.start()
        assert ask(url, "SHOW data_checksums") == "on"
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SELECT datcollate FROM pg_database WHERE datname = 'ml_connector'") == "C"
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW password_encryption") == "scram-sha-256"


def test_without_the_tests_switch_nothing_committed_can_be_lost(home: Path) -> None:
    with a_server(home / "postgres", fsync=True) as server:
        url = server.start()
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW synchronous_commit") == "on"
        assert ask(url, "SHOW full_page_writes") == "on"


def test_only_its_own_account_enters_the_data(home: Path) -> None:
    with a_server(home / "postgres") as server:
        server.start()
        state = server.data.stat()
        assert state.st_mode & 0o777 == 0o700
        assert state.st_uid == server_account().uid != 0
        assert (home.stat().st_mode & 0o044) == 0


def test_after_a_kill_the_next_start_adopts_the_running_server(home: Path) -> None:
    data = home / "postgres"
    with a_server(data) as server, a_program(data) as program:
        ask(said(program), "CREATE TABLE kept AS SELECT 7 AS n")
        before = postmaster(data)
        program.send_signal(signal.SIGKILL)
        program.wait()
        assert ask(server.start(), "SELECT n FROM kept") == 7
        assert postmaster(data) == before
        assert server.last_one_out()


def test_after_a_crash_of_everything_the_next_start_recovers(home: Path) -> None:
    data = home / "postgres"
    with a_server(data, fsync=True) as server:
        ask(server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
        crashed = postmaster(data)
        os.kill(crashed, signal.SIGKILL)
        assert ask(server.start(), "SELECT n FROM kept") == 7
        assert postmaster(data) != crashed


def test_two_programs_share_the_server_and_the_last_one_out_stops_it(home: Path) -> None:
    data = home / "postgres"
    with a_server(data) as server, a_program(data) as first, a_program(data) as second:
        assert said(first) == said(second)
        assert first.communicate()[0].strip() == "False"
        assert server.running()
        assert second.communicate()[0].strip() == "True"
        assert not server.running()


def test_programs_that_start_together_make_one_database(home: Path) -> None:
    data = home / "postgres"
    with (
        a_server(data),
        a_program(data) as one,
        a_program(data) as two,
        a_program(data) as three,
    ):
        urls = {said(program) for program in (one, two, three)}
        assert len(urls) == 1
        assert ask(urls.pop(), "SELECT count(*) FROM pg_database WHERE NOT datistemplate") == 2


def test_a_home_may_have_a_space_in_its_name(home: Path) -> None:
    home.chmod(0o711)
    with a_server(home / "My Company" / "postgres") as server:
        assert ask(server.start(), "SELECT 1") == 1


def test_what_was_never_started_can_be_stopped(home: Path) -> None:
    server = EmbeddedPostgres(home / "nothing" / "postgres")
    server.stop()
    assert not server.last_one_out()
    assert not server.running()


def test_a_start_that_was_cut_off_is_made_anew(home: Path) -> None:
    half = home / ".postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with a_server(home / "postgres") as server:
        assert ask(server.start(), "SELECT 1") == 1


@pytest.mark.parametrize("name", ["a" * 120, "Smith, Jones"])
def test_a_path_that_no_socket_can_have_gets_a_private_folder(home: Path, name: str) -> None:
    data = home / name / "postgres"
    home.chmod(0o711)
    with a_server(data) as server:
        url = server.start()
        assert ask(url, "SELECT 1") == 1
        sockets = Path(str(ask(url, "SHOW unix_socket_directories")))
        assert not sockets.is_relative_to(home)
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert server.last_one_out()
        assert not sockets.exists()


@pytest.mark.parametrize(
    ("stored", "remedy"), [(12, "ml-connector db upgrade"), (99, "Install the newer version")]
)
def test_data_of_another_major_version_is_left_alone(home: Path, stored: int, remedy: str) -> None:
    data = home / "postgres"
    with a_server(data) as server:
        server.start()
        server.stop()
        version = (data / "PG_VERSION").read_text()
        (data / "PG_VERSION").write_text(f"{stored}\n")
        with pytest.raises(Misconfigured, match=remedy):
            server.start()
        (data / "PG_VERSION").write_text(version)
        assert ask(server.start(), "SELECT 1") == 1


def test_a_folder_that_is_no_database_is_left_alone(home: Path) -> None:
    data = home / "postgres"
    data.mkdir()
    (data / "letter.txt").write_text("mine")
    with pytest.raises(Misconfigured, match="is not a database"):
        EmbeddedPostgres(data, fsync=False).start()
    assert (data / "letter.txt").read_text() == "mine"


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    data = home / "postgres"
    with a_server(data) as server:
        server.start()
        server.stop()
        (data / "local.conf").write_text("max_connections = many\n")
        with pytest.raises(Misconfigured, match="max_connections"):
            server.start()
        (data / "local.conf").unlink()


@root_only
def test_programs_below_a_closed_folder_are_copied_once(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    package = packaged().parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        # Hard links where possible: 70 MB less to write.
        shutil.copytree(folder, closed / folder.name, symlinks=True, copy_function=_link)
    programs = closed / package.name / packaged().name
    with a_server(home / "postgres", programs) as server:
        url = server.start()
        copy = home / "postgres-programs" / programs.name / package.name / programs.name
        made = (copy / "bin" / "postgres").stat()
        assert ask(url, "SELECT 1") == 1
        running = Path(f"/proc/{postmaster(server.data)}/exe").readlink()
        assert running == copy / "bin" / "postgres"
        server.stop()
        server.start()
        assert (copy / "bin" / "postgres").stat().st_ino == made.st_ino


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@root_only
def test_a_home_below_a_closed_folder_is_refused_with_a_place_to_use(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Misconfigured, match="cannot enter") as refused:
        EmbeddedPostgres(closed / "home" / "postgres", fsync=False).start()
    assert "/var/lib/ml-connector" in refused.value.remedy
    assert closed.stat().st_mode & 0o777 == 0o700
