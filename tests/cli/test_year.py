"""The choices of a year's months, and what the books must show by them."""

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.books.mirror import Adopt, WhenReopened
from ml_connector.books.policies import (
    FeesPosted,
    PostWhen,
    RefundsAs,
    WhenClosed,
    WhenConverted,
    WhenLost,
    WhenUnmatched,
)
from ml_connector.books.postings import Purpose
from ml_connector.cli.trials import year_accounts
from ml_connector.cli.trials.year_expected import Expected
from ml_connector.cli.trials.year_found import found_documents
from ml_connector.cli.trials.year_policies import CHOICES, Used, exercised, in_month, mapping_of
from ml_connector.flows.mapping.mapping_text import read_body
from ml_connector.store.usage import Documents

NOTHING = Used()
FLOWS = "owed lost acquainted failing strange".split()


def a_tally(
    owed: str = "0",
    lost: str = "0",
    acquainted: str = "0",
    failing: str = "0",
    strange: str = "0",
    **counts: int,
) -> Any:
    money = dict(zip(FLOWS, (owed, lost, acquainted, failing, strange), strict=True))
    return {"counts": Counter(counts), "money": {"USD": money}}


@given(st.integers(0, 40))
def test_the_mapping_of_every_month_is_sound_and_says_what_is_chosen(month: int) -> None:
    body: Any = read_body(mapping_of(month))
    said = body["policies"] | body["mirror"]
    assert {name: _word(value) for name, value in said.items()} == in_month(month)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_twelve_months_put_every_value_of_every_policy_in_force() -> None:
    values = {choice.word: {choice.at(month) for month in range(12)} for choice in CHOICES}
    assert values["unmatched"] == set(WhenUnmatched)
    assert values["dispute_lost"] == set(WhenLost)
    assert values["fx"] == set(WhenConverted)
    assert values["fees"] == set(FeesPosted)
    assert values["refunds"] == set(RefundsAs)
    assert values["post_when"] == set(PostWhen)
    assert values["closed_period"] == set(WhenClosed)
    assert values["release"] == {"true", "false"}
    assert values["adopt"] == set(Adopt)
    assert values["reopened"] == set(WhenReopened)
    assert all(values[choice.word] == set(choice.shown) for choice in CHOICES)


def test_what_waits_for_its_moment_meets_the_same_choices_in_the_next_month() -> None:
    for month in range(12):
        if in_month(month)["post_when"] != "captured":
            now, then = in_month(month), in_month(month + 1)
            assert [now[word] == then[word] for word in ("fx", "refunds", "dispute_lost")] == [
                True, True, True
            ]  # fmt: skip


def test_a_choice_counts_as_used_only_in_the_months_of_its_turn() -> None:
    row = Documents(1, Purpose.DISPUTE_LOSS, "adjustment/dispute", False, False, False, 3)
    lost = Used([row])
    counts = {(word, value): count for word, value, count in exercised([lost, NOTHING, NOTHING])}
    assert counts["dispute_lost", "loss"] == 3
    counts = {(word, value): count for word, value, count in exercised([NOTHING, NOTHING, lost])}
    assert counts["dispute_lost", "loss"] == counts["dispute_lost", "reopen"] == 0


def test_money_of_nobody_waits_until_a_month_puts_it_into_suspense() -> None:
    expected = Expected()
    first = a_tally(strangers=1, acquaintances=1, acquainted="17.17")
    expected.live(0, first)
    assert expected.held() == 2
    expected.choose(1)
    assert expected.held() == 0
    assert expected.due["suspense"] == 2
    assert expected.receivables(first) == {"USD": Decimal(0)}


def test_suspense_must_hold_what_nobody_could_place_once_a_month_puts_it_there() -> None:
    expected = Expected()
    first = a_tally(strange="17.17", acquainted="17.18", strangers=1, acquaintances=1)
    expected.live(0, first)
    assert not expected.suspense
    expected.choose(1)
    assert expected.suspense == {"USD": Decimal("34.35")}
    expected.choose(2)
    expected.choose(3)
    assert expected.suspense == {"USD": Decimal("34.35")}


def an_account(account: str, currency: str, balance: str) -> Any:
    return {"account": account, "currency": currency, "balance": Decimal(balance)}


def test_the_accounts_between_hold_what_stripe_and_the_world_say_and_a_cent_more_is_seen() -> None:
    kinds = {
        "adjustment/dispute": {"amount": -5000},
        "reserve_hold/risk_reserved_funds": {"amount": -2000},
    }
    stripe: Any = {"currencies": {"eur": {"by_kind": kinds}}}
    tally: Any = {"money": {"EUR": {"lost": "10.00"}}}
    ledger = [
        an_account("12650", "EUR", "40.00"),
        an_account("12660", "EUR", "19.99"),
        an_account("24400", "EUR", "-17.17"),
        an_account("10680", "CAD", "100.00"),
        an_account("10500", "USD", "-72.00"),
    ]
    exchange: Any = {
        "totals": [
            {"cleared": False, "paid": {"amount": "100.00"}, "settled": {"amount": "73.00"}},
            {"cleared": True, "paid": {"amount": "50.00"}, "settled": {"amount": "36.50"}},
        ]
    }
    known = year_accounts.Known(tally, stripe, exchange, {"EUR": Decimal("17.17")})
    shown = year_accounts.beside(known, ledger)
    wrong = {
        name for name, one in shown.items() if Decimal(one["expected"]) != Decimal(one["done"])
    }
    assert wrong == {"counterpart USD", "reserve EUR"}
    assert shown["disputed EUR"]["expected"] == "40.00"
    assert shown["suspense EUR"]["done"] == "-17.17"


def test_money_on_account_lowers_what_customers_owe() -> None:
    expected = Expected()
    tally = a_tally(owed="100.00", acquainted="17.17", acquaintances=1, strangers=1)
    expected.live(2, tally)
    assert expected.held() == 1
    assert expected.due["payments"] == 1
    assert expected.receivables(tally) == {"USD": Decimal("82.83")}


def test_a_lost_dispute_is_a_loss_in_one_month_and_owed_again_in_another() -> None:
    expected = Expected()
    expected.live(0, a_tally(lost="50.00") | {"counts": Counter(lost=1)})
    both: Any = a_tally(lost="80.00") | {"counts": Counter(lost=2)}
    expected.live(2, both)
    assert (expected.due["losses"], expected.due["disputes_undone"]) == (1, 1)
    assert expected.due["payments"] == -1
    assert expected.receivables(both) == {"USD": Decimal("30.00")}


def test_a_voided_conversion_is_posted_anew_as_the_month_of_its_restoring_has_it() -> None:
    expected = Expected()
    first: Any = a_tally() | {"counts": Counter(converted=3)}
    expected.live(1, first)
    both: Any = a_tally() | {"counts": Counter(converted=3, voided_converted=1)}
    expected.live(2, both)
    assert [in_month(month)["fx"] for month in (1, 2)] == ["list", "gain_loss"]
    assert expected.due["conversions"] == 2 + 2


def test_a_refund_that_fails_leaves_its_memo_to_the_customer() -> None:
    expected = Expected()
    first: Any = a_tally(owed="100.00", failing="20.00")
    expected.live(1, first)
    both: Any = a_tally(owed="100.00", failing="50.00")
    expected.live(2, both)
    assert [in_month(month)["refunds"] for month in (1, 2)] == ["credit_memo", "journal"]
    assert expected.receivables(both) == {"USD": Decimal("80.00")}


def a_document(**values: object) -> Any:
    return {name: {"value": value} for name, value in values.items()}


def test_a_fee_counts_once_wherever_it_stands_and_a_refund_in_either_shape() -> None:
    def journal(description: str) -> Any:
        return a_document(Module="GL", Status="Posted", Description=description)

    paid = a_document(Type="Payment", Status="Closed", PaymentRef="ch_1")
    back = a_document(Type="Refund", Status="Voided", PaymentRef="re_1")
    books: Any = {
        "documents?type=JournalTransaction": [
            journal("Stripe fee of ch_2 txn_2"),
            journal("Stripe fees of payout po_1 (5 balance transactions)"),
            journal("Stripe fee kept of ch_3 txn_3"),
            journal("Stripe refund re_2 of ch_4"),
            journal("Stripe stripe charge txn_5 of 2025-01-31"),
            journal("Stripe fee of ch_6 txn_6"),
            journal("Undo of JournalTransaction GL 000006: Stripe fee of ch_6 txn_6"),
        ],
        "documents?type=Payment&expand=Charges": [
            paid | {"Charges": [{}]},
            a_document(Type="Payment", Status="Closed", PaymentRef="ch_5") | {"Charges": []},
            back,
        ],
    }
    found = found_documents(lambda _side, what: books[what])
    assert found == {"fees": 8, "refunds": 2, "refund_failures": 1, "bills": 1, "payments": 2}


def test_a_movement_that_nobody_has_heard_of_waits_until_it_is_mapped() -> None:
    expected = Expected()
    expected.live(0, a_tally())
    expected.live(1, a_tally(unheard=1))
    assert expected.held() == 1
    expected.choose(2)
    assert expected.held() == 0
    assert expected.due["suspense"] == 1
