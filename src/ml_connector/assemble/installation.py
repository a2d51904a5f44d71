"""The database, the keys and the clock of one installation, open."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError

from ml_connector.basics.clock import Clock, SystemClock
from ml_connector.basics.errors import Misconfigured
from ml_connector.settings import Settings
from ml_connector.store.embedded import EmbeddedPostgres
from ml_connector.store.engine import Store
from ml_connector.vault.keyring import FileRing, KeyRing

POOL = 12


@dataclass(frozen=True, slots=True)
class Installation:
    """The database, the keys and the clock of one installation, open."""

    settings: Settings
    store: Store
    url: str
    keyring: KeyRing
    clock: Clock


@asynccontextmanager
async def installation(
    settings: Settings, *, clock: Clock | None = None
) -> AsyncGenerator[Installation]:
    """Opens the installation: starts or adopts the embedded server unless one is given.

    The last process out stops the embedded server. Raises Misconfigured.
    """
    async with AsyncExitStack() as stack:
        url = settings.database_url or await _embedded(settings.home, stack)
        store = Store.open(url, pool_size=POOL)
        stack.push_async_callback(store.dispose)
        try:
            await store.migrate()
        except OperationalError as error:
            raise _no_database(error) from error
        yield Installation(settings, store, url, _keyring(settings), clock or SystemClock())


async def _embedded(home: Path, stack: AsyncExitStack) -> str:
    server = EmbeddedPostgres(home / "postgres")
    url = await asyncio.to_thread(server.start)
    stack.push_async_callback(asyncio.to_thread, server.last_one_out)
    return url


def _no_database(error: OperationalError) -> Misconfigured:
    """The database does not let us in; its own words say why, and hold no password."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig is not None else "no answer"
    return Misconfigured(
        f"The database cannot be used: {reason}.",
        cause="store.unreachable",
        remedy="Check ML_DATABASE_URL and that the server runs; or unset it for the embedded one.",
    )


def _keyring(settings: Settings) -> KeyRing:
    if settings.keys is not None:
        return KeyRing.from_text(settings.keys)
    return FileRing(settings.home / "keys")
