"""How a scenario's books are judged: what is not as it must be is said, and nothing else."""

from typing import Any

import pytest

from ml_connector.cli.trials.findings import COUNTED, complaints

Facts = dict[str, Any]


def story(**changes: object) -> Facts:
    """A scenario that expects one payment with its fee."""
    kinds = dict.fromkeys(COUNTED, 0) | {"payments": 1, "fees": 1}
    return {**kinds, "owed": {}, "unposted": {}, "held": {}, "mirrored": None} | changes


def books(**changes: object) -> Facts:
    """Books that show just that."""
    kinds = dict.fromkeys(COUNTED, 0) | {"payments": 1, "fees": 1}
    level = {"clearing": "96.80", "stripe": "96.80", "named": "0.00", "difference": "0.00"}
    found: Facts = {**kinds, "owed": {}, "unposted": {}, "items": [], "held": []}
    found |= {"mirrored": {"paid": 1}, "currencies": {"USD": level}, "doubled": []}
    found |= {"trial_balance": "0", "receivables_difference": "0", "violations": []}
    return found | changes


def trouble(cause: str, *, count: int = 1, remedy: str = "Do this.") -> Facts:
    return {"cause": cause, "count": count, "sentence": "It waits.", "remedy": remedy}


def item(reason: str) -> Facts:
    money = {"amount": "5.00", "currency": "USD"}
    return {"transaction": "txn_1", "amount": money, "reason": reason}


def test_books_that_show_what_the_story_says_are_good() -> None:
    assert complaints(story(), books()) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"payments": 2}, "2 payments instead of 1"),
        ({"refunds": 1}, "1 refunds instead of 0"),
        ({"owed": {"USD": "1.00"}}, "owed is"),
        ({"unposted": {"USD": "1.00"}}, "unposted is"),
        ({"doubled": ["ch_1"]}, "Stands twice: ch_1"),
        ({"violations": ["po_1 pays too much"]}, "po_1 pays too much"),
        ({"trial_balance": "0.01"}, "trial balance is 0.01"),
        ({"receivables_difference": "3"}, "receivables difference is 3"),
        ({"items": [item("")]}, "txn_1 waits without a reason"),
        ({"held": [trouble("payment.no_invoice")]}, "What waits is {'payment.no_invoice': 1}"),
        ({"currencies": {"USD": {"difference": "-0.01"}}}, "a difference of -0.01"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(found: Facts, words: str) -> None:
    assert any(words in one for one in complaints(story(), books(**found)))


def test_what_waits_is_counted_by_the_beginning_of_its_cause() -> None:
    held = [trouble("invoice.changed:Invoice|000001"), trouble("rules.fx:CAD/USD", count=2)]
    expected = story(held={"invoice.changed": 1, "rules.fx": 2})
    assert complaints(expected, books(held=held)) == []
    assert complaints(story(held={"rules.f": 2, "invoice": 1}), books(held=held)) != []


def test_trouble_without_a_remedy_is_not_good_enough() -> None:
    found = books(held=[trouble("x", remedy="")])
    assert complaints(story(held={"x": 1}), found) == ["There is no remedy for: It waits."]


def test_only_a_story_about_the_mirror_looks_at_invoices() -> None:
    assert complaints(story(mirrored={"open": 1}), books()) != []
    assert complaints(story(mirrored={"paid": 1}), books()) == []
