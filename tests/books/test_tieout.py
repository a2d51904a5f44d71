"""The clearing account equals the Stripe balance, but for what is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import money
from build.strategies import amounts
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.tieout import Unposted, tie_out


def unposted(amount: str | Money) -> Unposted:
    return Unposted(StripeId("txn_9"), money(amount), "no rule for climate_order_purchase")


@given(amounts(), amounts(), st.lists(amounts()))
def test_the_books_tie_out_exactly_when_clearing_and_the_named_make_up_stripe(
    clearing: Money, stripe: Money, missing: list[Money]
) -> None:
    tied = tie_out("USD", clearing=clearing, stripe=stripe, unposted=list(map(unposted, missing)))
    assert tied.holds == (clearing + total(missing, "USD") == stripe)
    assert tied.holds == (tied.difference == money("0 USD"))


@given(amounts(), st.lists(amounts()))
def test_naming_all_that_is_missing_makes_the_books_tie_out(
    stripe: Money, missing: list[Money]
) -> None:
    clearing = stripe - total(missing, "USD")
    tied = tie_out("USD", clearing=clearing, stripe=stripe, unposted=list(map(unposted, missing)))
    assert tied.holds
    assert tied.named == total(missing, "USD")


def test_a_difference_is_what_the_ledger_has_too_much() -> None:
    tied = tie_out(
        "USD",
        clearing=money("100.00 USD"),
        stripe=money("97.00 USD"),
        unposted=[unposted("-2.00 USD")],
    )
    assert tied.difference == money("1.00 USD")
    assert not tied.holds


def test_items_of_no_money_are_not_listed() -> None:
    tied = tie_out(
        "USD",
        clearing=money("1.00 USD"),
        stripe=money("3.00 USD"),
        unposted=[unposted("0.00 USD"), unposted("2.00 USD")],
    )
    assert tied.unposted == (unposted("2.00 USD"),)
    assert tied.holds


def test_items_of_another_currency_do_not_belong_here() -> None:
    tied = tie_out(
        "USD", clearing=money("0 USD"), stripe=money("0 USD"), unposted=[unposted("5 JPY")]
    )
    with pytest.raises(Bug, match="not of one currency"):
        _ = tied.holds
