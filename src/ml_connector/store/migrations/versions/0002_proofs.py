"""The key that signs proofs, and the history of the tie-out."""

import sqlalchemy as sa
from alembic import op

revision = "0002_proofs"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds both tables; connections that exist begin to measure their tie-out every night."""
    op.create_table(
        "signing_keys",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("purpose", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "tie_outs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clearing_minor", sa.BigInteger(), nullable=False),
        sa.Column("stripe_minor", sa.BigInteger(), nullable=False),
        sa.Column("named_minor", sa.BigInteger(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tie_outs")),
    )
    op.create_index(
        op.f("ix_tie_outs_connection_currency_at"),
        "tie_outs",
        ["connection", "currency", "at"],
        unique=False,
    )
    op.execute(
        "INSERT INTO schedules (connection, stream, every_seconds, next_due)"
        " SELECT id, 'tieout', 86400, now() FROM connections"
    )
