"""The tables of repairs: what people had undone, and what they changed on our documents."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, Named, Table, Text, TypedColumns, text

from ml_connector.store.proof_tables import metadata
from ml_connector.store.rows import JsonObject
from ml_connector.store.tables import Instant, Json, List


class _UndoColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    what: Named[str] = Column(Text)
    why: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)
    repost: Named[bool]
    reversing = Column(List, nullable=False)
    transactions = Column(List, nullable=False)
    created_at: Named[datetime] = Column(Instant)
    done_at: Named[datetime | None] = Column(Instant)


undos = Table("undos", metadata, _UndoColumns, Index(None, "connection", "created_at"))
"""What people had undone, and why: the reversing documents in their order."""


class _FindingColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    key: Named[str] = Column(Text)
    transaction_id: Named[str] = Column(Text)
    document: Named[str] = Column(Text)
    other: Named[str | None] = Column(Text)
    grade: Named[str] = Column(Text)
    edits = Column(List, nullable=False)
    sentence: Named[str] = Column(Text)
    currency: Named[str] = Column(Text)
    missing_minor: Named[int] = Column(BigInteger)
    stake_currency: Named[str] = Column(Text)
    stake_minor: Named[int] = Column(BigInteger)
    seen: Named[JsonObject | None] = Column(Json, nullable=True)
    state: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)
    why: Named[str] = Column(Text)
    found_at: Named[datetime] = Column(Instant)
    decided_at: Named[datetime | None] = Column(Instant)


findings = Table(
    "findings",
    metadata,
    _FindingColumns,
    Index(
        "ix_findings_current",
        "connection",
        "key",
        unique=True,
        postgresql_where=text("state IN ('open', 'noted', 'accepted')"),
    ),
)
"""What people changed on a document of ours after it was verified, and what was decided of it."""
