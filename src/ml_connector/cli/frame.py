"""What all commands share: opening the installation, exit codes, and errors as sentences."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ml_connector.basics.errors import ConnectorError, Misconfigured, TryAgain
from ml_connector.basics.ids import ConnectionId

if TYPE_CHECKING:  # building the installation is slow to import, and `--help` does not need it
    from ml_connector.assemble import Installation, Switchboard


class Exit(IntEnum):
    """What the exit code of a command says."""

    OK = 0
    """All is well."""
    ATTENTION = 1
    """The command worked, and what it found asks for a person (a difference, a failed check)."""
    MISCONFIGURED = 2
    """A setting, credential or argument is wrong; the sentence names it and the remedy."""
    LATER = 3
    """Something did not answer in time; try again."""


Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")]
Name = Annotated[str, Parameter(help="The connection's name; may be left out when there is one.")]


def run(body: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool = False) -> int:
    """Runs a command to its exit code; errors become sentences on standard error."""
    import uvloop

    try:
        return uvloop.run(body())
    except ConnectorError as error:
        return failed(error, as_json=as_json)
    except KeyboardInterrupt:
        return Exit.LATER
    except Exception as error:
        away = _database_away(error)
        if away is None:
            raise
        return failed(away, as_json=as_json)


def _database_away(error: Exception) -> TryAgain | None:
    """The database went away in the middle of a command: nothing is lost, it is done later."""
    from ml_connector.store.engine import is_away

    if not is_away(error):
        return None
    return TryAgain(
        "The database does not answer any more.",
        cause="store.away",
        remedy="Check that its server runs, and try again: what was begun is taken up there.",
    )


def actor() -> str:
    """Who gives the commands, as the audit trail names them."""
    return os.environ.get("USER") or "command line"


def failed(error: ConnectorError, *, as_json: bool) -> int:
    """Says what went wrong and what to try; the exit code says what kind of trouble it is."""
    from ml_connector.cli import show

    if as_json:
        facts = {"sentence": error.sentence, "remedy": error.remedy, "cause": error.cause}
        show.as_json({"error": facts | {"filed": error.filed}})
    else:
        show.error(error.sentence, error.remedy)
    if isinstance(error, Misconfigured):
        return Exit.MISCONFIGURED
    return Exit.LATER if isinstance(error, TryAgain) else Exit.ATTENTION


def opened(
    body: "Callable[[Office], Awaitable[int]]", *, as_json: bool = False, log: bool = True
) -> int:
    """Runs a command that needs the installation: database, keys, connections."""

    async def with_installation() -> int:
        from ml_connector.assemble import installation, switchboard
        from ml_connector.observe import start_logging
        from ml_connector.settings import read

        settings = read(os.environ)
        if log:
            start_logging(settings.log_level)
        async with installation(settings) as place, switchboard(place) as board:
            return await body(Office(place, board))

    return run(with_installation, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Office:
    """An open installation, as the commands use it."""

    place: "Installation"
    board: "Switchboard"

    async def only(self, name: str) -> ConnectionId:
        """The named connection, or the only one there is; raises Misconfigured."""
        from ml_connector.store import connections

        async with self.place.store.transaction() as tx:
            names = [one.id for one in await connections.every(tx)]
        if name:
            if name not in names:
                raise connections.UnknownConnection(ConnectionId(name))
            return ConnectionId(name)
        if len(names) != 1:
            known = ", ".join(names) or "none yet"
            raise Misconfigured(
                f"Which connection? There are: {known}.",
                cause="cli.connection",
                remedy="Name one, or make one with `ml-connector connect NAME`.",
            )
        return names[0]


def progress_wanted(*, as_json: bool) -> bool:
    """Whether a person is looking: no progress bars into files or JSON."""
    return not as_json and sys.stderr.isatty()
