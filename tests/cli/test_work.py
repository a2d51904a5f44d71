"""Working by hand: until nothing is due, but not for ever, and whatever broke is shown."""

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text

from build.world import World, a_world
from ml_connector.basics.errors import TryAgain
from ml_connector.cli.frame import Office
from ml_connector.cli.standing import facts, show_standing
from ml_connector.cli.work import work_until_idle
from ml_connector.flows.intake import look
from ml_connector.flows.questions.standing import standing
from ml_connector.flows.signals import Kind, Look
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(store: Store) -> AsyncGenerator[World]:
    async with a_world(store) as made:
        yield made


async def a_look_that_is(world: World, status: str) -> None:
    """Somebody else's worker has it, or had it."""
    async with world.store.transaction() as tx:
        await tx.execute(text("DELETE FROM procrastinate_jobs"))
        await look(tx, world.id, Look(Kind.CHARGE, "ch_1"))
        for step in ("doing", status):
            await tx.execute(
                text("UPDATE procrastinate_jobs SET status = CAST(:s AS procrastinate_job_status)"),
                {"s": step},
            )


async def test_a_command_gives_up_on_work_that_makes_no_headway_and_says_so(world: World) -> None:
    await a_look_that_is(world, "doing")
    office = Office(world.place, world.board)
    with pytest.raises(TryAgain, match="none has ended for 1 seconds"):
        await work_until_idle(office, world.id, shown=False, patience=1)


async def test_a_look_that_broke_asks_for_a_person_in_words_and_in_json(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not (await standing(world.store, world.id)).asks
    await a_look_that_is(world, "failed")
    found = await standing(world.store, world.id)
    assert found.asks
    show_standing([found], as_json=False)
    said = capsys.readouterr().out
    assert "The look at charge ch_1 broke at" in said
    assert "ml-connector replay ch_1" in said
    (job,) = found.failed
    assert facts(found)["failed"] == [{"kind": "charge", "resource": "ch_1", "at": job.at}]
