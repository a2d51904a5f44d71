"""Tokens: sealed, and of two refreshes at once one wins."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from build.stored import MAIN, NOON, OTHER
from ml_connector.store import tables, tokens
from ml_connector.store.engine import Store
from ml_connector.store.tokens import Tokens
from ml_connector.vault.keyring import KeyRing

pytestmark = pytest.mark.anyio
RING = KeyRing.generate()
FIRST = Tokens("access-1", "refresh-1", NOON + timedelta(hours=1))


async def test_tokens_come_back_opened_and_counted(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tokens.read(tx, MAIN, RING) is None
        assert await tokens.replace(tx, MAIN, RING, FIRST, 0)
        assert await tokens.read(tx, MAIN, RING) == Tokens(
            "access-1", "refresh-1", FIRST.expires_at, version=1
        )
        assert await tokens.read(tx, OTHER, RING) is None
        row = (await tx.execute(select(tables.tokens))).one()
    assert "access-1" not in repr(row)
    assert "refresh-1" not in repr(FIRST)


async def test_of_many_refreshes_at_once_one_wins(store: Store) -> None:
    async with store.transaction() as tx:
        await tokens.replace(tx, MAIN, RING, FIRST, 0)

    async def refresh(number: int) -> bool:
        async with store.transaction() as tx:
            mine = Tokens(f"access-{number}", f"refresh-{number}", NOON)
            return await tokens.replace(tx, MAIN, RING, mine, 1)

    won = await asyncio.gather(*(refresh(number) for number in range(2, 8)))
    assert sorted(won) == [False] * 5 + [True]
    async with store.transaction() as tx:
        stored = await tokens.read(tx, MAIN, RING)
    assert stored is not None
    assert (stored.access, stored.version) == (f"access-{won.index(True) + 2}", 2)


async def test_two_first_sign_ins_leave_the_first(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tokens.replace(tx, MAIN, RING, FIRST, 0)
        assert not await tokens.replace(tx, MAIN, RING, Tokens("b", "b", NOON), 0)


async def test_after_a_rotation_the_old_key_is_not_needed(store: Store) -> None:
    ring = RING.rotated()
    async with store.transaction() as tx:
        await tokens.replace(tx, MAIN, RING, FIRST, 0)
        assert await tokens.reseal(tx, ring) == 1
        read = await tokens.read(tx, MAIN, ring.only_active())
    assert read is not None
    assert read.refresh == "refresh-1"
