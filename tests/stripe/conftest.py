"""A Stripe client on a real transport, pointed at whatever address a test serves."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ml_connector.basics.clock import SystemClock
from ml_connector.basics.ids import ConnectionId
from ml_connector.http.pace import NoPace
from ml_connector.http.retry import RetryPolicy
from ml_connector.http.transport import Exchange, Transport
from ml_connector.stripe.client import StripeClient
from stripe_records import Connect

KEY = "sk_test_51Habcdefghijk"


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
async def connect(exchanges: list[Exchange]) -> AsyncGenerator[Connect]:
    """Connects to an address: `connect(url, key=..., name=...)`."""
    transports: list[Transport] = []

    def connected(url: str, *, key: str = KEY, name: str = "main") -> StripeClient:
        transport = Transport(
            "stripe",
            pace=NoPace(),
            clock=SystemClock(),
            record=exchanges.append,
            retries=RetryPolicy(attempts=3, sleep=at_once),
        )
        transports.append(transport)
        return StripeClient(key, transport, connection=ConnectionId(name), base_url=url)

    yield connected
    for transport in transports:
        await transport.aclose()
