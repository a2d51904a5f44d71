"""Every scenario, acted out on two sandboxes: the books must show what its story says."""

import pytest

from build.acting import a_theatre
from ml_connector.store.engine import Store
from ml_sandbox.scenarios.registry import scenarios

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", list(scenarios()))
async def test_the_books_show_what_the_story_says(store: Store, name: str) -> None:
    async with a_theatre(store) as theatre:
        expected = await theatre.act(scenarios()[name])
        wrong = await theatre.settle(expected)
    assert wrong == []
