"""Running: the engine of one process, against a real database."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.engine import Store
from ml_connector.store.jobs import Job, defer, idle
from ml_connector.store.queue import Queue

pytestmark = pytest.mark.anyio

MAIN, OTHER = ConnectionId("main"), ConnectionId("other")
Handler = Callable[[Job], Awaitable[None]]


def invoice(resource: str, connection: ConnectionId = MAIN) -> Job:
    return Job(connection, "invoice", resource)


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


async def send(store: Store, *jobs: Job, not_before: datetime | None = None) -> list[bool]:
    async with store.transaction() as tx:
        return [await defer(tx, job, not_before=not_before) for job in jobs]


async def until(true: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while True:
            answer = true()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.01)


async def until_idle(store: Store) -> None:
    async def rests() -> bool:
        async with store.transaction() as tx:
            return await idle(tx)

    await until(rests)


async def statuses(store: Store) -> Counter[str]:
    async with store.transaction() as tx:
        found = await tx.execute(text("SELECT status FROM procrastinate_jobs"))
        return Counter(found.scalars())


@asynccontextmanager
async def worker(
    store: Store,
    handler: Handler,
    *,
    connections: Sequence[ConnectionId] = (MAIN,),
    concurrency: int = 8,
    **options: float,
) -> AsyncGenerator[None]:
    async def active() -> Sequence[ConnectionId]:
        return connections

    stop = asyncio.Event()
    pace = {"heartbeat": 0.2, "stalled_after": 1, "poll": 0.2, "refresh": 0.05} | options
    queue = Queue(url_of(store), handler, **pace)
    running = asyncio.create_task(queue.run(active, concurrency=concurrency, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


class Work:
    """A handler that counts runs, and holds each until the gate is open."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.gate = asyncio.Event()
        if is_open:
            self.gate.set()

    async def __call__(self, job: Job) -> None:
        self.started.append(job.resource)
        self.now[job.key] += 1
        self.most[job.key] = max(self.most[job.key], self.now[job.key])
        try:
            await self.gate.wait()
        finally:
            self.now[job.key] -= 1
        self.ended.append(job.resource)


async def test_a_burst_of_signals_during_a_run_leads_to_exactly_one_more(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work):
        await send(store, invoice("in_1"))
        await until(lambda: work.started == ["in_1"])
        made = [await send(store, invoice("in_1")) for _ in range(50)]
        work.gate.set()
        await until_idle(store)
    assert made.count([True]) == 1
    assert work.ended == ["in_1", "in_1"]


async def test_two_resources_run_in_parallel(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work):
        await send(store, invoice("in_1"), invoice("in_2"))
        await until(lambda: sorted(work.started) == ["in_1", "in_2"])
        work.gate.set()


async def test_one_resource_never_runs_twice_at_once_even_with_two_workers(store: Store) -> None:
    most = Counter[str]()
    now = Counter[str]()

    async def work(job: Job) -> None:
        now[job.resource] += 1
        most[job.resource] = max(most[job.resource], now[job.resource])
        await asyncio.sleep(0.002)
        now[job.resource] -= 1

    runs = 0
    async with worker(store, work), worker(store, work):
        for _ in range(40):
            runs += sum(await send(store, invoice("in_1"), invoice("in_2")))
            await asyncio.sleep(0.002)
        await until_idle(store)
    assert runs > 4
    assert most == {"in_1": 1, "in_2": 1}
    assert await statuses(store) == {"succeeded": runs}


async def test_a_connection_runs_no_more_jobs_at_once_than_allowed(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work, concurrency=3):
        await send(store, *(invoice(f"in_{number}") for number in range(9)))
        await until(lambda: len(work.started) == 3)
        await asyncio.sleep(0.5)
        assert len(work.started) == 3
        work.gate.set()
        await until(lambda: len(work.ended) == 9)


async def test_jobs_start_in_order_of_priority_then_arrival(store: Store) -> None:
    work = Work()
    async with store.transaction() as tx:
        await defer(tx, invoice("backfill"), priority=-10)
        await defer(tx, invoice("first"))
        await defer(tx, invoice("second"))
    async with worker(store, work, concurrency=1):
        await until_idle(store)
    assert work.started == ["first", "second", "backfill"]


async def test_a_run_that_waited_for_its_resource_starts_without_waiting_for_a_poll(
    store: Store,
) -> None:
    work = Work(is_open=False)
    async with worker(store, work, poll=3600):
        await asyncio.sleep(1.5)  # until the listener has tuned in, which wakes the lane too
        await send(store, invoice("in_1"))
        await until(lambda: len(work.started) == 1)
        await send(store, invoice("in_1"))
        await asyncio.sleep(0.3)  # the notice of the second finds the first still running
        work.gate.set()
        await until(lambda: len(work.ended) == 2)


async def test_a_run_that_a_transaction_joined_starts_at_its_commit(store: Store) -> None:
    work = Work()
    await send(store, invoice("in_1"), not_before=datetime.now(UTC) + timedelta(hours=1))
    async with worker(store, work, poll=3600):
        await send(store, invoice("warm"))
        await until(lambda: work.ended == ["warm"])
        async with store.transaction() as tx:
            assert not await defer(tx, invoice("in_1"))
            await asyncio.sleep(0.1)
            assert work.started == ["warm"]
        await until(lambda: work.ended == ["warm", "in_1"])


async def test_a_job_does_not_start_before_its_time_and_starts_when_brought_forward(
    store: Store,
) -> None:
    work = Work()
    async with worker(store, work):
        soon = datetime.now(UTC) + timedelta(seconds=1)
        await send(store, invoice("soon"), not_before=soon)
        await send(store, invoice("later"), not_before=soon + timedelta(hours=1))
        await until(lambda: work.ended == ["soon"])
        assert datetime.now(UTC) >= soon
        await send(store, invoice("later"))
        await until(lambda: work.ended == ["soon", "later"])


async def test_an_exploding_handler_fails_its_job_and_the_loop_goes_on(store: Store) -> None:
    async def work(job: Job) -> None:
        if job.resource == "cancelled":
            raise asyncio.CancelledError
        if job.resource != "good":
            raise ZeroDivisionError(job.resource)

    with capture_logs() as logs:
        async with worker(store, work, concurrency=1):
            await send(store, invoice("bad"), invoice("cancelled"), invoice("good"))
            await until_idle(store)
    assert await statuses(store) == {"failed": 2, "succeeded": 1}
    failed = [entry for entry in logs if entry["event"] == "job_failed"]
    assert [entry["job"] for entry in failed] == ["main/invoice/bad", "main/invoice/cancelled"]
    assert all(entry["exc_info"] for entry in failed)


async def test_a_failed_jobs_resource_runs_again_at_the_next_signal(store: Store) -> None:
    explode = iter([True, False])

    async def work(job: Job) -> None:
        if next(explode):
            raise ZeroDivisionError

    with capture_logs():
        async with worker(store, work):
            await send(store, invoice("in_1"))
            await until_idle(store)
            assert await send(store, invoice("in_1")) == [True]
            await until_idle(store)
    assert await statuses(store) == {"failed": 1, "succeeded": 1}


async def test_a_new_connection_is_picked_up_while_running_and_a_removed_one_ends(
    store: Store,
) -> None:
    work = Work()
    connections = [MAIN]
    async with worker(store, work, connections=connections):
        await send(store, invoice("theirs", OTHER), invoice("ours"))
        await until(lambda: work.ended == ["ours"])
        connections[:] = [OTHER]
        await until(lambda: work.ended == ["ours", "theirs"])
        await asyncio.sleep(0.3)
        await send(store, invoice("too late"), invoice("again", OTHER))
        await until(lambda: work.ended == ["ours", "theirs", "again"])
        await asyncio.sleep(0.5)
    assert "too late" not in work.started


async def test_a_list_of_connections_that_cannot_be_read_stops_nothing(store: Store) -> None:
    work = Work()
    answers = iter([[MAIN], ZeroDivisionError(), [MAIN, OTHER]])

    async def active() -> list[ConnectionId]:
        answer = next(answers, [MAIN, OTHER])
        if isinstance(answer, Exception):
            raise answer
        return answer

    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(
            Queue(url_of(store), work, refresh=0.05).run(active, stop=stop)
        )
        await send(store, invoice("ours"), invoice("theirs", OTHER))
        await until(lambda: len(work.ended) == 2)
        stop.set()
        await running
    assert "connections_not_read" in [entry["event"] for entry in logs]


async def test_a_noisy_connection_does_not_delay_anothers_job(store: Store) -> None:
    done = list[ConnectionId]()

    async def work(job: Job) -> None:
        await asyncio.sleep(0.01)
        done.append(job.connection)

    await send(store, *(invoice(f"in_{number}") for number in range(1000)))
    await send(store, invoice("in_1", OTHER))
    async with worker(store, work, connections=(MAIN, OTHER), concurrency=4):
        await until(lambda: OTHER in done)
    assert done.index(OTHER) < 50


async def test_a_stop_lets_running_jobs_end_and_starts_no_more(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work, concurrency=1):
        await send(store, invoice("in_1"), invoice("in_2"))
        await until(lambda: work.started == ["in_1"])
        asyncio.get_running_loop().call_later(0.3, work.gate.set)
    assert work.ended == ["in_1"]
    assert await statuses(store) == {"succeeded": 1, "todo": 1}


async def test_a_job_that_outlasts_the_grace_of_a_stop_is_given_back(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work, grace=0.1):
        await send(store, invoice("in_1"), invoice("in_2"))
        await until(lambda: len(work.started) == 2)
        await send(store, invoice("in_2"))
    assert work.ended == []
    # The second one has a later run that waits already: that run stands for both.
    assert await statuses(store) == {"todo": 2, "aborted": 1}
    work.gate.set()
    async with worker(store, work):
        await until_idle(store)
    assert sorted(work.ended) == ["in_1", "in_2"]


@asynccontextmanager
async def killed_worker(store: Store, *resources: str) -> AsyncGenerator[None]:
    program = Path(__file__).with_name("one_worker.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, url_of(store), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        for _ in resources:
            await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.communicate()


async def test_the_job_of_a_killed_worker_is_taken_over(store: Store) -> None:
    work = Work()
    await send(store, invoice("in_1"), invoice("in_2"))
    async with killed_worker(store, "in_1", "in_2"):
        await send(store, invoice("in_2"))
    assert await statuses(store) == {"doing": 2, "todo": 1}
    with capture_logs() as logs:
        async with worker(store, work):
            await until_idle(store)
    assert sorted(work.ended) == ["in_1", "in_2"]
    # A later run of the second waited already, so the stalled one was only ended.
    assert await statuses(store) == {"succeeded": 2, "aborted": 1}
    rescued = [entry["job"] for entry in logs if entry["event"] == "job_rescued"]
    assert sorted(rescued) == ["main/invoice/in_1", "main/invoice/in_2"]


async def test_a_frozen_worker_cannot_end_the_run_that_another_took_over(store: Store) -> None:
    frozen, other = Work(is_open=False), Work(is_open=False)
    with capture_logs() as logs:
        async with worker(store, frozen, heartbeat=3600, concurrency=1):
            await send(store, invoice("in_1"))
            await until(lambda: frozen.started == ["in_1"])
            async with worker(store, other):
                await until(lambda: other.started == ["in_1"])
                frozen.gate.set()
                await until(lambda: frozen.ended == ["in_1"])
                await until(lambda: "job_taken_over_meanwhile" in [e["event"] for e in logs])
                assert await statuses(store) == {"doing": 1}
                other.gate.set()
                await until_idle(store)
    assert await statuses(store) == {"succeeded": 1}


async def test_the_live_workers_jobs_are_left_alone(store: Store) -> None:
    work = Work(is_open=False)
    async with worker(store, work), worker(store, work):
        await send(store, invoice("in_1"))
        await asyncio.sleep(2.5)  # longer than `stalled_after`
        work.gate.set()
        await until_idle(store)
    assert work.started == ["in_1"]


async def test_workers_go_on_when_the_database_cuts_every_connection(store: Store) -> None:
    work = Work(is_open=False)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with capture_logs():
        async with worker(store, work, poll=3600):
            await send(store, invoice("in_1"))
            await until(lambda: work.started == ["in_1"])
            async with store.transaction() as tx:
                await tx.execute(cut)
            work.gate.set()
            await until(lambda: work.ended == ["in_1"])
            await asyncio.sleep(2)
            await store.dispose()  # the test's own connections were cut too
            await send(store, invoice("in_2"))
            await until_idle(store)
    assert await statuses(store) == {"succeeded": 2}
