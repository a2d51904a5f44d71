"""Every table of the connector, each with a sentence; the queue's own tables are Procrastinate's.

All instants are timestamptz, all amounts whole minor units beside their currency, all rows keyed
by the connection they belong to. There are no foreign keys between families: rows of one fact
arrive in any order, and the flows converge.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from ml_connector.store.rows import JsonList, JsonObject

Instant = DateTime(timezone=True)
Json: TypeEngine[JsonObject] = JSONB(none_as_null=True)
List: TypeEngine[JsonList] = JSONB(none_as_null=True)

NOW = text("now()")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _ConnectionColumns(TypedColumns):
    id = Column(Text, primary_key=True)
    title = Column(Text, nullable=False)
    time_zone = Column(Text, nullable=False)
    start_date = Column(Date, nullable=False)
    stripe = Column(Json, nullable=False)
    acumatica = Column(Json, nullable=False)
    policies = Column(Json, nullable=False)
    cadence = Column(Json, nullable=False)
    secrets = Column(Json, nullable=False)
    active: Named[bool]
    paused_reason: Named[str] = Column(Text)
    mapping_version: Named[int | None] = Column(Integer)
    created_at: Named[datetime] = Column(Instant)
    updated_at: Named[datetime] = Column(Instant)


connections = Table("connections", metadata, _ConnectionColumns)
"""One Acumatica tenant joined to one Stripe account: addresses, policies, sealed credentials."""


class _TokenColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    sealed: Named[str] = Column(Text)
    version: Named[int] = Column(Integer)
    expires_at: Named[datetime] = Column(Instant)
    updated_at: Named[datetime] = Column(Instant)


tokens = Table("tokens", metadata, _TokenColumns)
"""The Acumatica tokens of a connection, sealed; `version` lets only one refresh win."""


class _CursorColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    stream = Column(Text, primary_key=True)
    value = Column(Json, nullable=False)
    updated_at: Named[datetime] = Column(Instant)


cursors = Table("cursors", metadata, _CursorColumns)
"""How far a stream of changes has been read."""


class _InboxColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    event_id: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    kind: Named[str] = Column(Text)
    resource: Named[str] = Column(Text)
    type: Named[str] = Column(Text)
    received_at: Named[datetime] = Column(Instant, server_default=NOW)
    body = Column(Json, nullable=False)
    handled_at: Named[datetime | None] = Column(Instant)
    outcome: Named[str | None] = Column(Text)


inbox = Table(
    "inbox",
    metadata,
    _InboxColumns,
    Index(None, "connection", "event_id", unique=True),
    Index(None, "connection", "kind", "resource"),
    Index(
        "ix_inbox_unhandled",
        "connection",
        "received_at",
        postgresql_where=text("handled_at IS NULL"),
    ),
)
"""Every signal once, by its event id; handled only when the job it led to succeeded."""


class _LinkColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    kind = Column(Text, primary_key=True)
    stripe_id = Column(Text, primary_key=True)
    erp_ref: Named[str] = Column(Text)
    how: Named[str] = Column(Text)
    detail = Column(Json, nullable=False)
    created_at: Named[datetime] = Column(Instant, server_default=NOW)


links = Table("links", metadata, _LinkColumns, Index(None, "connection", "kind", "erp_ref"))
"""This Stripe object is that ERP record, and how we know."""


class _BalanceTransactionColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    id = Column(Text, primary_key=True)
    type: Named[str] = Column(Text)
    category: Named[str] = Column(Text)
    currency: Named[str] = Column(Text)
    amount_minor: Named[int] = Column(BigInteger)
    fee_minor: Named[int] = Column(BigInteger)
    net_minor: Named[int] = Column(BigInteger)
    source: Named[str | None] = Column(Text)
    created: Named[datetime] = Column(Instant)
    available_on: Named[datetime] = Column(Instant)
    payout: Named[str | None] = Column(Text)
    charge: Named[str | None] = Column(Text)
    fee_key: Named[str | None] = Column(Text)
    state: Named[str] = Column(Text)
    reason: Named[str] = Column(Text)
    cause: Named[str] = Column(Text)
    body = Column(Json, nullable=False)
    edition: Named[int] = Column(Integer, server_default=text("1"))
    seen_at: Named[datetime] = Column(Instant, server_default=NOW)
    updated_at: Named[datetime] = Column(Instant, server_default=NOW)


balance_transactions = Table(
    "balance_transactions",
    metadata,
    _BalanceTransactionColumns,
    Index(None, "connection", "payout"),
    Index(None, "connection", "source"),
    Index(None, "connection", "state", "created"),
    Index(None, "connection", "created"),
    Index(
        "ix_balance_transactions_fee_key",
        "connection",
        "fee_key",
        postgresql_where=text("fee_key IS NOT NULL"),
    ),
    Index(
        "ix_balance_transactions_charge",
        "connection",
        "charge",
        postgresql_where=text("charge IS NOT NULL"),
    ),
)
"""Every change of the Stripe balance, and whether it is posted or the reason why not.

`charge` is the payment that a refund or a dispute is of, once a look at that has told. `fee_key` is
the posting that carries the fee apart from the rest: empty while none does yet, null where the fee
is carried with the rest.
"""


class _PostingColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    key = Column(Text, primary_key=True)
    kind: Named[str] = Column(Text)
    purpose: Named[str] = Column(Text)
    transaction_id: Named[str] = Column(Text)
    tag: Named[str] = Column(Text)
    currency: Named[str] = Column(Text)
    clearing_minor: Named[int] = Column(BigInteger)
    body = Column(Json, nullable=False)
    mapping_version: Named[int | None] = Column(Integer)
    state: Named[str] = Column(Text)
    claim: Named[str | None] = Column(Text)
    claimed_at: Named[datetime | None] = Column(Instant)
    sending_at: Named[datetime | None] = Column(Instant)
    erp_type: Named[str | None] = Column(Text)
    erp_number: Named[str | None] = Column(Text)
    erp_id: Named[str | None] = Column(Text)
    read_back: Named[JsonObject | None] = Column(Json, nullable=True)
    read_back_hash: Named[str | None] = Column(Text)
    failure: Named[JsonObject | None] = Column(Json, nullable=True)
    attempts: Named[int] = Column(Integer)
    created_at: Named[datetime] = Column(Instant)
    updated_at: Named[datetime] = Column(Instant)
    verified_at: Named[datetime | None] = Column(Instant)


postings = Table(
    "postings",
    metadata,
    _PostingColumns,
    Index(None, "connection", "transaction_id"),
    Index(None, "connection", "erp_type", "erp_number"),
    Index(None, "connection", "state"),
    Index(None, "connection", "tag"),
    # Which payments settle a document is asked at every payment and every poll of invoices.
    Index(
        "ix_postings_body",
        "body",
        postgresql_using="gin",
        postgresql_ops={"body": "jsonb_path_ops"},
    ),
)
"""One document in Acumatica for one reason: as planned, as sent, as read back."""


class _PayoutColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    id = Column(Text, primary_key=True)
    currency: Named[str] = Column(Text)
    amount_minor: Named[int] = Column(BigInteger)
    status: Named[str] = Column(Text)
    arrival_date: Named[date] = Column(Date)
    automatic: Named[bool]
    reconciliation_status: Named[str] = Column(Text)
    members = Column(List, nullable=False, server_default=text("'[]'"))
    members_complete: Named[bool] = Column(server_default=text("false"))
    proof: Named[JsonObject | None] = Column(Json, nullable=True)
    proven_at: Named[datetime | None] = Column(Instant)
    updated_at: Named[datetime] = Column(Instant, server_default=NOW)


payouts = Table("payouts", metadata, _PayoutColumns, Index(None, "connection", "arrival_date"))
"""Money on its way to the bank: its member transactions and, in the end, its proof."""


class _ExchangeColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    at: Named[datetime] = Column(Instant)
    service: Named[str] = Column(Text)
    method: Named[str] = Column(Text)
    path: Named[str] = Column(Text)
    status: Named[int | None] = Column(Integer)
    duration_ms: Named[int] = Column(Integer)
    resource: Named[str] = Column(Text)
    request_id: Named[str] = Column(Text)
    request: Named[str] = Column(Text)
    response: Named[str] = Column(Text)
    error: Named[str] = Column(Text)


exchanges = Table(
    "exchanges",
    metadata,
    _ExchangeColumns,
    Index(None, "connection", "at"),
    Index(None, "connection", "resource"),
)
"""Every HTTP call that left the connector, redacted, with its duration."""


class _AuditColumns(TypedColumns):
    seq = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    at: Named[datetime] = Column(Instant)
    actor: Named[str] = Column(Text)
    action: Named[str] = Column(Text)
    subject: Named[str] = Column(Text)
    detail = Column(Json, nullable=False)
    previous: Named[str] = Column(Text)
    hash: Named[str] = Column(Text)


audit = Table(
    "audit",
    metadata,
    _AuditColumns,
    Index(None, "connection", "seq"),
    Index(None, "connection", "subject"),
)
"""Who or what did what, and why: only ever added to, each row sealing the one before it."""


class _MappingVersionColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    version = Column(Integer, primary_key=True, autoincrement=False)
    body = Column(Json, nullable=False)
    text: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(Instant, server_default=NOW)
    author: Named[str] = Column(Text)
    note: Named[str] = Column(Text)


mapping_versions = Table("mapping_versions", metadata, _MappingVersionColumns)
"""Each version of a connection's accounts and policies, as parsed and as written."""


class _TroubleColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    kind = Column(Text, primary_key=True)
    resource = Column(Text, primary_key=True)
    filed: Named[str] = Column(Text)
    cause: Named[str] = Column(Text)
    sentence: Named[str] = Column(Text)
    remedy: Named[str] = Column(Text)
    amount_minor: Named[int | None] = Column(BigInteger)
    currency: Named[str | None] = Column(Text)
    first_seen: Named[datetime] = Column(Instant)
    last_seen: Named[datetime] = Column(Instant)
    tries: Named[int] = Column(Integer)
    next_try: Named[datetime | None] = Column(Instant)
    open: Named[bool]


troubles = Table(
    "troubles",
    metadata,
    _TroubleColumns,
    Index("ix_troubles_open", "connection", "cause", postgresql_where=text("open")),
)
"""What stands in the way of one resource: cause, remedy, money, and when it is tried again."""


class _ScheduleColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    stream = Column(Text, primary_key=True)
    every_seconds: Named[int] = Column(Integer)
    cron: Named[str | None] = Column(Text)
    next_due: Named[datetime] = Column(Instant)
    last_started: Named[datetime | None] = Column(Instant)
    last_finished: Named[datetime | None] = Column(Instant)
    last_error: Named[str | None] = Column(Text)


schedules = Table("schedules", metadata, _ScheduleColumns, Index(None, "next_due"))
"""How often each stream of a connection is looked at, and when next."""


class _PaceColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    service = Column(Text, primary_key=True)
    next_free: Named[datetime] = Column(Instant)


pace = Table("pace", metadata, _PaceColumns)
"""When the next request to a service may leave, shared by every worker."""


class _PlanColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    hash = Column(Text, primary_key=True)
    body = Column(Json, nullable=False)
    made_at: Named[datetime] = Column(Instant)


plans = Table("plans", metadata, _PlanColumns)
"""What a person was shown before approving it: documents, facts and the hash over them."""


class _ApprovalColumns(TypedColumns):
    connection = Column(Text, primary_key=True)
    key = Column(Text, primary_key=True)
    verdict: Named[str] = Column(Text)
    body_hash: Named[str] = Column(Text)
    plan: Named[str] = Column(Text)
    mapping_version: Named[int] = Column(Integer)
    actor: Named[str] = Column(Text)
    why: Named[str] = Column(Text)
    at: Named[datetime] = Column(Instant)


approvals = Table("approvals", metadata, _ApprovalColumns)
"""What a person said of one document: approved as it was then, or declined and why."""
