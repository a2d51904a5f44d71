"""A fresh world for each story."""

from collections.abc import AsyncGenerator

import pytest

from build.world import World, a_world
from ml_connector.store.engine import Store


@pytest.fixture
async def world(store: Store) -> AsyncGenerator[World]:
    async with a_world(store) as made:
        yield made


@pytest.fixture
async def world_of_today(store: Store) -> AsyncGenerator[World]:
    """Where work is brought forward, the queue's own clock must be that of the world."""
    async with a_world(store, at=None) as made:
        yield made
