"""The hosted page, saved payment methods, banks that ask, and drafts that advance by themselves."""

import pytest
import stripe

from sandbox_stripe.stripe_running import Running


def draft(sandbox: Running, **more: str) -> str:
    customer = sandbox.post("/v1/customers", {"name": "ACME"})["id"]
    return sandbox.post("/v1/invoices", {"customer": customer, "currency": "usd", **more})["id"]


def test_a_draft_that_advances_by_itself_opens_after_an_hour(sandbox: Running) -> None:
    invoice = draft(sandbox, auto_advance="true")
    empty = draft(sandbox, auto_advance="true")
    sandbox.post(f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "1000"})
    sandbox.later(3500)
    assert sandbox.get(f"/v1/invoices/{invoice}")["status"] == "draft"
    sandbox.later(200)
    assert sandbox.get(f"/v1/invoices/{invoice}")["status"] == "open"
    failed = sandbox.get(f"/v1/invoices/{empty}")
    assert failed["status"] == "draft"
    assert failed["last_finalization_error"]["code"] == "invoice_no_customer_line_items"
    assert "invoice.finalization_failed" in sandbox.event_types()


def test_a_saved_payment_method_pays_and_a_bank_that_asks_is_answered(sandbox: Running) -> None:
    customer = sandbox.v1.customers.create({"name": "A"})
    method = sandbox.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sandbox.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    saved = sandbox.open_invoice(customer=customer.id)
    assert sandbox.v1.invoices.pay(saved["id"]).status == "paid"
    asked = sandbox.open_invoice()
    with pytest.raises(stripe.CardError) as caught:
        sandbox.v1.invoices.pay(asked["id"], {"payment_method": "pm_card_authenticationRequired"})
    assert caught.value.code == "invoice_payment_intent_requires_action"
    assert sandbox.event_types("payment_intent.", "invoice.")[-2:] == [
        "payment_intent.requires_action", "invoice.payment_action_required",
    ]  # fmt: skip
    form = {"card": "4000002760003184", "authentication": "complete"}
    assert "Paid" in sandbox.http.post(asked["hosted_invoice_url"], data=form).text


def test_the_page_shows_lines_tax_total_and_escapes_text(sandbox: Running) -> None:
    invoice = draft(sandbox, description="<script>x</script>")
    form = {
        "lines[0][amount]": "10000",
        "lines[0][description]": "Tom & Co",
        "lines[0][tax_amounts][0][amount]": "825",
        "lines[0][tax_amounts][0][taxable_amount]": "10000",
        "lines[0][tax_amounts][0][tax_rate_data][display_name]": "Sales tax",
        "lines[0][tax_amounts][0][tax_rate_data][percentage]": "8.25",
        "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
    }
    sandbox.post(f"/v1/invoices/{invoice}/add_lines", form)
    page = sandbox.http.get(sandbox.post(f"/v1/invoices/{invoice}/finalize")["hosted_invoice_url"])
    for text in ("Tom &amp; Co", "$100.00", "Sales tax", "$8.25", "$108.25", "open"):
        assert text in page.text
    assert "<script>" not in page.text
    assert sandbox.http.get("/i/nothing").status_code == 404
