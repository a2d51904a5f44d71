"""A refund as documents: the credit memo that cancels the sale, and what pays it out."""

from dataclasses import dataclass
from datetime import date

from ml_connector.acumatica.documents import (
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    ErpDocument,
    ErpMemo,
)
from ml_connector.acumatica.memos import CREDIT_MEMO, OLDER_REFUND
from ml_connector.basics.errors import AskAPerson, TryAgain
from ml_connector.basics.ids import ErpRef, erp_ref, in_words
from ml_connector.books.postings import ArRefund, CreditMemo, DebitMemo, State
from ml_connector.flows.connected import Connected
from ml_connector.flows.writing.paper import DEAD, Paper, ReadBack, Stands, dead
from ml_connector.flows.writing.read_back import memo_differences, refund_differences
from ml_connector.store import editions

DONE = frozenset({State.RELEASED, State.VERIFIED})
REFUSED_UNSEEN = "acumatica.refused:Payment"
"""The cause of a refusal of a payment document that no rule recognises."""


def memo_paper(c: Connected, memo: CreditMemo) -> Paper:
    """A credit memo with the ways to handle it."""
    return _Memo(c, memo)


def refund_paper(c: Connected, refund: ArRefund) -> Paper:
    """What pays a credit memo or a payment's rest out, with the ways to handle it."""
    return _Refund(c, refund)


class OtherMemo(AskAPerson):
    """Acumatica made a memo of another amount than was sent; it is not released."""


def require_amount(found: ErpMemo, memo: CreditMemo | DebitMemo) -> None:
    """Raises OtherMemo when Acumatica made another amount of a memo than was sent."""
    if found.amount == memo.amount:
        return
    raise OtherMemo(
        f"Acumatica made the {in_words(found.ref)} of {found.amount}, not of"
        f" {memo.amount}; it is not released.",
        cause=f"papers.other_memo:{memo.customer_id}",
        remedy="Correct it in Acumatica and replay it; a tax category without tax in the"
        " mapping's refunds_tax_category spares the next ones from taxes.",
    )


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
        require_amount(await self.c.acumatica.memo(ref), self.memo)

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.memo(ref)
        released = found.status in MEMO_RELEASED
        return Stands(
            released,
            lacking=found.amount != self.memo.amount and not released,
            outdated=_outdated(self.memo, found.day) and not released,
            dead=dead(found.status),
        )

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_memo(ref)

    async def correct(self, ref: ErpRef) -> None:
        await self.c.acumatica.correct_memo(ref, self.memo)

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found = await self.c.acumatica.memo(ref)
        return ReadBack(found, memo_differences(self.memo, found, released=released))


@dataclass(frozen=True, slots=True)
class _Refund:
    """A refund, which learns the number of a credit memo from the memo's own posting."""

    c: Connected
    refund: ArRefund

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_payments(self.refund.payment_ref)
        live = [one for one in found if one.status not in DEAD and not one.ref.startswith("Voided")]
        # The memo itself is shown as a payment, too.
        return [one for one in live if not one.ref.startswith(CREDIT_MEMO)]

    async def send(self) -> ErpDocument:
        memo = await self._paid_out()
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
        await self.c.acumatica.apply_refund(ref, self.refund, await self._paid_out())

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.payment(ref)
        released = found.status in PAYMENT_RELEASED
        return Stands(
            released,
            lacking=not found.applications and not released,
            outdated=_outdated(self.refund, found.day) and not released,
            dead=dead(found.status),
        )

    async def release(self, ref: ErpRef) -> None:
        await self.c.acumatica.release_payment(ref)

    async def correct(self, ref: ErpRef) -> None:
        await self.c.acumatica.correct_refund(ref, self.refund)

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found, memo = await self.c.acumatica.payment(ref), await self._paid_out()
        return ReadBack(found, refund_differences(self.refund, memo, found, released=released))

    async def _paid_out(self) -> ErpRef:
        """The document that is paid out; raises TryAgain until it is in the ledger."""
        if self.refund.memo is None:
            return self.refund.payment or ErpRef("")
        async with self.c.store.statement() as tx:
            row = await editions.latest(tx, self.c.id, self.refund.memo)
        if row is None or row.erp_type is None or row.erp_number is None or row.state not in DONE:
            raise TryAgain(
                f"The credit memo {self.refund.memo} is not in the ledger yet.",
                cause=f"papers.no_memo:{self.refund.memo}",
                remedy="Nothing to do: the refund follows it.",
            )
        return erp_ref(row.erp_type, row.erp_number)


def _outdated(paper: CreditMemo | ArRefund, day: date) -> bool:
    """Whether a document stands on another day than it was moved to."""
    return paper.true_day is not None and day != paper.day
