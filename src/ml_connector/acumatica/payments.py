"""Payments: making, correcting, releasing, voiding and finding them."""

from datetime import date

from ml_connector.acumatica import corrections, translate, wire
from ml_connector.acumatica.calls import made, write
from ml_connector.acumatica.documents import (
    PAYMENT_RELEASED,
    ErpDocument,
    ErpPayment,
    voided,
)
from ml_connector.acumatica.fields import day as told_day
from ml_connector.acumatica.fields import text
from ml_connector.acumatica.forms import Forms
from ml_connector.acumatica.queries import quoted
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.books.postings import ArPayment


class Payments(Forms):
    """The documents of AR302000."""

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

    async def take_off_hold(self, ref: ErpRef) -> None:
        """Lets a document that Acumatica itself put on hold be released: one call."""
        call = write("Payment", f"the hold of {ref}", ref)
        await self._endpoint.put(call, corrections.off_hold_body(ref), wire.PaymentWire)

    async def date_voiding(self, ref: ErpRef, day: date, text: str) -> date | None:
        """Gives a voiding document before its release another day: one call.

        Returns the day that Acumatica answers with, which need not be the one that was said.
        """
        call = write("Payment", f"the day of {ref}", ref)
        body = corrections.dated_body(ref, day, text)
        record = await self._endpoint.put(call, body, wire.PaymentWire)
        return told_day(record.application_date)

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
