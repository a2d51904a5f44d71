"""Locks by name, which every process on the database keeps: held until a transaction ends."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_HOLD = text("SELECT pg_advisory_xact_lock(hashtext(:name))")


async def one_at_a_time(tx: AsyncConnection, name: str) -> None:
    """Lets one transaction at a time go on under a name; the others wait for its end."""
    await tx.execute(_HOLD, {"name": name})
