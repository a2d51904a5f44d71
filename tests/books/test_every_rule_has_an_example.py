"""No rule of money without an example that a reader can check with a pencil."""

import importlib.util
from pathlib import Path

import pytest

from build.examples import SHOWN, named, shows
from build.ledger import KNOWN_PAIRS
from ml_connector.books.policies import (
    FeesPosted,
    RefundsAs,
    WhenConverted,
    WhenLost,
    WhenUnmatched,
)
from ml_connector.books.postings import Purpose

TESTS = Path(__file__).parent.parent
CHOICES = [WhenUnmatched, WhenLost, WhenConverted, FeesPosted, RefundsAs]
"""The policies that change which accounts are touched; the others change days and states."""


@pytest.fixture(scope="module", autouse=True)
def read() -> None:
    """Each page with examples is read, whichever tests were asked for."""
    for page in sorted([*TESTS.glob("books/test_*.py"), *TESTS.glob("flows/test_*.py")]):
        if "@shows(" in page.read_text("utf-8") and page != Path(__file__):
            spec = importlib.util.spec_from_file_location(f"examples_of_{page.stem}", page)
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("pair", KNOWN_PAIRS)
def test_every_rule_has_an_example_in_t_accounts(pair: str) -> None:
    assert SHOWN.get(named(pair)), f"no test shows what {pair} does to the accounts"


@pytest.mark.parametrize("purpose", Purpose)
def test_every_reason_for_a_document_has_an_example_in_t_accounts(purpose: Purpose) -> None:
    assert SHOWN.get(named(purpose)), f"no test shows what {purpose!r} does to the accounts"


@pytest.mark.parametrize("choice", [choice for kind in CHOICES for choice in kind])
def test_every_choice_of_a_policy_has_an_example_in_t_accounts(choice: str) -> None:
    assert SHOWN.get(named(choice)), f"no test shows what {choice!r} does to the accounts"


def test_no_example_is_of_a_rule_that_is_not_there() -> None:
    pairs = {name for kind, name in SHOWN if kind == "pair"}
    assert pairs == set(KNOWN_PAIRS)


def test_a_test_that_draws_nothing_is_no_example() -> None:
    def silent() -> None:
        """A charge of 108.25 goes to clearing."""

    with pytest.raises(AssertionError, match="silent draws no T-accounts"):
        shows("charge/charge")(silent)
