"""What an operator may set, each with a sentence; read once, where things are built.

Everything that belongs to one connection (addresses, cadence, accounts) is in the database, not
here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_connector.basics.errors import Misconfigured

DEFAULT_PORT = 8642
LARGEST_PORT = 65_535
KEEP_DAYS = 90
KEEP_MOST = 36_500
KEEP_SIGNALS_LEAST = 60
"""Stripe tells events of the last 30 days again: what was handled must be known for longer."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The installation's own settings, from the environment."""

    home: Path
    """Where the embedded database and the key file live (`ML_HOME`)."""
    database_url: str | None
    """A PostgreSQL server of your own (`ML_DATABASE_URL`); unset: the embedded one."""
    keys: str | None
    """The key ring itself (`ML_KEYS`), instead of the file in the home folder."""
    host: str
    """Where the service listens (`ML_HOST`)."""
    port: int
    """On which port the service listens (`ML_PORT`)."""
    log_level: str
    """How much is logged (`ML_LOG_LEVEL`): debug, info, warning or error."""
    keep_calls_days: int = 90
    """How long the calls to both services are kept (`ML_KEEP_CALLS_DAYS`)."""
    keep_signals_days: int = 90
    """How long handled events are kept (`ML_KEEP_EVENTS_DAYS`): at least 60 days."""


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; raises Misconfigured naming the variable."""
    return Settings(
        home=Path(environment.get("ML_HOME") or _default_home(environment)),
        database_url=environment.get("ML_DATABASE_URL") or None,
        keys=environment.get("ML_KEYS") or None,
        host=environment.get("ML_HOST", "127.0.0.1"),
        port=_port(environment.get("ML_PORT", str(DEFAULT_PORT))),
        log_level=_level(environment.get("ML_LOG_LEVEL", "warning")),
        keep_calls_days=_days(environment, "ML_KEEP_CALLS_DAYS", least=1),
        keep_signals_days=_days(environment, "ML_KEEP_EVENTS_DAYS", least=KEEP_SIGNALS_LEAST),
    )


def _default_home(environment: Mapping[str, str]) -> Path:
    """Where data goes by default: the system's place for root, else the user's own.

    The embedded server never runs as root, and its account cannot look into root's home.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/ml-connector")
    shared = environment.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "ml-connector"


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= LARGEST_PORT:
        raise Misconfigured(
            f"ML_PORT is {text!r}.", cause="settings.port", remedy="Set it to a number to 65535."
        )
    return int(text)


def _days(environment: Mapping[str, str], name: str, *, least: int) -> int:
    text = environment.get(name) or str(KEEP_DAYS)
    if not text.isdecimal() or not least <= int(text) <= KEEP_MOST:
        raise Misconfigured(
            f"{name} is {text!r}.",
            cause="settings.keep",
            remedy=f"Set it to a number of days from {least} to {KEEP_MOST}.",
        )
    return int(text)


def _level(text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise Misconfigured(
            f"ML_LOG_LEVEL is {text!r}.",
            cause="settings.log_level",
            remedy=f"Set it to one of {', '.join(levels)}.",
        )
    return text.lower()
