"""Invoices: lines, the ERP's own tax, states, partial and outside payments, amount traps."""

import pytest
import stripe

from sandbox_stripe.stripe_running import Json, Running


def draft(sandbox: Running, currency: str = "usd", **more: str) -> str:
    customer = sandbox.post("/v1/customers", {"name": "ACME", "email": "ap@acme.test"})["id"]
    return sandbox.post("/v1/invoices", {"customer": customer, "currency": currency, **more})["id"]


def read(sandbox: Running, invoice: Json | str) -> Json:
    key = invoice if isinstance(invoice, str) else invoice["id"]
    return sandbox.get(f"/v1/invoices/{key}")


def test_tax_amounts_of_the_erp_are_kept_to_the_cent(sandbox: Running) -> None:
    invoice = draft(sandbox)
    tax = {
        "amount": 826,
        "taxable_amount": 10000,
        "tax_rate_data": {"display_name": "NY", "inclusive": False, "percentage": 8.25},
    }
    rows = [
        {"amount": 10000, "description": "A", "tax_amounts": [tax]},
        {"amount": 5000, "description": "B", "tax_amounts": [{**tax, "amount": 413}]},
    ]
    made = sandbox.v1.invoices.add_lines(invoice, {"lines": rows})
    assert (made.subtotal, made.total) == (15000, 16239)
    assert made.total_taxes is not None
    assert [t.amount for t in made.total_taxes] == [1239]
    line = made.lines.data[0]
    assert line.taxes is not None
    assert line.taxes[0].tax_behavior == "exclusive"
    rate = sandbox.v1.tax_rates.retrieve(str(line.taxes[0].tax_rate_details.tax_rate))
    assert (rate.percentage, rate.active) == (8.25, False)
    changed = sandbox.v1.invoices.update_lines(
        invoice, {"lines": [{"id": line.id, "amount": 9000, "tax_amounts": ""}]}
    )
    assert changed.total == 9000 + 5000 + 413
    gone = sandbox.v1.invoices.remove_lines(
        invoice, {"lines": [{"id": line.id, "behavior": "delete"}]}
    )
    assert gone.total == 5413
    assert [row.description for row in sandbox.v1.invoices.line_items.list(invoice).data] == ["B"]


def test_tax_amounts_and_tax_rates_exclude_each_other(sandbox: Running) -> None:
    rate = sandbox.v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20})
    invoice = draft(sandbox, **{"default_tax_rates[0]": rate.id})
    form = {
        "lines[0][amount]": "1200",
        "lines[0][tax_amounts][0][amount]": "1",
        "lines[0][tax_amounts][0][taxable_amount]": "1",
        "lines[0][tax_amounts][0][tax_rate_data][display_name]": "x",
        "lines[0][tax_amounts][0][tax_rate_data][percentage]": "1",
        "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
    }
    assert sandbox.refused(400, f"/v1/invoices/{invoice}/add_lines", form)["param"]
    made = sandbox.post(f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "1200"})
    assert (made["total"], made["total_excluding_tax"]) == (1200, 1000)


def test_250_lines_fit_and_one_more_does_not(sandbox: Running) -> None:
    invoice = draft(sandbox)
    for batch in range(3):
        size = 100 if batch < 2 else 50
        form = {f"lines[{n}][amount]": "1" for n in range(size)}
        made = sandbox.post(f"/v1/invoices/{invoice}/add_lines", form)
    assert (made["total"], len(made["lines"]["data"]), made["lines"]["has_more"]) == (250, 10, True)
    sandbox.refused(400, f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "1"})
    assert (
        len(list(sandbox.v1.invoices.line_items.list(invoice, {"limit": 100}).auto_paging_iter()))
        == 250
    )


def test_items_are_put_on_the_invoice_or_wait(sandbox: Running) -> None:
    customer = sandbox.v1.customers.create({"name": "A"})
    pending = sandbox.v1.invoice_items.create(
        {"customer": customer.id, "amount": 500, "currency": "usd"}
    )
    assert pending.invoice is None
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        sandbox.v1.invoice_items.create({"customer": customer.id, "amount": 5, "currency": "eur"})
    excluded = sandbox.v1.invoices.create({"customer": customer.id, "currency": "usd"})
    assert excluded.total == 0
    swept = sandbox.v1.invoices.create(
        {"customer": customer.id, "currency": "usd", "pending_invoice_items_behavior": "include"}
    )
    assert swept.total == 500
    sandbox.v1.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": excluded.id,
            "quantity": 3,
            "unit_amount_decimal": "33.5",
        }
    )
    assert read(sandbox, excluded.id)["total"] == 101  # 3 x 33.5 = 100.5, half up


def test_a_number_is_used_once_and_otherwise_made_from_the_customer(sandbox: Running) -> None:
    first = sandbox.open_invoice(number="INV-1")
    assert first["number"] == "INV-1"
    error = sandbox.refused(400, "/v1/invoices", {"customer": first["customer"], "number": "INV-1"})
    assert (error["type"], error["param"]) == ("invalid_request_error", "number")
    second = sandbox.open_invoice(customer=first["customer"])
    prefix = sandbox.get(f"/v1/customers/{first['customer']}")["invoice_prefix"]
    assert second["number"] == f"{prefix}-0001"


def test_drafts_are_deleted_and_open_invoices_are_not_edited(sandbox: Running) -> None:
    gone = draft(sandbox)
    assert sandbox.v1.invoices.delete(gone).deleted is True
    assert sandbox.http.get(f"/v1/invoices/{gone}").status_code == 404
    invoice = sandbox.open_invoice()
    path = f"/v1/invoices/{invoice['id']}"
    assert sandbox.http.delete(path).json()["error"]["code"] == "invoice_not_editable"
    assert sandbox.refused(400, path, {"description": "x"})["code"] == "invoice_not_editable"
    assert sandbox.post(path, {"metadata[a]": "1"})["metadata"] == {"a": "1"}
    refused = sandbox.refused(400, f"{path}/add_lines", {"lines[0][amount]": "1"})
    assert refused["code"] == "invoice_not_editable"
    assert sandbox.refused(400, f"{path}/finalize")["code"] == "invoice_not_editable"


def test_an_empty_invoice_and_a_past_due_date_are_refused(sandbox: Running) -> None:
    error = sandbox.refused(400, f"/v1/invoices/{draft(sandbox)}/finalize")
    assert error["code"] == "invoice_no_customer_line_items"
    customer = sandbox.post("/v1/customers")["id"]
    form = {"customer": customer, "collection_method": "send_invoice", "due_date": "1000000000"}
    assert sandbox.refused(400, "/v1/invoices", form)["param"] == "due_date"
    both = form | {"days_until_due": "1", "due_date": "4000000000"}
    assert sandbox.refused(400, "/v1/invoices", both)["code"] == "parameters_exclusive"


def test_finalizing_tells_in_the_observed_order(sandbox: Running) -> None:
    invoice = sandbox.open_invoice()
    assert (invoice["status"], invoice["amount_remaining"]) == ("open", 10000)
    assert sandbox.event_types()[-3:] == [
        "payment_intent.created", "invoice.finalized", "invoice.updated",
    ]  # fmt: skip


def test_paying_on_the_page_tells_in_the_observed_order(sandbox: Running) -> None:
    invoice = sandbox.open_invoice()
    before = len(sandbox.event_types())
    sandbox.control("pay", invoice=invoice["id"], card="4242424242424242")
    assert sandbox.event_types()[before:][:5] == [
        "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid",
        "invoice.payment_succeeded",
    ]  # fmt: skip
    sandbox.later(30)
    rest = sandbox.event_types()[before + 5 :]
    assert sorted(rest) == ["charge.updated", "invoice_payment.paid"]


def test_a_declined_card_leaves_the_invoice_open_and_a_second_one_pays(sandbox: Running) -> None:
    invoice = sandbox.open_invoice()
    page = sandbox.http.post(invoice["hosted_invoice_url"], data={"card": "4000000000009995"})
    assert (page.status_code, "insufficient funds" in page.text) == (402, True)
    json = sandbox.http.post(invoice["hosted_invoice_url"], json={"card": "4000000000000002"})
    assert json.json()["error"]["decline_code"] == "generic_decline"
    assert read(sandbox, invoice)["attempt_count"] == 2
    assert sandbox.event_types("charge.", "payment_intent.", "invoice.")[-4:] == [
        "charge.failed", "payment_intent.payment_failed", "invoice.payment_failed",
        "invoice.updated",
    ]  # fmt: skip
    paid = sandbox.http.post(invoice["hosted_invoice_url"], json={"card": "4242424242424242"})
    assert paid.json()["status"] == "paid"
    intent = sandbox.get("/v1/payment_intents", customer=invoice["customer"])["data"][0]
    charges = sandbox.get("/v1/charges", payment_intent=intent["id"])["data"]
    assert [c["status"] for c in charges] == ["succeeded", "failed", "failed"]
    assert intent["latest_charge"] == charges[0]["id"]


def test_two_partial_payments_are_two_invoice_payments(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    sandbox.control("pay", invoice=invoice["id"], amount=4000)
    now = read(sandbox, invoice)
    assert (now["status"], now["amount_paid"], now["amount_remaining"]) == ("open", 4000, 6000)
    rows = sandbox.get("/v1/invoice_payments", invoice=invoice["id"])["data"]
    assert [(r["status"], r["is_default"], r["amount_requested"]) for r in rows] == [
        ("paid", False, 4000), ("open", True, 6000),
    ]  # fmt: skip
    default = sandbox.get(f"/v1/payment_intents/{rows[1]['payment']['payment_intent']}")
    assert default["amount"] == 6000
    sandbox.control("pay", invoice=invoice["id"])
    assert read(sandbox, invoice)["status"] == "paid"
    sandbox.later(30)
    types = sandbox.event_types("invoice_payment", "invoice.paid")
    assert sorted(types) == ["invoice.paid", "invoice_payment.paid", "invoice_payment.paid"]
    found = sandbox.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": default["id"]}}
    )
    assert [p.invoice for p in found.data] == [invoice["id"]]


def test_more_than_the_rest_is_an_overpayment_and_customer_credit(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    sandbox.control("pay", invoice=invoice["id"], amount=11000)
    now = read(sandbox, invoice)
    assert (now["status"], now["amount_overpaid"], now["amount_paid"]) == ("paid", 1000, 10000)
    assert sandbox.get(f"/v1/customers/{invoice['customer']}")["balance"] == -1000
    row = sandbox.v1.customers.balance_transactions.list(invoice["customer"]).data[0]
    assert (row.type, row.amount) == ("invoice_overpaid", -1000)
    types = sandbox.event_types()
    assert {"invoice.overpaid", "customer.updated", "payment_intent.canceled"} <= set(types)
    follow = sandbox.open_invoice(5000, customer=invoice["customer"])
    assert (follow["starting_balance"], follow["amount_due"]) == (-1000, 4000)


def test_a_payment_outside_stripe_brings_no_cash(sandbox: Running) -> None:
    invoice = sandbox.open_invoice()
    paid = sandbox.v1.invoices.pay(invoice["id"], {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid) == ("paid", 10000)
    assert sandbox.event_types()[-3:] == [
        "invoice.paid", "invoice.updated", "payment_intent.canceled",
    ]  # fmt: skip
    assert sandbox.get("/v1/charges")["data"] == []
    assert sandbox.get("/v1/balance_transactions")["data"] == []


def test_a_reported_payment_record_pays_a_part(sandbox: Running) -> None:
    invoice = sandbox.open_invoice()
    record = sandbox.v1.payment_records.report_payment(
        {
            "amount_requested": {"value": 3000, "currency": "usd"},
            "initiated_at": 1_790_000_000,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Check"}},
            "outcome": "guaranteed",
            "guaranteed": {"guaranteed_at": 1_790_000_000},
            "processor_details": {"type": "custom", "custom": {"payment_reference": "CHK-1"}},
        }
    )
    now = sandbox.v1.invoices.attach_payment(invoice["id"], {"payment_record": record.id})
    assert (now.status, now.amount_remaining) == ("open", 7000)


def test_a_separate_payment_intent_is_attached_and_limited_to_the_rest(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    made = sandbox.v1.payment_intents.create(
        {
            "amount": 2500,
            "currency": "usd",
            "customer": invoice["customer"],
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    assert made.status == "succeeded"
    now = sandbox.v1.invoices.attach_payment(invoice["id"], {"payment_intent": made.id})
    assert now.amount_remaining == 7500
    large = sandbox.v1.payment_intents.create(
        {"amount": 9000, "currency": "usd", "customer": invoice["customer"]}
    )
    path = f"/v1/invoices/{invoice['id']}/attach_payment"
    sandbox.refused(400, path, {"payment_intent": large.id})


def test_a_part_paid_invoice_cannot_be_voided_and_an_untouched_one_can(sandbox: Running) -> None:
    part = sandbox.open_invoice(10000)
    sandbox.control("pay", invoice=part["id"], amount=100)
    assert sandbox.refused(400, f"/v1/invoices/{part['id']}/void")
    invoice = sandbox.open_invoice()
    voided = sandbox.v1.invoices.void_invoice(invoice["id"], {"expand": ["payments"]})
    assert voided.status == "void"
    assert voided.payments is not None
    assert [p.status for p in voided.payments.data] == ["canceled"]
    assert sandbox.event_types("payment_intent.", "invoice.")[-3:] == [
        "payment_intent.canceled", "invoice.voided", "invoice.updated",
    ]  # fmt: skip
    error = sandbox.refused(400, f"/v1/invoices/{invoice['id']}/pay", {"paid_out_of_band": "true"})
    assert error["code"] == "status_transition_invalid"


def test_an_open_attached_payment_blocks_voiding_and_writing_off_until_cancelled(
    sandbox: Running,
) -> None:
    invoice = sandbox.open_invoice(10000)
    intent = sandbox.v1.payment_intents.create(
        {"amount": 100, "currency": "usd", "customer": invoice["customer"]}
    )
    sandbox.v1.invoices.attach_payment(invoice["id"], {"payment_intent": intent.id})
    sandbox.refused(400, f"/v1/invoices/{invoice['id']}/void")
    sandbox.refused(400, f"/v1/invoices/{invoice['id']}/mark_uncollectible")
    sandbox.v1.payment_intents.cancel(intent.id)
    assert sandbox.v1.invoices.mark_uncollectible(invoice["id"]).status == "uncollectible"
    sandbox.control("pay", invoice=invoice["id"])
    assert read(sandbox, invoice)["status"] == "paid"


def test_below_the_minimum_the_debt_moves_to_the_customer_balance(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(49)
    assert (invoice["status"], invoice["amount_due"], invoice["ending_balance"]) == ("paid", 0, 49)
    row = sandbox.v1.customers.balance_transactions.list(invoice["customer"]).data[0]
    assert (row.type, row.amount) == ("invoice_too_small", 49)
    types = sandbox.event_types("invoice.f", "invoice.p", "customer.u")
    assert types == [
        "invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "customer.updated",
    ]  # fmt: skip
    leak = sandbox.open_invoice(1000, customer=invoice["customer"])
    assert (leak["starting_balance"], leak["amount_due"]) == (49, 1049)


def test_a_customer_credit_lowers_what_is_due_and_voiding_gives_it_back(sandbox: Running) -> None:
    customer = sandbox.v1.customers.create({"name": "A", "balance": -300})
    invoice = sandbox.open_invoice(1000, customer=customer.id)
    assert (invoice["starting_balance"], invoice["amount_due"]) == (-300, 700)
    assert sandbox.get(f"/v1/customers/{customer.id}")["balance"] == 0
    sandbox.v1.invoices.void_invoice(invoice["id"])
    assert sandbox.get(f"/v1/customers/{customer.id}")["balance"] == -300


def test_a_negative_total_becomes_customer_credit(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(-500)
    assert (invoice["status"], invoice["amount_due"]) == ("paid", 0)
    assert sandbox.get(f"/v1/customers/{invoice['customer']}")["balance"] == -500


@pytest.mark.parametrize(
    ("currency", "amount", "fine"),
    [("jpy", 1083, True), ("kwd", 5120, True), ("kwd", 5124, False), ("isk", 50000, True),
     ("isk", 50050, False)],
)  # fmt: skip
def test_amounts_follow_the_currency(
    sandbox: Running, currency: str, amount: int, fine: bool
) -> None:
    form = {"amount": str(amount), "currency": currency}
    answer = sandbox.http.post("/v1/payment_intents", data=form)
    assert (answer.status_code == 200) == fine


def test_a_credit_note_to_zero_pays_without_cash(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    half = sandbox.v1.credit_notes.create({"invoice": invoice["id"], "amount": 4000})
    now = read(sandbox, invoice)
    assert (half.type, half.pre_payment_amount) == ("pre_payment", 4000)
    assert (now["amount_remaining"], now["pre_payment_credit_notes_amount"]) == (6000, 4000)
    sandbox.v1.credit_notes.void_credit_note(half.id)
    assert read(sandbox, invoice)["amount_remaining"] == 10000
    sandbox.v1.credit_notes.create({"invoice": invoice["id"], "amount": 10000})
    assert read(sandbox, invoice)["status"] == "paid"
    assert read(sandbox, invoice)["amount_paid"] == 0
    assert sandbox.get("/v1/charges")["data"] == []
    assert "invoice.paid" in sandbox.event_types()


def test_a_credit_note_on_a_paid_invoice_says_where_the_money_went(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    sandbox.control("pay", invoice=invoice["id"])
    path = "/v1/credit_notes"
    sandbox.refused(400, path, {"invoice": invoice["id"], "amount": "1000"})
    outside = sandbox.v1.credit_notes.create(
        {"invoice": invoice["id"], "amount": 1000, "out_of_band_amount": 1000}
    )
    assert (outside.type, outside.post_payment_amount) == ("post_payment", 1000)
    refunded = sandbox.v1.credit_notes.create(
        {"invoice": invoice["id"], "amount": 2000, "refund_amount": 2000}
    )
    assert [r.amount_refunded for r in refunded.refunds] == [2000]
    assert sandbox.get("/v1/refunds")["data"][0]["amount"] == 2000
    sandbox.refused(
        400, path, {"invoice": invoice["id"], "amount": "9000", "out_of_band_amount": "9000"}
    )
    assert read(sandbox, invoice)["status"] == "paid"


def test_sending_finalizes_and_lateness_only_tells(sandbox: Running) -> None:
    invoice = draft(sandbox, collection_method="send_invoice", days_until_due="10")
    sandbox.post(f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "1000"})
    assert sandbox.v1.invoices.send_invoice(invoice).status == "open"
    assert sandbox.event_types()[-1] == "invoice.sent"
    sandbox.later(11 * 86_400)
    assert sandbox.event_types()[-1] == "invoice.overdue"
    assert read(sandbox, invoice)["status"] == "open"
