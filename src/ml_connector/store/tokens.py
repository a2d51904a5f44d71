"""The Acumatica tokens of a connection: sealed, and refreshed by one process at a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import from_json, moment, to_json
from ml_connector.store.tables import tokens
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.seal import key_of_text, open_text, place_of, reseal_text, seal_text


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Acumatica's identity server gave; `version` counts refreshes, 0 before it is stored."""

    access: str
    refresh: str
    expires_at: datetime
    version: int = 0

    def __repr__(self) -> str:
        return f"Tokens(version={self.version}, expires_at={self.expires_at.isoformat()})"


async def read(tx: AsyncConnection, connection: ConnectionId, keyring: KeyRing) -> Tokens | None:
    """The tokens in force; None before the first sign-in. Raises BrokenSeal or UnknownKey."""
    question = select(tokens.c.sealed, tokens.c.expires_at, tokens.c.version)
    found = (await tx.execute(question.where(tokens.c.connection == connection))).one_or_none()
    if found is None:
        return None
    sealed, expires_at, version = found
    both = from_json(open_text(keyring, sealed, _place(connection)))
    return Tokens(both["access"], both["refresh"], expires_at, version)


async def replace(
    tx: AsyncConnection,
    connection: ConnectionId,
    keyring: KeyRing,
    new: Tokens,
    expected_version: int,
    *,
    now: datetime | None = None,
) -> bool:
    """Stores new tokens if nobody was faster; False means: read again and use what is there.

    `expected_version` is that of the tokens that were refreshed; 0 for the first sign-in. (A
    refresh token works once, so of two refreshes one must lose and take the winner's.)
    """
    both = to_json({"access": new.access, "refresh": new.refresh})
    facts = {
        "sealed": seal_text(keyring, both, _place(connection)),
        "expires_at": new.expires_at,
        "version": expected_version + 1,
        "updated_at": moment(now),
    }
    if expected_version == 0:
        first = insert(tokens).values(connection=connection, **facts).on_conflict_do_nothing()
        stored = await tx.execute(first.returning(tokens.c.version))
        return stored.one_or_none() is not None
    same = (tokens.c.connection == connection) & (tokens.c.version == expected_version)
    return (await tx.execute(update(tokens).where(same).values(**facts))).rowcount == 1


async def sealed_with(tx: AsyncConnection) -> list[str]:
    """The id of the key under which each connection's tokens are sealed."""
    return [key_of_text(one) for one in (await tx.execute(select(tokens.c.sealed))).scalars()]


async def reseal(tx: AsyncConnection, keyring: KeyRing) -> int:
    """Seals all tokens under the active key; how many there are."""
    rows = await tx.execute(select(tokens.c.connection, tokens.c.sealed).with_for_update())
    found = rows.all()
    for connection, sealed in found:
        anew = reseal_text(keyring, sealed, _place(ConnectionId(connection)))
        statement = update(tokens).where(tokens.c.connection == connection)
        await tx.execute(statement.values(sealed=anew))
    return len(found)


def _place(connection: ConnectionId) -> str:
    return place_of("tokens", connection, "sealed")
