"""How a credit memo is taken back: a debit memo that it is applied to, so that both are level."""

from dataclasses import dataclass
from datetime import date

from ml_connector.acumatica.documents import MEMO_RELEASED, ErpDocument, ErpMemo
from ml_connector.acumatica.memos import DEBIT_MEMO
from ml_connector.basics.errors import AskAPerson, ConnectorError
from ml_connector.basics.ids import ErpRef
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import DebitMemo
from ml_connector.flows.connected import Connected
from ml_connector.flows.writing.amends import PERIOD_CLOSED, next_open
from ml_connector.flows.writing.by_hand import named
from ml_connector.flows.writing.memo_papers import require_amount
from ml_connector.flows.writing.paper import DEAD, Paper, ReadBack, Stands
from ml_connector.flows.writing.read_back import debit_differences


def debit_paper(c: Connected, memo: DebitMemo) -> Paper:
    """A debit memo with the ways to handle it."""
    return _Debit(c, memo)


class MemoUsed(AskAPerson):
    """The credit memo that is to be taken back has paid for something else meanwhile."""

    def __init__(self, memo: DebitMemo, left: str) -> None:
        super().__init__(
            f"{named(memo.memo)} cannot be taken back: {memo.amount} of it must be open, and"
            f" {left} is.",
            cause=f"papers.memo_used:{memo.memo}",
            remedy="Reverse what it was applied to on the tab Application History of Payments and"
            " Applications; the undo goes on by itself.",
        )


class NotSetOff(AskAPerson):
    """A debit memo stands in the ledger, and the credit memo is not applied to it yet."""

    def __init__(self, memo: DebitMemo, ref: ErpRef) -> None:
        super().__init__(
            f"{named(ref)} stands, and {named(memo.memo)} is not applied to it.",
            cause=f"papers.not_set_off:{ref}",
            remedy="Release the application of the credit memo in Payments and Applications; the"
            " undo goes on by itself.",
        )


@dataclass(frozen=True, slots=True)
class _Debit:
    """A debit memo counts as released only when the credit memo is applied to it.

    Nothing voids a released memo, so another one takes it back (fact A6.6).
    """

    c: Connected
    memo: DebitMemo

    async def hits(self) -> list[ErpDocument]:
        found = await self.c.acumatica.find_memos(self.memo.order, DEBIT_MEMO)
        return [one for one in found if one.status not in DEAD]

    async def send(self) -> ErpDocument:
        """Raises MemoUsed before anything is made that would stay open."""
        credit = await self.c.acumatica.memo(self.memo.memo)
        if credit.balance is not None and credit.balance < self.memo.amount:
            raise MemoUsed(self.memo, str(credit.balance))
        return await self.c.acumatica.put_memo(self.memo)

    def lacking(self, made: ErpDocument) -> bool:
        return made.amount != self.memo.amount

    async def complete(self, ref: ErpRef) -> None:
        """Nothing is written over its amount; what was released without us is applied."""
        found = await self.c.acumatica.memo(ref)
        require_amount(found, self.memo)
        if found.status in MEMO_RELEASED:
            await self._set_off(found)

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.memo(ref)
        entered = found.status in MEMO_RELEASED
        moved = self.memo.true_day is not None and found.day != self.memo.day and not entered
        lacks = found.amount != self.memo.amount or entered
        level = entered and not found.balance
        return Stands(level, lacking=lacks and not level, outdated=moved)

    async def release(self, ref: ErpRef) -> None:
        found = await self.c.acumatica.memo(ref)
        if found.status not in MEMO_RELEASED:
            await self.c.acumatica.release_memo(ref)
            found = await self.c.acumatica.memo(ref)
        await self._set_off(found)

    async def correct(self, ref: ErpRef) -> None:
        await self.c.acumatica.correct_memo(ref, self.memo)

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        found = await self.c.acumatica.memo(ref)
        return ReadBack(found, debit_differences(self.memo, found, released=released))

    async def _set_off(self, debit: ErpMemo) -> None:
        """Applies the credit memo to it, on its day; nothing where that is done already.

        An application moves no account, so where policy allows it any open day will do.
        """
        if not debit.balance:
            return
        try:
            await self._apply(debit, debit.day)
        except ConnectorError as refusal:
            await self._apply(debit, await self._another_day(debit, refusal))
        # An open credit memo looks released whether or not this application of it is.
        if (await self.c.acumatica.memo(debit.ref)).balance:
            raise NotSetOff(self.memo, debit.ref)

    async def _apply(self, debit: ErpMemo, day: date) -> None:
        credit = await self.c.acumatica.payment(self.memo.memo)
        waits = debit.ref in {one.document for one in credit.applications}
        if not waits and credit.unapplied is not None and credit.unapplied < self.memo.amount:
            raise MemoUsed(self.memo, str(credit.unapplied))
        await self.c.acumatica.set_off(self.memo, debit.ref, day, waits=waits)
        await self.c.acumatica.release_payment(self.memo.memo)

    async def _another_day(self, debit: ErpMemo, refusal: ConnectorError) -> date:
        """The next open day, where a closed period is what stood in the way; else raises it."""
        policy = self.c.mapping.policies.closed_period
        if refusal.cause.startswith(PERIOD_CLOSED) and policy is WhenClosed.NEXT_OPEN:
            day = await next_open(self.c, DebitMemo, debit.day, debit.day)
            if day is not None:
                return day
        raise refusal
