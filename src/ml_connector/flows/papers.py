"""How each kind of document is looked for, sent, released and read back in Acumatica."""

from dataclasses import dataclass
from typing import Protocol

from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    ErpDocument,
    ErpJournal,
    ErpMemo,
    ErpPayment,
    voided,
)
from ml_connector.acumatica.memos import CREDIT_MEMO, OLDER_REFUND
from ml_connector.basics.errors import AskAPerson, ConnectorError, TryAgain
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.books.postings import ArPayment, ArRefund, CreditMemo, Journal, Voiding
from ml_connector.flows.connected import Connected
from ml_connector.flows.read_back import (
    journal_differences,
    memo_differences,
    payment_differences,
    refund_differences,
    voiding_differences,
)
from ml_connector.flows.rows import document
from ml_connector.store import postings
from ml_connector.store.postings import PostingRow

REFUSED_UNSEEN = "acumatica.refused:Payment"
"""The cause of a refusal of a payment or refund whose text no rule knows."""

DEAD = frozenset({"Voided", "Void", "Rejected"})
"""Statuses of documents that carry no money any more."""


@dataclass(frozen=True, slots=True)
class Stands:
    """A document found again: whether it is in the ledger, and whether something is missing."""

    released: bool
    lacking: bool = False


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A document as it was read back, and how it differs from what was sent."""

    seen: ErpPayment | ErpJournal | ErpMemo
    differences: list[str]


class Paper(Protocol):
    """What the walk of a posting needs of a kind of document."""

    async def hits(self) -> list[ErpDocument]:
        """The live documents that bear the posting's mark: one call."""
        ...

    async def send(self) -> ErpDocument:
        """Creates it, not released; raises OutcomeUnknown when no answer came."""
        ...

    def lacking(self, made: ErpDocument) -> bool:
        """Whether Acumatica's answer shows that it ignored a part."""
        ...

    async def complete(self, ref: ErpRef) -> None:
        """Says once more what was ignored."""
        ...

    async def stands(self, ref: ErpRef) -> Stands:
        """How a document found again stands: one call."""
        ...

    async def release(self, ref: ErpRef) -> None:
        """Puts it into the ledger; fine when it is there."""
        ...

    async def read_back(self, ref: ErpRef) -> ReadBack:
        """Reads what stands there now: one call."""
        ...


def paper_of(c: Connected, row: PostingRow) -> Paper:
    """The document of a posting with the ways to handle it."""
    match document(row):
        case ArPayment() as payment:
            return _Payment(c, payment)
        case Journal() as journal:
            return _Journal(c, journal, row.tag)
        case Voiding() as voiding:
            return _Voiding(c, voiding)
        case CreditMemo() as memo:
            return _Memo(c, memo)
        case ArRefund() as refund:
            return _Refund(c, refund)


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

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.payment(ref)
        released = found.status in PAYMENT_RELEASED
        lacks = len(found.applications) < len(self.payment.applications)
        return Stands(released, lacking=lacks and not released)

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_payment(ref)

    async def read_back(self, ref: ErpRef) -> ReadBack:
        found = await self.c.acumatica.payment(ref)
        return ReadBack(found, payment_differences(self.payment, found))


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

    async def stands(self, ref: ErpRef) -> Stands:
        return Stands((await self.c.acumatica.journal(ref)).status in JOURNAL_RELEASED)

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_journal(ref)

    async def read_back(self, ref: ErpRef) -> ReadBack:
        found = await self.c.acumatica.journal(ref)
        return ReadBack(found, journal_differences(self.journal, found))


@dataclass(frozen=True, slots=True)
class _Voiding:
    """The voiding of a payment bears the payment's own number: it cannot stand there twice."""

    c: Connected
    voiding: Voiding

    async def hits(self) -> list[ErpDocument]:
        kind, number = erp_keys(self.voiding.payment)
        found = await self.c.acumatica.find_payments(self.voiding.payment_ref)
        return [one for one in found if one.ref == erp_ref(voided(kind), number)]

    async def send(self) -> ErpDocument:
        try:
            ref = await self.c.acumatica.void_payment(self.voiding.payment)
        except TryAgain:
            raise
        except ConnectorError:
            # Somebody may have begun, or done, the same by hand: then that is the document.
            found = await self.hits()
            if not found:
                raise
            return found[0]
        return ErpDocument("", ref, "")

    def lacking(self, made: ErpDocument) -> bool:  # noqa: ARG002 - it is a mirror image
        return False

    async def complete(self, ref: ErpRef) -> None:
        """A mirror image lacks nothing."""

    async def stands(self, ref: ErpRef) -> Stands:  # noqa: ARG002 - what counts is the payment
        found = await self.c.acumatica.payment(self.voiding.payment)
        return Stands(found.status == "Voided")

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_payment(ref)

    async def read_back(self, ref: ErpRef) -> ReadBack:  # noqa: ARG002
        found = await self.c.acumatica.payment(self.voiding.payment)
        return ReadBack(found, voiding_differences(self.voiding, found))


class OtherMemo(AskAPerson):
    """Acumatica made a credit memo of another amount than was sent; it is not released."""


@dataclass(frozen=True, slots=True)
class _Memo:
    """A credit memo whose answer is looked at before it is released: nothing could undo it then."""

    c: Connected
    memo: CreditMemo

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_memos(self.memo.order)
        return [one for one in found if one.status not in DEAD]

    async def send(self) -> ErpDocument:
        return await self.c.acumatica.put_memo(self.memo)

    def lacking(self, made: ErpDocument) -> bool:
        return made.amount != self.memo.amount

    async def complete(self, ref: ErpRef) -> None:
        """Nothing is ever written over it: taxes or another currency are a person's to correct."""
        found = await self.c.acumatica.memo(ref)
        if found.amount != self.memo.amount:
            raise OtherMemo(
                f"Acumatica made the {ref.replace('|', ' ')} of {found.amount}, not of"
                f" {self.memo.amount}; it is not released.",
                cause=f"papers.other_memo:{self.memo.customer_id}",
                remedy="Correct it in Acumatica and replay it; a tax category without tax in the"
                " mapping's refunds_tax_category spares the next ones from taxes.",
            )

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.memo(ref)
        released = found.status in MEMO_RELEASED
        return Stands(released, lacking=found.amount != self.memo.amount and not released)

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_memo(ref)

    async def read_back(self, ref: ErpRef) -> ReadBack:
        found = await self.c.acumatica.memo(ref)
        return ReadBack(found, memo_differences(self.memo, found))


@dataclass(frozen=True, slots=True)
class _Refund:
    """A refund of a credit memo, whose number it learns from the memo's own posting."""

    c: Connected
    refund: ArRefund

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_payments(self.refund.payment_ref)
        live = [one for one in found if one.status not in DEAD and not one.ref.startswith("Voided")]
        # The memo itself is shown as a payment, too.
        return [one for one in live if not one.ref.startswith(CREDIT_MEMO)]

    async def send(self) -> ErpDocument:
        memo = await self._memo()
        try:
            return await self.c.acumatica.put_refund(self.refund, memo)
        except AskAPerson as refused:
            if not refused.cause.startswith(REFUSED_UNSEEN):
                raise
            return await self._send_as_older(memo, refused)

    async def _send_as_older(self, memo: ErpRef, refused: AskAPerson) -> ErpDocument:
        """A refusal of no known kind may only be about the label; else the first one stands."""
        try:
            return await self.c.acumatica.put_refund(self.refund, memo, OLDER_REFUND)
        except AskAPerson:
            raise refused from None

    def lacking(self, made: ErpDocument) -> bool:
        return made.applied == 0

    async def complete(self, ref: ErpRef) -> None:
        await self.c.acumatica.apply_refund(ref, self.refund, await self._memo())

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.payment(ref)
        released = found.status in PAYMENT_RELEASED
        return Stands(released, lacking=not found.applications and not released)

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_payment(ref)

    async def read_back(self, ref: ErpRef) -> ReadBack:
        found = await self.c.acumatica.payment(ref)
        return ReadBack(found, refund_differences(self.refund, await self._memo(), found))

    async def _memo(self) -> ErpRef:
        """The document that is paid out; raises TryAgain while it has no number."""
        async with self.c.store.transaction() as tx:
            row = await postings.get(tx, self.c.id, self.refund.memo)
        if row is None or row.erp_type is None or row.erp_number is None:
            raise TryAgain(
                f"The credit memo {self.refund.memo} is not in Acumatica yet.",
                cause=f"papers.no_memo:{self.refund.memo}",
                remedy="Nothing to do: the refund follows it.",
            )
        return erp_ref(row.erp_type, row.erp_number)
