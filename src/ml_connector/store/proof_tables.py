"""The tables of proof: the key that signs, and every tie-out that was measured."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, Named, Table, Text, TypedColumns

from ml_connector.store.tables import NOW, Instant, metadata


class _SigningKeyColumns(TypedColumns):
    purpose = Column(Text, primary_key=True)
    public: Named[str] = Column(Text)
    sealed: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(Instant, server_default=NOW)


signing_keys = Table("signing_keys", metadata, _SigningKeyColumns)
"""The installation's signing key: its public part, and its private part sealed."""


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
