"""How each kind of document is looked for, sent, released and read back in Acumatica."""

from dataclasses import dataclass

from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    PAYMENT_RELEASED,
    ErpDocument,
)
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, in_words
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Journal,
    Voiding,
)
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.writing.debit_papers import debit_paper
from ml_connector.flows.writing.memo_papers import memo_paper, refund_paper
from ml_connector.flows.writing.paper import DEAD, Paper, ReadBack, Stands, dead
from ml_connector.flows.writing.read_back import (
    booked_differences,
    journal_differences,
    payment_differences,
)
from ml_connector.flows.writing.void_papers import void_paper
from ml_connector.store.postings import PostingRow


def paper_of(c: Connected, row: PostingRow) -> Paper:  # noqa: PLR0911 - one for each kind
    """The document of a posting with the ways to handle it."""
    match document(row):
        case ArPayment() as payment:
            return _Payment(c, payment)
        case Journal() as journal:
            return _Journal(c, journal, row.tag)
        case Voiding() as voiding:
            return void_paper(c, voiding)
        case CreditMemo() as memo:
            return memo_paper(c, memo)
        case ArRefund() as refund:
            return refund_paper(c, refund)
        case DebitMemo() as debit:
            return debit_paper(c, debit)
        case Booked() as booked:
            return _Booked(c, booked)


@dataclass(frozen=True, slots=True)
class _Payment:
    c: Connected
    payment: ArPayment

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_payments(self.payment.payment_ref)
        return [one for one in found if one.status not in DEAD and not one.ref.startswith("Voided")]

    async def send(self) -> ErpDocument:
        return await self.c.acumatica.put_payment(self.payment)

    def lacking(self, made: ErpDocument) -> bool:
        return bool(self.payment.applications) and made.applied == 0

    async def complete(self, ref: ErpRef) -> None:
        await self.c.acumatica.apply_payment(ref, self.payment)

    async def correct(self, ref: ErpRef) -> None:
        await self.c.acumatica.correct_payment(ref, self.payment)

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.payment(ref)
        if found.status in PAYMENT_RELEASED:
            return Stands(released=True)
        lacks = len(found.applications) < len(self.payment.applications)
        moved = self.payment.true_day is not None and found.day != self.payment.day
        less = bool(self.payment.wanted) and set(found.applications) != set(
            self.payment.applications
        )
        return Stands(
            released=False, lacking=lacks, outdated=moved or less, dead=dead(found.status)
        )

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_payment(ref)

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found = await self.c.acumatica.payment(ref)
        return ReadBack(found, payment_differences(self.payment, found, released=released))


@dataclass(frozen=True, slots=True)
class _Journal:
    c: Connected
    journal: Journal
    tag: str

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_journals(self.tag)
        return [one for one in found if one.status not in DEAD]

    async def send(self) -> ErpDocument:
        return await self.c.acumatica.put_journal(self.journal, self.tag)

    def lacking(self, made: ErpDocument) -> bool:  # noqa: ARG002 - a batch is made whole
        return False

    async def complete(self, ref: ErpRef) -> None:
        """A batch that balances is whole."""

    async def correct(self, ref: ErpRef) -> None:
        await self.c.acumatica.correct_journal(ref, self.journal, self.tag)

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.journal(ref)
        released = found.status in JOURNAL_RELEASED
        moved = self.journal.true_day is not None and found.day != self.journal.day
        return Stands(released, outdated=moved and not released, dead=dead(found.status))

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_journal(ref)

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found = await self.c.acumatica.journal(ref)
        ledger = self.c.acumatica.ledger
        return ReadBack(found, journal_differences(self.journal, found, ledger, released=released))


@dataclass(frozen=True, slots=True)
class _Booked:
    """Somebody else's payment: it is found and compared, and nothing of it is ever written."""

    c: Connected
    booked: Booked

    async def hits(self) -> list[ErpDocument]:
        return [await self.send()]

    async def send(self) -> ErpDocument:
        found = await self.c.acumatica.payment(self.booked.payment)
        return ErpDocument(found.id, found.ref, found.status)

    def lacking(self, made: ErpDocument) -> bool:  # noqa: ARG002 - what it settles is theirs
        return False

    async def complete(self, ref: ErpRef) -> None:
        """Theirs to complete."""

    async def correct(self, ref: ErpRef) -> None:
        """Theirs to correct."""

    async def stands(self, ref: ErpRef) -> Stands:
        return Stands((await self.c.acumatica.payment(ref)).status in PAYMENT_RELEASED)

    async def release(self, ref: ErpRef) -> None:
        if not (await self.stands(ref)).released:
            raise AskAPerson(
                f"{in_words(ref)}, which carries {self.booked.payment_ref}, was booked by"
                " somebody else and is not released.",
                cause="booked_elsewhere.not_released",
                remedy="Release it in Acumatica; the rest goes on by itself.",
            )

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found = await self.c.acumatica.payment(ref)
        return ReadBack(found, booked_differences(self.booked, found, released=released))
