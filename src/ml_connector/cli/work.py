"""The daily work by hand: catch up, look at how things stand, replay."""

import asyncio
import time
from typing import TYPE_CHECKING

from ml_connector.basics.errors import TryAgain
from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened, progress_wanted

if TYPE_CHECKING:
    from ml_connector.basics.ids import ConnectionId

PATIENCE_SECONDS = 600.0
"""How long a command waits for work that makes no headway."""


def sync(name: Name = "", *, json: Json = False) -> int:
    """Catch up with both sides now, and wait until everything that is due is done."""

    async def body(office: Office) -> int:
        from ml_connector.cli.standing import show_standing
        from ml_connector.flows.connections.pause import require_active
        from ml_connector.flows.intake import look_all
        from ml_connector.flows.questions.standing import standing
        from ml_connector.flows.rounds.catch_up import STREAMS
        from ml_connector.flows.signals import Kind, Look

        connection = await office.only(name)
        async with office.place.store.transaction() as tx:
            await require_active(tx, connection)
            streams = [Look(Kind.STREAM, stream) for stream in STREAMS]
            await look_all(tx, connection, streams, priority=2)
        await work_until_idle(office, connection, shown=progress_wanted(as_json=json))
        found = await standing(office.place.store, connection)
        show_standing([found], as_json=json)
        return Exit.ATTENTION if found.troubles or found.failed else Exit.OK

    return opened(body, as_json=json)


async def work_until_idle(
    office: Office,
    connection: "ConnectionId",
    *,
    shown: bool,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Works beside any running service until nothing is due, and nothing runs.

    Raises TryAgain when there is no headway for as long as `patience`, in seconds, and Paused.
    """
    from ml_connector.assemble.worker import work
    from ml_connector.flows.connections.pause import require_active

    async with office.place.store.transaction() as tx:
        await require_active(tx, connection)
    stop = asyncio.Event()
    worker = asyncio.create_task(work(office.place, office.board, stop))
    try:
        await _until_idle(office, connection, worker, shown=shown, patience=patience)
    finally:
        stop.set()
        await worker


async def _until_idle(
    office: Office,
    connection: "ConnectionId",
    worker: "asyncio.Task[None]",
    *,
    shown: bool,
    patience: float,
) -> None:
    from ml_connector.cli import show
    from ml_connector.flows.connections.pause import require_active
    from ml_connector.store import jobs

    most, before, since = 1, None, time.monotonic()
    with show.progress(shown=shown) as bar:
        task = bar.add_task("catching up", total=None) if bar else None
        while not worker.done():
            await asyncio.sleep(0.2)
            async with office.place.store.transaction() as tx:
                await require_active(tx, connection)
                waiting = await jobs.waiting(tx, connection)
                idle = await jobs.idle(tx, connection)
            left = sum(one.due + one.doing for one in waiting)
            most = max(most, left)
            if bar and task is not None:
                bar.update(task, total=most, completed=most - left)
            if idle:
                return
            standing = [(one.kind, one.due, one.doing, one.later) for one in waiting]
            if standing != before:
                before, since = standing, time.monotonic()
            elif time.monotonic() - since > patience:
                raise _no_headway(left, patience)


def _no_headway(left: int, patience: float) -> TryAgain:
    return TryAgain(
        f"{left} looks are due or under way, and none has ended for {patience:.0f} seconds.",
        cause="cli.patience",
        remedy="Nothing is lost: they go on with the service, or with the next sync.",
    )


def status(name: Name = "", *, json: Json = False) -> int:
    """How every connection stands: work waiting, money not posted, what asks for a person."""

    async def body(office: Office) -> int:
        from ml_connector.cli.standing import show_standing
        from ml_connector.flows.questions.standing import standing
        from ml_connector.store import connections

        store = office.place.store
        async with store.transaction() as tx:
            names = [one.id for one in await connections.every(tx)]
        chosen = [await office.only(name)] if name else names
        found = [await standing(store, one) for one in chosen]
        show_standing(found, as_json=json)
        return Exit.ATTENTION if any(one.asks for one in found) else Exit.OK

    return opened(body, as_json=json)


def explain(number: str, *, connection: Name = "", json: Json = False) -> int:
    """Explain any number (invoice, charge, payout, document): both sides, who did what, and why."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.explained import facts_of, show_explanation
        from ml_connector.flows.questions.lineage import lineage

        found = await lineage(await office.board.connected(await office.only(connection)), number)
        if json:
            show.as_json(facts_of(found))
        elif found.chain.empty:
            show.say(f"Nobody knows {number} here. It may not have been seen yet: try sync.")
        else:
            show_explanation(found)
        return Exit.ATTENTION if found.chain.empty or found.chain.troubles else Exit.OK

    return opened(body, as_json=json)


def replay(number: str, *, connection: Name = "", wait: bool = True, json: Json = False) -> int:
    """Look again at everything that a number stands for; does nothing where nothing is owed."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.questions.explain import replay as look_again

        chosen = await office.only(connection)
        now = office.place.clock.now()
        looks = await look_again(office.place.store, chosen, number, now=now, actor=actor())
        if wait and looks:
            await work_until_idle(office, chosen, shown=progress_wanted(as_json=json))
        if json:
            show.as_json({"queued": [f"{one.kind}/{one.resource}" for one in looks]})
        else:
            for one in looks:
                show.say(f"looked again at {one.kind} {one.resource}")
            if not looks:
                show.say(f"Nobody knows {number} here.")
        return Exit.OK if looks else Exit.ATTENTION

    return opened(body, as_json=json)
