"""The running sandbox and a webhook receiver for its tests."""

from collections.abc import Iterator

import pytest

from sandbox_stripe.stripe_running import Receiver, Running, running, served


@pytest.fixture
def sandbox() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with served(made.asgi, lifespan="off") as url:
        made.url = url
        yield made
