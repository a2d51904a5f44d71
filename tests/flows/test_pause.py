"""A paused connection takes everything in and does nothing, until it is resumed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from build.service import Service, an_event, served
from build.world import World
from ml_connector.assemble.switchboard import switchboard
from ml_connector.assemble.worker import work
from ml_connector.flows.connections.pause import Paused, pause, require_active, resume
from ml_connector.store import audit

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def a_worker(world: World) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    async with switchboard(world.place) as board, asyncio.TaskGroup() as tasks:
        tasks.create_task(work(world.place, board, stop))
        try:
            yield
        finally:
            stop.set()


async def until_idle(world: World) -> None:
    while not await world.idle():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.1)


async def test_a_paused_connection_keeps_webhooks_and_does_its_work_after_it_is_resumed(
    world_of_today: World,
) -> None:
    world = world_of_today
    await pause(world.store, world.clock, world.id, "For the audit.", "ann")
    async with served(world) as service, a_worker(world):
        assert await taken(service)
        await asyncio.sleep(1)
        waiting = await world.waiting()
        assert waiting >= 1
        assert not await world.idle()
        assert len(await service.stored()) == 1
        assert await world.troubles() == []
        assert await resume(world.store, world.clock, world.id, "bob")
        await asyncio.wait_for(until_idle(world), 30)
        # The look has asked Stripe, which knows no such payout.
        assert [one.resource for one in await world.troubles()] == ["po_1"]


async def taken(service: Service) -> bool:
    return (await service.send(an_event("payout.paid", "po_1"))).status_code == 200


async def test_who_paused_and_resumed_it_stands_in_the_audit_trail(world: World) -> None:
    await pause(world.store, world.clock, world.id, "For the audit.", "ann")
    async with world.store.transaction() as tx:
        with pytest.raises(Paused, match=r"paused \(For the audit\.\)"):
            await require_active(tx, world.id)
    assert await resume(world.store, world.clock, world.id, "bob")
    assert not await resume(world.store, world.clock, world.id, "bob")
    async with world.store.transaction() as tx:
        await require_active(tx, world.id)
        told = await audit.show(tx, world.id, world.id)
    acts = [(one.actor, one.action) for one in told]
    assert acts[-2:] == [("ann", "paused"), ("bob", "resumed")]
