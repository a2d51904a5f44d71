"""The signing key: made once, sealed, and checked by whoever has its public part."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ml_connector.store import signing
from ml_connector.store.engine import Store
from ml_connector.store.proof_tables import signing_keys
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.signing import BadPublicKey, SigningKey, genuine, public_keys

pytestmark = pytest.mark.anyio
RING = KeyRing.generate()


async def made(store: Store, ring: KeyRing = RING) -> SigningKey:
    async with store.transaction() as tx:
        return await signing.key(tx, ring)


async def test_processes_that_need_a_key_at_once_get_the_same_one(store: Store) -> None:
    keys = await asyncio.gather(*(made(store) for _ in range(4)))
    assert len({key.public for key in keys}) == 1
    assert await made(store) == keys[0]


async def test_the_private_part_is_sealed_and_moves_to_a_new_ring(store: Store) -> None:
    key = await made(store)
    rotated = RING.rotated()
    async with store.transaction() as tx:
        row = (await tx.execute(select(signing_keys))).one()
        await signing.reseal(tx, rotated)
    assert row.public == key.public
    assert key.private.hex() not in repr(row)
    assert key.private.hex() not in repr(key)
    assert await made(store, rotated.only_active()) == key


async def test_a_retired_key_stays_known_but_can_sign_nothing_any_more(store: Store) -> None:
    old = await made(store)
    at = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    async with store.transaction() as tx:
        new = await signing.rotate(tx, RING, at)
        known = await signing.every(tx)
        rows = (await tx.execute(select(signing_keys.c.public, signing_keys.c.sealed))).all()
    assert await made(store) == new != old
    assert [(one.public, one.until) for one in known] == [(new.public, None), (old.public, at)]
    assert {public for public, sealed in rows if sealed} == {new.public}


def test_only_the_owner_of_the_key_can_have_signed() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"12.00 USD")
    assert genuine(key.public, signature, b"12.00 USD")
    assert not genuine(key.public, signature, b"12.01 USD")
    assert not genuine(other.public, signature, b"12.00 USD")
    assert not genuine(key.public, "no signature", b"12.00 USD")


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 31])
def test_what_is_no_public_key_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(BadPublicKey) as why:
        public_keys(text)
    assert "keys show" in why.value.remedy
