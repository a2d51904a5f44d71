"""Payouts that are reversed, kept back or negative; reserves, top-ups, transfers, disputes."""

import pytest

from sandbox_stripe.stripe_running import Json, Running


def kinds(sandbox: Running) -> list[tuple[str, int]]:
    found = sandbox.get("/v1/balance_transactions", limit=100)["data"]
    return [(r["type"], r["amount"]) for r in reversed(found)]


def paid_out(sandbox: Running, currency: str = "usd") -> Json:
    return sandbox.control("payouts/run", currency=currency)["payouts"][0]


def test_a_reversed_payout_is_fetched_back_by_its_opposite(sandbox: Running) -> None:
    sandbox.charged(10000)
    payout = paid_out(sandbox)
    back = sandbox.v1.payouts.reverse(payout["id"])
    assert (back.amount, back.original_payout) == (-9680, payout["id"])
    assert sandbox.get(f"/v1/payouts/{payout['id']}")["reversed_by"] == back.id
    assert kinds(sandbox)[-2:] == [("payout", -9680), ("payout", 9680)]
    sandbox.refused(400, f"/v1/payouts/{payout['id']}/reverse")


def test_a_minimum_balance_stays_and_its_pair_of_rows_nets_to_zero(sandbox: Running) -> None:
    path = "payments[payouts][minimum_balance_by_currency][usd]"
    shown = sandbox.post("/v1/balance_settings", {path: "5000"})
    assert shown["payments"]["payouts"]["minimum_balance_by_currency"] == {"usd": 5000}
    sandbox.charged(10000)
    payout = paid_out(sandbox)
    assert payout["amount"] == 4680
    members = sandbox.get("/v1/balance_transactions", payout=payout["id"])["data"]
    others = [r for r in members if r["type"] != "payout"]
    assert sum(r["net"] for r in others) == 4680
    assert "payout_minimum_balance_hold" in {r["type"] for r in others}
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 5000
    assert sandbox.control("payouts/run")["payouts"] == []
    assert sandbox.v1.balance_settings.retrieve().payments.payouts is not None


def test_forints_are_charged_in_cents_and_paid_out_in_whole_units(sandbox: Running) -> None:
    sandbox.control("rates", settlement=["usd", "huf"], fees={"huf": {"percent": "1", "fixed": 0}})
    sandbox.charged(1234567, "huf")
    payout = paid_out(sandbox, "huf")
    assert payout["amount"] % 100 == 0
    assert sandbox.look("books")["currencies"]["huf"]["total"] == (1234567 - 12346) % 100
    error = sandbox.refused(400, "/v1/payouts", {"amount": "150", "currency": "huf"})
    assert "whole units" in error["message"]


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_currencies_without_cents_refuse_them_and_their_invoices_are_rounded(
    sandbox: Running, currency: str
) -> None:
    form = {"amount": "1000050", "currency": currency}
    assert sandbox.refused(400, "/v1/payment_intents", form)["code"] == "invalid_charge_amount"
    assert sandbox.charged(1000000, currency)["status"] == "succeeded"


def test_negative_balances_are_debited_when_the_settings_say_so(sandbox: Running) -> None:
    charge = sandbox.charged(10000)
    paid_out(sandbox)
    sandbox.control("disputes", charge=charge["id"], amount=10000)
    assert sandbox.control("payouts/run")["payouts"] == []
    sandbox.post("/v1/balance_settings", {"payments[debit_negative_balances]": "true"})
    assert paid_out(sandbox)["amount"] == -11500
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 0


def test_a_reserve_is_held_and_released_by_its_date(sandbox: Running) -> None:
    sandbox.charged(10000)
    hold = sandbox.control("reserves", amount=3000, days=30)
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 6680
    sandbox.later(31 * 86_400)
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 9680
    rows = [r for r in sandbox.get("/v1/balance_transactions", limit=100)["data"]
            if r["reporting_category"] == "risk_reserved_funds"]  # fmt: skip
    assert [r["type"] for r in rows] == ["reserve_release", "reserve_hold"]
    again = sandbox.http.post(f"/_sandbox/reserves/{hold['id']}/release", json={})
    assert again.status_code == 400


def test_a_top_up_arrives_the_next_day_fails_or_is_reversed(sandbox: Running) -> None:
    topup = sandbox.v1.topups.create({"amount": 2000, "currency": "usd"})
    other = sandbox.v1.topups.create({"amount": 3000, "currency": "usd"})
    gone = sandbox.v1.topups.create({"amount": 4000, "currency": "usd"})
    sandbox.v1.topups.cancel(gone.id)
    sandbox.control(f"topups/{other.id}", outcome="failed")
    sandbox.later(90_000)
    states = {t.id: t.status for t in sandbox.v1.topups.list().data}
    assert states == {topup.id: "succeeded", other.id: "failed", gone.id: "canceled"}
    sandbox.control(f"topups/{topup.id}", outcome="failed")
    assert kinds(sandbox) == [("topup", 2000), ("topup_reversal", -2000)]


def test_the_conversion_fee_can_be_a_row_of_its_own(sandbox: Running) -> None:
    sandbox.control("switches", fx_fee_row=True)
    charge = sandbox.charged(10000, "gbp")
    row = sandbox.get(f"/v1/balance_transactions/{charge['balance_transaction']}")
    assert row["fee"] == 398  # 2.9 % of 127.00 = 3.683 -> 368, + 30
    assert ("stripe_fx_fee", -127) in kinds(sandbox)


def test_a_bank_transfer_pays_the_open_payment_that_waits_for_it(sandbox: Running) -> None:
    customer = sandbox.v1.customers.create({"name": "A"})
    form = {
        "amount": "900", "currency": "usd", "customer": customer.id,
        "payment_method_data[type]": "customer_balance",
    }  # fmt: skip
    intent = sandbox.post("/v1/payment_intents", form)
    fund = sandbox.v1.test_helpers.customers.fund_cash_balance
    fund(customer.id, {"amount": 1000, "currency": "usd"})
    assert sandbox.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"
    assert sandbox.get(f"/v1/customers/{customer.id}/cash_balance")["available"] == {"usd": 100}
    second = sandbox.post("/v1/payment_intents", form)
    apply = f"/v1/payment_intents/{second['id']}/apply_customer_balance"
    assert sandbox.refused(400, apply)["code"] == "balance_insufficient"
    mode = {"settings": {"reconciliation_mode": "manual"}}
    sandbox.v1.customers.cash_balance.update(customer.id, mode)
    fund(customer.id, {"amount": 800, "currency": "usd"})
    assert sandbox.get(f"/v1/payment_intents/{second['id']}")["status"] != "succeeded"
    assert sandbox.post(apply)["status"] == "succeeded"
    rows = sandbox.v1.customers.cash_balance_transactions.list(customer.id).data
    assert [r.net_amount for r in rows] == [-900, 800, -900, 1000]


def test_a_refund_that_asks_the_payer_expires(sandbox: Running) -> None:
    charge = sandbox.charged(5000, card="000123456789")
    refund = sandbox.v1.refunds.create(
        {"charge": charge["id"], "instructions_email": "payer@example.com"}
    )
    assert refund.status == "requires_action"
    assert sandbox.v1.test_helpers.refunds.expire(refund.id).status == "failed"
    assert sandbox.get(f"/v1/charges/{charge['id']}")["amount_refunded"] == 0


def test_an_unanswered_dispute_is_lost_and_an_answered_one_waits(sandbox: Running) -> None:
    silent = sandbox.control("disputes", charge=sandbox.charged(5000)["id"])
    answered = sandbox.control("disputes", charge=sandbox.charged(5000)["id"])
    inquiry = sandbox.control("disputes", charge=sandbox.charged(5000)["id"], inquiry=True)
    evidence = {"evidence[uncategorized_text]": "invoice attached"}
    sandbox.post(f"/v1/disputes/{answered['id']}", evidence)
    sandbox.later(10 * 86_400)
    states = {d["id"]: d["status"] for d in sandbox.get("/v1/disputes")["data"]}
    assert states[silent["id"]] == "lost"
    assert states[answered["id"]] == "under_review"
    assert states[inquiry["id"]] == "warning_closed"
    closed = sandbox.get(f"/v1/disputes/{silent['id']}")
    assert closed["evidence_details"]["past_due"] is True


def test_a_won_dispute_is_appealed_answered_and_lost(sandbox: Running) -> None:
    dispute = sandbox.control("disputes", charge=sandbox.charged(5000)["id"])
    path = f"disputes/{dispute['id']}"
    sandbox.control(path, outcome="won")
    assert sandbox.control(path, outcome="appeal")["status"] == "appeal_needs_response"
    form = {"evidence[uncategorized_text]": "again"}
    assert sandbox.post(f"/v1/{path}", form)["status"] == "appeal_under_review"
    lost = sandbox.control(path, outcome="lost")
    assert lost["status"] == "lost"
    nets = [r["net"] for r in sandbox.get("/v1/balance_transactions", source=dispute["id"])["data"]]
    assert nets == [-5000, 5000, -6500]


def test_a_win_may_return_the_fee_and_a_prevented_dispute_returns_everything(
    sandbox: Running,
) -> None:
    before = sandbox.charged(5000)
    total = sandbox.look("books")["currencies"]["usd"]["total"]
    sandbox.control("switches", dispute_win_returns_fee=True)
    won = sandbox.control("disputes", charge=before["id"], amount=1000)
    sandbox.control(f"disputes/{won['id']}", outcome="won")
    assert sandbox.look("books")["currencies"]["usd"]["total"] == total
    other = sandbox.control("disputes", charge=before["id"], amount=1000)
    assert sandbox.control(f"disputes/{other['id']}", outcome="prevented")["status"] == "prevented"
    assert sandbox.look("books")["currencies"]["usd"]["total"] == total


def test_payment_records_fail_are_tried_again_and_refunded(sandbox: Running) -> None:
    records = sandbox.v1.payment_records
    made = records.report_payment(
        {
            "amount_requested": {"currency": "usd", "value": 500},
            "initiated_at": 1_700_000_000,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Cheque"}},
            "outcome": "failed",
            "failed": {"failed_at": 1_700_000_000},
        }
    )
    assert made.amount_failed.value == 500
    records.report_payment_attempt(made.id, {"initiated_at": 1_700_000_100})
    done = records.report_payment_attempt_guaranteed(made.id, {"guaranteed_at": 1_700_000_200})
    assert (done.amount_guaranteed.value, done.amount_failed.value) == (500, 0)
    refunded = records.report_refund(
        made.id,
        {
            "outcome": "refunded",
            "processor_details": {"type": "custom", "custom": {"refund_reference": "R1"}},
            "amount": {"currency": "usd", "value": 200},
            "refunded": {"refunded_at": 1_700_000_300},
        },
    )
    assert refunded.amount_refunded.value == 200
    assert [r.id for r in records.list().data] == [made.id]


def test_payment_methods_are_made_changed_attached_and_detached(sandbox: Running) -> None:
    methods = sandbox.v1.payment_methods
    made = methods.create({"type": "card", "card": {"token": "tok_visa"}})
    changed = methods.update(made.id, {"billing_details": {"name": "Jane"}})
    assert changed.billing_details.name == "Jane"
    customer = sandbox.v1.customers.create({"name": "A"})
    methods.attach(made.id, {"customer": customer.id})
    assert [m.id for m in methods.list({"customer": customer.id}).data] == [made.id]
    assert sandbox.v1.customers.payment_methods.retrieve(customer.id, made.id).id == made.id
    assert methods.detach(made.id).customer is None
    assert sandbox.v1.customers.payment_methods.list(customer.id).data == []
