"""The installation's signing keys: one in force, made at first need; older ones public only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.books.sealed import key_id
from ml_connector.store.proof_tables import signing_keys as table
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.seal import key_of_text, open_text, place_of, reseal_text, seal_text
from ml_connector.vault.signing import SigningKey

PURPOSE = "proofs"
PLACE = place_of("signing_keys", PURPOSE, "sealed")
IN_FORCE = (table.c.purpose == PURPOSE) & table.c.retired_at.is_(None)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public part of a signing key and its time; `until` is None while it is in force."""

    public: str
    since: datetime
    until: datetime | None

    @property
    def id(self) -> str:
        """The short name of the key, as it stands in proofs."""
        return key_id(self.public)


async def key(tx: AsyncConnection, ring: KeyRing) -> SigningKey:
    """The key in force, made when there is none; raises BrokenSeal or UnknownKey.

    Two processes that make one at once end up with the same: the first that was stored.
    """
    sealed = await _sealed(tx)
    if sealed is None:
        kept = await _add(tx, ring, SigningKey.generate())
        sealed = await _sealed(tx) or kept
    return SigningKey(bytes.fromhex(open_text(ring, sealed, PLACE)))


async def every(tx: AsyncConnection) -> list[PublicKey]:
    """The public parts of all keys that ever signed, the one in force first."""
    question = select(table.c.public, table.c.created_at, table.c.retired_at)
    question = question.where(table.c.purpose == PURPOSE)
    found = await tx.execute(question.order_by(table.c.retired_at.desc().nulls_first()))
    return [PublicKey(public, since, until) for public, since, until in found.all()]


async def rotate(tx: AsyncConnection, ring: KeyRing, now: datetime) -> SigningKey:
    """Puts a new key in force; the private part of the one before is forgotten for good."""
    retired = update(table).where(IN_FORCE).values(retired_at=now, sealed="")
    await tx.execute(retired)
    new = SigningKey.generate()
    await _add(tx, ring, new, since=now)
    return new


async def sealed_with(tx: AsyncConnection) -> list[str]:
    """The ids of the keys under which private parts are sealed: one, or none before first need."""
    sealed = await _sealed(tx)
    return [] if sealed is None else [key_of_text(sealed)]


async def reseal(tx: AsyncConnection, ring: KeyRing) -> int:
    """Seals the private part under the ring's active key; how many there are."""
    sealed = await _sealed(tx)
    if sealed is None:
        return 0
    await tx.execute(update(table).where(IN_FORCE).values(sealed=reseal_text(ring, sealed, PLACE)))
    return 1


async def _add(
    tx: AsyncConnection, ring: KeyRing, new: SigningKey, *, since: datetime | None = None
) -> str:
    kept = seal_text(ring, new.private.hex(), PLACE)
    row: dict[str, object] = {"purpose": PURPOSE, "public": new.public, "sealed": kept}
    if since is not None:
        row["created_at"] = since
    await tx.execute(insert(table).values(**row).on_conflict_do_nothing())
    return kept


async def _sealed(tx: AsyncConnection) -> str | None:
    return (await tx.execute(select(table.c.sealed).where(IN_FORCE))).scalar_one_or_none()
