"""The inbox: once per event, handled only when the truth was fetched after it came."""

import asyncio
from datetime import timedelta

import pytest

from build.stored import MAIN, NOON, OTHER
from ml_connector.store import inbox
from ml_connector.store.engine import Store
from ml_connector.store.inbox import Signal

pytestmark = pytest.mark.anyio


def a_signal(event_id: str = "evt_1", **changes: str) -> Signal:
    facts = {"source": "webhook", "kind": "invoice", "resource": "in_1", "type": "invoice.paid"}
    return Signal(connection=MAIN, event_id=event_id, body={"id": event_id}, **(facts | changes))


async def test_an_event_is_stored_once_per_connection(store: Store) -> None:
    async with store.transaction() as tx:
        row_id = await inbox.receive(tx, a_signal(), now=NOON)
        assert row_id is not None
        assert await inbox.receive(tx, a_signal(), now=NOON) is None
        elsewhere = Signal(OTHER, "evt_1", "webhook", "invoice", "in_1", "invoice.paid")
        assert await inbox.receive(tx, elsewhere) is not None
        stored = await inbox.get(tx, row_id)
    assert stored is not None
    assert (stored.body, stored.received_at, stored.handled_at) == ({"id": "evt_1"}, NOON, None)


async def test_the_same_event_delivered_at_once_is_stored_once(store: Store) -> None:
    async def deliver() -> int | None:
        async with store.transaction() as tx:
            return await inbox.receive(tx, a_signal())

    found = await asyncio.gather(*(deliver() for _ in range(8)))
    assert len([row_id for row_id in found if row_id is not None]) == 1


async def test_a_signal_that_came_after_the_fetch_stays_open(store: Store) -> None:
    fetched = NOON + timedelta(seconds=1)
    async with store.transaction() as tx:
        await inbox.receive(tx, a_signal("evt_1"), now=NOON)
        await inbox.receive(tx, a_signal("evt_2"), now=fetched)
        await inbox.receive(tx, a_signal("evt_3"), now=fetched + timedelta(seconds=1))
        await inbox.receive(tx, a_signal("evt_4", resource="in_2"), now=NOON)
        assert await inbox.mark_handled(tx, MAIN, "invoice", "in_1", fetched, now=fetched) == 2
        assert await inbox.mark_handled(tx, MAIN, "invoice", "in_1", fetched, now=fetched) == 0
        states = {row.event_id: row.outcome for row in await inbox.recent(tx, MAIN)}
    assert states == {"evt_4": None, "evt_3": None, "evt_2": "done", "evt_1": "done"}


async def test_the_last_signals_come_newest_first(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(5):
            await inbox.receive(tx, a_signal(f"evt_{number}"))
        assert [r.event_id for r in await inbox.recent(tx, MAIN, 2)] == ["evt_4", "evt_3"]
