"""Invoices in Stripe: three calls make one, whatever the number of its lines."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from ml_connector.basics.clock import to_unix
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.mirror import LARGEST_NUMBER_OF_LINES, InvoicePlan, PlannedLine, PlannedTax
from ml_connector.books.records import InvoicePayment, StripeInvoice
from ml_connector.stripe import translate, wire
from ml_connector.stripe.caller import PAGE, Caller, Params, at, metadata_query

if TYPE_CHECKING:  # the package's parameter types are slow to load and not needed to run
    from stripe.params import (
        InvoiceAddLinesParams,
        InvoiceAddLinesParamsLine,
        InvoiceAddLinesParamsLineTaxAmount,
        InvoiceCreateParams,
    )

INVOICES = "/v1/invoices"
INVOICE_PAYMENTS = "/v1/invoice_payments"
LONGEST_TAX_NAME = 50


class Invoices(Caller):
    """The calls that concern invoices."""

    async def create_invoice(
        self, plan: InvoicePlan, customer: StripeId, *, card_only: bool = True
    ) -> StripeInvoice:
        """Creates an empty draft for an ERP invoice; it stays one until it is finalized.

        The due moment is moved to the end of its UTC day, so that a repetition on that day is the
        same request and thus the same invoice (unless that one was deleted or voided since).
        """
        params = _draft(customer, plan, card_only=card_only)
        subject = f"invoice:{plan.metadata['erp_ref']}"
        made = await self._create(INVOICES, wire.Invoice, params, subject, still=_not_void)
        return translate.invoice(made)

    async def add_lines(self, invoice_id: StripeId, plan: InvoicePlan) -> StripeInvoice:
        """Adds the plan's lines with their taxes to a draft, in one call; Bug above 250 lines."""
        if len(plan.lines) > LARGEST_NUMBER_OF_LINES:
            raise Bug(f"An invoice has at most {LARGEST_NUMBER_OF_LINES} lines: {plan.number}")
        params: InvoiceAddLinesParams = {"lines": [_line(line) for line in plan.lines]}
        return await self._act(invoice_id, "add_lines", params)

    async def finalize_invoice(self, invoice_id: StripeId) -> StripeInvoice:
        """Makes a draft payable; the answer names the default payment's intent."""
        params = {"auto_advance": False, "expand": ["payments"]}
        return await self._act(invoice_id, "finalize", params)

    async def send_invoice(self, invoice_id: StripeId) -> StripeInvoice:
        """Lets Stripe mail the invoice to its customer (in test mode nothing is mailed)."""
        return await self._act(invoice_id, "send", {})

    async def void_invoice(self, invoice_id: StripeId) -> StripeInvoice:
        """Voids an open invoice for good; Refused when a part is paid or being paid."""
        return await self._act(invoice_id, "void", {})

    async def pay_out_of_band(self, invoice_id: StripeId) -> StripeInvoice:
        """Marks the whole rest as paid elsewhere; no money moves in Stripe."""
        return await self._act(invoice_id, "pay", {"paid_out_of_band": True})

    async def delete_draft(self, invoice_id: StripeId) -> None:
        """Deletes a draft; Refused once it is finalized, Missing when it is gone."""
        await self._delete(at(INVOICES, invoice_id), resource=invoice_id)

    async def change_due(self, invoice_id: StripeId, due: datetime, *, turn: int) -> StripeInvoice:
        """Gives an open invoice another due day; `turn` tells this change from earlier ones.

        Refused, or AskAPerson, where Stripe does not let it be changed (fact S3.7).
        """
        params = {"due_date": _end_of_day(due)}
        path, step = at(INVOICES, invoice_id), f"due.{turn}"
        return translate.invoice(await self._post(path, wire.Invoice, params, invoice_id, step))

    async def invoice(self, invoice_id: StripeId, *, with_payments: bool = True) -> StripeInvoice:
        """An invoice; its default payment's intent is known unless `with_payments` is off."""
        params = {"expand": ["payments"]} if with_payments else {}
        path = at(INVOICES, invoice_id)
        return translate.invoice(await self._get(path, wire.Invoice, params, resource=invoice_id))

    async def find_invoices(self, customer: StripeId | None, ref: ErpRef) -> list[StripeInvoice]:
        """This connection's invoices for an ERP document, each once; voided ones are left out.

        The search lags behind writes; with `customer` its newest hundred are read as well, which
        shows an invoice that was created a moment ago.
        """
        expand = {"expand": ["data.payments"]}
        query = metadata_query(erp_ref=ref)
        hits = [hit async for hit in self._found(INVOICES, wire.Invoice, query, expand)]
        if customer is not None:
            params = {"customer": customer, "limit": PAGE, **expand}
            hits += (await self._get(INVOICES, wire.Listing[wire.Invoice], params)).data
        ours = {hit.id: hit for hit in hits if self._is_for(hit, ref)}
        return [translate.invoice(hit) for hit in ours.values() if hit.status != "void"]

    async def open_invoices_of(self, customer: StripeId) -> list[StripeInvoice]:
        """A customer's open invoices, the newest hundred, whoever made them: one call."""
        params = {
            "customer": customer,
            "status": "open",
            "limit": PAGE,
            "expand": ["data.payments"],
        }
        listing = await self._get(INVOICES, wire.Listing[wire.Invoice], params)
        return [translate.invoice(row) for row in listing.data]

    async def mark_invoice(self, invoice_id: StripeId, ref: ErpRef) -> None:
        """Says on an invoice that people made which ERP document it is; nothing else of it."""
        params = {"metadata": {"erp_ref": ref, "mlc": self._connection}}
        await self._post(at(INVOICES, invoice_id), wire.Invoice, params, invoice_id, "mark")

    async def invoice_payment_of_intent(self, intent: StripeId) -> InvoicePayment | None:
        """The invoice payment behind an intent: the paid one before an open before a dead one.

        None when the payment was made outside invoicing.
        """
        payment = {"type": "payment_intent", "payment_intent": intent}
        listing = await self._get(
            INVOICE_PAYMENTS, wire.Listing[wire.InvoicePayment], {"payment": payment},
            resource=intent,
        )  # fmt: skip
        rank = {"paid": 0, "open": 1}
        rows = sorted(listing.data, key=lambda row: rank.get(row.status, 2))
        return translate.invoice_payment(rows[0]) if rows else None

    async def _act(self, invoice_id: StripeId, action: str, params: Params) -> StripeInvoice:
        path = at(INVOICES, invoice_id, action)
        return translate.invoice(await self._post(path, wire.Invoice, params, invoice_id, action))

    def _is_for(self, invoice: wire.Invoice, ref: ErpRef) -> bool:
        marks = invoice.metadata or {}
        return marks.get("erp_ref") == ref and marks.get("mlc") == self._connection


def _not_void(_: wire.Invoice, now: wire.Invoice) -> wire.Invoice | None:
    return None if now.status == "void" else now


def _draft(customer: StripeId, plan: InvoicePlan, *, card_only: bool) -> "InvoiceCreateParams":
    """What Stripe is told; coupons are kept off, and nothing pending is swept in."""
    params: InvoiceCreateParams = {
        "customer": customer,
        "collection_method": "send_invoice",
        "auto_advance": False,
        "currency": plan.total.currency.lower(),
        "due_date": _end_of_day(plan.due),
        "effective_at": _midday(plan.effective),
        "number": plan.number,
        "metadata": dict(plan.metadata),
        "pending_invoice_items_behavior": "exclude",
        "discounts": "",
    }
    if plan.description:
        params["description"] = plan.description
    if card_only:
        params["payment_settings"] = {"payment_method_types": ["card"]}
    return params


def _line(line: PlannedLine) -> "InvoiceAddLinesParamsLine":
    params: InvoiceAddLinesParamsLine = {
        "amount": line.amount.minor,
        "description": line.description,
        "discountable": False,
    }
    if line.taxes:
        params["tax_amounts"] = [_tax(tax) for tax in line.taxes]
    return params


def _tax(tax: PlannedTax) -> "InvoiceAddLinesParamsLineTaxAmount":
    """The ERP's own amounts; the percentage is printed only, so a float cannot hurt it."""
    percentage = float(tax.percentage.quantize(Decimal("0.0001")))
    return {
        "amount": tax.amount.minor,
        "taxable_amount": tax.taxable.minor,
        "tax_rate_data": {
            "display_name": tax.name[:LONGEST_TAX_NAME] or "Tax",
            "inclusive": False,
            "percentage": percentage,
        },
    }


def _end_of_day(moment: datetime) -> int:
    day = moment.astimezone(UTC).date()
    return to_unix(datetime.combine(day, time(23, 59, 59), UTC))


def _midday(day: date) -> int:
    """Midday UTC: the same calendar day in almost every zone in which it may be printed."""
    return to_unix(datetime.combine(day, time(12), UTC))
