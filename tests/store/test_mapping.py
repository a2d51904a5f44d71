"""Mapping versions: numbered, kept, and one of them in force."""

import asyncio

import pytest

from build.stored import MAIN, NOON, a_connection
from ml_connector.store import connections, mapping
from ml_connector.store.engine import Store
from ml_connector.vault.keyring import KeyRing

pytestmark = pytest.mark.anyio


async def test_the_newest_is_in_force_until_another_is_chosen(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), KeyRing.generate())
        assert await mapping.current(tx, MAIN) is None
        assert await mapping.add_version(tx, MAIN, {"a": 1}, "a = 1", "ann", now=NOON) == 1
        assert await mapping.add_version(tx, MAIN, {"a": 2}, "a = 2", "bob", "Raised.") == 2
        newest = await mapping.current(tx, MAIN)
        assert newest is not None
        assert (newest.version, newest.body, newest.text) == (2, {"a": 2}, "a = 2")
        assert (newest.author, newest.note) == ("bob", "Raised.")
        await connections.set_mapping_version(tx, MAIN, 1)
        chosen = await mapping.current(tx, MAIN)
        assert chosen == await mapping.get(tx, MAIN, 1)
        assert [version.version for version in await mapping.every(tx, MAIN)] == [2, 1]
        assert await mapping.get(tx, MAIN, 3) is None


async def test_two_people_who_save_at_once_get_two_versions(store: Store) -> None:
    async def save(author: str) -> int:
        async with store.transaction() as tx:
            return await mapping.add_version(tx, MAIN, {}, "", author)

    assert sorted(await asyncio.gather(*(save(name) for name in "abcd"))) == [1, 2, 3, 4]
