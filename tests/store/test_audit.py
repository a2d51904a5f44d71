"""The audit trail: added to, never changed, and any change that was forced is found."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from build.stored import MAIN, NOON, OTHER
from ml_connector.basics.ids import ConnectionId
from ml_connector.store import audit
from ml_connector.store.audit import AuditEntry
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio
INSTALLATION = ConnectionId("")

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abé"), inner),
    max_leaves=8,
)


async def three(tx: AsyncConnection, connection: ConnectionId = MAIN) -> list[AuditEntry]:
    return [
        await audit.write(
            tx, connection, "flow:receipts", "posted", f"payment:ch_{n}", {"n": n}, NOON
        )
        for n in range(3)
    ]


async def test_what_happened_to_a_subject_is_shown_in_order(store: Store) -> None:
    async with store.transaction() as tx:
        await three(tx)
        await audit.write(tx, MAIN, "ann", "replayed", "payment:ch_1", {"why": "asked"}, NOON)
        shown = await audit.show(tx, MAIN, "payment:ch_1")
        assert [(entry.actor, entry.action) for entry in shown] == [
            ("flow:receipts", "posted"),
            ("ann", "replayed"),
        ]
        assert shown[1].detail == {"why": "asked"}
        assert [entry.subject for entry in await audit.recent(tx, MAIN, 2)] == [
            "payment:ch_1",
            "payment:ch_2",
        ]
        assert await audit.show(tx, OTHER, "payment:ch_1") == []


async def test_each_connection_has_a_chain_of_its_own(store: Store) -> None:
    async with store.transaction() as tx:
        mine, others = await three(tx), await three(tx, OTHER)
        await three(tx, INSTALLATION)
        assert [entry.previous for entry in mine] == ["", mine[0].hash, mine[1].hash]
        assert others[0].previous == ""
        for connection in (MAIN, OTHER, INSTALLATION, None):
            assert await audit.verify(tx, connection) is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"],
)
async def test_the_database_refuses_to_change_the_trail(store: Store, statement: str) -> None:
    async with store.transaction() as tx:
        await three(tx)
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with store.transaction() as tx:
            await tx.execute(text(statement))
    async with store.transaction() as tx:
        assert len(await audit.recent(tx, MAIN)) == 3


async def forced(tx: AsyncConnection, statement: str, **values: object) -> None:
    await tx.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
    await tx.execute(text(statement), values)
    await tx.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'someone'",
        "action = 'voided'",
        "subject = 'payment:ch_9'",
        "detail = '{\"n\": 7}'",
        "at = at + interval '1 microsecond'",
        "previous = hash",
        "connection = 'other'",
    ],
)
async def test_a_row_that_was_changed_by_force_is_found(store: Store, change: str) -> None:
    async with store.transaction() as tx:
        rows = await three(tx)
        await forced(tx, f"UPDATE audit SET {change} WHERE seq = :seq", seq=rows[1].seq)
        assert await audit.verify(tx) == rows[1].seq


async def test_a_row_that_was_changed_with_its_hash_breaks_the_next(store: Store) -> None:
    async with store.transaction() as tx:
        rows = await three(tx)
        new = audit.chain_hash(
            MAIN, NOON, "someone", "posted", rows[1].subject, {"n": 1}, rows[1].previous
        )
        await forced(
            tx,
            "UPDATE audit SET actor = 'someone', hash = :hash WHERE seq = :seq",
            hash=new,
            seq=rows[1].seq,
        )
        assert await audit.verify(tx, MAIN) == rows[2].seq


async def test_a_row_that_was_taken_out_is_found(store: Store) -> None:
    async with store.transaction() as tx:
        rows = await three(tx)
        await three(tx, OTHER)
        await forced(tx, "DELETE FROM audit WHERE seq = :seq", seq=rows[0].seq)
        assert await audit.verify(tx) == rows[1].seq
        assert await audit.verify(tx, OTHER) is None


async def test_writers_at_once_make_one_chain(store: Store) -> None:
    async def write(number: int) -> None:
        async with store.transaction() as tx:
            await audit.write(tx, MAIN, "w", "posted", f"payment:{number}", {}, NOON)

    writers: list[Callable[[int], Awaitable[None]]] = [write] * 12
    await asyncio.gather(*(writer(number) for number, writer in enumerate(writers)))
    async with store.transaction() as tx:
        assert await audit.verify(tx, MAIN) is None
        assert len({entry.previous for entry in await audit.recent(tx, MAIN)}) == 12


async def test_a_long_trail_is_verified_to_its_end(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(1_050):
            await audit.write(tx, MAIN, "w", "posted", f"payment:{number}", {}, NOON)
        assert await audit.verify(tx) is None
        last = (await audit.recent(tx, MAIN, 1))[0]
        await forced(tx, "UPDATE audit SET actor = 'x' WHERE seq = :seq", seq=last.seq)
        assert await audit.verify(tx) == last.seq


async def test_the_hour_is_the_same_instant_in_any_zone(store: Store) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    async with store.transaction() as tx:
        entry = await audit.write(tx, MAIN, "w", "posted", "x", {}, elsewhere)
        assert await audit.verify(tx) is None
    assert entry.at == datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(detail=st.dictionaries(st.sampled_from("xyz"), json_values))
async def test_whatever_is_written_verifies(store: Store, detail: dict[str, object]) -> None:
    async with store.transaction() as tx:
        await audit.write(tx, MAIN, "w", "posted", "x", detail, NOON)
        assert await audit.verify(tx, MAIN) is None


async def test_an_exact_amount_stays_exact(store: Store) -> None:
    async with store.transaction() as tx:
        await audit.write(tx, MAIN, "w", "posted", "x", {"amount": Decimal("10.10")}, NOON)
        (entry,) = await audit.show(tx, MAIN, "x")
    assert str(entry.detail["amount"]) == "10.10"
