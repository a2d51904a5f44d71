"""Runs the migrations on the connection, and in the transaction, that `Store.migrate` gives."""

from alembic import context
from sqlalchemy import Connection

from ml_connector.store.proof_tables import metadata  # every family of tables is in it by then


def run(connection: Connection) -> None:
    """Runs what is owed; the caller commits."""
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
