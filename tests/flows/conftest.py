"""A fresh world for each story."""

from collections.abc import AsyncGenerator

import pytest

from build.world import World, a_world
from ml_connector.store.engine import Store


@pytest.fixture
async def world(store: Store) -> AsyncGenerator[World]:
    async with a_world(store) as made:
        yield made
