"""Where our books begin in each currency, as it was kept when its entry was planned."""

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.books.opening import Opening, opening_key
from ml_connector.store import cursors, postings
from ml_connector.store.rows import JsonObject, as_object


async def body(tx: AsyncConnection, connection: ConnectionId, currency: str) -> JsonObject | None:
    """The opening of a currency as it is stored; None before it was kept."""
    return await cursors.read(tx, connection, _stream(currency))


async def kept(tx: AsyncConnection, connection: ConnectionId, currency: str) -> Opening | None:
    """The same as the record that it is."""
    stored = await body(tx, connection, currency)
    return None if stored is None else msgspec.convert(stored, Opening)


async def keep(
    tx: AsyncConnection, connection: ConnectionId, opening: Opening, now: datetime
) -> JsonObject:
    """Stores an opening; returns it as it is stored."""
    stored = as_object(opening)
    await cursors.advance(tx, connection, _stream(opening.position.currency), stored, now=now)
    return stored


async def held_before(tx: AsyncConnection, connection: ConnectionId, currency: str) -> Money:
    """What clearing held when our books began: the entry brings in only what it lacked.

    The account may be another one since, so it is told by the entry and not by the mapping.
    """
    opening = await kept(tx, connection, currency)
    if opening is None:
        return Money.zero(currency)
    entry = await postings.get(tx, connection, opening_key(currency))
    return opening.position.balance - (Money.zero(currency) if entry is None else entry.clearing)


def _stream(currency: str) -> str:
    return f"opening.{currency}"
