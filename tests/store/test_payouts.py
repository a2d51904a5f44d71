"""Payouts: seen, filled with their members, proven."""

from datetime import date

import pytest

from build.stored import MAIN, NOON, a_payout
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.store import payouts
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio
PO = StripeId("po_1")
MEMBERS = (StripeId("txn_1"), StripeId("txn_2"))


async def test_a_payout_follows_what_stripe_says_of_it(store: Store) -> None:
    async with store.transaction() as tx:
        assert await payouts.remember(tx, []) == []
        assert await payouts.remember(tx, [a_payout(status="pending"), a_payout("po_2")]) == [
            PO,
            "po_2",
        ]
        assert await payouts.remember(tx, [a_payout(status="failed")]) == []
        row = await payouts.get(tx, MAIN, PO)
    assert row is not None
    assert (row.status, row.amount, row.members, row.proof) == (
        "failed",
        Money(9_680, "USD"),
        (),
        None,
    )


async def test_members_and_proof_outlive_the_next_look(store: Store) -> None:
    async with store.transaction() as tx:
        await payouts.remember(tx, [a_payout()])
        await payouts.set_members(tx, MAIN, PO, MEMBERS, complete=True)
        await payouts.set_proof(tx, MAIN, PO, {"difference": "0.00"}, NOON)
        await payouts.remember(tx, [a_payout()])
        row = await payouts.get(tx, MAIN, PO)
    assert row is not None
    assert (row.members_complete, row.proof, row.proven_at) == (True, {"difference": "0.00"}, NOON)


async def test_a_proof_that_no_longer_holds_is_taken_back(store: Store) -> None:
    async with store.transaction() as tx:
        await payouts.remember(tx, [a_payout()])
        await payouts.set_proof(tx, MAIN, PO, {"difference": "0.00"}, NOON)
        await payouts.set_proof(tx, MAIN, PO, {"difference": "0.01"}, None)
        row = await payouts.get(tx, MAIN, PO)
    assert row is not None
    assert (row.proof, row.proven_at) == ({"difference": "0.01"}, None)


async def test_the_latest_arrival_comes_first(store: Store) -> None:
    async with store.transaction() as tx:
        rows = [a_payout(f"po_{day}", arrival_date=date(2026, 4, day)) for day in (1, 3, 2)]
        await payouts.remember(tx, rows)
        assert [row.id for row in await payouts.every(tx, MAIN)] == ["po_3", "po_2", "po_1"]
        assert [row.id for row in await payouts.every(tx, MAIN, limit=1)] == ["po_3"]


async def test_what_was_never_seen_cannot_be_proven(store: Store) -> None:
    async with store.transaction() as tx:
        with pytest.raises(Bug, match="po_1 was never seen"):
            await payouts.set_proof(tx, MAIN, PO, {}, NOON)
