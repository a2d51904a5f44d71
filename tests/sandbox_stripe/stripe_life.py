"""One account that has lived through everything, so that every kind of object exists."""

from typing import Any

from sandbox_stripe.stripe_running import Json, Running


def everything(sandbox: Running) -> None:
    v1 = sandbox.v1
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["invoice.sent"]})
    product = v1.products.create({"name": "Cleaning"})
    price = v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 2500})
    coupon = v1.coupons.create({"percent_off": 10, "duration": "forever"})
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    rate = v1.shipping_rates.create(
        {"display_name": "Post", "fixed_amount": {"amount": 700, "currency": "usd"}}
    )
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    v1.customers.create({"name": "On a clock", "test_clock": clock.id})
    customer = v1.customers.create(
        {
            "name": "ACME",
            "address": {"country": "US", "line1": "1 Main St"},
            "shipping": {"name": "ACME", "address": {"country": "US"}},
            "tax_id_data": [{"type": "us_ein", "value": "12-3456789"}],
            "balance": 100,
        }
    )
    sandbox.control(f"customers/{customer.id}/coupon", coupon=coupon.id)
    tax: Any = {
        "amount": 80,
        "taxable_amount": 1000,
        "tax_rate_data": {"display_name": "T", "inclusive": False, "percentage": 8},
    }
    draft = v1.invoices.create(
        {"customer": customer.id, "currency": "usd", "shipping_cost": {"shipping_rate": rate.id}}
    )
    lines: Any = [{"amount": 10000, "tax_amounts": [tax]}, {"pricing": {"price": price.id}}]
    v1.invoices.add_lines(draft.id, {"lines": lines})
    v1.invoice_items.create({"customer": customer.id, "amount": 300, "currency": "usd"})
    v1.invoices.finalize_invoice(draft.id)
    v1.credit_notes.create({"invoice": draft.id, "amount": 100})
    sandbox.control("pay", invoice=draft.id, card="4000000000000077")
    sandbox.later(30)
    money(sandbox, sandbox.get("/v1/charges")["data"][0])
    sandbox.open_invoice(customer=customer.id)


def money(sandbox: Running, charge: Json) -> None:
    v1 = sandbox.v1
    v1.refunds.create({"charge": charge["id"], "amount": 100})
    sandbox.control("disputes", charge=charge["id"], amount=1000)
    sandbox.post("/v1/charges", {"amount": "500", "currency": "usd", "source": "tok_visa"})
    sandbox.charged(700, card="4000000000005423")
    sandbox.charged(900, "gbp")
    sandbox.charged(800, card="000123456789")
    sandbox.later(60)
    sandbox.control("payouts/run")
    v1.topups.create({"amount": 2000, "currency": "usd"})
    hold = sandbox.control("reserves", amount=200)
    sandbox.control(f"reserves/{hold['id']}/release")
    payer = v1.customers.create({"name": "Pays by transfer"})
    v1.test_helpers.customers.fund_cash_balance(payer.id, {"amount": 900, "currency": "usd"})
    v1.payment_records.report_payment(
        {
            "amount_requested": {"currency": "usd", "value": 100},
            "initiated_at": 1_700_000_000,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Cheque"}},
            "outcome": "guaranteed",
            "guaranteed": {"guaranteed_at": 1_700_000_000},
        }
    )
    sandbox.sdk.v2.core.event_destinations.create(
        {
            "name": "thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.invoice.paid"],
            "webhook_endpoint": {"url": "http://127.0.0.1:9/thin"},
        }
    )
