"""Payment links are looked after once a day, before they end."""

from alembic import op

revision = "0008_links"
down_revision = "0007_chains"
branch_labels = None
depends_on = None

NEW_STREAM = """
INSERT INTO schedules (connection, stream, every_seconds, next_due)
SELECT id, 'stripe.links', 86400, now() FROM connections
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.execute(NEW_STREAM)


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE stream = 'stripe.links'")
