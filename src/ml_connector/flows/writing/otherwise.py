"""What is said otherwise than it was planned: kept when it is planned again, and never unasked."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.books.approval import HeldBack
from ml_connector.books.otherwise import said_otherwise, stands_for
from ml_connector.books.postings import Posting, State
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.writing.gate import permit_posting
from ml_connector.store import postings
from ml_connector.store.postings import PostingRow


async def as_it_stands(c: Connected, tx: AsyncConnection, made: Sequence[Posting]) -> list[Posting]:
    """Postings as the rules make them, but those said otherwise since as they are said now.

    Else a person would be shown, and would approve, what Acumatica has refused already.
    """
    return [await _as_stored(c, tx, one) for one in made]


async def _as_stored(c: Connected, tx: AsyncConnection, made: Posting) -> Posting:
    row = await postings.get(tx, c.id, made.key)
    if row is None or row.taken:
        return made
    stored = document(row)
    return replace(made, document=stored) if stands_for(stored, made.document) else made


async def permit_again(c: Connected, row: PostingRow) -> None:
    """Lets a document that is made go on; raises HeldBack when nobody agreed to what it says now.

    What is as it was planned was asked for before it was made.
    """
    if said_otherwise(document(row)):
        await permit_posting(c, row)


async def waits_for_a_word(c: Connected, row: PostingRow) -> bool:
    """Whether a document is made in Acumatica, not released, and held back as it is said now."""
    if row.erp_number is None or row.state not in {State.CREATED, State.FAILED}:
        return False
    try:
        await permit_again(c, row)
    except HeldBack:
        return True
    return False
