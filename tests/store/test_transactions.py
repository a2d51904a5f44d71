"""Balance transactions: each known once, with what became of it."""

from datetime import timedelta

import pytest

from build.stored import MAIN, NOON, OTHER, a_transaction
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.store import transactions
from ml_connector.store.engine import Store
from ml_connector.store.transactions import TransactionState

pytestmark = pytest.mark.anyio
ONE, TWO, THREE = StripeId("txn_1"), StripeId("txn_2"), StripeId("txn_3")
PAYOUT = StripeId("po_1")


async def test_a_sweep_tells_which_transactions_are_new(store: Store) -> None:
    async with store.transaction() as tx:
        assert await transactions.remember(tx, MAIN, []) == []
        first = await transactions.remember(tx, MAIN, [a_transaction("txn_2"), a_transaction()])
        again = await transactions.remember(
            tx, MAIN, [a_transaction("txn_3"), a_transaction(), a_transaction("txn_3")]
        )
    assert first == [TWO, ONE]
    assert again == [THREE]


async def test_a_known_transaction_learns_its_payout_and_keeps_its_state(store: Store) -> None:
    later = NOON + timedelta(days=2)
    async with store.transaction() as tx:
        await transactions.remember(tx, MAIN, [a_transaction()], now=NOON)
        await transactions.mark(tx, MAIN, ONE, TransactionState.HELD, "Wait.", "x", now=NOON)
        paid_out = a_transaction(payout=PAYOUT, available_on=later, body={"status": "available"})
        await transactions.remember(tx, MAIN, [paid_out], now=later)
        await transactions.remember(tx, MAIN, [a_transaction()], now=later)
        row = await transactions.get(tx, MAIN, ONE)
    assert row is not None
    assert (row.payout, row.available_on) == (PAYOUT, NOON)
    assert (row.state, row.reason, row.cause) == (TransactionState.HELD, "Wait.", "x")
    assert (row.seen_at, row.updated_at) == (NOON, later)
    assert (row.amount, row.fee, row.net) == (
        Money(10_000, "USD"),
        Money(320, "USD"),
        Money(9_680, "USD"),
    )


async def test_a_sweep_that_sees_nothing_new_writes_nothing(store: Store) -> None:
    async with store.transaction() as tx:
        await transactions.remember(tx, MAIN, [a_transaction()], now=NOON)
        await transactions.remember(tx, MAIN, [a_transaction()], now=NOON + timedelta(hours=1))
        row = await transactions.get(tx, MAIN, ONE)
    assert row is not None
    assert row.updated_at == NOON


async def test_a_long_sweep_is_stored_whole(store: Store) -> None:
    rows = [a_transaction(f"txn_{number:05}") for number in range(2_500)]
    async with store.transaction() as tx:
        assert await transactions.remember(tx, MAIN, rows) == [row.id for row in rows]
        (total,) = await transactions.sums(tx, MAIN)
    assert (total.count, total.net) == (2_500, Money(2_500 * 9_680, "USD"))


async def test_the_unposted_are_listed_oldest_first_until_settled(store: Store) -> None:
    rows = [
        a_transaction("txn_1", created=NOON + timedelta(hours=2)),
        a_transaction("txn_2", created=NOON),
        a_transaction("txn_3", created=NOON + timedelta(hours=1)),
        a_transaction("txn_4"),
    ]
    async with store.transaction() as tx:
        await transactions.remember(tx, MAIN, rows)
        await transactions.mark(tx, MAIN, ONE, TransactionState.UNEXPLAINED)
        await transactions.mark(tx, MAIN, THREE, TransactionState.POSTED)
        await transactions.mark(tx, MAIN, StripeId("txn_4"), TransactionState.IGNORED, "Zero.")
        assert [row.id for row in await transactions.unposted(tx, MAIN)] == [TWO, ONE]
        assert await transactions.unposted(tx, OTHER) == []


async def test_transactions_are_found_by_payout_and_by_source(store: Store) -> None:
    async with store.transaction() as tx:
        rows = [a_transaction(payout=PAYOUT), a_transaction("txn_2", source=StripeId("re_1"))]
        await transactions.remember(tx, MAIN, rows)
        assert [r.id for r in await transactions.of_payout(tx, MAIN, PAYOUT)] == [ONE]
        assert [r.id for r in await transactions.by_source(tx, MAIN, StripeId("re_1"))] == [TWO]


async def test_sums_stand_apart_by_currency_and_state(store: Store) -> None:
    rows = [
        a_transaction("txn_1"),
        a_transaction("txn_2", amount_minor=-500, fee_minor=0, net_minor=-500),
        a_transaction("txn_3", currency="JPY", amount_minor=900, fee_minor=32, net_minor=868),
    ]
    async with store.transaction() as tx:
        await transactions.remember(tx, MAIN, rows)
        await transactions.mark(tx, MAIN, TWO, TransactionState.POSTED)
        found = {(s.currency, s.state): (s.count, s.net) for s in await transactions.sums(tx, MAIN)}
    assert found == {
        ("USD", TransactionState.SEEN): (1, Money(9_680, "USD")),
        ("USD", TransactionState.POSTED): (1, Money(-500, "USD")),
        ("JPY", TransactionState.SEEN): (1, Money(868, "JPY")),
    }


async def test_what_was_never_seen_cannot_be_marked(store: Store) -> None:
    async with store.transaction() as tx:
        assert await transactions.get(tx, MAIN, ONE) is None
        with pytest.raises(Bug, match="txn_1 was never seen"):
            await transactions.mark(tx, MAIN, ONE, TransactionState.POSTED)
        with pytest.raises(Bug, match="another connection"):
            await transactions.remember(tx, OTHER, [a_transaction()])
