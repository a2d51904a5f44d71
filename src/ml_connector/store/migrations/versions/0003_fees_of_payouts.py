"""Which posting carries the fee of a balance transaction, where it is posted apart."""

import sqlalchemy as sa
from alembic import op

revision = "0003_fees"
down_revision = "0002_proofs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("balance_transactions", sa.Column("fee_key", sa.Text(), nullable=True))
    op.create_index(
        "ix_balance_transactions_fee_key",
        "balance_transactions",
        ["connection", "fee_key"],
        unique=False,
        postgresql_where=sa.text("fee_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_balance_transactions_fee_key", table_name="balance_transactions")
    op.drop_column("balance_transactions", "fee_key")
