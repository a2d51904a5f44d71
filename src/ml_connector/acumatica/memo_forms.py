"""The memos of AR301000, and the refunds that pay credit memos out."""

from datetime import date

from ml_connector.acumatica import corrections, memos, translate, wire
from ml_connector.acumatica.calls import made, write
from ml_connector.acumatica.documents import MEMO_RELEASED, ErpDocument, ErpMemo
from ml_connector.acumatica.fields import text
from ml_connector.acumatica.forms import Forms
from ml_connector.acumatica.queries import quoted
from ml_connector.basics.ids import ErpRef
from ml_connector.books.postings import ArRefund, DebitMemo


class Memos(Forms):
    """Credit and debit memos (AR301000), and what is done with them in AR302000."""

    async def put_memo(self, memo: memos.Memo) -> ErpDocument:
        """Creates a memo, not released; its answer tells what it is of: one call.

        Raises OutcomeUnknown when no answer came: look with `find_memos` before any new try.
        """
        call = write("Invoice", f"the {memos.memo_type(memo)} of {memo.order}", memo.order)
        body = memos.memo_body(memo, self.version)
        record = await self._endpoint.put(call, body, wire.InvoiceWire, memos.SHOWN)
        return made(call, memos.memo_document, record)

    async def release_memo(self, ref: ErpRef) -> None:
        """Puts a memo into the ledger; two calls when the learned wait fits."""
        await self._release("Invoice", "ReleaseInvoice", ref, MEMO_RELEASED)

    async def memo(self, ref: ErpRef) -> ErpMemo:
        """A memo with its lines: one call."""
        return memos.memo(await self._one("Invoice", ref, wire.InvoiceWire, memos.SHOWN))

    async def correct_memo(self, ref: ErpRef, memo: memos.Memo) -> None:
        """Gives a memo before its release another day: one call."""
        call = write("Invoice", f"the correction of {ref}", ref)
        await self._endpoint.put(call, corrections.memo_body(memo, ref), wire.InvoiceWire)

    async def find_memos(self, order: str, kind: str = memos.CREDIT_MEMO) -> list[ErpDocument]:
        """Every memo of a type with this customer order: one call. Only exact matches count."""
        query = {
            "$filter": f"Type eq {quoted(kind)} and CustomerOrder eq {quoted(order)}",
            "$select": "Type,ReferenceNbr,Status,CustomerOrder",
        }
        rows = await self._rows("Invoice", f"the memos of {order}", wire.InvoiceWire, query)
        return [memos.memo_document(row) for row in rows if text(row.customer_order) == order]

    async def put_refund(
        self, refund: ArRefund, memo: ErpRef, label: str = memos.REFUND
    ) -> ErpDocument:
        """Creates a refund that pays a memo out, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_payments` before any new try.
        """
        call = write("Payment", f"the refund {refund.payment_ref}", refund.payment_ref)
        body = memos.refund_body(refund, memo, self.version, label)
        record = await self._endpoint.put(call, body, wire.PaymentWire)
        return made(call, translate.payment_document, record)

    async def apply_refund(self, ref: ErpRef, refund: ArRefund, memo: ErpRef) -> None:
        """Names the memo to a refund that took none when it was made: one call."""
        call = write("Payment", f"the memo of {refund.payment_ref}", refund.payment_ref)
        body = memos.paid_out_body(ref, refund, memo)
        await self._endpoint.put(call, body, wire.PaymentWire)

    async def correct_refund(self, ref: ErpRef, refund: ArRefund) -> None:
        """Gives a refund before its release another day: one call."""
        call = write("Payment", f"the correction of {refund.payment_ref}", refund.payment_ref)
        await self._endpoint.put(call, corrections.refund_body(refund, ref), wire.PaymentWire)

    async def set_off(self, debit: DebitMemo, ref: ErpRef, day: date, *, waits: bool) -> None:
        """Applies a released credit memo to the released debit memo `ref` on a day: one call.

        It takes effect by `release_payment` of the credit memo. An application that `waits` for
        that already is only dated.
        """
        call = write("Payment", f"the application of {debit.memo} to {ref}", debit.memo)
        body = memos.set_off_body(debit, None if waits else ref, day)
        await self._endpoint.put(call, body, wire.PaymentWire)
