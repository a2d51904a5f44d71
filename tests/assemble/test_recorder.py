"""What the connector says and hears is stored off the calls' path, and never in its way."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from build.stored import MAIN, NOON
from ml_connector.assemble.recorder import Recorder
from ml_connector.store import exchanges
from ml_connector.store.engine import Store
from ml_connector.store.exchanges import Exchange

pytestmark = pytest.mark.anyio


def a_call(number: int, response: str = "") -> Exchange:
    at = NOON + timedelta(seconds=number)
    return Exchange(MAIN, at, "stripe", "GET", f"/v1/{number}", 200, 5, response=response)


async def kept(store: Store) -> list[str]:
    async with store.transaction() as tx:
        return [one.path for one in await exchanges.recent(tx, MAIN)]


@pytest.mark.parametrize("refused", ["a\x00b", "a\ud800b"])
async def test_what_the_database_refuses_for_ever_does_not_block_what_comes_after(
    store: Store, refused: str
) -> None:
    one = Recorder(store)
    one.gather(a_call(1, response=refused))
    with capture_logs() as said:
        await one.flush()
    assert {entry["event"] for entry in said} == {"exchanges_refused", "exchanges_not_kept"}
    assert refused not in str(said)
    one.gather(a_call(2))
    await one.flush()
    assert await kept(store) == ["/v1/2"]


async def test_while_the_database_is_away_no_more_wait_than_memory_bears(
    store: Store,
) -> None:
    one = Recorder(store, most_waiting=2)
    for number in range(5):
        one.gather(a_call(number))
    with capture_logs() as said:
        await one.flush()
    assert [entry["count"] for entry in said] == [3]
    assert await kept(store) == ["/v1/1", "/v1/0"]
