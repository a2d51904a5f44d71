"""The whole machine is not blind either: a connector that is broken on purpose does not pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from build.emptied import emptied
from build.lives import Act, Life
from build.living import begin, live
from build.verdict import all_is_well, comes_to_rest
from build.world import World, a_world
from ml_connector.books.postings import Journal
from ml_connector.flows.connected import Connected
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio

A_SALE = [Act("invoices"), Act("pays")]
A_REFUND = Life({}, [*A_SALE, Act("refunds", part=40)])
A_DEATH = Life({}, [Act("invoices"), Act("a_worker_dies", part=36), Act("pays")])
"""The worker dies once its payment stands in Acumatica."""


class Between:
    """A client as it is, but for what a broken connector does otherwise."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class Blind(Between):
    """Finds no payment that was sent before: dedupe is off."""

    async def find_payments(self, *asked: Any) -> Any:
        return []


class TurnedRound(Between):
    """Books refunds on the wrong side, and reads them back so."""

    async def put_journal(self, journal: Journal, tag: str) -> Any:
        return await self._client.put_journal(_turned(journal), tag)

    async def journal(self, which: Any) -> Any:
        return _turned(await self._client.journal(which))


def _turned(journal: Any) -> Any:
    if "refund" not in journal.description.lower():
        return journal
    return replace(
        journal, lines=tuple(replace(line, amount=-line.amount) for line in journal.lines)
    )


async def passes(world: World, life: Life, always: Callable[[Connected], Connected]) -> None:
    one = await begin(world, life, always)
    await live(one, life.acts)
    await comes_to_rest(one)
    await all_is_well(one)


@pytest.mark.parametrize(("life", "broken"), [(A_DEATH, Blind), (A_REFUND, TurnedRound)])
async def test_a_connector_that_is_broken_is_found_out(
    database: Store, life: Life, broken: type[Between]
) -> None:
    def always(c: Connected) -> Connected:
        erp: Any = broken(c.acumatica)
        return replace(c, acumatica=erp)

    async with emptied(database) as store, a_world(store) as world:
        await passes(world, life, lambda c: c)
    with pytest.raises(ExceptionGroup) as found:
        async with emptied(database) as store, a_world(store) as world:
            await passes(world, life, always)
    assert found.group_contains(AssertionError)
