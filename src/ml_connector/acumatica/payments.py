"""Payments, and the credit memos and refunds that give money back."""

from ml_connector.acumatica import corrections, memos, translate, wire
from ml_connector.acumatica.calls import made, write
from ml_connector.acumatica.documents import (
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    ErpDocument,
    ErpMemo,
    ErpPayment,
    voided,
)
from ml_connector.acumatica.fields import text
from ml_connector.acumatica.forms import Forms
from ml_connector.acumatica.queries import quoted
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.books.postings import ArPayment, ArRefund, CreditMemo


class Payments(Forms):
    """The documents of AR302000, and the memos that a refund pays out."""

    async def put_payment(self, payment: ArPayment) -> ErpDocument:
        """Creates a payment with its applications, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_payments` before any new try.
        """
        call = write("Payment", f"the payment {payment.payment_ref}", payment.payment_ref)
        body = translate.payment_body(payment, self.version)
        record = await self._endpoint.put(call, body, wire.PaymentWire)
        return made(call, translate.payment_document, record)

    async def apply_payment(self, ref: ErpRef, payment: ArPayment) -> None:
        """Adds the applications to a payment that took none when it was made: one call.

        Some sites honour them only in a second request (fact A6.5). Saying it twice does no harm.
        """
        call = write("Payment", f"the applications of {payment.payment_ref}", payment.payment_ref)
        body = translate.applications_body(payment, ref)
        await self._endpoint.put(call, body, wire.PaymentWire)

    async def correct_payment(self, ref: ErpRef, payment: ArPayment) -> None:
        """Gives a payment before its release another date, and less to settle: one call."""
        call = write("Payment", f"the correction of {payment.payment_ref}", payment.payment_ref)
        body = corrections.payment_body(payment, ref)
        await self._endpoint.put(call, body, wire.PaymentWire)

    async def release_payment(self, ref: ErpRef) -> None:
        """Puts a payment into the ledger; two calls when the learned wait fits.

        A payment that is in the ledger already is fine: its status is then looked up.
        """
        await self._release("Payment", "ReleasePayment", ref, PAYMENT_RELEASED)

    async def void_payment(self, ref: ErpRef) -> ErpRef:
        """Begins to undo a released payment; two calls when the learned wait fits.

        Returns the voiding document, which takes effect only by `release_payment` of it.
        """
        call = write("Payment", f"the voiding of {ref}", ref)
        kind, reference = erp_keys(ref)
        await self._endpoint.act(call, "VoidPayment", {"Type": kind, "ReferenceNbr": reference})
        return erp_ref(voided(kind), reference)

    async def payment(self, which: ErpRef | str) -> ErpPayment:
        """A payment with everything it settles and its charges, by keys or id: one call."""
        charges = ",Charges" if self.version.supports("Payment.Charges") else ""
        query = {"$expand": f"DocumentsToApply,ApplicationHistory{charges}"}
        return translate.payment(await self._one("Payment", ErpRef(which), wire.PaymentWire, query))

    async def find_payments(self, payment_ref: str) -> list[ErpDocument]:
        """Every payment document with this reference, voided ones too: one call.

        The database may ignore case, Stripe's ids do not: only exact matches count.
        """
        query = {
            "$filter": f"PaymentRef eq {quoted(payment_ref)}",
            "$select": "Type,ReferenceNbr,Status,PaymentRef",
        }
        what = f"the payments with reference {payment_ref}"
        rows = await self._rows("Payment", what, wire.PaymentWire, query)
        exact = [row for row in rows if text(row.payment_ref) == payment_ref]
        return [translate.payment_document(row) for row in exact]

    async def payments_bearing(self, *references: str) -> list[ErpDocument]:
        """Every payment document with one of these in either reference: one call.

        The database may ignore case, Stripe's ids do not: only exact matches count.
        """
        fields = ["PaymentRef"]
        if self.version.supports("Payment.ExternalRef"):
            fields.append("ExternalRef")
        terms = [f"{name} eq {quoted(one)}" for name in fields for one in references]
        query = {
            "$filter": " or ".join(terms),
            "$select": ",".join(("Type", "ReferenceNbr", "Status", *fields)),
        }
        what = f"the payments that bear {references[0]}"
        rows = await self._rows("Payment", what, wire.PaymentWire, query)
        return [
            translate.payment_document(row)
            for row in rows
            if {text(row.payment_ref), text(row.external_ref)}.intersection(references)
        ]

    async def put_memo(self, memo: CreditMemo) -> ErpDocument:
        """Creates a credit memo, not released; its answer tells what it is of: one call.

        Raises OutcomeUnknown when no answer came: look with `find_memos` before any new try.
        """
        call = write("Invoice", f"the credit memo of {memo.order}", memo.order)
        body = memos.memo_body(memo, self.version)
        record = await self._endpoint.put(call, body, wire.InvoiceWire, memos.SHOWN)
        return made(call, memos.memo_document, record)

    async def release_memo(self, ref: ErpRef) -> None:
        """Puts a credit memo into the ledger; two calls when the learned wait fits."""
        await self._release("Invoice", "ReleaseInvoice", ref, MEMO_RELEASED)

    async def memo(self, ref: ErpRef) -> ErpMemo:
        """A credit memo with its lines: one call."""
        return memos.memo(await self._one("Invoice", ref, wire.InvoiceWire, memos.SHOWN))

    async def find_memos(self, order: str) -> list[ErpDocument]:
        """Every credit memo with this customer order: one call. Only exact matches count."""
        query = {
            "$filter": f"Type eq '{memos.CREDIT_MEMO}' and CustomerOrder eq {quoted(order)}",
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
