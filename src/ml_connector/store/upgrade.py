"""Moves the embedded database to a newer PostgreSQL by dump and restore, keeping the old data."""

import os
import shutil
from pathlib import Path

from ml_connector.basics.errors import Misconfigured
from ml_connector.store.binaries import (
    Account,
    ServerFailed,
    every_packaged,
    major_version,
    packaged,
    reachable,
    run,
    server_account,
)
from ml_connector.store.embedded import NAME, PORT, EmbeddedPostgres


def upgrade(data: Path, *, fsync: bool = True) -> Path | None:
    """Brings the data to the newest installed version; where the old data is kept.

    None when nothing is owed. Until the last step, a rename, the old data is what counts, so a
    failure or a crash before it changes nothing. Raises Misconfigured when another program uses
    the database, or when the package no longer has the programs of the old version.
    """
    if not (data / "PG_VERSION").exists():
        return None
    account = server_account()
    stored = int((data / "PG_VERSION").read_text())
    if stored == major_version(account, _for(account, packaged(), data)):
        return None
    programs = _of_version(account, stored, data)
    kept = data.with_name(f"{data.name}.{stored}")
    fresh = data.with_name(f"{data.name}.upgraded")
    folder = data.with_name(f"{data.name}.dump")
    if kept.exists():
        raise Misconfigured(
            f"Data of an earlier upgrade is still kept in {kept}.",
            cause="store.upgrade.kept",
            remedy="Move it away, then upgrade again.",
        )
    _clear(fresh, folder)
    _make(folder, account)
    old = EmbeddedPostgres(data, fsync=fsync, programs=programs)
    old.start()
    if not _dump(old, account, programs, folder / "all.dump"):
        raise Misconfigured(
            f"Another program uses the database in {data}.",
            cause="store.upgrade.in_use",
            remedy="Stop every `ml-connector serve` and `worker`, then upgrade again.",
        )
    _restore(EmbeddedPostgres(fresh, fsync=fsync), account, folder / "all.dump")
    data.rename(kept)
    fresh.rename(data)
    _clear(folder)
    return kept


def _dump(old: EmbeddedPostgres, account: Account, programs: Path, file: Path) -> bool:
    """Dumps the database and stops its server; False when somebody else still used it."""
    try:
        _command(account, programs, "pg_dump", old, "--format=custom", f"--file={file}")
    finally:
        alone = old.last_one_out()
    return alone


def _restore(new: EmbeddedPostgres, account: Account, file: Path) -> None:
    new.start()
    try:
        programs = _for(account, packaged(), new.data)
        _command(account, programs, "pg_restore", new, "--exit-on-error", str(file))
    finally:
        new.stop()


def _command(
    account: Account, programs: Path, name: str, server: EmbeddedPostgres, *words: str
) -> None:
    where = [f"--host={server.sockets()}", f"--port={PORT}", f"--username={NAME}"]
    done = run(account, [programs / "bin" / name, *where, f"--dbname={NAME}", *words])
    if done.returncode:
        raise ServerFailed(name, done.stdout.strip())


def _of_version(account: Account, stored: int, data: Path) -> Path:
    for folder in every_packaged():
        programs = _for(account, folder, data)
        if major_version(account, programs) == stored:
            return programs
    raise Misconfigured(
        f"The installed package has no PostgreSQL {stored}, which wrote {data}.",
        cause="store.upgrade.programs",
        remedy="Install the version of the connector that wrote it, dump the database with "
        "pg_dump, and restore the dump with this version.",
    )


def _for(account: Account, programs: Path, data: Path) -> Path:
    return reachable(account, programs, data.with_name("postgres-programs"))


def _make(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, account.uid, account.gid)


def _clear(*folders: Path) -> None:
    """Takes away what an upgrade that was cut off left behind."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
