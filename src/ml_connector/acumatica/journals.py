"""General-ledger batches: made with a mark of ours, released, read, found again."""

from datetime import date

from ml_connector.acumatica import corrections, journal_words, wire
from ml_connector.acumatica.calls import made, write
from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    ErpDocument,
    ErpJournal,
)
from ml_connector.acumatica.fields import text
from ml_connector.acumatica.forms import Forms
from ml_connector.acumatica.queries import quoted
from ml_connector.acumatica.translate import required_day
from ml_connector.basics.ids import ErpRef
from ml_connector.books.postings import Journal


class Journals(Forms):
    """The batches of GL301000."""

    async def put_journal(self, journal: Journal, tag: str) -> ErpDocument:
        """Creates a batch that carries `tag`, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_journals` before any new try.
        """
        call = write("JournalTransaction", f"the journal {tag}", tag)
        body = journal_words.journal_body(journal, tag, self.ledger)
        record = await self._endpoint.put(call, body, wire.JournalWire)
        return made(call, journal_words.journal_document, record)

    async def correct_journal(self, ref: ErpRef, journal: Journal, tag: str) -> None:
        """Gives a batch before its release another date: one call."""
        call = write("JournalTransaction", f"the date of the journal {tag}", tag)
        body = corrections.journal_body(journal, ref, tag)
        await self._endpoint.put(call, body, wire.JournalWire)

    async def release_journal(self, ref: ErpRef) -> None:
        """Puts a batch into the ledger; two calls when the learned wait fits."""
        action = "ReleaseJournalTransaction"
        await self._release("JournalTransaction", action, ref, JOURNAL_RELEASED)

    async def journal(self, which: ErpRef | str) -> ErpJournal:
        """A batch with its lines, by keys or id: one call."""
        query = {"$expand": "Details"}
        return journal_words.journal(
            await self._one("JournalTransaction", ErpRef(which), wire.JournalWire, query)
        )

    async def find_journals(self, tag: str) -> list[ErpDocument]:
        """Every general-ledger batch whose description carries `tag`: one call."""
        query = {
            "$filter": f"Module eq 'GL' and substringof({quoted(tag)},Description)",
            "$select": "Module,BatchNbr,Status,Description",
        }
        what = f"the journals with mark {tag}"
        rows = await self._rows("JournalTransaction", what, wire.JournalWire, query)
        return [journal_words.journal_document(row) for row in rows if tag in text(row.description)]

    async def unposted_batches(self) -> dict[tuple[str, str], date]:
        """The batches of every module that are released and not posted, with their days: one call.

        By module and number.
        """
        query = {
            "$filter": "Status eq 'Unposted'",
            "$select": "Module,BatchNbr,Status,TransactionDate",
        }
        what = "the batches that are not posted"
        rows = await self._rows("JournalTransaction", what, wire.JournalWire, query)
        return {
            (text(row.module), text(row.batch_nbr)): required_day(
                row.transaction_date, "TransactionDate"
            )
            for row in rows
        }
