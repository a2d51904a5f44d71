"""Signing keys are rotated: those before stay known by their public part."""

import sqlalchemy as sa
from alembic import op

revision = "0006_signing_keys"
down_revision = "0005_undo"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "signing_keys", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_constraint(op.f("pk_signing_keys"), "signing_keys", type_="primary")
    op.create_primary_key(op.f("pk_signing_keys"), "signing_keys", ["public"])
    op.create_index(
        "ix_signing_keys_in_force",
        "signing_keys",
        ["purpose"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
