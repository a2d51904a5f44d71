"""The installation's signing key: made at first need, its private part sealed."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.store.proof_tables import signing_keys as table
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.seal import open_text, place_of, reseal_text, seal_text
from ml_connector.vault.signing import SigningKey

PURPOSE = "proofs"
PLACE = place_of("signing_keys", PURPOSE, "sealed")


async def key(tx: AsyncConnection, ring: KeyRing) -> SigningKey:
    """The key in force, made when there is none; raises BrokenSeal or UnknownKey.

    Two processes that make one at once end up with the same: the first that was stored.
    """
    sealed = await _sealed(tx)
    if sealed is None:
        new = SigningKey.generate()
        row = {"purpose": PURPOSE, "public": new.public}
        kept = seal_text(ring, new.private.hex(), PLACE)
        await tx.execute(insert(table).values(**row, sealed=kept).on_conflict_do_nothing())
        sealed = await _sealed(tx) or kept
    return SigningKey(bytes.fromhex(open_text(ring, sealed, PLACE)))


async def reseal(tx: AsyncConnection, ring: KeyRing) -> None:
    """Seals the private part under the ring's active key."""
    sealed = await _sealed(tx)
    if sealed is not None:
        same = table.c.purpose == PURPOSE
        anew = reseal_text(ring, sealed, PLACE)
        await tx.execute(update(table).where(same).values(sealed=anew))


async def _sealed(tx: AsyncConnection) -> str | None:
    question = select(table.c.sealed).where(table.c.purpose == PURPOSE)
    return (await tx.execute(question)).scalar_one_or_none()
