"""Credit notes in Stripe: they lower what is still open of a finalized invoice."""

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.stripe import wire
from ml_connector.stripe.caller import Caller

CREDIT_NOTES = "/v1/credit_notes"
STEP = "mlc_step"
LONGEST_MEMO = 5000


class CreditNotes(Caller):
    """The calls that concern credit notes."""

    async def credit_note(
        self, invoice_id: StripeId, amount: Money, reason: str, *, step: int
    ) -> StripeId:
        """Lowers what is open of an invoice; one step of an invoice happens once.

        Nothing is given back: Stripe refuses an amount above what is open, so that money which
        arrived meanwhile is never touched.
        """
        params = {
            "invoice": invoice_id,
            "amount": amount.minor,
            "memo": reason[:LONGEST_MEMO],
            "email_type": "none",
            "metadata": {STEP: str(step), "mlc": self._connection},
        }
        made = await self._post(CREDIT_NOTES, wire.CreditNote, params, invoice_id, f"credit:{step}")
        return StripeId(made.id)

    async def credited_in(self, invoice_id: StripeId, step: int) -> bool:
        """Whether the credit note of a step exists, issued or voided since."""
        rows = self._rows(CREDIT_NOTES, wire.CreditNote, {"invoice": invoice_id})
        ours = {STEP: str(step), "mlc": self._connection}
        return any([(row.metadata or {}).items() >= ours.items() async for row in rows])
