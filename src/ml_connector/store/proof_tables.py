"""The tables of proof: the key that signs, and every tie-out that was measured."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    text,
)

from ml_connector.store.tables import NOW, Instant, metadata


class _SigningKeyColumns(TypedColumns):
    public = Column(Text, primary_key=True)
    purpose: Named[str] = Column(Text)
    sealed: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(Instant, server_default=NOW)
    retired_at: Named[datetime | None] = Column(Instant)


signing_keys = Table(
    "signing_keys",
    metadata,
    _SigningKeyColumns,
    Index(
        "ix_signing_keys_in_force",
        "purpose",
        unique=True,
        postgresql_where=text("retired_at IS NULL"),
    ),
)
"""The installation's signing keys: public parts, and the private part of the one in force, sealed.

A retired key has no private part any more: what it signed can be checked, nothing new be signed.
"""


class _TieOutColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    connection: Named[str] = Column(Text)
    currency: Named[str] = Column(Text)
    at: Named[datetime] = Column(Instant)
    clearing_minor: Named[int] = Column(BigInteger)
    stripe_minor: Named[int] = Column(BigInteger)
    named_minor: Named[int] = Column(BigInteger)
    difference_minor: Named[int] = Column(BigInteger)


tie_outs = Table("tie_outs", metadata, _TieOutColumns, Index(None, "connection", "currency", "at"))
"""Every measurement of the promise, so that `since when` has an answer."""
