"""Lives that the machine has found to go wrong once: each stays as an example."""

import pytest

from build.emptied import emptied
from build.lives import Act, Life
from build.living import begin, live
from build.verdict import all_is_well, comes_to_rest, told
from build.world import a_world
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio

RELEASED_AND_VOIDED = Life(
    {"release": "false"},
    [
        Act("invoices"),
        Act("pays"),
        Act("releases_what_is_left", then="rests"),
        Act("voids_a_payment_of_ours"),
    ],
)


async def test_a_payment_that_is_voided_as_soon_as_it_is_released_is_named_as_voided(
    database: Store,
) -> None:
    async with emptied(database) as store, a_world(store) as world:
        one = await begin(world, RELEASED_AND_VOIDED)
        await live(one, RELEASED_AND_VOIDED.acts)
        await comes_to_rest(one)
        assert "voided" in " ".join(await told(world))
        await all_is_well(one)


LOST_AND_RELEASED_LATE = Life(
    {"release": "false", "dispute_lost": '"reopen"'},
    [
        Act("invoices", 0, 40),
        Act("pays"),
        Act("invoices", 0, 77),
        Act("pays", 5),
        Act("disputes", 7, then="polls"),
        Act("holds_a_reserve", 3, 40, "hears_badly"),
        Act("a_line_breaks", 8, then="rests"),
        Act("pays", 7, 87, "misses_the_news"),
    ],
)


async def test_an_invoice_that_a_lost_dispute_reopens_is_told_however_late_its_void_is_released(
    database: Store,
) -> None:
    """The poll lists the invoice when an accountant has released the void, and we know later."""
    async with emptied(database) as store, a_world(store) as world:
        one = await begin(world, LOST_AND_RELEASED_LATE)
        await live(one, LOST_AND_RELEASED_LATE.acts)
        await comes_to_rest(one)
        assert "is owed 77.00 USD again" in " ".join(await told(world))
        await all_is_well(one)
