"""Postings: planned once per key, claimed by one worker, moved only along the table of moves."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build.stored import MAIN, NOON, OTHER, a_posting
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.postings import MOVES, State
from ml_connector.store import postings
from ml_connector.store.engine import Store
from ml_connector.store.postings import LostClaim, NotAllowed, PostingRow

pytestmark = pytest.mark.anyio
KEY = PostingKey("payment:ch_1")
STALE = timedelta(minutes=10)


async def claimed(store: Store, token: str = "worker") -> PostingRow:
    async with store.transaction() as tx:
        await postings.plan(tx, [a_posting()], now=NOON)
        row = await postings.claim(tx, MAIN, KEY, token, NOON, STALE)
    assert row is not None
    return row


async def test_a_posting_is_planned_once_per_key(store: Store) -> None:
    async with store.transaction() as tx:
        assert await postings.plan(tx, []) == []
        (first,) = await postings.plan(tx, [a_posting()], now=NOON)
        (again,) = await postings.plan(tx, [a_posting()], now=NOON + STALE)
        (elsewhere,) = await postings.plan(tx, [a_posting(connection=OTHER)], now=NOON)
    assert first == again
    assert (first.state, first.attempts) == (State.PLANNED, 0)
    assert first.clearing == Money(10_000, "USD")
    assert elsewhere.connection == OTHER


async def test_planning_together_stores_one_row(store: Store) -> None:
    keys = [f"payment:ch_{number}" for number in range(6)]

    async def plan(order: list[str]) -> list[PostingRow]:
        async with store.transaction() as tx:
            return await postings.plan(tx, [a_posting(key) for key in order], now=NOON)

    plans = await asyncio.gather(plan(keys), plan(keys[::-1]), plan(keys), plan(keys[::-1]))
    assert [row.key for row in plans[1]] == keys[::-1]
    async with store.transaction() as tx:
        sums = await postings.sums(tx, MAIN)
        assert [(one.state, one.count) for one in sums] == [(State.PLANNED, 6)]


async def test_a_plan_is_amended_until_it_is_sent_and_never_after(store: Store) -> None:
    amended = a_posting(body={"amount": "90.00"}, clearing=Money(9_000, "USD"), mapping_version=2)
    async with store.transaction() as tx:
        await postings.plan(tx, [a_posting()], now=NOON)
        (row,) = await postings.plan(tx, [amended], now=NOON)
        assert (row.body, row.clearing_minor, row.mapping_version) == (
            {"amount": "90.00"},
            9_000,
            2,
        )
        taken = await postings.claim(tx, MAIN, KEY, "worker", NOON, STALE)
        assert taken is not None
        sent = await postings.move(tx, taken, "worker", State.SENDING, now=NOON)
        assert await postings.plan(tx, [a_posting()], now=NOON) == [sent]


async def test_one_worker_at_a_time_holds_a_posting(store: Store) -> None:
    await claimed(store)

    async def take(token: str) -> PostingRow | None:
        async with store.transaction() as tx:
            return await postings.claim(tx, MAIN, KEY, token, NOON + STALE, STALE)

    async with store.transaction() as tx:
        soon = NOON + STALE - timedelta(seconds=1)
        assert await postings.claim(tx, MAIN, KEY, "other", soon, STALE) is None
        assert await postings.claim(tx, MAIN, KEY, "worker", NOON, STALE) is not None
        assert await postings.claim(tx, MAIN, PostingKey("none"), "x", NOON, STALE) is None
    taken = await asyncio.gather(*(take(f"late-{number}") for number in range(5)))
    assert len([row for row in taken if row is not None]) == 1


async def test_a_worker_that_slept_while_another_took_over_is_stopped(store: Store) -> None:
    slept = await claimed(store, "slept")
    async with store.transaction() as tx:
        later = NOON + STALE
        taken = await postings.claim(tx, MAIN, KEY, "awake", later, STALE)
        assert taken is not None
        with pytest.raises(LostClaim, match="Another worker"):
            await postings.move(tx, slept, "slept", State.SENDING, now=later)
        await postings.let_go(tx, MAIN, KEY, "slept")
        await postings.move(tx, taken, "awake", State.SENDING, now=later)


async def test_a_worker_does_not_send_what_was_planned_anew_meanwhile(store: Store) -> None:
    row = await claimed(store)
    async with store.transaction() as tx:
        await postings.plan(tx, [a_posting(body={"amount": "1.00"})], now=NOON)
        with pytest.raises(NotAllowed, match="planned anew"):
            await postings.move(tx, row, "worker", State.SENDING, now=NOON)


async def test_a_move_from_a_state_that_was_left_is_refused(store: Store) -> None:
    row = await claimed(store)
    async with store.transaction() as tx:
        await postings.move(tx, row, "worker", State.SENDING, now=NOON)
        with pytest.raises(NotAllowed, match="it is sending now"):
            await postings.move(tx, row, "worker", State.SENDING, now=NOON)


async def test_a_posting_that_is_let_go_can_be_taken_at_once(store: Store) -> None:
    await claimed(store)
    async with store.transaction() as tx:
        await postings.let_go(tx, MAIN, KEY, "worker")
        assert await postings.claim(tx, MAIN, KEY, "other", NOON, STALE) is not None


async def test_a_posting_on_its_way_to_proof_keeps_what_was_learned(store: Store) -> None:
    row = await claimed(store)
    times = [NOON + timedelta(seconds=second) for second in range(5)]
    async with store.transaction() as tx:
        row = await postings.move(tx, row, "worker", State.SENDING, now=times[1])
        row = await postings.move(
            tx, row, "worker", State.CREATED, now=times[2], erp_type="Payment", erp_number="000045"
        )
        row = await postings.move(tx, row, "worker", State.RELEASED, now=times[3])
        row = await postings.move(
            tx, row, "worker", State.VERIFIED, now=times[4], read_back={"a": 1}, read_back_hash="h"
        )
        assert await postings.get(tx, MAIN, KEY) == row
        assert await postings.by_erp(tx, MAIN, "Payment", "000045") == [row]
        assert await postings.by_transaction(tx, MAIN, StripeId("txn_1")) == [row]
        assert await postings.by_tag(tx, MAIN, row.tag) == [row]
    assert (row.sending_at, row.verified_at, row.updated_at) == (times[1], times[4], times[4])
    assert (row.attempts, row.claim, row.read_back) == (1, None, {"a": 1})


async def test_an_unknown_outcome_is_sent_again_only_after_a_search(store: Store) -> None:
    row = await claimed(store)
    async with store.transaction() as tx:
        sent = await postings.move(tx, row, "worker", State.SENDING, now=NOON)
        with pytest.raises(NotAllowed, match="before a search has found nothing"):
            await postings.move(tx, sent, "worker", State.PLANNED, now=NOON)
        back = await postings.move(tx, sent, "worker", State.PLANNED, now=NOON, nothing_found=True)
        again = await postings.move(tx, back, "worker", State.SENDING, now=NOON)
    assert again.attempts == 2


async def test_a_failed_posting_says_why_and_is_free_for_the_next_try(store: Store) -> None:
    why = {"filed": "refused", "sentence": "The period is closed."}
    row = await claimed(store)
    async with store.transaction() as tx:
        failed = await postings.move(tx, row, "worker", State.FAILED, now=NOON, failure=why)
        assert (failed.failure, failed.claim) == (why, None)
        taken = await postings.claim(tx, MAIN, KEY, "next", NOON, STALE)
        assert taken is not None
        planned = await postings.move(tx, taken, "next", State.PLANNED, now=NOON)
    assert (planned.state, planned.failure) == (State.PLANNED, None)


async def test_the_effect_on_the_clearing_account_is_summed_by_currency(store: Store) -> None:
    async with store.transaction() as tx:
        await postings.plan(
            tx,
            [
                a_posting("payment:ch_1"),
                a_posting("fee:txn_1", clearing=Money(-320, "USD")),
                a_posting("payment:ch_2", clearing=Money(500, "JPY")),
            ],
        )
        row = await postings.claim(tx, MAIN, PostingKey("fee:txn_1"), "w", NOON, STALE)
        assert row is not None
        await postings.move(tx, row, "w", State.SENDING, now=NOON)
        sums = await postings.sums(tx, MAIN)
    assert [(s.currency, s.state, s.count, s.clearing.minor) for s in sums] == [
        ("JPY", State.PLANNED, 1, 500),
        ("USD", State.PLANNED, 1, 10_000),
        ("USD", State.SENDING, 1, -320),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.sampled_from(State), st.booleans(), st.booleans()), max_size=12))
async def test_only_allowed_moves_ever_succeed(
    store: Store, steps: list[tuple[State, bool, bool]]
) -> None:
    """Any walk of one posting stays in the table of moves, whoever tries what."""
    key = PostingKey(f"payment:{uuid4()}")
    walked = [State.PLANNED]
    sends = 0
    async with store.transaction() as tx:
        await postings.plan(tx, [a_posting(key)], now=NOON)
        for wanted, searched, intruder in steps:
            row = await postings.claim(tx, MAIN, key, "worker", NOON, STALE)
            assert row is not None
            token = "intruder" if intruder else "worker"
            try:
                moved = await postings.move(
                    tx, row, token, wanted, now=NOON, nothing_found=searched
                )
            except (Bug, LostClaim):
                assert await postings.get(tx, MAIN, key) == row
                continue
            assert not intruder
            assert searched or (row.state, wanted) != (State.SENDING, State.PLANNED)
            sends += wanted is State.SENDING
            assert (moved.state, moved.attempts) == (wanted, sends)
            walked.append(wanted)
    assert all(after in MOVES[before] for before, after in pairwise(walked))


@pytest.mark.parametrize("start", list(State))
async def test_every_move_of_the_table_can_be_made(store: Store, start: State) -> None:
    """From each state, each allowed end is reached and each other end is refused."""
    ways = {
        State.PLANNED: [],
        State.SENDING: [State.SENDING],
        State.CREATED: [State.SENDING, State.CREATED],
        State.RELEASED: [State.SENDING, State.CREATED, State.RELEASED],
        State.VERIFIED: [State.SENDING, State.CREATED, State.RELEASED, State.VERIFIED],
        State.FAILED: [State.FAILED],
    }
    for end in State:
        key = PostingKey(f"payment:{start}:{end}")
        async with store.transaction() as tx:
            await postings.plan(tx, [a_posting(key)], now=NOON)
            reached: State | None = None
            for step in [*ways[start], end]:
                row = await postings.claim(tx, MAIN, key, "w", NOON, STALE)
                assert row is not None
                try:
                    reached = (
                        await postings.move(tx, row, "w", step, now=NOON, nothing_found=True)
                    ).state
                except NotAllowed:
                    reached = None
            assert (reached == end) == (end in MOVES[start])
