"""A signal is only a hint: doubled, backwards, lost or stale, the books come out the same."""

import asyncio

import pytest
from sqlalchemy import text

from build.world import World
from ml_connector.assemble.worker import work
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.intake import look_all
from ml_connector.flows.signals import Kind, Look

pytestmark = pytest.mark.anyio


async def a_busy_day(world: World) -> list[ErpRef]:
    """Three sales, one of them partly given back; nothing has reached the connector yet."""
    refs = [await world.an_invoice(price) for price in ("10.00", "20.00", "30.00")]
    await world.mirror()
    charges = [await world.pay(ref) for ref in refs]
    await world.refund(charges[0], 400)
    await world.stripe.ask("settled")
    return refs


async def the_day_is_in_the_books(world: World, refs: list[ErpRef]) -> None:
    for ref in refs:
        assert await world.balance_due(ref) == 0
    assert len(await world.documents("Payment")) == len(refs)
    assert await world.ledger("40900") == 4
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []
    await world.all_posted()


async def test_every_event_three_times_and_backwards_is_one_day_in_the_books(
    world: World,
) -> None:
    refs = await a_busy_day(world)
    await world.deliver(times=3, backwards=True)
    await world.settle()
    await the_day_is_in_the_books(world, refs)


async def test_events_that_all_got_lost_are_found_by_the_poll(world: World) -> None:
    refs = await a_busy_day(world)
    await world.sync("stripe.events")
    await the_day_is_in_the_books(world, refs)


async def test_money_without_any_event_is_found_by_the_sweep(world: World) -> None:
    await world.stripe.tell("webhooks", {"never_generated": 1.0})
    refs = await a_busy_day(world)
    await world.sync("stripe.events")
    assert await world.documents("Payment") == []
    await world.sync("stripe.transactions")
    await the_day_is_in_the_books(world, refs)


async def test_everything_at_once_webhooks_poll_and_sweep_is_one_day_in_the_books(
    world: World,
) -> None:
    refs = await a_busy_day(world)
    await world.deliver(times=2)
    await world.sync()
    await world.deliver_again()
    await world.sync()
    await the_day_is_in_the_books(world, refs)


async def test_events_that_come_a_week_late_change_nothing(world: World) -> None:
    refs = await a_busy_day(world)
    await world.sync("stripe.transactions")
    before = await world.documents("JournalTransaction")
    await world.pass_minutes(7 * 24 * 60)
    await world.deliver(times=2, backwards=True)
    await world.settle()
    assert await world.documents("JournalTransaction") == before
    await the_day_is_in_the_books(world, refs)


async def test_an_outage_of_a_month_and_more_is_caught_up_without_events(world: World) -> None:
    refs = await a_busy_day(world)
    await world.pass_minutes(45 * 24 * 60)
    await world.sync("stripe.events")
    await world.sync("stripe.transactions")
    await the_day_is_in_the_books(world, refs)


async def test_the_real_worker_takes_the_day_in_with_eight_jobs_at_once(
    world_of_today: World,
) -> None:
    world = world_of_today
    refs = await a_busy_day(world)
    await world.deliver(times=2, backwards=True)
    stop = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(world.place, world.board, stop))
        while await world.waiting() or not await world.idle():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        stop.set()
    await world.wait_for_cure()
    await the_day_is_in_the_books(world, refs)


async def test_looks_are_queued_in_one_order_so_that_two_who_queue_them_never_block_each_other(
    world: World,
) -> None:
    looks = [Look(Kind.REFUND, "re_1"), Look(Kind.CHARGE, "ch_2"), Look(Kind.CHARGE, "ch_1")]
    async with world.store.transaction() as tx:
        assert await look_all(tx, world.id, [*looks, looks[0]]) == 3
    async with world.store.transaction() as tx:
        assert await look_all(tx, world.id, reversed(looks)) == 0, "they wait already"
        rows = await tx.execute(text("SELECT lock FROM procrastinate_jobs ORDER BY id"))
    queued = [lock for lock in rows.scalars() if "stream" not in lock]
    assert [one.partition("/")[2] for one in queued] == [
        "charge/ch_1",
        "charge/ch_2",
        "refund/re_1",
    ]
