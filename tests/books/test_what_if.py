"""What a movement would become under a mapping: balanced, and only from what is known of it."""

from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from build.records import a_balance_transaction, a_mapping, money
from build.strategies import amounts
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.disputes import Lost
from ml_connector.books.mapping import TransitAccounts
from ml_connector.books.policies import Policies, WhenConverted, WhenLost, WhenUnmatched
from ml_connector.books.postings import Application, ArPayment, Voiding
from ml_connector.books.rules import RULES, is_bounce
from ml_connector.books.what_if import Known, NotKnown, outcome

INVOICE = erp_ref("Invoice", "000123")
LOST = Lost(StripeId("dp_1"), "ch_1", money("12.00 USD"), StripeId("txn_1"), date(2026, 3, 31))
TRANSIT = {"CAD": TransitAccounts("TRANSITCAD", "10400", "10500")}


def a_payment(amount: str | Money = "12.00 USD", *, applied: bool = True) -> ArPayment:
    paid = money(amount)
    rows = (Application(INVOICE, paid),) if applied else ()
    return ArPayment("C1", "STRIPE", "OLD", "HQ", date(2026, 3, 31), paid, "ch_1", "txn_1", "",
                     rows)  # fmt: skip


def a_voiding(amount: str | Money = "12.00 USD") -> Voiding:
    return Voiding(erp_ref("Payment", "000001"), "ch_1", money(amount))


def by_account(known: Known, pair: str = "charge/charge", amount: str = "12.00 USD",
               **policies: object) -> ReadOnly[str, str]:  # fmt: skip
    """What one movement puts on each account, or why it waits."""
    chosen = a_mapping(transit=TRANSIT, policies=Policies(**policies))  # pyright: ignore[reportArgumentType]
    found = outcome(a_balance_transaction(pair, amount), known, chosen)
    if found.waits:
        return {"waits": found.waits}
    return {place.account: str(amount) for place, (amount,) in found.moves.items()}


@settings(max_examples=60)
@given(st.sampled_from(sorted(RULES)), amounts(least=1), st.integers(0, 500))
def test_whatever_a_movement_becomes_both_sides_are_equal(
    pair: tuple[str, str], amount: Money, fee: int
) -> None:
    bt = a_balance_transaction("/".join(pair), amount, Money(fee, "USD"))
    known = Known(payment=a_payment(amount))
    if is_bounce(bt):
        known = replace(known, voids=a_voiding(amount), settled_as=amount)
        bt = a_balance_transaction("/".join(pair), -amount, Money(fee, "USD"))
    found = outcome(bt, known, a_mapping())
    assert not found.waits
    assert sum(one.minor for moved in found.moves.values() for one in moved) == 0
    clearing = [moved for place, moved in found.moves.items() if place.account == "10300"]
    assert sum(one.minor for moved in clearing for one in moved) == bt.net.minor


def test_a_matched_payment_goes_to_the_mapped_cash_account_whatever_the_policy() -> None:
    for policy in WhenUnmatched:
        assert by_account(Known(payment=a_payment()), unmatched=policy) == {
            "10300": "12.00 USD", "accounts receivable": "-12.00 USD",
        }  # fmt: skip


def test_a_payment_of_no_invoice_follows_the_policy() -> None:
    on_account, nobodys = Known(payment=a_payment(applied=False)), Known(nobodys=True)
    assert "24900" in by_account(on_account, unmatched=WhenUnmatched.SUSPENSE)
    assert "24900" in by_account(nobodys, unmatched=WhenUnmatched.SUSPENSE)
    for known in (on_account, nobodys):
        assert "policy" in by_account(known, unmatched=WhenUnmatched.HOLD)["waits"]
    received = by_account(on_account, unmatched=WhenUnmatched.UNAPPLIED)
    assert received["accounts receivable"] == "-12.00 USD"


def test_what_only_a_new_look_would_tell_is_not_guessed() -> None:
    with pytest.raises(NotKnown, match="not looked at yet"):
        by_account(Known())
    with pytest.raises(NotKnown, match="payer"):
        by_account(Known(nobodys=True), unmatched=WhenUnmatched.UNAPPLIED)
    with pytest.raises(NotKnown, match="undone as a whole"):
        by_account(Known(lost=LOST), "adjustment/dispute", "-12.00 USD",
                   dispute_lost=WhenLost.REOPEN)  # fmt: skip


def test_a_lost_dispute_ends_by_the_policy() -> None:
    pair, amount = "adjustment/dispute", "-12.00 USD"
    lost = Known(lost=LOST, reopened=a_voiding())
    assert by_account(lost, pair, amount) == {"10300": "-12.00 USD", "60120": "12.00 USD"}
    reopened = by_account(lost, pair, amount, dispute_lost=WhenLost.REOPEN)
    assert reopened == {"accounts receivable": "12.00 USD", "10300": "-12.00 USD"}
    won = by_account(replace(lost, won=True), pair, amount)
    assert won == {"10300": "-12.00 USD", "12800": "12.00 USD"}


def test_a_payment_in_another_currency_stands_in_transit_and_in_clearing() -> None:
    known = Known(payment=a_payment("15.00 CAD"))
    assert by_account(known) == {
        "10400": "15.00 CAD", "accounts receivable": "-15.00 CAD",
        "10300": "12.00 USD", "10500": "-12.00 USD",
    }  # fmt: skip
    chosen = a_mapping(transit=TRANSIT, policies=Policies(fx=WhenConverted.GAIN_LOSS))
    cleared = outcome(a_balance_transaction(), known, chosen)
    gain = [moved for place, moved in cleared.moves.items() if place.account == "83000"]
    assert [str(one) for moved in gain for one in moved] == ["-12.00 USD", "15.00 CAD"]


def test_what_waits_for_another_reason_waits_under_any_mapping() -> None:
    assert by_account(Known(waits="It is not booked."), "payment_reversal/charge") == {
        "waits": "It is not booked.",
    }  # fmt: skip


def test_a_kind_without_a_rule_waits_until_an_account_is_mapped_for_it() -> None:
    bt = a_balance_transaction("contribution/contribution", "-1.00 USD")
    assert "no rule" in outcome(bt, Known(), a_mapping()).waits
    mapped = a_mapping(pairs={"contribution/contribution": "81000"})
    assert "81000" in {place.account for place in outcome(bt, Known(), mapped).moves}
