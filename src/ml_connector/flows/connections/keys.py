"""Rotating keys: the ring that seals stored secrets, and the key that signs proofs.

The new ring reaches the disk before anything is sealed with it, and everything is sealed anew in
one transaction. What a crash leaves is a ring with a key that seals nothing yet: running it again
seals with that one instead of making another.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.store import audit, connections, signing, tokens
from ml_connector.store.engine import Store
from ml_connector.store.locks import one_at_a_time
from ml_connector.store.rows import JsonObject
from ml_connector.store.signing import PublicKey
from ml_connector.vault.keyring import FileRing, KeyRing


class Part(StrEnum):
    """Which keys there are to rotate."""

    SEALING = "sealing"
    """The ring that seals stored secrets."""
    SIGNING = "signing"
    """The key that signs proofs."""


INSTALLATION = ConnectionId("")
KEYS = "keys"
"""What rotations are called in the audit trail of the installation."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key of the ring by its id, and how many stored secrets are sealed with it."""

    id: str
    active: bool
    secrets: int


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a rotation of the ring did; `finished` when it ended one that was begun before."""

    key: str
    secrets: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Rotated:
    """What is in force now, for each part that was rotated."""

    sealing: Resealed | None
    signing: PublicKey | None


async def sealing_keys(store: Store, ring: KeyRing) -> list[SealingKey]:
    """The keys of the ring, the active one first; a missing one that is still needed, too."""
    async with store.transaction() as tx:
        used = Counter(await _sealed_with(tx))
    ids = [ring.active, *sorted((ring.ids | set(used)) - {ring.active})]
    return [SealingKey(one, one == ring.active, used[one]) for one in ids]


async def signing_keys(store: Store, ring: KeyRing) -> list[PublicKey]:
    """The public keys that proofs were signed with, the one in force first; made at first need."""
    async with store.transaction() as tx:
        await signing.key(tx, ring)
        return await signing.every(tx)


async def rotate(
    store: Store, clock: Clock, ring: KeyRing, actor: str, which: Collection[Part]
) -> Rotated:
    """Seals every stored secret with a new key, signs proofs with a new one; all of it or nothing.

    A rotation of the ring that a crash cut off is ended instead. Proofs signed before stay good
    under their own key. Raises UnknownKey, BrokenSeal, or Misconfigured for a ring in ML_KEYS.
    """
    resealed = signs = None
    async with store.transaction() as tx:
        await one_at_a_time(tx, "keys/rotate")
        if isinstance(ring, FileRing):
            ring.read_again()
        before = ring.active
        if Part.SEALING in which:
            resealed = await _rotate_sealing(tx, ring)
        if Part.SIGNING in which:
            signs = await _rotate_signing(tx, ring, clock.now())
        detail: JsonObject = {"which": sorted(which)}
        if resealed:
            detail |= {"sealing": resealed.key, "sealing_before": before}
            detail |= {"secrets": resealed.secrets, "finished": resealed.finished}
        if signs:
            detail |= {"signing": signs.public}
        await audit.write(tx, INSTALLATION, actor, "keys rotated", KEYS, detail, clock.now())
    return Rotated(resealed, signs)


async def _rotate_sealing(tx: AsyncConnection, ring: KeyRing) -> Resealed:
    begun = any(one != ring.active for one in await _sealed_with(tx))
    if not begun:
        _new_key(ring)
    count = await _reseal(tx, ring)
    return Resealed(ring.active, count, begun)


async def _rotate_signing(tx: AsyncConnection, ring: KeyRing, now: datetime) -> PublicKey:
    await signing.key(tx, ring)
    new = await signing.rotate(tx, ring, now)
    return PublicKey(new.public, now, None)


def _new_key(ring: KeyRing) -> None:
    """Puts a new key into the key file, where it is safe before anything is sealed with it."""
    if not isinstance(ring, FileRing):
        raise Misconfigured(
            "The key ring comes from ML_KEYS, which only you can change.",
            cause="keys.in_environment",
            remedy="Put a new key before the old ones there, as id:key (openssl rand -hex 4;"
            " openssl rand -base64 32), restart every process, and run this again.",
        )
    ring.rotated().save(ring.path)
    ring.read_again()


async def _sealed_with(tx: AsyncConnection) -> Sequence[str]:
    return [
        *await connections.sealed_with(tx),
        *await tokens.sealed_with(tx),
        *await signing.sealed_with(tx),
    ]


async def _reseal(tx: AsyncConnection, ring: KeyRing) -> int:
    """Every secret under the active key, in the order in which others lock the rows."""
    return (
        await connections.reseal(tx, ring)
        + await tokens.reseal(tx, ring)
        + await signing.reseal(tx, ring)
    )
