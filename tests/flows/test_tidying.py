"""What nobody asks about any more goes; what Stripe may tell again, and what is open, stays."""

import asyncio
from datetime import timedelta

import pytest

from build.stored import NOON, a_connection
from build.world import World
from ml_connector.assemble.worker import work
from ml_connector.basics.clock import ManualClock
from ml_connector.basics.ids import ConnectionId
from ml_connector.flows.rounds import tidying
from ml_connector.flows.rounds.tidying import Kept, tidy
from ml_connector.store import connections, exchanges, inbox
from ml_connector.store.engine import Store
from ml_connector.store.exchanges import Exchange
from ml_connector.store.inbox import IGNORED, Signal
from ml_connector.vault.keyring import KeyRing

pytestmark = pytest.mark.anyio
MAIN = ConnectionId("main")


async def test_old_calls_and_handled_signals_go_in_batches_and_open_ones_stay(
    store: Store,
) -> None:
    old, new = NOON - timedelta(days=91), NOON - timedelta(days=89)
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), KeyRing.generate(), now=NOON)
        calls = [
            Exchange(MAIN, at, "stripe", "GET", "/v1/x", 200, 5) for at in (old, old, old, new)
        ]
        await exchanges.record(tx, calls)
        for name, kind, at in (
            ("evt_done", "charge", old), ("evt_left", IGNORED, old), ("evt_new", IGNORED, new),
            ("evt_open", "payout", old),
        ):  # fmt: skip
            await inbox.receive(tx, Signal(MAIN, name, "webhook", kind, "x", "t"), now=at)
        await inbox.mark_handled(tx, MAIN, "charge", "x", NOON, now=NOON)
    assert await tidy(store, ManualClock(NOON), Kept(), at_once=2) == 5
    async with store.transaction() as tx:
        assert len(await exchanges.recent(tx, MAIN)) == 1
        left = {one.event_id for one in await inbox.recent(tx, MAIN)}
    assert left == {"evt_new", "evt_open"}


async def test_a_worker_that_runs_for_a_while_tidies_by_itself_and_keeps_what_is_new(
    world_of_today: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of_today
    monkeypatch.setattr(tidying, "FIRST_AFTER", 0.01)
    now = world.clock.now()
    days = world.place.settings.keep_calls_days
    async with world.store.transaction() as tx:
        calls = [
            Exchange(world.id, now - timedelta(days=age), "stripe", "GET", "/v1/x", 200, 5)
            for age in (days + 1, days - 1)
        ]
        await exchanges.record(tx, calls)

    async def ages() -> list[int]:
        async with world.store.transaction() as tx:
            found = await exchanges.recent(tx, world.id)
        return [(now - one.at).days for one in found if one.path == "/v1/x"]

    assert sorted(await ages()) == [days - 1, days + 1]
    stop = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(world.place, world.board, stop))
        while len(await ages()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        stop.set()
    assert await ages() == [days - 1]
