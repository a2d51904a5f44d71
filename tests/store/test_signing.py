"""The signing key: made once, sealed, and checked by whoever has its public part."""

import asyncio

import pytest
from sqlalchemy import select

from ml_connector.store import signing
from ml_connector.store.engine import Store
from ml_connector.store.proof_tables import signing_keys
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.signing import BadPublicKey, SigningKey, genuine, public_key

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
        public_key(text)
    assert "proof key" in why.value.remedy
