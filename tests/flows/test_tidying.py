"""What nobody asks about any more goes; what Stripe may tell again, and what is open, stays."""

from datetime import timedelta

import pytest

from build.stored import NOON, a_connection
from ml_connector.basics.clock import ManualClock
from ml_connector.basics.ids import ConnectionId
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
