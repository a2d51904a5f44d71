"""Every object has all and only the fields of the official package; each kind is exercised."""

import re
from typing import Any

import pytest
import stripe

from ml_sandbox.stripe.contract import ALWAYS, SOMETIMES_ABSENT, Contract
from sandbox_stripe.stripe_running import Json, Running

PREFIXES = {
    "customer": r"cus_[A-Za-z0-9]{14}", "invoice": r"in_1[A-Za-z0-9]{23}",
    "line_item": r"il_1[A-Za-z0-9]{23}", "invoiceitem": r"ii_1[A-Za-z0-9]{23}",
    "invoice_payment": r"inpay_1[A-Za-z0-9]{23}", "payment_intent": r"pi_3[A-Za-z0-9]{23}",
    "charge": r"ch_3[A-Za-z0-9]{23}", "refund": r"re_3[A-Za-z0-9]{23}",
    "dispute": r"du_1[A-Za-z0-9]{23}", "balance_transaction": r"txn_1[A-Za-z0-9]{23}",
    "payout": r"po_1[A-Za-z0-9]{23}", "credit_note": r"cn_1[A-Za-z0-9]{23}",
    "event": r"evt_[13][A-Za-z0-9]{23}", "webhook_endpoint": r"we_1[A-Za-z0-9]{23}",
    "tax_rate": r"txr_1[A-Za-z0-9]{23}", "customer_balance_transaction": r"cbtxn_1[A-Za-z0-9]{23}",
    "bank_account": r"ba_1[A-Za-z0-9]+",
    "payment_method": r"pm_1[A-Za-z0-9]{23}", "credit_note_line_item": r"cnli_1[A-Za-z0-9]{23}",
}  # fmt: skip


def a_full_life(sandbox: Running) -> None:
    v1 = sandbox.v1
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["invoice.sent"]})
    customer = v1.customers.create({"name": "A", "balance": 100})
    draft = v1.invoices.create({"customer": customer.id, "currency": "usd"})
    tax: Any = {
        "amount": 80,
        "taxable_amount": 1000,
        "tax_rate_data": {"display_name": "T", "inclusive": False, "percentage": 8},
    }
    v1.invoices.add_lines(draft.id, {"lines": [{"amount": 10000, "tax_amounts": [tax]}]})
    v1.invoices.finalize_invoice(draft.id)
    v1.credit_notes.create({"invoice": draft.id, "amount": 100})
    sandbox.control("pay", invoice=draft.id, card="4000000000000077")
    sandbox.later(30)
    charge = sandbox.get("/v1/charges")["data"][0]
    v1.refunds.create({"charge": charge["id"], "amount": 100})
    sandbox.control("disputes", charge=charge["id"], amount=1000)
    sandbox.control("payouts/run")
    sandbox.open_invoice(customer=customer.id)


def test_every_object_has_exactly_the_fields_of_its_kind(sandbox: Running) -> None:
    a_full_life(sandbox)
    contract = Contract()
    seen: set[str] = set()
    for kind, table in sandbox.app.world.tables.items():
        fields = contract.objects[kind].keys()
        absent = SOMETIMES_ABSENT.get(kind, frozenset())
        needed = ALWAYS.get(kind, fields - absent)
        for row in table:
            seen.add(kind)
            assert needed <= row.keys() <= fields, (kind, needed ^ row.keys())
            assert re.fullmatch(PREFIXES[kind], row["id"]), row["id"]
    assert seen == set(PREFIXES)


def test_fields_that_are_never_null_have_a_value(sandbox: Running) -> None:
    a_full_life(sandbox)
    contract = Contract()
    for kind, table in sandbox.app.world.tables.items():
        for name, about in contract.objects[kind].items():
            nullable = about == "value?" or (isinstance(about, dict) and about.get("null"))
            for row in table:
                assert nullable or row.get(name) is not None or name not in row, (kind, name)


def test_nested_hashes_hold_known_keys_only(sandbox: Running) -> None:
    a_full_life(sandbox)
    contract = Contract()
    for kind, table in sandbox.app.world.tables.items():
        for row in table:
            check_nested(kind, contract.objects[kind], row)


def check_nested(where: str, fields: Json, obj: Json) -> None:
    for name, value in obj.items():
        assert name in fields, f"{where}.{name}"
        about = fields[name]
        inner = about.get("of") if isinstance(about, dict) else None
        for child in value if isinstance(value, list) else [value]:
            if inner and isinstance(child, dict):
                check_nested(f"{where}.{name}", inner, child)


@pytest.mark.parametrize(
    ("path", "absent"),
    [
        ("/v1/invoices", {"payments", "confirmation_secret", "amount_paid_off_stripe"}),
        ("/v1/charges", {"refunds"}),
        ("/v1/customers", {"sources", "subscriptions", "tax_ids"}),
        ("/v1/refunds", {"failure_reason", "failure_balance_transaction", "pending_reason"}),
        ("/v1/webhook_endpoints", {"secret"}),
        ("/v1/events", {"account", "context"}),
    ],
)
def test_fields_without_a_value_are_really_missing(
    sandbox: Running, path: str, absent: set[str]
) -> None:
    a_full_life(sandbox)
    rows = sandbox.get(path, limit=100)["data"]
    assert rows
    for row in rows:
        assert not absent & row.keys()


def test_the_official_package_reads_every_list(sandbox: Running) -> None:
    a_full_life(sandbox)
    v1 = sandbox.v1
    customer = v1.customers.list().data[0].id
    lists: list[Any] = [
        v1.customers.list(), v1.invoices.list(), v1.invoice_items.list(),
        v1.invoice_payments.list(), v1.payment_intents.list(), v1.charges.list(),
        v1.refunds.list(), v1.disputes.list(), v1.balance_transactions.list(), v1.payouts.list(),
        v1.events.list(), v1.webhook_endpoints.list(), v1.credit_notes.list(),
        v1.tax_rates.list(), v1.customers.balance_transactions.list(customer),
    ]  # fmt: skip
    for page in lists:
        assert page.data, page
        for row in page.data:
            assert isinstance(row, stripe.StripeObject)
            assert row.id
    assert v1.accounts.retrieve_current().id == sandbox.app.world.account_id


def test_invoices_have_no_fields_of_before_2025(sandbox: Running) -> None:
    invoice = sandbox.v1.invoices.retrieve(sandbox.open_invoice()["id"])
    for gone in ("charge", "payment_intent", "paid", "subscription", "tax"):
        with pytest.raises(AttributeError):
            getattr(invoice, gone)
