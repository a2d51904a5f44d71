"""A document that a person made becomes that of a posting, which is then only read back."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.books.postings import State
from ml_connector.store import postings
from ml_connector.store.postings import LostClaim, NewPosting


async def adopt(tx: AsyncConnection, planned: NewPosting, ref: ErpRef, now: datetime) -> None:
    """Takes a planned posting to `created` with the number of a document that stands already."""
    token = secrets.token_hex(8)
    row = await postings.claim(tx, planned.connection, planned.key, token, now, timedelta(0))
    if row is None:
        raise LostClaim(planned.key)
    kind, number = erp_keys(ref)
    sending = await postings.move(tx, row, token, State.SENDING, now=now)
    await postings.move(
        tx, sending, token, State.CREATED, now=now, erp_type=kind, erp_number=number
    )
    await postings.let_go(tx, planned.connection, planned.key, token)
