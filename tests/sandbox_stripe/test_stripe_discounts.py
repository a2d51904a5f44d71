"""Coupons, prices, shipping and automatic tax: what changes an invoice's total."""

import pytest
import stripe

from sandbox_stripe.stripe_running import Json, Running


def draft(sandbox: Running, customer: str, *amounts: int, **more: str) -> Json:
    made = sandbox.post("/v1/invoices", {"customer": customer, "currency": "usd", **more})
    form = {f"lines[{n}][amount]": str(amount) for n, amount in enumerate(amounts)}
    return sandbox.post(f"/v1/invoices/{made['id']}/add_lines", form) if amounts else made


def discounted_customer(sandbox: Running, **coupon: str) -> str:
    customer = sandbox.post("/v1/customers", {"name": "A"})["id"]
    made = sandbox.post("/v1/coupons", {"duration": "forever", **coupon})
    sandbox.control(f"customers/{customer}/coupon", coupon=made["id"])
    return customer


def test_an_inherited_coupon_changes_the_total_unless_discounts_are_emptied(
    sandbox: Running,
) -> None:
    customer = discounted_customer(sandbox, percent_off="10")
    trapped = draft(sandbox, customer, 10000)
    assert (trapped["subtotal"], trapped["total"], trapped["amount_due"]) == (10000, 9000, 9000)
    assert trapped["total_discount_amounts"][0]["amount"] == 1000
    assert draft(sandbox, customer, 10000, discounts="")["total"] == 10000
    sandbox.v1.customers.delete_discount(customer)
    assert draft(sandbox, customer, 10000)["total"] == 10000


def test_an_amount_off_is_spread_over_the_lines_to_the_cent(sandbox: Running) -> None:
    customer = discounted_customer(sandbox, amount_off="1000", currency="usd")
    invoice = draft(sandbox, customer, 3333, 3333, 3334)
    parts = [line["discount_amounts"][0]["amount"] for line in invoice["lines"]["data"]]
    assert sum(parts) == 1000
    assert invoice["total"] == 9000
    assert draft(sandbox, customer, 500)["total"] == 0


def test_rates_tax_what_a_discount_leaves_and_given_taxes_stay_as_given(sandbox: Running) -> None:
    customer = discounted_customer(sandbox, percent_off="50")
    rate = sandbox.v1.tax_rates.create({"display_name": "T", "inclusive": False, "percentage": 10})
    invoice = draft(sandbox, customer, 10000, **{"default_tax_rates[0]": rate.id})
    assert (invoice["total_taxes"][0]["amount"], invoice["total"]) == (500, 5500)


def test_a_credit_note_of_a_discounted_line_credits_what_was_charged(sandbox: Running) -> None:
    customer = discounted_customer(sandbox, percent_off="10")
    invoice = draft(sandbox, customer, 10000)
    line = invoice["lines"]["data"][0]["id"]
    sandbox.post(f"/v1/invoices/{invoice['id']}/finalize")
    row = {"type": "invoice_line_item", "invoice_line_item": line, "amount": 5000}
    ask = {"invoice": invoice["id"], "lines": [row]}
    assert [r.amount for r in sandbox.v1.credit_notes.preview_lines.list(ask).data] == [5000]
    note = sandbox.v1.credit_notes.create(ask)
    assert (note.subtotal, note.discount_amount, note.total) == (5000, 500, 4500)


def test_a_used_up_coupon_is_refused_and_promotion_codes_lead_to_theirs(sandbox: Running) -> None:
    customer = sandbox.post("/v1/customers")["id"]
    coupon = sandbox.v1.coupons.create({"percent_off": 25, "max_redemptions": 1})
    code = sandbox.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    )
    invoice = draft(sandbox, customer, 4000, **{"discounts[0][promotion_code]": code.id})
    assert invoice["total"] == 3000
    form = {"customer": customer, "discounts[0][coupon]": coupon.id}
    assert sandbox.refused(400, "/v1/invoices", form)["code"] == "coupon_expired"
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        sandbox.v1.invoices.create({"customer": customer, "discounts": [{"coupon": "NONE"}]})


def test_a_stored_price_prices_a_line_and_an_inactive_one_does_not(sandbox: Running) -> None:
    product = sandbox.v1.products.create({"name": "Cleaning"})
    price = sandbox.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount_decimal": "12.5"}
    )
    invoice = draft(sandbox, sandbox.post("/v1/customers")["id"])
    path = f"/v1/invoices/{invoice['id']}/add_lines"
    form = {"lines[0][pricing][price]": price.id, "lines[0][quantity]": "3"}
    line = sandbox.post(path, form)["lines"]["data"][0]
    assert (line["amount"], line["description"]) == (38, "Cleaning")
    assert line["pricing"]["price_details"] == {"price": price.id, "product": product.id}
    sandbox.v1.prices.update(price.id, {"active": False})
    assert sandbox.refused(400, path, form)["code"] == "price_inactive"
    assert [p.id for p in sandbox.v1.prices.list({"product": product.id}).data] == [price.id]
    assert sandbox.http.delete(f"/v1/products/{product.id}").status_code == 400


def test_shipping_is_part_of_the_total_and_can_be_credited(sandbox: Running) -> None:
    rate = sandbox.v1.shipping_rates.create(
        {"display_name": "Post", "fixed_amount": {"amount": 700, "currency": "usd"}}
    )
    customer = sandbox.post("/v1/customers")["id"]
    invoice = draft(sandbox, customer, 1000, **{"shipping_cost[shipping_rate]": rate.id})
    assert (invoice["total"], invoice["amount_shipping"], invoice["subtotal"]) == (1700, 700, 1000)
    sandbox.post(f"/v1/invoices/{invoice['id']}/finalize")
    note = sandbox.v1.credit_notes.create(
        {"invoice": invoice["id"], "shipping_cost": {"shipping_rate": rate.id}}
    )
    assert (note.total, note.amount_shipping) == (700, 700)


def test_automatic_tax_is_refused_without_settings_and_computed_with_them(
    sandbox: Running,
) -> None:
    customer = sandbox.post("/v1/customers")["id"]
    form = {"customer": customer, "currency": "usd", "automatic_tax[enabled]": "true"}
    assert sandbox.refused(400, "/v1/invoices", form)["code"] == "stripe_tax_inactive"
    sandbox.control("switches", automatic_tax_percent="8.25")
    assert sandbox.refused(400, "/v1/invoices", form)["code"] == "customer_tax_location_invalid"
    sandbox.post(f"/v1/customers/{customer}", {"address[country]": "US"})
    invoice = draft(sandbox, customer, 10000, **{"automatic_tax[enabled]": "true"})
    assert (invoice["total"], invoice["automatic_tax"]["status"]) == (10825, "complete")


def test_a_preview_leaves_nothing_behind(sandbox: Running) -> None:
    customer = sandbox.post("/v1/customers")["id"]
    path = "/v1/invoices/create_preview"
    assert sandbox.refused(404, path, {"customer": customer})["code"] == "invoice_upcoming_none"
    sandbox.post("/v1/invoiceitems", {"customer": customer, "amount": "300", "currency": "usd"})
    form = {"customer": customer, "invoice_items[0][amount]": "700"}
    before = sandbox.look("books")["counts"]
    shown = sandbox.post(path, form)
    assert (shown["total"], shown["status"], len(shown["lines"]["data"])) == (1000, "draft", 2)
    assert sandbox.look("books")["counts"] == before
    assert sandbox.v1.invoices.list().data == []


def test_an_invoice_has_at_most_250_lines(sandbox: Running) -> None:
    invoice = draft(sandbox, sandbox.post("/v1/customers")["id"])
    path = f"/v1/invoices/{invoice['id']}/add_lines"
    full = sandbox.post(path, {f"lines[{n}][amount]": "100" for n in range(250)})
    assert (full["total"], full["lines"]["has_more"]) == (25000, True)
    assert "250" in sandbox.refused(400, path, {"lines[0][amount]": "100"})["message"]
    item = {"customer": invoice["customer"], "invoice": invoice["id"], "amount": "100"}
    assert "250" in sandbox.refused(400, "/v1/invoiceitems", item)["message"]


def test_tax_ids_and_test_clocks_of_customers(sandbox: Running) -> None:
    clock = sandbox.v1.test_helpers.test_clocks.create({"frozen_time": 1_900_000_000})
    timed = sandbox.v1.customers.create({"name": "T", "test_clock": clock.id})
    plain = sandbox.v1.customers.create({"name": "P"})
    assert [c.id for c in sandbox.v1.customers.list().data] == [plain.id]
    on_clock = sandbox.v1.customers.list({"test_clock": clock.id}).data
    assert [c.id for c in on_clock] == [timed.id]
    tax_id = sandbox.v1.customers.tax_ids.create(plain.id, {"type": "eu_vat", "value": "DE123"})
    assert tax_id.country == "DE"
    printed = draft(sandbox, plain.id)["customer_tax_ids"]
    assert printed == [{"type": "eu_vat", "value": "DE123"}]
    sandbox.v1.test_helpers.test_clocks.delete(clock.id)
    assert sandbox.get(f"/v1/customers/{timed.id}")["deleted"] is True
