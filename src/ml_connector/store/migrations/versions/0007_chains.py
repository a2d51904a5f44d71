"""Which payment a refund or a dispute is of; known before only by the texts of what was posted."""

import sqlalchemy as sa
from alembic import op

revision = "0007_chains"
down_revision = "0006_signing_keys"
branch_labels = None
depends_on = None

KNOWN = r"""
UPDATE balance_transactions AS moved
SET charge = substring(posting.body->>'description' FROM '\mof ((ch|py)_[A-Za-z0-9]+)')
FROM postings AS posting
WHERE posting.connection = moved.connection AND posting.transaction_id = moved.id
  AND moved.source !~ '^(ch|py)_' AND posting.body->>'description' ~ '\mof (ch|py)_[A-Za-z0-9]+'
"""


def upgrade() -> None:
    op.add_column("balance_transactions", sa.Column("charge", sa.Text(), nullable=True))
    op.create_index(
        "ix_balance_transactions_charge",
        "balance_transactions",
        ["connection", "charge"],
        unique=False,
        postgresql_where=sa.text("charge IS NOT NULL"),
    )
    op.get_bind().exec_driver_sql(KNOWN, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.drop_index("ix_balance_transactions_charge", table_name="balance_transactions")
    op.drop_column("balance_transactions", "charge")
