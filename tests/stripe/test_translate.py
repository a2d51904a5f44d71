import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.money import Money, UnknownCurrency
from ml_connector.stripe import translate, wire
from stripe_records import INVOICE_FACTS, usd

ROW: dict[str, Any] = {
    "id": "txn_1", "object": "balance_transaction", "type": "charge",
    "reporting_category": "charge",
    "amount": 10825, "fee": 344, "net": 10481, "currency": "usd", "status": "pending",
    "created": 1761955301, "available_on": 1762128000, "source": "ch_1", "description": None,
    "exchange_rate": 1.1, "balance_type": "payments",
    "fee_details": [{"amount": 344, "currency": "usd", "type": "stripe_fee", "description": None}],
}  # fmt: skip
CHARGE: dict[str, Any] = {
    "id": "ch_1", "object": "charge", "amount": 10825, "currency": "usd", "status": "succeeded",
    "created": 1761955300, "balance_transaction": None, "metadata": {},
}  # fmt: skip


def read(kind: type[Any], facts: dict[str, Any], **changes: Any) -> Any:
    return msgspec.json.decode(json.dumps(facts | changes), type=kind)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**9), 10**9))
def test_minor_units_pass_through_unchanged(amount: int, fee: int) -> None:
    row = read(wire.Transaction, ROW, amount=amount, fee=fee, net=amount - fee)
    record = translate.transaction(row)
    assert (record.amount.minor, record.fee.minor, record.net.minor) == (amount, fee, amount - fee)
    assert record.net == record.amount - record.fee


def test_money_of_another_balance_moves_nothing_of_that_of_payments() -> None:
    paid = translate.transaction(read(wire.Transaction, ROW))
    assert (paid.balance, paid.moves) == ("payments", paid.net)
    issued = translate.transaction(read(wire.Transaction, ROW, balance_type="issuing"))
    assert (issued.balance, issued.moves, issued.net) == ("issuing", usd("0.00"), paid.net)
    before = {name: value for name, value in ROW.items() if name != "balance_type"}
    assert translate.transaction(read(wire.Transaction, before)) == paid


def test_an_expanded_source_is_its_id() -> None:
    row = read(wire.Transaction, ROW, source={"id": "dp_1", "object": "dispute", "amount": 1})
    assert translate.transaction(row).source == "dp_1"
    assert translate.transaction(read(wire.Transaction, ROW, source=None)).source is None


def test_a_currency_of_no_known_exponent_is_refused_by_name() -> None:
    with pytest.raises(UnknownCurrency, match="XTS"):
        translate.transaction(read(wire.Transaction, ROW, currency="xts"))


def test_a_charge_whose_transaction_is_only_named_has_none_yet() -> None:
    named = read(wire.Charge, CHARGE, balance_transaction="txn_1")
    assert translate.charge(named).transaction is None
    whole = translate.charge(read(wire.Charge, CHARGE, balance_transaction=ROW))
    assert whole.transaction is not None
    assert whole.transaction.fee_parts[0].amount == usd("3.44")


def test_a_charge_of_a_deleted_customer_still_names_it() -> None:
    gone = {"id": "cus_1", "object": "customer", "deleted": True}
    assert translate.charge(read(wire.Charge, CHARGE, customer=gone)).customer == "cus_1"


def test_a_refund_with_no_optional_key_is_read() -> None:
    facts = {"id": "re_1", "amount": 500, "currency": "jpy", "created": 1761955300, "charge": None}
    refund = translate.refund(read(wire.Refund, facts))
    assert refund.amount == Money(500, "JPY")
    assert (refund.status, refund.reason, refund.transaction) == ("", "", None)


def test_a_payouts_arrival_is_a_calendar_day() -> None:
    facts = {
        "id": "po_1", "amount": -500, "currency": "usd", "status": "paid", "automatic": True,
        "arrival_date": int(datetime(2026, 11, 3, tzinfo=UTC).timestamp()), "created": 1761955300,
        "reconciliation_status": "in_progress", "balance_transaction": "txn_9",
    }  # fmt: skip
    payout = translate.payout(read(wire.Payout, facts))
    assert payout.arrival_date == date(2026, 11, 3)
    assert payout.amount == -usd("5")
    assert not payout.composed


def test_a_draft_without_its_later_fields_is_read() -> None:
    invoice = translate.invoice(read(wire.Invoice, INVOICE_FACTS, number=None, total_taxes=None))
    assert (invoice.number, invoice.hosted_url, invoice.payment_intent) == ("", "", None)
    assert invoice.tax == usd("0")


def test_the_default_payment_names_the_intent_among_several() -> None:
    def payment(name: str, *, default: bool) -> dict[str, Any]:
        return {
            "id": f"inpay_{name}", "invoice": "in_1", "currency": "usd", "is_default": default,
            "status": "open", "amount_paid": None,
            "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
        }  # fmt: skip

    payments = {"data": [payment("2", default=False), payment("1", default=True)]}
    invoice = translate.invoice(read(wire.Invoice, INVOICE_FACTS, payments=payments))
    assert invoice.payment_intent == "pi_1"


def test_the_balance_adds_available_and_pending_per_currency() -> None:
    facts = {
        "available": [{"amount": -100, "currency": "usd"}, {"amount": 5, "currency": "jpy"}],
        "pending": [{"amount": 300, "currency": "usd"}],
    }
    assert translate.balance(read(wire.Balance, facts)).total == {
        "USD": usd("2"),
        "JPY": Money(5, "JPY"),
    }
