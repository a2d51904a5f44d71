"""Exchanges: stored many at once, counted by kind of call, pruned."""

from datetime import timedelta

import pytest

from build.stored import MAIN, NOON, OTHER
from ml_connector.store import exchanges
from ml_connector.store.engine import Store
from ml_connector.store.exchanges import Exchange

pytestmark = pytest.mark.anyio
ERP = "/entity/Default/24.200.001"


def a_call(path: str = "/v1/charges/ch_3Abcdefgh", **changes: object) -> Exchange:
    facts: dict[str, object] = {
        "at": NOON,
        "service": "stripe",
        "method": "GET",
        "status": 200,
        "duration_ms": 100,
    }
    return Exchange(connection=MAIN, path=path, **(facts | changes))


async def test_the_last_exchanges_of_a_resource_come_newest_first(store: Store) -> None:
    first = a_call(resource="ch_1", request="{}", response="{}", request_id="req_1")
    second = a_call(resource="ch_1", at=NOON + timedelta(seconds=1), status=500)
    third = a_call(resource="ch_2")
    async with store.transaction() as tx:
        await exchanges.record(tx, [first, second, third])
        assert await exchanges.recent(tx, MAIN, resource="ch_1") == [second, first]
        assert await exchanges.recent(tx, MAIN, failed_only=True) == [second]
        assert len(await exchanges.recent(tx, MAIN, limit=2)) == 2
        assert await exchanges.of_resources(tx, MAIN, {"ch_1", "ch_3"}) == {"ch_1": 2}


async def test_many_exchanges_are_stored_and_old_ones_pruned(store: Store) -> None:
    calls = [a_call(at=NOON + timedelta(seconds=number)) for number in range(2_001)]
    async with store.transaction() as tx:
        await exchanges.record(tx, [])
        await exchanges.record(tx, calls)
        assert await exchanges.prune(tx, OTHER, NOON + timedelta(days=1)) == 0
        assert await exchanges.prune(tx, MAIN, NOON + timedelta(seconds=2_000)) == 2_000
        assert await exchanges.recent(tx, MAIN) == [calls[-1]]
