"""What all commands share: an error is a sentence and an exit code, whatever broke."""

import asyncio

import pytest

from ml_connector.cli.frame import Exit, run
from ml_connector.store.engine import Store

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


async def _asks() -> int:
    store = Store.open(NOBODY)
    async with store.transaction():
        return Exit.OK


async def _asks_in_a_group() -> int:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_asks())
        tasks.create_task(_asks())
    return Exit.OK


async def _is_wrong_in_a_group() -> int:
    async def wrong() -> None:
        raise ValueError("a mistake of ours")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_asks())
        tasks.create_task(wrong())
    return Exit.OK


@pytest.mark.parametrize("body", [_asks, _asks_in_a_group])
def test_a_database_that_goes_away_is_a_sentence_and_try_later(
    body: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(body)
    assert run(body) == Exit.LATER
    assert "The database does not answer any more." in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_taken_for_a_database_that_is_away() -> None:
    with pytest.raises(ExceptionGroup):
        run(_is_wrong_in_a_group)
