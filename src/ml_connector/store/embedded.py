"""The PostgreSQL that the connector starts, shares and stops by itself.

It listens on a unix socket only, in a folder that only its own account and root can enter.
Every process that uses it holds a shared lock on `users.lock` beside the data directory; the
kernel lets go of it even after `kill -9`, so the last one out always knows that it is the last.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from ml_connector.basics.errors import Misconfigured
from ml_connector.store.binaries import (
    Account,
    ServerFailed,
    major_version,
    packaged,
    reachable,
    run,
    server_account,
)

NAME = "ml_connector"
PORT = 5432
LONGEST_SOCKET = 100
"""A socket's path may have 107 bytes on Linux and 103 on macOS; PostgreSQL adds a lock's name."""

START_SECONDS = 60
PAUSE_SECONDS = 0.05
STILL_IN_USE = "is still in use"
"""What a new server says while the children of a killed one have not all gone yet."""

SOCKET_DIR_LINE = 4
"""The line of postmaster.pid that names the folder of the socket."""

CONFIGURATION = """\
# Written by ml-connector at each start; put changes into local.conf beside this file.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
{durability}include_if_exists 'local.conf'
"""
FORGETFUL = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


class EmbeddedPostgres:
    """One data directory and its server, shared by every process of this machine.

    `fsync=False` is for tests only: a crash of the machine would lose the data. `programs` is a
    PostgreSQL installation; by default the one of the installed package.
    """

    def __init__(self, data: Path, *, fsync: bool = True, programs: Path | None = None) -> None:
        self.data = data.absolute()
        self._fsync = fsync
        self._programs = programs
        self._user: int | None = None

    def start(self) -> str:
        """Creates, adopts or starts the server; the database's URL, over the unix socket.

        Raises Misconfigured with the remedy when it cannot.
        """
        account = server_account()
        _make_home(self.data.parent, account)
        with self._alone():
            programs = self._reachable(account)
            self._create(account, programs)
            self._check_version(major_version(account, programs))
            sockets = self._wait(account, programs)
            self._join()
        return f"postgresql+psycopg://{NAME}@/{NAME}?host={quote(str(sockets))}&port={PORT}"

    def stop(self) -> None:
        """Stops the server, whoever else uses it; does nothing when it does not run."""
        if not self.data.exists():
            return
        with self._alone():
            self._leave()
            self._halt()

    def last_one_out(self) -> bool:
        """Lets go of the server, and stops it when nobody else holds it; whether it did."""
        if not self.data.exists():
            return False
        with self._alone():
            self._leave()
            with (self.data.parent / "users.lock").open("a") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                self._halt()
                return True

    def running(self) -> bool:
        """Whether the server of this data directory answers."""
        sockets = self.sockets()
        if sockets is None:
            return False
        try:
            _connect(sockets).close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Generator[None]:
        """One process at a time creates, starts or stops."""
        with (self.data.parent / "start.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _join(self) -> None:
        if self._user is None:
            # A bare descriptor: dropping this object must not let go of a server in use.
            self._user = os.open(self.data.parent / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._user, fcntl.LOCK_SH)

    def _leave(self) -> None:
        if self._user is not None:
            os.close(self._user)
            self._user = None

    def _reachable(self, account: Account) -> Path:
        programs = self._programs or packaged()
        return reachable(account, programs, self.data.parent / "postgres-programs")

    def _create(self, account: Account, programs: Path) -> None:
        """Makes the data directory in one step, so that a half-made one is never used."""
        if self.data.exists():
            return
        new = self.data.with_name(f".{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        os.chown(new, account.uid, account.gid)
        command: list[str | Path] = [programs / "bin" / "initdb", "-D", new, "-U", NAME]
        command += ["--encoding=UTF8", "--locale=C", "--data-checksums"]
        command += ["--auth-local=peer", "--auth-host=reject", "--no-instructions"]
        _must("initdb", account, command if self._fsync else [*command, "--no-sync"])
        _write(new / "pg_hba.conf", "local all all peer map=owner\n", account)
        _write(new / "pg_ident.conf", _who_is(account), account)
        with (new / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'connector.conf'\n")
        new.rename(self.data)

    def _check_version(self, programs: int) -> None:
        try:
            stored = int((self.data / "PG_VERSION").read_text())
        except (OSError, ValueError):
            raise Misconfigured(
                f"The folder {self.data} is not a database, or cannot be read.",
                cause="store.embedded.data",
                remedy="Set ML_HOME to another folder, or restore this one from its backup.",
            ) from None
        if stored != programs:
            raise Misconfigured(
                f"The data in {self.data} is of PostgreSQL {stored}, the installed one is "
                f"{programs}.",
                cause="store.embedded.version",
                remedy="Run `ml-connector db upgrade`."
                if stored < programs
                else "Install the newer version of the connector again.",
            )

    def _launch(self, account: Account, programs: Path) -> None:
        # What a crash left behind: PostgreSQL would take a reused or unreaped process for itself.
        for left in ("postmaster.pid", f".s.PGSQL.{PORT}.lock", f".s.PGSQL.{PORT}", "start.log"):
            (self.data / left).unlink(missing_ok=True)
        sockets = _socket_folder(self.data, account)
        durability = "" if self._fsync else FORGETFUL
        text = CONFIGURATION.format(port=PORT, sockets=sockets, durability=durability)
        _write(self.data / "connector.conf", text, account)
        command: list[str | Path] = [programs / "bin" / "pg_ctl", "start", "-w", "-s"]
        command += ["-D", self.data, "-l", self.data / "start.log", "-t", str(START_SECONDS)]
        if run(account, command).returncode:
            raise ServerFailed("start", self._last_words())

    def _wait(self, account: Account, programs: Path) -> Path:
        """Adopts the server that runs, or starts it; its sockets, once it answers.

        One that is recovering from a crash does not answer yet; one that is stopping goes away.
        """
        until = time.monotonic() + START_SECONDS
        why = f"It did not answer in {START_SECONDS} s."
        while True:
            try:
                if self._process() is None:
                    self._launch(account, programs)
                if (sockets := self.sockets()) is not None:
                    with _connect(sockets) as connection:
                        _ensure_database(connection)
                        return sockets
            except psycopg.OperationalError as refused:
                why = str(refused)
            except ServerFailed as failed:
                if STILL_IN_USE not in failed.sentence:
                    raise
                why = failed.sentence
            if time.monotonic() > until:
                raise ServerFailed("start", why)
            time.sleep(PAUSE_SECONDS)

    def _halt(self) -> None:
        if self._process() is None:
            return
        account = server_account()
        sockets = self.sockets()
        programs = self._reachable(account)
        command: list[str | Path] = [programs / "bin" / "pg_ctl", "stop", "-w", "-s"]
        _must("stop", account, [*command, "-D", self.data, "-m", "fast", "-t", str(START_SECONDS)])
        if sockets is not None and sockets != self.data:
            shutil.rmtree(sockets, ignore_errors=True)

    def _last_words(self) -> str:
        """The errors of the last start, from the log that it was writing when it ended."""
        logs = [self.data / "start.log", *self.data.glob("log/*.log")]
        newest = max(logs, key=lambda log: log.stat().st_mtime_ns)
        lines = newest.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if "log output" not in line)

    def _notes(self) -> list[str]:
        """The lines that a running server keeps in postmaster.pid; none when there is no file."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def sockets(self) -> Path | None:
        """The folder of the running server's socket; None when it does not run."""
        notes = self._notes()
        return Path(notes[SOCKET_DIR_LINE]) if len(notes) > SOCKET_DIR_LINE else None

    def _process(self) -> int | None:
        """The server's process when it lives; a stale file after a crash does not count."""
        notes = self._notes()
        if not notes or not notes[0].isdigit():
            return None
        pid = int(notes[0])
        return pid if _is_postgres(pid) else None


def _is_postgres(pid: int) -> bool:
    """Whether the process lives and is a PostgreSQL.

    After a restart of the machine the number may be another program's, and in a container
    without an init process a killed server stays as a zombie.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return not Path("/proc/self/stat").exists()
    return name.partition("(")[2] == "postgres" and rest.split()[0] not in {"Z", "X"}


def _connect(sockets: Path) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=str(sockets), port=PORT, user=NAME, dbname="postgres", autocommit=True
    )


def _ensure_database(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))


def _who_is(account: Account) -> str:
    """The accounts that may come in by the socket: the server's own, and root, which can anyway."""
    names = dict.fromkeys((account.name, "root"))
    return "".join(f'owner "{name}" {NAME}\n' for name in names)


def _must(what: str, account: Account, command: Sequence[str | Path]) -> None:
    try:
        done = run(account, command)
    except OSError as error:
        raise ServerFailed(what, f"{shlex.quote(str(command[0]))}: {error.strerror}") from error
    if done.returncode:
        raise ServerFailed(what, done.stdout.strip())


def _write(path: Path, text: str, account: Account) -> None:
    path.write_text(text)
    path.chmod(0o600)
    os.chown(path, account.uid, account.gid)


def _make_home(home: Path, account: Account) -> None:
    """Makes the folder around the data, which another account may cross but not list."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account.is_ours:
        return
    with contextlib.suppress(PermissionError):
        home.chmod(home.stat().st_mode | 0o011)
    if run(account, ["/bin/sh", "-c", f"cd {shlex.quote(str(home))}"]).returncode:
        raise Misconfigured(
            f"The account {account.name}, which runs the database, cannot enter {home}.",
            cause="store.embedded.home",
            remedy="Set ML_HOME to a folder below one that it can enter, such as "
            "/var/lib/ml-connector, or set ML_DATABASE_URL to another server.",
        )


def _socket_folder(data: Path, account: Account) -> Path:
    """The data directory, or a private folder of its own when the path cannot be a socket's.

    That is when it is too long, or holds what separates or quotes paths in a list of them.
    """
    short_enough = len(os.fsencode(data)) + len(f"/.s.PGSQL.{PORT}.lock") <= LONGEST_SOCKET
    if short_enough and not set(str(data)) & set(",'\"\\"):
        return data
    for place in (None, "/tmp"):  # noqa: S108 - mkdtemp makes a private folder in it
        short = Path(tempfile.mkdtemp(prefix="mlc-", dir=place))
        if len(os.fsencode(short)) + len(f"/.s.PGSQL.{PORT}.lock") <= LONGEST_SOCKET:
            os.chown(short, account.uid, account.gid)
            return short
        short.rmdir()
    raise Misconfigured(
        f"The path {data} is too long for a socket, and so is the folder for temporary files.",
        cause="store.embedded.socket",
        remedy="Set ML_HOME to a folder with a shorter path.",
    )
