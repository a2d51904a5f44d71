"""Any life of a firm through the whole connector: both sandboxes, the database, every flow."""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from build.emptied import emptied
from build.lives import Life, lives
from build.living import ACTS, OFTEN, begin, live
from build.verdict import all_is_well, comes_to_rest
from build.world import a_world
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio

HUNTING = "ML_EXAMPLES" in os.environ
"""Then new lives are drawn each time; else the same few: a run tells of the change alone."""
EXAMPLES = max(5, int(os.environ.get("ML_EXAMPLES", "0")) // 25)


@pytest.mark.timeout(3600)
@settings(
    max_examples=EXAMPLES,
    derandomize=not HUNTING,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(life=lives((*OFTEN, *ACTS)))
async def test_whatever_happens_the_books_agree_in_the_end(database: Store, life: Life) -> None:
    async with emptied(database) as store, a_world(store) as world:
        one = await begin(world, life)
        await live(one, life.acts)
        await comes_to_rest(one)
        await all_is_well(one)
