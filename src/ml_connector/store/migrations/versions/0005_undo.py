"""Editions of postings, what people had undone, and what they changed on our documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_undo"
down_revision = "0004_approvals"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())

NEW_STREAM = """
INSERT INTO schedules (connection, stream, every_seconds, next_due)
SELECT id, 'acumatica.documents', 300, now() FROM connections
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.add_column(
        "balance_transactions",
        sa.Column("edition", sa.Integer(), server_default=sa.text("1"), nullable=False),
    )
    op.create_table(
        "undos",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("repost", sa.Boolean(), nullable=False),
        sa.Column("reversing", JSON, nullable=False),
        sa.Column("transactions", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undos")),
    )
    op.create_index(
        op.f("ix_undos_connection_created_at"), "undos", ["connection", "created_at"], unique=False
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("edits", JSON, nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("missing_minor", sa.BigInteger(), nullable=False),
        sa.Column("stake_currency", sa.Text(), nullable=False),
        sa.Column("stake_minor", sa.BigInteger(), nullable=False),
        sa.Column("seen", JSON, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index(
        "ix_findings_current",
        "findings",
        ["connection", "key"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'noted', 'accepted')"),
    )
    op.execute(NEW_STREAM)
