"""The choices of a year's months, and what the books must show by them."""

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.books.mirror import Adopt
from ml_connector.books.policies import WhenConverted, WhenLost, WhenUnmatched
from ml_connector.books.postings import Purpose
from ml_connector.cli.year_expected import Expected
from ml_connector.cli.year_policies import CHOICES, Used, exercised, in_month, mapping_of
from ml_connector.flows.mapping_text import read_body
from ml_connector.store.usage import Documents

NOTHING = Used([], {}, 0, 0, 0)
FLOWS = "owed lost acquainted".split()


def a_tally(owed: str = "0", lost: str = "0", acquainted: str = "0", **counts: int) -> Any:
    money = dict(zip(FLOWS, (owed, lost, acquainted), strict=True))
    return {"counts": Counter(counts), "money": {"USD": money}}


@given(st.integers(0, 40))
def test_the_mapping_of_every_month_is_sound_and_says_what_is_chosen(month: int) -> None:
    body: Any = read_body(mapping_of(month))
    said = body["policies"] | {name: _word(value) for name, value in body["mirror"].items()}
    assert said == in_month(month)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_twelve_months_put_every_value_of_every_policy_in_force() -> None:
    values = {choice.word: {choice.at(month) for month in range(12)} for choice in CHOICES}
    assert values["unmatched"] == set(WhenUnmatched)
    assert values["dispute_lost"] == set(WhenLost)
    assert values["fx"] == set(WhenConverted)
    assert values["adopt"] == set(Adopt)
    assert all(values[choice.word] == set(choice.shown) for choice in CHOICES)


def test_a_choice_counts_as_used_only_in_the_months_of_its_turn() -> None:
    lost = Used([Documents(1, Purpose.DISPUTE_LOSS, "adjustment/dispute", False, 3)], {}, 0, 0, 0)
    counts = {(word, value): count for word, value, count in exercised([lost, NOTHING])}
    assert counts["dispute_lost", "loss"] == 3
    counts = {(word, value): count for word, value, count in exercised([NOTHING, lost])}
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
    expected.live(1, both)
    assert (expected.due["losses"], expected.due["disputes_undone"]) == (1, 1)
    assert expected.due["payments"] == -1
    assert expected.receivables(both) == {"USD": Decimal("30.00")}


def test_a_movement_that_nobody_has_heard_of_waits_until_it_is_mapped() -> None:
    expected = Expected()
    expected.live(0, a_tally())
    expected.live(1, a_tally(unheard=1))
    assert expected.held() == 1
    expected.choose(2)
    assert expected.held() == 0
    assert expected.due["suspense"] == 1
