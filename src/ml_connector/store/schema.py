"""The schema's version: which one stands in the database, and how it is brought up to ours."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Misconfigured

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATING = 0x6D6C_6462
"""The advisory lock under which one process at a time migrates."""
_HAS_VERSION = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_VERSION = text("SELECT version_num FROM alembic_version")


def known() -> list[str]:
    """Every version that this program can make, oldest first; each is the name of its file."""
    return sorted(step.stem for step in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest() -> str:
    """The schema's version that this program works with."""
    return known()[-1]


async def stored(tx: AsyncConnection) -> str | None:
    """The schema's version in the database; None before the first migration."""
    if not (await tx.execute(_HAS_VERSION)).scalar_one():
        return None
    return (await tx.execute(_VERSION)).scalar_one_or_none()


async def bring_up(tx: AsyncConnection) -> None:
    """Migrates where that is owed; raises Misconfigured for a database of a newer program."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
    version = await stored(tx)
    if version == newest():
        return
    if version is not None and version not in known():
        raise Misconfigured(
            f"The database is at schema {version}, made by a newer version of the connector.",
            cause="store.newer_schema",
            remedy="Install that version again, or restore the database from before it.",
        )
    await tx.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    # Slow to import, and nearly every start finds the schema up to date.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
