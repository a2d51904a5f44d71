"""Deferring: what a transaction leaves behind for the workers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.engine import Store
from ml_connector.store.jobs import Backlog, Job, defer, failed, idle, prune, queue_of, waiting

pytestmark = pytest.mark.anyio

MAIN = ConnectionId("main")
INVOICE = Job(MAIN, "invoice", "in_1")


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def rows(store: Store) -> list[Any]:
    async with store.transaction() as tx:
        result = await tx.execute(text("SELECT * FROM procrastinate_jobs ORDER BY id"))
        return list(result)


async def set_all(store: Store, status: str) -> None:
    async with store.transaction() as tx:
        await tx.execute(text(f"UPDATE procrastinate_jobs SET status = '{status}'"))


async def test_a_signal_leaves_one_waiting_job_in_its_connections_queue(store: Store) -> None:
    async with store.transaction() as tx:
        assert await defer(tx, INVOICE, priority=3)
    (row,) = await rows(store)
    assert row.queue_name == "connection:main"
    assert row.lock == row.queueing_lock == "main/invoice/in_1"
    assert (row.task_name, row.priority, row.status) == ("invoice", 3, "todo")
    assert row.args == {"connection": "main", "resource": "in_1"}


async def test_a_rolled_back_transaction_defers_nothing(store: Store) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
        await tx.rollback()
    assert await rows(store) == []


async def test_a_second_signal_joins_the_waiting_run_and_the_transaction_goes_on(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        assert await defer(tx, INVOICE)
        assert not await defer(tx, INVOICE)
        assert await defer(tx, Job(MAIN, "invoice", "in_2"))
    assert len(await rows(store)) == 2


async def test_of_many_signals_at_once_one_makes_the_job_wait(store: Store) -> None:
    async def signal() -> bool:
        async with store.transaction() as tx:
            made = await defer(tx, INVOICE)
            await tx.execute(text("SELECT 1"))
            return made

    made = await asyncio.gather(*(signal() for _ in range(20)))
    assert made.count(True) == 1
    assert len(await rows(store)) == 1


async def test_a_signal_that_loses_the_race_keeps_its_own_transaction(store: Store) -> None:
    async with store.transaction() as first:
        await defer(first, INVOICE)
        async with store.transaction() as second:
            loser = asyncio.create_task(defer(second, INVOICE))
            await blocked(store)
            await first.commit()
            assert not await loser
            assert await defer(second, Job(MAIN, "invoice", "in_2"))
    assert len(await rows(store)) == 2


async def blocked(store: Store) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    async with asyncio.timeout(10):
        while True:
            async with store.transaction() as tx:
                if (await tx.execute(query)).scalar_one():
                    return
            await asyncio.sleep(0.01)


async def test_a_signal_during_a_run_makes_one_more_run_wait(store: Store) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
    await set_all(store, "doing")
    async with store.transaction() as tx:
        assert await defer(tx, INVOICE)
        assert not await defer(tx, INVOICE)
    assert [row.status for row in await rows(store)] == ["doing", "todo"]


async def test_an_urgent_signal_brings_a_later_run_forward(store: Store) -> None:
    later, sooner = in_an_hour(), datetime.now(UTC) + timedelta(minutes=1)
    async with store.transaction() as tx:
        await defer(tx, INVOICE, not_before=later)
        assert not await defer(tx, INVOICE, not_before=sooner, priority=5)
    assert [(row.scheduled_at, row.priority) for row in await rows(store)] == [(sooner, 5)]
    async with store.transaction() as tx:
        assert not await defer(tx, INVOICE)
    assert [(row.scheduled_at, row.priority) for row in await rows(store)] == [(None, 5)]


async def test_a_repeat_for_later_never_puts_off_a_run_that_is_due(store: Store) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
        assert not await defer(tx, INVOICE, not_before=in_an_hour(), priority=-1)
    assert [(row.scheduled_at, row.priority) for row in await rows(store)] == [(None, 0)]


async def test_no_worker_starts_a_waiting_run_before_it_can_see_what_joined_it(
    store: Store,
) -> None:
    fetch = text("SELECT id FROM procrastinate_fetch_job_v2(ARRAY['connection:main'], NULL)")
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
    async with store.transaction() as joining:
        assert not await defer(joining, INVOICE)
        async with store.transaction() as worker:
            assert (await worker.execute(fetch)).scalar() is None
    async with store.transaction() as worker:
        assert (await worker.execute(fetch)).scalar() is not None


async def test_a_connection_with_a_very_long_name_can_defer(store: Store) -> None:
    long = ConnectionId("the-subsidiary-in-a-country-with-a-long-name")
    async with store.transaction() as tx:
        assert await defer(tx, Job(long, "invoice", "in_1"))
        assert [kind.due for kind in await waiting(tx, long)] == [1]
    assert queue_of(long) != queue_of(ConnectionId(f"{long}-2"))


async def test_the_backlog_counts_by_kind_and_state_and_says_how_long_the_oldest_waits(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        for number in range(3):
            await defer(tx, Job(MAIN, "payout", f"po_{number}"))
    await set_all(store, "doing")
    async with store.transaction() as tx:
        await tx.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE lock LIKE '%po_2'")
        )
        await defer(tx, INVOICE)
        await defer(tx, Job(MAIN, "invoice", "in_2"), not_before=in_an_hour())
        await defer(tx, Job(ConnectionId("other"), "invoice", "in_1"))
    await age(store, timedelta(minutes=7))
    async with store.transaction() as tx:
        invoices, payouts = await waiting(tx, MAIN)
    assert payouts == Backlog("payout", due=0, later=0, doing=2, failed=1, oldest=None)
    assert (invoices.due, invoices.later, invoices.doing, invoices.failed) == (1, 1, 0, 0)
    assert invoices.oldest is not None
    assert timedelta(minutes=7) <= invoices.oldest < timedelta(minutes=8)


async def age(store: Store, by: timedelta) -> None:
    async with store.transaction() as tx:
        await tx.execute(text("UPDATE procrastinate_events SET at = at - :by"), {"by": by})


@pytest.mark.parametrize(
    ("status", "rests"),
    [("todo", False), ("doing", False), ("succeeded", True), ("failed", True)],
)
async def test_a_connection_is_idle_when_nothing_is_due_and_nothing_runs(
    store: Store, status: str, rests: bool
) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
    await set_all(store, status)
    async with store.transaction() as tx:
        assert await idle(tx, MAIN) is rests
        assert await idle(tx) is rests
        assert await idle(tx, ConnectionId("other"))


async def test_a_job_for_later_does_not_keep_a_connection_from_being_idle(store: Store) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE, not_before=in_an_hour())
        assert await idle(tx, MAIN)


@pytest.mark.parametrize(
    ("status", "age_of_end", "pruned"),
    [
        ("succeeded", timedelta(days=8), 1),
        ("aborted", timedelta(days=8), 1),
        ("succeeded", timedelta(days=6), 0),
        ("doing", timedelta(days=8), 0),
        ("todo", timedelta(days=8), 0),
    ],
)
async def test_only_jobs_that_ended_long_ago_are_pruned(
    store: Store, status: str, age_of_end: timedelta, pruned: int
) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
    if status != "todo":
        await set_all(store, "doing")
        await set_all(store, status)
    await age(store, age_of_end)
    async with store.transaction() as tx:
        assert await prune(tx, timedelta(days=7)) == pruned
    assert len(await rows(store)) == 1 - pruned


async def test_a_look_that_broke_is_shown_and_kept_until_a_later_one_makes_up_for_it(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        await defer(tx, INVOICE)
    await set_all(store, "doing")
    await set_all(store, "failed")
    await age(store, timedelta(days=8))
    async with store.transaction() as tx:
        assert [(one.kind, one.resource) for one in await failed(tx, MAIN)] == [("invoice", "in_1")]
        assert await prune(tx, timedelta(days=7)) == 0
        await defer(tx, INVOICE)
    async with store.transaction() as tx:
        assert await failed(tx, MAIN) == []
        assert await prune(tx, timedelta(days=7)) == 1
