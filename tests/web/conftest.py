"""The service's own web application over TCP, before a world whose clock is the real one."""

from collections.abc import AsyncGenerator

import pytest

from build.service import Service, served
from build.world import a_world
from ml_connector.store.engine import Store


@pytest.fixture
async def service(store: Store) -> AsyncGenerator[Service]:
    # Providers sign with the real time, so the connector must live in it too.
    async with a_world(store, at=None) as world, served(world) as running:
        yield running
