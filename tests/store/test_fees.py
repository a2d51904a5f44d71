"""Who carries a fee: decided by one worker at a time, and named while nobody does."""

import asyncio
from datetime import timedelta

import pytest

from build.stored import MAIN, NOON, OTHER, a_posting, a_transaction
from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.postings import State
from ml_connector.store import fees, postings, transactions
from ml_connector.store.engine import Store
from ml_connector.store.transactions import TransactionState

pytestmark = pytest.mark.anyio

ONE, TWO, THREE = StripeId("txn_1"), StripeId("txn_2"), StripeId("txn_3")
PAYOUT = PostingKey("fees_of_payout:po_1")


async def seen(store: Store, *names: str) -> None:
    async with store.transaction() as tx:
        rows = [a_transaction(name) for name in names]
        await transactions.remember(tx, MAIN, rows)


async def test_a_fee_that_is_taken_meanwhile_is_not_offered_again(store: Store) -> None:
    await seen(store, "txn_1")

    async def take() -> int:
        async with store.transaction() as tx:
            free = await fees.hold_members(tx, MAIN, [ONE])
            await fees.carry(tx, MAIN, [row.id for row in free], PAYOUT)
            return len(free)

    assert sorted(await asyncio.gather(take(), take(), take())) == [0, 0, 1]
    async with store.transaction() as tx:
        row = await fees.hold(tx, MAIN, ONE)
        assert row is not None
        assert row.fee_key == PAYOUT
        assert await fees.hold(tx, OTHER, ONE) is None


async def test_only_what_was_available_and_is_not_settled_by_its_own_documents_is_offered(
    store: Store,
) -> None:
    await seen(store, "txn_1", "txn_2", "txn_3")
    async with store.transaction() as tx:
        later = a_transaction("txn_4", available_on=NOON + timedelta(days=1))
        euros = a_transaction("txn_5", currency="EUR")
        free_of_charge = a_transaction("txn_6", fee_minor=0)
        of_a_payout = a_transaction("txn_7", payout=StripeId("po_1"))
        rows = [later, euros, free_of_charge, of_a_payout]
        await transactions.remember(tx, MAIN, rows)
        for name in (ONE, TWO):
            await transactions.mark(tx, MAIN, name, TransactionState.POSTED)
        await fees.carry(tx, MAIN, [TWO], fees.NOBODY)
        found = await fees.hold_available(tx, MAIN, "USD", NOON)
        assert [row.id for row in found] == [TWO, THREE]
        assert await fees.planned_among(tx, MAIN, [ONE, TWO]) == set()
        await postings.plan(tx, [a_posting()])
        assert await fees.planned_among(tx, MAIN, [ONE, TWO]) == {ONE}


async def test_a_fee_waits_until_the_posting_that_carries_it_is_in_the_ledger(
    store: Store,
) -> None:
    await seen(store, "txn_1", "txn_2")
    async with store.transaction() as tx:
        await postings.plan(tx, [a_posting(PAYOUT, transaction_id=StripeId("po_1"))])
        for name, key in ((ONE, PAYOUT), (TWO, fees.NOBODY)):
            await transactions.mark(tx, MAIN, name, TransactionState.POSTED)
            await fees.carry(tx, MAIN, [name], key)
        assert [row.id for row in await fees.waiting(tx, MAIN)] == [ONE, TWO]
        assert await fees.shares(tx, MAIN, PAYOUT, "USD") == Money(320, "USD")
        assert await fees.shares(tx, OTHER, PAYOUT, "USD") == Money(0, "USD")
        row = await postings.claim(tx, MAIN, PAYOUT, "me", NOON, timedelta(0))
        assert row is not None
        for state in (State.SENDING, State.CREATED, State.RELEASED):
            row = await postings.move(tx, row, "me", state, now=NOON)
        assert [one.id for one in await fees.waiting(tx, MAIN)] == [TWO]
