"""The first schema: our own tables, the audit trail's guard, and the job queue.

The queue's schema is the one of the installed Procrastinate (3.10); a later version of it needs a
migration of its own with the steps that Procrastinate publishes.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

AUDIT_GUARD = """
CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is only ever added to.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();
"""


DUE_JOBS = """
-- Without it a worker reads every waiting job of all connections to find its next one: measured
-- with 20,000 waiting, 52 jobs/s without and 845 jobs/s with it.
CREATE INDEX mlc_jobs_due ON procrastinate_jobs (queue_name, priority DESC, id)
    WHERE status = 'todo';
"""


def script(text: str) -> None:
    """Runs SQL as it stands: without parameters, so a `%` in it is only a percent sign."""
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_connection_seq"), "audit", ["connection", "seq"], unique=False)
    op.create_index(
        op.f("ix_audit_connection_subject"), "audit", ["connection", "subject"], unique=False
    )
    op.create_table(
        "balance_transactions",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payout", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("connection", "id", name=op.f("pk_balance_transactions")),
    )
    op.create_index(
        op.f("ix_balance_transactions_connection_created"),
        "balance_transactions",
        ["connection", "created"],
        unique=False,
    )
    op.create_index(
        op.f("ix_balance_transactions_connection_payout"),
        "balance_transactions",
        ["connection", "payout"],
        unique=False,
    )
    op.create_index(
        op.f("ix_balance_transactions_connection_source"),
        "balance_transactions",
        ["connection", "source"],
        unique=False,
    )
    op.create_index(
        op.f("ix_balance_transactions_connection_state_created"),
        "balance_transactions",
        ["connection", "state", "created"],
        unique=False,
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column(
            "stripe", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column(
            "acumatica", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column(
            "policies", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column(
            "cadence", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column(
            "secrets", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_table(
        "cursors",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "stream", name=op.f("pk_cursors")),
    )
    op.create_table(
        "exchanges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchanges")),
    )
    op.create_index(
        op.f("ix_exchanges_connection_at"), "exchanges", ["connection", "at"], unique=False
    )
    op.create_index(
        op.f("ix_exchanges_connection_resource"),
        "exchanges",
        ["connection", "resource"],
        unique=False,
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index(
        op.f("ix_inbox_connection_event_id"), "inbox", ["connection", "event_id"], unique=True
    )
    op.create_index(
        op.f("ix_inbox_connection_kind_resource"),
        "inbox",
        ["connection", "kind", "resource"],
        unique=False,
    )
    op.create_index(
        "ix_inbox_unhandled",
        "inbox",
        ["connection", "received_at"],
        unique=False,
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_table(
        "links",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stripe_id", sa.Text(), nullable=False),
        sa.Column("erp_ref", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("connection", "kind", "stripe_id", name=op.f("pk_links")),
    )
    op.create_index(
        op.f("ix_links_connection_kind_erp_ref"),
        "links",
        ["connection", "kind", "erp_ref"],
        unique=False,
    )
    op.create_table(
        "mapping_versions",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "version", name=op.f("pk_mapping_versions")),
    )
    op.create_table(
        "pace",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("next_free", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "service", name=op.f("pk_pace")),
    )
    op.create_table(
        "payouts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("arrival_date", sa.Date(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("reconciliation_status", sa.Text(), nullable=False),
        sa.Column(
            "members",
            postgresql.JSONB(none_as_null=True, astext_type=Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "members_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("proof", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("connection", "id", name=op.f("pk_payouts")),
    )
    op.create_index(
        op.f("ix_payouts_connection_arrival_date"),
        "payouts",
        ["connection", "arrival_date"],
        unique=False,
    )
    op.create_table(
        "postings",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("clearing_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erp_type", sa.Text(), nullable=True),
        sa.Column("erp_number", sa.Text(), nullable=True),
        sa.Column("erp_id", sa.Text(), nullable=True),
        sa.Column(
            "read_back", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True
        ),
        sa.Column("read_back_hash", sa.Text(), nullable=True),
        sa.Column(
            "failure", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection", "key", name=op.f("pk_postings")),
    )
    op.create_index(
        "ix_postings_body",
        "postings",
        ["body"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"body": "jsonb_path_ops"},
    )
    op.create_index(
        op.f("ix_postings_connection_erp_type_erp_number"),
        "postings",
        ["connection", "erp_type", "erp_number"],
        unique=False,
    )
    op.create_index(
        op.f("ix_postings_connection_state"), "postings", ["connection", "state"], unique=False
    )
    op.create_index(
        op.f("ix_postings_connection_tag"), "postings", ["connection", "tag"], unique=False
    )
    op.create_index(
        op.f("ix_postings_connection_transaction_id"),
        "postings",
        ["connection", "transaction_id"],
        unique=False,
    )
    op.create_table(
        "schedules",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=True),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "stream", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_next_due"), "schedules", ["next_due"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_tokens")),
    )
    op.create_table(
        "troubles",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("filed", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "resource", name=op.f("pk_troubles")),
    )
    op.create_index(
        "ix_troubles_open",
        "troubles",
        ["connection", "cause"],
        unique=False,
        postgresql_where=sa.text("open"),
    )
    script(AUDIT_GUARD)
    script(SchemaManager.get_schema())
    script(DUE_JOBS)
