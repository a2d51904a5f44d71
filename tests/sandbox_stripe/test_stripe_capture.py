"""Money that is held first: captured whole or in part, let go, raised; and direct charges."""

import pytest
import stripe

from sandbox_stripe.stripe_running import Json, Running


def held(sandbox: Running, amount: int = 10000, **more: str) -> Json:
    form = {
        "amount": amount, "currency": "usd", "capture_method": "manual",
        "payment_method": "pm_card_bypassPending", "confirm": "true", **more,
    }  # fmt: skip
    return sandbox.post("/v1/payment_intents", form)


def rows(sandbox: Running) -> list[tuple[str, str, int, int]]:
    found = sandbox.get("/v1/balance_transactions", limit=100)["data"]
    return [(r["type"], r["reporting_category"], r["amount"], r["fee"]) for r in reversed(found)]


def test_a_held_payment_moves_no_money_until_it_is_captured(sandbox: Running) -> None:
    intent = held(sandbox)
    assert (intent["status"], intent["amount_capturable"]) == ("requires_capture", 10000)
    charge = sandbox.get(f"/v1/charges/{intent['latest_charge']}")
    assert (charge["captured"], charge["amount_captured"], charge["status"]) == (
        False, 0, "succeeded",
    )  # fmt: skip
    sandbox.later(60)
    assert rows(sandbox) == []
    done = sandbox.v1.payment_intents.capture(intent["id"])
    assert (done.status, done.amount_received) == ("succeeded", 10000)
    sandbox.later(60)
    assert rows(sandbox) == [("charge", "charge", 10000, 320)]
    assert "charge.captured" in sandbox.event_types("charge.")


def test_a_part_captured_shows_the_whole_and_a_reversal_of_the_rest(sandbox: Running) -> None:
    intent = held(sandbox)
    sandbox.v1.payment_intents.capture(intent["id"], {"amount_to_capture": 6000})
    sandbox.later(60)
    charge = sandbox.get(f"/v1/charges/{intent['latest_charge']}")
    assert (charge["amount_captured"], charge["amount_refunded"]) == (6000, 4000)
    assert rows(sandbox) == [
        ("charge", "charge", 10000, 320),
        ("refund", "partial_capture_reversal", -4000, -116),
    ]
    refund = sandbox.get("/v1/refunds", charge=charge["id"])["data"][0]
    assert refund["balance_transaction"].startswith("txn_")
    assert sandbox.look("books")["currencies"]["usd"]["total"] == 6000 - 204


def test_more_than_what_is_held_and_a_second_capture_are_refused(sandbox: Running) -> None:
    intent = held(sandbox)
    path = f"/v1/payment_intents/{intent['id']}/capture"
    assert sandbox.refused(400, path, {"amount_to_capture": "10001"})["code"] == "amount_too_large"
    sandbox.post(path)
    assert sandbox.refused(400, path)["code"] == "payment_intent_unexpected_state"


def test_a_cancelled_or_forgotten_hold_is_a_refund_without_money(sandbox: Running) -> None:
    cancelled, forgotten = held(sandbox), held(sandbox)
    sandbox.v1.payment_intents.cancel(cancelled["id"])
    sandbox.later(8 * 86_400)
    for intent in (cancelled, forgotten):
        charge = sandbox.get(f"/v1/charges/{intent['latest_charge']}")
        assert (charge["refunded"], charge["captured"]) == (True, False)
        assert sandbox.get(f"/v1/payment_intents/{intent['id']}")["status"] == "canceled"
    assert rows(sandbox) == []
    assert "charge.expired" in sandbox.event_types("charge.")


def test_a_hold_is_raised_only_when_that_was_asked_for(sandbox: Running) -> None:
    path = "/v1/payment_intents/{}/increment_authorization"
    sandbox.refused(400, path.format(held(sandbox)["id"]), {"amount": "12000"})
    option = "payment_method_options[card][request_incremental_authorization]"
    intent = held(sandbox, **{option: "if_available"})
    raised = sandbox.post(path.format(intent["id"]), {"amount": "12000"})
    assert (raised["amount"], raised["amount_capturable"]) == (12000, 12000)
    assert sandbox.v1.payment_intents.capture(intent["id"]).amount_received == 12000


def test_a_direct_charge_has_no_intent_and_a_declined_one_stays_on_record(
    sandbox: Running,
) -> None:
    made = sandbox.v1.charges.create({"amount": 900, "currency": "usd", "source": "tok_visa"})
    assert (made.payment_intent, made.paid) == (None, True)
    with pytest.raises(stripe.CardError) as caught:
        sandbox.v1.charges.create(
            {"amount": 900, "currency": "usd", "source": "tok_chargeDeclined"}
        )
    assert caught.value.code == "card_declined"
    assert [c.status for c in sandbox.v1.charges.list().data] == ["failed", "succeeded"]
    later = sandbox.v1.charges.create(
        {"amount": 800, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    assert sandbox.v1.charges.capture(later.id, {"amount": 300}).amount_captured == 300
    assert sandbox.refused(400, f"/v1/charges/{later.id}/capture")["code"] == (
        "charge_already_captured"
    )
    sandbox.later(60)
    back = sandbox.v1.refunds.create({"charge": made.id})
    assert back.status == "succeeded"


def test_a_bank_account_is_debited_after_its_small_deposits_were_told(sandbox: Running) -> None:
    form = {
        "amount": "5000", "currency": "usd", "payment_method": "pm_usBankAccount_success",
        "payment_method_options[us_bank_account][verification_method]": "microdeposits",
        "confirm": "true",
    }  # fmt: skip
    intent = sandbox.post("/v1/payment_intents", form)
    assert intent["next_action"]["type"] == "verify_with_microdeposits"
    path = f"/v1/payment_intents/{intent['id']}/verify_microdeposits"
    wrong = sandbox.refused(400, path, {"amounts[0]": "1", "amounts[1]": "2"})
    assert wrong["code"] == "payment_method_microdeposit_verification_amounts_mismatch"
    told = sandbox.post(path, {"amounts[0]": "32", "amounts[1]": "45"})
    assert told["status"] == "processing"
    sandbox.later(60)
    assert sandbox.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("account", "ends"),
    [("success", "succeeded"), ("accountClosed", "failed"), ("insufficientFunds", "failed"),
     ("debitNotAuthorized", "failed"), ("processing", "pending")],
)  # fmt: skip
def test_a_bank_debit_is_pending_and_ends_as_its_account_says(
    sandbox: Running, account: str, ends: str
) -> None:
    sandbox.control("webhooks", delay_scale=1000.0)
    form = {"amount": "5000", "currency": "usd", "confirm": "true"}
    intent = sandbox.post(
        "/v1/payment_intents", form | {"payment_method": f"pm_usBankAccount_{account}"}
    )
    assert intent["status"] == "processing"
    sandbox.later(60)
    charge = sandbox.get(f"/v1/charges/{intent['latest_charge']}")
    assert charge["status"] == ends
    assert charge["id"].startswith("py_")


def test_a_bank_debit_that_comes_back_late_takes_the_money_out_again(sandbox: Running) -> None:
    charge = sandbox.charged(5000, card="000123456789")
    sandbox.control(f"charges/{charge['id']}/return", code="insufficient_funds")
    now = sandbox.get(f"/v1/charges/{charge['id']}")
    assert (now["status"], now["failure_code"]) == ("failed", "insufficient_funds")
    row = sandbox.get(f"/v1/balance_transactions/{now['failure_balance_transaction']}")
    assert (row["type"], row["reporting_category"], row["amount"]) == (
        "payment_failure_refund", "charge_failure", -5000,
    )  # fmt: skip
    disputed = sandbox.charged(5000, card="000555555559")
    dispute = sandbox.get("/v1/disputes", charge=disputed["id"])["data"][0]
    assert dispute["reason"] == "debit_not_authorized"
