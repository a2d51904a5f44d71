"""The currency table is Stripe's, and differs from the ISO standard only where Stripe does."""

from decimal import Decimal

import pytest
from iso4217 import Currency

from build.strategies import EVERY_CURRENCY
from ml_connector.basics.currencies import (
    LARGEST_CHARGE,
    MINIMUM_CHARGE,
    THREE_DECIMAL,
    TWO_DECIMAL,
    WHOLE_UNITS_IN_HUNDREDTHS,
    ZERO_DECIMAL,
    exponent,
    largest_charge,
    smallest_step,
)
from ml_connector.basics.money import Money

ISO = {currency.code: currency.exponent for currency in Currency}

# No longer in the standard (Curacao's guilder replaced, Bulgaria and Croatia joined the euro);
# older documents in them still exist.
WITHDRAWN = {"ANG", "BGN", "HRK"}


def test_each_currency_stands_in_one_list_only() -> None:
    lists = (ZERO_DECIMAL, THREE_DECIMAL, TWO_DECIMAL, WHOLE_UNITS_IN_HUNDREDTHS)
    assert len(EVERY_CURRENCY) == sum(len(codes) for codes in lists)


def test_every_code_is_a_currency_of_the_standard() -> None:
    assert set(EVERY_CURRENCY) - set(ISO) <= WITHDRAWN


def test_decimals_differ_from_the_standard_only_where_stripe_says_so() -> None:
    different = {code for code in EVERY_CURRENCY if code in ISO and ISO[code] != exponent(code)}
    assert different == {"ISK", "UGX", "MGA"}


@pytest.mark.parametrize(
    ("code", "decimals"),
    [("JPY", 0), ("KRW", 0), ("USD", 2), ("HUF", 2), ("TWD", 2), ("ISK", 2), ("KWD", 3)],
)
def test_a_known_currency_has_its_decimals(code: str, decimals: int) -> None:
    assert exponent(code) == decimals


@pytest.mark.parametrize("code", ["", "usd", "XXX", "IQD", "BTC"])
def test_the_decimals_of_an_unknown_currency_are_not_guessed(code: str) -> None:
    assert exponent(code) is None


@pytest.mark.parametrize(
    ("code", "step"), [("USD", 1), ("JPY", 1), ("KWD", 10), ("ISK", 100), ("UGX", 100), ("HUF", 1)]
)
def test_charges_come_in_the_steps_that_the_card_networks_take(code: str, step: int) -> None:
    assert smallest_step(code) == step


def test_one_charge_has_eight_digits_at_most_and_twelve_in_rupiah() -> None:
    assert largest_charge("USD") == LARGEST_CHARGE == 99_999_999
    assert largest_charge("IDR") == 999_999_999_999


def test_the_least_charges_are_of_known_currencies_and_can_be_charged() -> None:
    for code, least in MINIMUM_CHARGE.items():
        assert exponent(code) is not None
        assert 0 < least < largest_charge(code)
        assert least % smallest_step(code) == 0


def test_the_least_charges_are_those_that_stripe_publishes() -> None:
    published = """
        USD 0.50  AED 2.00  AUD 0.50  BGN 1.00  BRL 0.50  CAD 0.50  CHF 0.50  CZK 15.00
        DKK 2.50  EUR 0.50  GBP 0.30  HKD 4.00  HUF 175.00  INR 0.50  JPY 50  MXN 10.00
        MYR 2.00  NOK 3.00  NZD 0.50  PLN 2.00  RON 2.00  SEK 3.00  SGD 0.50  THB 10.00
    """.split()
    amounts = dict(zip(published[::2], map(Decimal, published[1::2]), strict=True))
    table = {code: Money(least, code).decimal for code, least in MINIMUM_CHARGE.items()}
    assert table == amounts
