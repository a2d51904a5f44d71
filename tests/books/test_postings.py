"""Documents that cannot be wrong by themselves, and the states that they pass through."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import a_journal, a_posting, money
from build.strategies import amounts
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money, total
from ml_connector.books.postings import (
    MOVES,
    Application,
    ArPayment,
    Purpose,
    State,
    clearing_effect,
    may_move,
    posting_key,
)


def a_payment(amount: str, *applied: str) -> ArPayment:
    """A payment and what it settles."""
    return ArPayment(
        customer_id="C000012",
        payment_method="STRIPE",
        cash_account="STRIPEUSD",
        branch="HQ",
        day=date(2026, 3, 31),
        amount=money(amount),
        payment_ref="ch_1",
        external_ref="txn_1",
        description="Stripe payment ch_1",
        applications=tuple(Application(erp_ref("Invoice", "1"), money(part)) for part in applied),
    )


@given(st.lists(amounts().filter(bool), min_size=1))
def test_a_journal_exists_exactly_when_its_sides_are_equal(sides: list[Money]) -> None:
    lines = [(f"account {number}", side) for number, side in enumerate(sides)]
    rest = total(sides, "USD")
    if rest:
        with pytest.raises(Bug, match="must balance"):
            a_journal(*lines)
        lines.append(("rest", -rest))
    assert total((line.amount for line in a_journal(*lines).lines), "USD") == money("0 USD")


def test_a_journal_has_no_empty_line() -> None:
    with pytest.raises(Bug, match="may not be empty"):
        a_journal(("60100", "1.00 USD"), ("13500", "0.00 USD"), ("10300", "-1.00 USD"))


def test_a_journal_is_of_one_currency() -> None:
    with pytest.raises(Bug, match="one currency"):
        a_journal(("60100", "1.00 USD"), ("10300", "-1.00 EUR"))


def test_a_journal_without_lines_does_not_exist() -> None:
    with pytest.raises(Bug, match="one currency"):
        a_journal()


def test_a_journal_tells_what_it_does_to_an_account() -> None:
    journal = a_journal(
        ("60100", "0.50 USD"), ("13500", "0.10 USD"), ("10300", "-0.70 USD"), ("60100", "0.10 USD")
    )
    assert journal.currency == "USD"
    assert journal.effect_on("60100") == money("0.60 USD")
    assert journal.effect_on("10300") == money("-0.70 USD")
    assert journal.effect_on("99999") == money("0 USD")


def test_a_payment_may_settle_several_invoices_or_leave_a_rest() -> None:
    assert a_payment("12.00 USD", "5.00 USD", "7.00 USD").currency == "USD"
    assert a_payment("12.00 USD", "5.00 USD").amount == money("12.00 USD")
    assert a_payment("12.00 USD").applications == ()


@pytest.mark.parametrize(
    ("amount", "applied", "reason"),
    [
        ("0.00 USD", [], "must be positive"),
        ("-1.00 USD", [], "must be positive"),
        ("12.00 USD", ["12.01 USD"], "more than its amount"),
        ("12.00 USD", ["7.00 USD", "5.01 USD"], "more than its amount"),
        ("12.00 USD", ["0.00 USD"], "more than its amount"),
        ("12.00 USD", ["13.00 USD", "-1.00 USD"], "more than its amount"),
        ("12.00 USD", ["12.00 EUR"], "not of one currency"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(amount: str, applied: list[str], reason: str) -> None:
    with pytest.raises(Bug, match=reason):
        a_payment(amount, *applied)


def test_the_key_of_a_posting_names_its_purpose_and_its_subject() -> None:
    assert posting_key(Purpose.PAYMENT, "ch_1") == "payment:ch_1"
    assert posting_key(Purpose.PAYOUT, "po_1") == "payout:po_1"
    assert posting_key(Purpose.CHARGE_STRIPE, "txn_1") == "stripe_charge:txn_1"


@given(st.lists(amounts().filter(bool)))
def test_postings_move_the_clearing_account_by_their_sum(effects: list[Money]) -> None:
    assert clearing_effect(map(a_posting, effects), "USD") == total(effects, "USD")


def test_postings_of_another_currency_are_never_added_to_a_clearing_account() -> None:
    with pytest.raises(Bug, match="not of one currency"):
        clearing_effect([a_posting("5 JPY")], "USD")


def test_a_posting_walks_from_its_plan_to_its_proof() -> None:
    way = [State.PLANNED, State.SENDING, State.CREATED, State.RELEASED, State.VERIFIED]
    assert all(may_move(start, end) for start, end in pairwise(way))


def test_nothing_is_sent_again_but_by_way_of_the_plan_or_a_failure() -> None:
    before_sending = {state for state in State if may_move(state, State.SENDING)}
    assert before_sending == {State.PLANNED, State.FAILED}


def test_what_is_proven_stays_proven() -> None:
    assert not any(may_move(State.VERIFIED, state) for state in State)


def test_only_a_document_in_the_erp_can_be_proven() -> None:
    assert {state for state in State if may_move(state, State.VERIFIED)} == {
        State.CREATED,
        State.RELEASED,
    }


def test_every_state_has_its_moves_and_no_state_moves_to_itself() -> None:
    assert set(MOVES) == set(State)
    assert not any(may_move(state, state) for state in State)
    assert all(
        may_move(state, State.FAILED) for state in set(State) - {State.VERIFIED, State.FAILED}
    )
