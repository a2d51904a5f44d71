"""Which edition of a balance transaction is posted: what was undone waits, then goes anew."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId
from ml_connector.books.editions import edition_of, in_edition
from ml_connector.books.postings import Posting, Purpose, posting_key
from ml_connector.flows.connected import Connected
from ml_connector.store import audit, editions, postings
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState


class WasUndone(AskAPerson):
    """A balance transaction that a person has undone: nobody posts it again by himself."""

    def __init__(self, row: BalanceTransactionRow) -> None:
        super().__init__(
            f"{row.id} of {row.net} was undone. {row.reason}".strip(),
            cause=editions.waits(row.id),
            remedy=f"Post it again with `ml-connector replay {row.id}`.",
        )


async def of_edition(
    c: Connected, tx: AsyncConnection, transaction: StripeId, made: Sequence[Posting]
) -> list[Posting]:
    """Postings under the keys of the edition that is owed; raises WasUndone while none is.

    The row is held until the plan is stored, so an undo comes before it or after it.
    """
    row = await editions.locked(tx, c.id, transaction)
    if row is None:
        return list(made)
    if row.state is TransactionState.UNDONE:
        raise WasUndone(row)
    return [in_edition(posting, row.edition) for posting in made]


async def standing_of(c: Connected, tx: AsyncConnection, transaction: StripeId) -> list[PostingRow]:
    """The postings of a balance transaction in its present edition, by key."""
    row = await editions.locked(tx, c.id, transaction)
    edition = 1 if row is None else row.edition
    known = await postings.by_transaction(tx, c.id, transaction)
    return [one for one in known if one.purpose != Purpose.UNDO and edition_of(one.key) == edition]


async def standing(c: Connected, purpose: Purpose, subject: str) -> PostingRow | None:
    """The posting for a purpose and subject that stands, or is on its way; not an undone one."""
    async with c.store.statement() as tx:
        return await editions.latest(tx, c.id, posting_key(purpose, subject))


async def tell_posted_again(
    c: Connected, tx: AsyncConnection, before: BalanceTransactionRow
) -> None:
    """Writes to the audit trail, once, that something undone is in the books again."""
    states = (TransactionState.POSTED, TransactionState.UNDONE)
    if before.edition > 1 and before.state not in states:
        now = c.clock.now()
        detail: JsonObject = {"edition": before.edition, "net": str(before.net)}
        await audit.write(tx, c.id, "connector", "posted again", before.id, detail, now)
