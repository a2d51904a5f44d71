"""Both sandboxes in the test's own process, reached over TCP."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from ml_sandbox.up import Addresses, Wishes, start


@pytest.fixture
async def pair(anyio_backend: str) -> AsyncGenerator[Addresses]:
    """How to reach the two sandboxes; their clock starts before the month."""
    async with AsyncExitStack() as stack:
        yield await start(stack, Wishes(at=datetime(2026, 10, 1, 6, tzinfo=UTC)))
