"""`make bench` runs them all; `make bench ARGS=accept` runs one."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
from sqlalchemy import text

from ml_connector.basics.ids import ConnectionId
from ml_connector.store import inbox, jobs
from ml_connector.store.embedded import EmbeddedPostgres
from ml_connector.store.engine import Store
from ml_connector.store.inbox import Signal
from ml_sandbox.clock import SandboxClock
from ml_sandbox.server import listen, serving
from ml_sandbox.stripe.app import create_app

SECONDS = 3.0
ONE = ConnectionId("bench")


async def rate(act: Callable[[int], Awaitable[object]]) -> float:
    """How often an act can be done in a second, one after the other."""
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        await act(done)
        done += 1
    return done / (time.perf_counter() - began)


async def accept() -> None:
    """A webhook's price: inbox row and job in one commit, beside an empty transaction."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101 - once, before anything runs
        server = EmbeddedPostgres(Path(folder) / "postgres")
        store = Store.open(server.start())
        try:
            await store.migrate()
            bare = await rate(lambda _: nothing(store))
            full = await rate(lambda number: taken(store, number))
        finally:
            await store.dispose()
            server.stop()
    print(f"accept: {full:.0f}/s, {bare / full:.1f} times an empty transaction ({bare:.0f}/s)")


async def nothing(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.execute(text("SELECT 1"))


async def taken(store: Store, number: int) -> None:
    async with store.transaction() as tx:
        await inbox.receive(tx, Signal(ONE, f"evt_{number}", "webhook", "charge", "ch_1", "x"))
        await jobs.defer(tx, jobs.Job(ONE, "charge", f"ch_{number}"))


async def sandbox() -> None:
    """What the Stripe sandbox can answer, so that it never limits a measurement."""
    stripe = create_app(SandboxClock())
    headers = {"Authorization": f"Bearer {stripe.credentials()['key']}"}
    async with (
        serving(stripe.asgi, listen()) as url,
        httpx2.AsyncClient(headers=headers, verify=False) as http,
    ):
        plain = await rate(lambda _: http.get(f"{url}/v1/balance"))
        control = await rate(lambda _: http.get(f"{url}/_sandbox/clock"))
    print(
        f"sandbox: {plain:.0f} GET/s one at a time, {control / plain:.2f} times as the clock page"
    )


BENCHES = {"accept": accept, "sandbox": sandbox}


def main() -> int:
    """Runs the named benches, or all of them."""
    chosen = sys.argv[1:] or list(BENCHES)
    for name in chosen:
        if name not in BENCHES:
            print(f"There is no bench {name!r}; there are: {', '.join(BENCHES)}.")
            return 2
        asyncio.run(BENCHES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
