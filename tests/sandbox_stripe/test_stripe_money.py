"""Fees, conversion, refunds, disputes and payouts: the balance adds up to the cent."""

from datetime import UTC, datetime

import pytest
import stripe

from sandbox_stripe.stripe_running import Json, Running, running


def row_of(sandbox: Running, obj: Json, field: str = "balance_transaction") -> Json:
    return sandbox.get(f"/v1/balance_transactions/{obj[field]}")


def figures(row: Json) -> tuple[int, int, int, str]:
    return row["amount"], row["fee"], row["net"], row["currency"]


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [
        ("usd", 10825, (10825, 344, 10481, "usd")),  # 2.9 % = 313.925 -> 314, + 30
        ("eur", 10000, (10000, 175, 9825, "eur")),  # 1.5 % = 150, + 25
        ("jpy", 1083, (1083, 39, 1044, "jpy")),  # 3.6 % = 38.988 -> 39
        ("gbp", 10000, (12700, 525, 12175, "usd")),  # x 1.27; 3.9 % = 495.3 -> 495, + 30
        ("isk", 1000000, (7200, 311, 6889, "usd")),  # 10,000.00 x 0.0072 = 72.00; 3.9 % + 30
        ("kwd", 10000, (3250, 157, 3093, "usd")),  # 10.000 x 3.25 = 32.50; 126.75 -> 127, + 30
    ],
)
def test_a_charge_settles_with_its_fee(
    sandbox: Running, currency: str, amount: int, expected: tuple[int, int, int, str]
) -> None:
    charge = sandbox.charged(amount, currency)
    row = row_of(sandbox, charge)
    assert figures(row) == expected
    assert (row["type"], row["reporting_category"]) == ("charge", "charge")
    assert row["source"] == charge["id"]
    assert sum(f["amount"] for f in row["fee_details"]) == row["fee"]
    assert (row["exchange_rate"] is None) == (currency in {"usd", "eur", "jpy"})


def test_an_international_card_costs_more(sandbox: Running) -> None:
    charge = sandbox.charged(10000, card="4000003720000278")
    assert row_of(sandbox, charge)["fee"] == 470  # 4.4 % + 30


def test_tax_on_fees_is_a_row_of_its_own(sandbox: Running) -> None:
    sandbox.control("switches", vat_percent_on_fees="20")
    row = row_of(sandbox, sandbox.charged(10000))
    assert [(f["type"], f["amount"]) for f in row["fee_details"]] == [
        ("stripe_fee", 320), ("tax", 64),
    ]  # fmt: skip
    assert row["fee"] == 384


def test_the_money_of_a_charge_is_booked_seconds_later_and_told(sandbox: Running) -> None:
    sandbox.control("webhooks", delay_scale=1000.0)
    made = sandbox.control("charge", amount=5000, currency="usd")
    charge = sandbox.v1.charges.retrieve(made["charge"])
    assert (charge.status, charge.balance_transaction, charge.receipt_url) == (
        "succeeded", None, None,
    )  # fmt: skip
    sandbox.later(11)
    event = sandbox.get("/v1/events", type="charge.updated")["data"][0]
    former = event["data"]["previous_attributes"]
    assert former == {"balance_transaction": None, "receipt_url": None}
    assert event["data"]["object"]["balance_transaction"].startswith("txn_")
    assert event["request"] == {"id": None, "idempotency_key": None}


def test_money_becomes_available_after_two_business_days(sandbox: Running) -> None:
    sandbox.control("clock", now="2026-11-27T15:00:00+00:00")  # a Friday
    charge = sandbox.charged(10000, card="4242424242424242")
    row = row_of(sandbox, charge)
    due = datetime.fromtimestamp(row["available_on"], UTC)
    assert (row["status"], due) == ("pending", datetime(2026, 12, 1, tzinfo=UTC))
    balance = sandbox.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (9680, 0)
    sandbox.later(4 * 86_400)
    assert row_of(sandbox, charge)["status"] == "available"
    balance = sandbox.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (0, 9680)
    assert "balance.available" in sandbox.event_types()


def test_refunds_return_the_amount_but_not_the_fee(sandbox: Running) -> None:
    charge = sandbox.charged(10825)
    first = sandbox.v1.refunds.create({"charge": charge["id"], "amount": 2000})
    assert first.to_dict().keys() >= {"id", "charge", "balance_transaction"}
    row = row_of(sandbox, first.to_dict())
    assert figures(row) == (-2000, 0, -2000, "usd")
    now = sandbox.get(f"/v1/charges/{charge['id']}")
    assert (now["amount_refunded"], now["refunded"]) == (2000, False)
    sandbox.v1.refunds.create({"payment_intent": charge["payment_intent"]})
    now = sandbox.get(f"/v1/charges/{charge['id']}")
    assert (now["amount_refunded"], now["refunded"]) == (10825, True)
    error = sandbox.refused(400, "/v1/refunds", {"charge": charge["id"]})
    assert error["code"] == "charge_already_refunded"
    listed = sandbox.v1.refunds.list({"charge": charge["id"]})
    assert [r.amount for r in listed.data] == [8825, 2000]
    assert sandbox.event_types("refund.", "charge.refund")[:3] == [
        "refund.created", "charge.refunded", "charge.refund.updated",
    ]  # fmt: skip


def test_more_than_the_rest_of_a_charge_cannot_be_refunded(sandbox: Running) -> None:
    charge = sandbox.charged(1000)
    error = sandbox.refused(400, "/v1/refunds", {"charge": charge["id"], "amount": "1001"})
    assert error["message"] == (
        "Refund amount ($10.01) is greater than unrefunded amount on charge ($10.00)"
    )


def test_a_refund_in_another_currency_takes_todays_rate(sandbox: Running) -> None:
    charge = sandbox.charged(10000, "gbp")
    sandbox.control("rates", rates={"gbp": "1.30"})
    refund = sandbox.v1.refunds.create({"charge": charge["id"], "amount": 10000})
    assert row_of(sandbox, refund.to_dict())["amount"] == -13000


def test_a_pending_refund_has_no_money_until_it_succeeds(sandbox: Running) -> None:
    sandbox.control("webhooks", delay_scale=1000.0)
    charge = sandbox.charged(1000, card="4000000000007726")
    refund = sandbox.v1.refunds.create({"charge": charge["id"]})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert refund.balance_transaction is None
    sandbox.later(11)
    now = sandbox.get(f"/v1/refunds/{refund.id}")
    assert now["status"] == "succeeded"
    assert "pending_reason" not in now
    assert row_of(sandbox, now)["amount"] == -1000


def test_a_pending_refund_can_be_cancelled(sandbox: Running) -> None:
    sandbox.control("webhooks", delay_scale=1000.0)
    charge = sandbox.charged(1000, card="4000000000007726")
    refund = sandbox.v1.refunds.create({"charge": charge["id"]})
    assert sandbox.v1.refunds.cancel(refund.id).status == "canceled"
    assert sandbox.get(f"/v1/charges/{charge['id']}")["amount_refunded"] == 0


def test_a_refund_that_fails_late_brings_the_money_back(sandbox: Running) -> None:
    charge = sandbox.charged(1000, card="4000000000005126")
    refund = sandbox.post("/v1/refunds", {"charge": charge["id"]})
    assert refund["status"] == "succeeded"
    assert "failure_reason" not in refund
    sandbox.later(30)
    now = sandbox.get(f"/v1/refunds/{refund['id']}")
    back = row_of(sandbox, now, "failure_balance_transaction")
    assert now["status"] == "failed"
    assert (back["type"], back["amount"]) == ("refund_failure", 1000)
    assert sandbox.get(f"/v1/charges/{charge['id']}")["amount_refunded"] == 0
    assert sandbox.event_types("refund.", "charge.refund.", "charge.updated")[-4:] == [
        "refund.updated", "refund.failed", "charge.refund.updated", "charge.updated",
    ]  # fmt: skip


def test_a_dispute_takes_amount_and_fee_and_a_win_returns_the_amount(sandbox: Running) -> None:
    sandbox.control("switches", countered_fee=1500)
    charge = sandbox.charged(10000)
    opened = sandbox.control("disputes", charge=charge["id"], amount=5000, reason="general")
    dispute = sandbox.v1.disputes.retrieve(opened["id"])
    row = dispute.balance_transactions[0]
    assert (row.type, row.reporting_category) == ("adjustment", "dispute")
    assert (row.amount, row.fee, row.net, row.source) == (-5000, 1500, -6500, dispute.id)
    assert sandbox.get(f"/v1/charges/{charge['id']}")["disputed"] is True
    error = sandbox.refused(400, "/v1/refunds", {"charge": charge["id"]})
    assert error["code"] == "charge_disputed"
    answered = sandbox.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}}
    )
    assert answered.status == "won"
    assert [b.net for b in answered.balance_transactions] == [-6500, 5000]
    fees = [r for r in sandbox.get("/v1/balance_transactions", limit=100)["data"]
            if r["reporting_category"] == "fee"]  # fmt: skip
    assert [(f["amount"], f["source"]) for f in fees] == [(1500, None), (-1500, None)]
    assert sandbox.event_types("charge.dispute") == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated",
        "charge.dispute.closed", "charge.dispute.funds_reinstated",
    ]  # fmt: skip


def test_a_lost_dispute_moves_no_further_money(sandbox: Running) -> None:
    charge = sandbox.charged(10000, card="4000000000000259")
    dispute = sandbox.v1.disputes.list({"charge": charge["id"]}).data[0]
    before = sandbox.look("books")["currencies"]["usd"]["total"]
    closed = sandbox.v1.disputes.close(dispute.id)
    assert (closed.status, len(closed.balance_transactions)) == ("lost", 1)
    assert sandbox.look("books")["currencies"]["usd"]["total"] == before
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.v1.disputes.close(dispute.id)


def test_an_inquiry_moves_money_only_when_it_escalates(sandbox: Running) -> None:
    charge = sandbox.charged(10000, card="4000000000001976")
    dispute = sandbox.get("/v1/disputes", charge=charge["id"])["data"][0]
    assert (dispute["status"], dispute["balance_transactions"]) == ("warning_needs_response", [])
    now = sandbox.v1.disputes.update(
        dispute["id"], {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}}
    )
    assert now.status == "needs_response"
    assert now.balance_transactions[0].net == -11500


def test_two_disputes_and_a_fraud_warning_come_from_their_cards(sandbox: Running) -> None:
    twice = sandbox.charged(10000, card="4000000404000079")
    amounts = [d["amount"] for d in sandbox.get("/v1/disputes", charge=twice["id"])["data"]]
    assert amounts == [5000, 5000]
    sandbox.charged(1000, card="4000000000005423")
    assert "radar.early_fraud_warning.created" in sandbox.event_types()


def test_a_payout_is_the_sum_of_its_members(sandbox: Running) -> None:
    charge = sandbox.charged(10825)
    sandbox.v1.refunds.create({"charge": charge["id"], "amount": 2000})
    sandbox.control("disputes", charge=charge["id"], amount=5000)
    sandbox.control("fees", amount=43, description="Invoicing 0.4 %")
    payout = sandbox.control("payouts/run")["payouts"][0]
    assert (payout["amount"], payout["status"]) == (1938, "paid")
    assert payout["reconciliation_status"] == "completed"
    rows = sandbox.v1.balance_transactions.list({"payout": payout["id"], "expand": ["data.source"]})
    nets = {r.type: r.net for r in rows.data}
    assert nets == {
        "charge": 10481, "refund": -2000, "adjustment": -6500, "stripe_fee": -43, "payout": -1938,
    }  # fmt: skip
    sources = {r.type: getattr(r.source, "object", None) for r in rows.data}
    assert sources["charge"] == "charge"
    assert sources["stripe_fee"] is None
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 0
    assert sandbox.event_types("payout.") == [
        "payout.created", "payout.updated", "payout.paid", "payout.reconciliation_completed",
    ]  # fmt: skip


def test_a_payout_on_its_way_does_not_tell_its_members_yet(sandbox: Running) -> None:
    sandbox.charged(10000)
    payout = sandbox.control("payouts/run", instant=False)["payouts"][0]
    assert payout["status"] == "pending"
    answer = sandbox.http.get("/v1/balance_transactions", params={"payout": payout["id"]})
    assert answer.json()["error"]["code"] == "payout_reconciliation_not_ready"
    sandbox.later(2 * 86_400)
    now = sandbox.get(f"/v1/payouts/{payout['id']}")
    assert (now["status"], now["reconciliation_status"]) == ("paid", "completed")


def test_a_debt_is_carried_into_the_next_payout(sandbox: Running) -> None:
    first = sandbox.charged(10000)
    sandbox.control("payouts/run")
    sandbox.control("disputes", charge=first["id"], amount=10000)
    assert sandbox.control("payouts/run")["payouts"] == []
    sandbox.charged(20000)
    payout = sandbox.control("payouts/run")["payouts"][0]
    assert payout["amount"] == 19390 - 11500


def test_a_payout_that_fails_after_paid_returns_in_the_next_one(sandbox: Running) -> None:
    sandbox.charged(10000)
    payout = sandbox.control("payouts/run")["payouts"][0]
    failed = sandbox.control(f"payouts/{payout['id']}/fail")
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    row = row_of(sandbox, failed, "failure_balance_transaction")
    assert (row["type"], row["reporting_category"], row["net"]) == (
        "payout_failure", "payout_reversal", 9680,
    )  # fmt: skip
    assert sandbox.event_types("payout.")[-2:] == ["payout.failed", "payout.updated"]
    again = sandbox.control("payouts/run")["payouts"][0]
    rows = sandbox.get("/v1/balance_transactions", payout=again["id"])["data"]
    assert [r["type"] for r in rows] == ["payout", "payout_failure"]


def test_a_manual_payout_has_no_composition_and_can_be_cancelled(sandbox: Running) -> None:
    sandbox.charged(10000)
    form = {"amount": "99999", "currency": "usd"}
    assert sandbox.refused(400, "/v1/payouts", form)["code"] == "balance_insufficient"
    payout = sandbox.v1.payouts.create({"amount": 4000, "currency": "usd"})
    assert (payout.automatic, payout.reconciliation_status) == (False, "not_applicable")
    answer = sandbox.http.get("/v1/balance_transactions", params={"payout": payout.id})
    assert answer.status_code == 400
    assert sandbox.v1.payouts.cancel(payout.id).status == "canceled"
    assert sandbox.v1.balance.retrieve().available[0].amount == 9680


def test_each_currency_is_paid_out_by_itself(sandbox: Running) -> None:
    for currency in ("usd", "eur", "jpy"):
        sandbox.charged(10000, currency)
    made = sandbox.control("payouts/run")["payouts"]
    assert {p["currency"]: p["amount"] for p in made} == {"usd": 9680, "eur": 9825, "jpy": 9640}


def test_an_unknown_kind_of_row_can_be_booked(sandbox: Running) -> None:
    sandbox.control(
        "adjust", type="moon_tax", reporting_category="lunar", amount=-77, fee=3, currency="usd"
    )
    row = sandbox.v1.balance_transactions.list({"type": "moon_tax"}).data[0]
    assert (row.amount, row.fee, row.net) == (-77, 3, -80)


def test_a_bank_debit_is_pending_and_then_decided(sandbox: Running) -> None:
    sandbox.control("webhooks", delay_scale=1000.0)
    intent = sandbox.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "payment_method": "pm_usBankAccount_success",
            "confirm": True,
        }
    )
    assert intent.status == "processing"
    charge = sandbox.get(f"/v1/charges/{intent.latest_charge}")
    assert (charge["status"], charge["id"][:3]) == ("pending", "py_")
    sandbox.later(30)
    assert sandbox.get(f"/v1/payment_intents/{intent.id}")["status"] == "succeeded"
    bounced = sandbox.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "payment_method": "pm_usBankAccount_accountClosed",
            "confirm": True,
        }
    )
    sandbox.later(30)
    now = sandbox.get(f"/v1/payment_intents/{bounced.id}")
    assert now["status"] == "requires_payment_method"
    assert "payment_intent.payment_failed" in sandbox.event_types()


def test_a_declined_confirmation_is_a_402_with_the_intent_inside(sandbox: Running) -> None:
    with pytest.raises(stripe.CardError) as caught:
        sandbox.v1.payment_intents.create(
            {
                "amount": 5000,
                "currency": "usd",
                "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
                "confirm": True,
            }
        )
    error = caught.value.error
    assert error is not None
    assert (error.code, error.decline_code) == ("card_declined", "insufficient_funds")
    body = caught.value.json_body["error"]
    assert body["payment_intent"]["status"] == "requires_payment_method"
    assert body["charge"].startswith("ch_3")


def test_the_books_show_sums_by_kind(sandbox: Running) -> None:
    sandbox.charged(10000)
    sandbox.charged(20000)
    books = sandbox.look("books")
    kind = books["currencies"]["usd"]["by_kind"]["charge/charge"]
    assert kind == {"count": 2, "amount": 30000, "fee": 930, "net": 29070}
    assert books["invariant_violations"] == []


def test_a_test_clock_moves_the_sandbox_forward_only(sandbox: Running) -> None:
    charge = sandbox.charged(10000, card="4242424242424242")
    now = charge["created"]
    clock = sandbox.v1.test_helpers.test_clocks.create({"frozen_time": now})
    sandbox.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": now + 10 * 86_400})
    assert row_of(sandbox, charge)["status"] == "available"
    path = f"/v1/test_helpers/test_clocks/{clock.id}/advance"
    assert sandbox.refused(400, path, {"frozen_time": str(now)})["param"] == "frozen_time"


def test_a_refund_without_available_money_waits(sandbox: Running) -> None:
    sandbox.control("switches", refunds_need_balance=True)
    charge = sandbox.charged(10000, card="4242424242424242")
    refund = sandbox.v1.refunds.create({"charge": charge["id"]})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert refund.balance_transaction is None
    sandbox.charged(20000, card="4242424242424242")
    sandbox.later(6 * 86_400)
    ended = sandbox.get(f"/v1/refunds/{refund.id}")
    assert ended["status"] == "succeeded"
    assert row_of(sandbox, ended)["amount"] == -10000


def test_a_broken_invariant_is_told_loudly() -> None:
    with running(sound=False) as sandbox:
        charge = sandbox.charged(10000)
        sandbox.app.world.notes.available["usd"] += 1
        error = sandbox.refused(500, "/v1/refunds", {"charge": charge["id"]})
        assert "balance in usd" in error["message"]
        assert sandbox.look("books")["invariant_violations"]
