"""One invoice from draft to bank, through the official package."""

import json

import stripe

from sandbox_stripe.stripe_running import Receiver, Running


def test_an_invoice_is_paid_refunded_and_paid_out_and_every_step_is_told(
    sandbox: Running, receiver: Receiver
) -> None:
    v1 = sandbox.v1
    endpoint = v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["*"], "api_version": "2026-10-28.endive"}
    )
    assert endpoint.secret == sandbox.app.credentials()["webhook_secret"]
    customer = v1.customers.create({"name": "ACME", "metadata": {"erp_customer": "C1"}})
    draft = v1.invoices.create(
        {
            "customer": customer.id,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "currency": "usd",
            "number": "ARINV-004512",
            "auto_advance": False,
        }
    )
    tax = {
        "amount": 825,
        "taxable_amount": 10000,
        "tax_rate_data": {"display_name": "Sales", "inclusive": False, "percentage": 8.25},
    }
    with_lines = v1.invoices.add_lines(
        draft.id, {"lines": [{"amount": 10000, "description": "Work", "tax_amounts": [tax]}]}
    )
    assert (with_lines.subtotal, with_lines.total) == (10000, 10825)
    invoice = v1.invoices.finalize_invoice(draft.id, {"expand": ["payments"]})
    assert invoice.status == "open"
    assert invoice.payments is not None
    assert [p.amount_requested for p in invoice.payments.data] == [10825]
    page = sandbox.http.post(str(invoice.hosted_invoice_url), data={"card": "4000000000000077"})
    assert "Paid" in page.text
    assert v1.invoices.retrieve(draft.id).status == "paid"
    sandbox.later(30)
    paid = v1.invoice_payments.list(
        {"invoice": draft.id, "expand": ["data.payment.payment_intent"]}
    ).data[0]
    intent = paid.payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    charge = v1.charges.retrieve(str(intent.latest_charge), {"expand": ["balance_transaction"]})
    row = charge.balance_transaction
    assert isinstance(row, stripe.BalanceTransaction)
    assert (row.amount, row.fee, row.net) == (10825, 344, 10481)
    refund = v1.refunds.create({"charge": charge.id, "amount": 2000})
    assert refund.status == "succeeded"
    payout = sandbox.control("payouts/run")["payouts"][0]
    assert payout["amount"] == 8481
    members = v1.balance_transactions.list({"payout": payout["id"], "limit": 100}).data
    assert sum(m.net for m in members if m.type != "payout") == 8481
    sandbox.settle()
    kinds = {json.loads(body)["type"] for _, body in receiver.got}
    assert {"invoice.paid", "charge.updated", "payout.reconciliation_completed"} <= kinds
