"""Links: two records that are one fact stay joined to each other and to nothing else."""

import pytest

from build.stored import MAIN, NOON, OTHER
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.store import links
from ml_connector.store.engine import Store
from ml_connector.store.links import Link, LinkWouldMove

pytestmark = pytest.mark.anyio
IN_1 = StripeId("in_1")
DOC = ErpRef("Invoice|000123")
LINK = Link(MAIN, "invoice", IN_1, DOC, how="created", detail={"a": 1}, created_at=NOON)


async def test_a_link_is_found_from_either_side(store: Store) -> None:
    async with store.transaction() as tx:
        assert await links.add(tx, LINK) == LINK
        assert await links.by_stripe(tx, MAIN, "invoice", IN_1) == LINK
        assert await links.by_erp(tx, MAIN, "invoice", DOC) == [LINK]
        assert await links.by_stripe(tx, MAIN, "customer", IN_1) is None
        assert await links.by_erp(tx, OTHER, "invoice", DOC) == []


async def test_the_same_link_again_only_adds_detail(store: Store) -> None:
    again = Link(MAIN, "invoice", IN_1, DOC, how="metadata", detail={"b": 2})
    async with store.transaction() as tx:
        await links.add(tx, LINK)
        stored = await links.add(tx, again)
    assert (stored.how, stored.detail, stored.created_at) == ("created", {"a": 1, "b": 2}, NOON)


async def test_a_linked_object_cannot_quietly_become_another_record(store: Store) -> None:
    moved = Link(MAIN, "invoice", IN_1, ErpRef("Invoice|000999"), how="guess")
    async with store.transaction() as tx:
        await links.add(tx, LINK)
        with pytest.raises(LinkWouldMove, match=r"000123.*000999"):
            await links.add(tx, moved)
        assert await links.by_stripe(tx, MAIN, "invoice", IN_1) == LINK


async def test_one_record_may_have_several_objects_over_time(store: Store) -> None:
    second = Link(MAIN, "invoice", StripeId("in_2"), DOC, how="created", created_at=NOON)
    customer = Link(MAIN, "customer", StripeId("cus_1"), ErpRef("C1"), how="adopted")
    async with store.transaction() as tx:
        for link in (second, LINK, customer):
            await links.add(tx, link)
        assert [link.stripe_id for link in await links.by_erp(tx, MAIN, "invoice", DOC)] == [
            "in_1",
            "in_2",
        ]
        assert [link.kind for link in await links.every(tx, MAIN)] == [
            "customer",
            "invoice",
            "invoice",
        ]
        assert len(await links.every(tx, MAIN, "customer")) == 1


async def test_detail_is_amended_in_part(store: Store) -> None:
    async with store.transaction() as tx:
        await links.add(tx, LINK)
        changed = await links.amend_detail(tx, MAIN, "invoice", IN_1, {"a": 2, "c": [1]})
        assert changed.detail == {"a": 2, "c": [1]}
        with pytest.raises(Bug, match="no invoice link of in_9"):
            await links.amend_detail(tx, MAIN, "invoice", StripeId("in_9"), {})
