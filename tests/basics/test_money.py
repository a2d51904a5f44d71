"""Money is exact, of one currency, and never rounded."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import money
from build.strategies import amounts, any_money, currencies
from ml_connector.basics.currencies import exponent
from ml_connector.basics.errors import Bug
from ml_connector.basics.money import (
    Money,
    NotAnAmount,
    TooManyDecimals,
    UnknownCurrency,
    total,
    totals,
)


@given(any_money)
def test_an_amount_comes_back_from_its_decimal_unchanged(amount: Money) -> None:
    assert Money.of(amount.decimal, amount.currency) == amount


@given(any_money)
def test_a_decimal_shows_as_many_digits_as_its_currency_has(amount: Money) -> None:
    assert -amount.decimal.as_tuple().exponent == exponent(amount.currency)


@given(any_money)
def test_no_arithmetic_setting_of_the_program_changes_an_amount(amount: Money) -> None:
    with localcontext() as context:
        context.prec = 2
        assert Money.of(amount.decimal, amount.currency) == amount


@given(any_money, st.integers(1, 9), st.integers(1, 40))
def test_an_amount_finer_than_the_smallest_coin_is_refused(
    amount: Money, digit: int, further: int
) -> None:
    places = (exponent(amount.currency) or 0) + further
    sign = "-" if amount.minor < 0 else ""
    finer = Decimal(f"{sign}{abs(amount.minor)}{'0' * (further - 1)}{digit}e-{places}")
    with pytest.raises(TooManyDecimals, match=f"more decimals than {amount.currency}") as refusal:
        Money.of(finer, amount.currency)
    assert str(finer) in refusal.value.sentence
    assert "Correct the amount" in refusal.value.remedy


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12", "USD", 1200),
        ("12.00", "usd", 1200),
        ("12.0000", "USD", 1200),
        ("1.2E+1", "USD", 1200),
        ("-0.01", "USD", -1),
        ("500", "JPY", 500),
        ("5.120", "KWD", 5120),
        ("7", "ISK", 700),
        ("7", "UGX", 700),
        ("0", "EUR", 0),
    ],
)
def test_amounts_travel_in_stripes_minor_units(amount: str, currency: str, minor: int) -> None:
    assert Money.of(Decimal(amount), currency).minor == minor


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(NotAnAmount, match="is not an amount of USD"):
        Money.of(Decimal(amount), "USD")


@pytest.mark.parametrize("code", ["XXX", "IQD", "", "BTC", "us"])
def test_an_unknown_currency_is_refused_by_name(code: str) -> None:
    for attempt in (
        lambda: Money(1, code),
        lambda: Money.of(Decimal(1), code),
        lambda: Money.wire(1, code),
        lambda: Money.zero(code),
    ):
        with pytest.raises(UnknownCurrency) as refusal:
            attempt()
        assert repr(code.upper()) in refusal.value.sentence.upper()


def test_a_lower_case_code_is_only_known_on_the_wire() -> None:
    assert Money.wire(1200, "usd") == money("12.00 USD")
    with pytest.raises(UnknownCurrency):
        Money(1200, "usd")


@given(amounts(), amounts())
def test_adding_and_taking_away_are_integer_arithmetic(one: Money, other: Money) -> None:
    assert (one + other).minor == one.minor + other.minor
    assert one + other - other == one
    assert one - other == -(other - one)
    assert abs(one).minor == abs(one.minor)
    assert bool(one) == (one.minor != 0)


@given(amounts(), amounts())
def test_amounts_of_one_currency_stand_in_the_order_of_their_size(one: Money, other: Money) -> None:
    assert (one < other) == (one.minor < other.minor)
    assert (one <= other) == (one.minor <= other.minor)
    assert (one > other) == (one.minor > other.minor)
    assert (one >= other) == (one.minor >= other.minor)


def test_amounts_of_two_currencies_never_meet() -> None:
    dollars, yen = money("1.00 USD"), money("1 JPY")
    for attempt in (
        lambda: dollars + yen,
        lambda: dollars - yen,
        lambda: dollars < yen,
        lambda: dollars <= yen,
        lambda: total([dollars, yen], "USD"),
    ):
        with pytest.raises(Bug, match=r"1\.00 USD and 1 JPY are not of one currency"):
            attempt()
    assert dollars != Money(100, "EUR")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(123456789, "USD"), "1,234,567.89 USD"),
        (Money(-5, "USD"), "-0.05 USD"),
        (Money(0, "USD"), "0.00 USD"),
        (Money(1000, "JPY"), "1,000 JPY"),
        (Money(5120, "KWD"), "5.120 KWD"),
    ],
)
def test_a_person_reads_an_amount_with_its_currency(amount: Money, text: str) -> None:
    assert str(amount) == text


@given(st.lists(amounts()))
def test_a_total_is_the_sum_of_its_amounts(several: list[Money]) -> None:
    assert total(several, "USD").minor == sum(amount.minor for amount in several)


def test_nothing_adds_up_to_zero_of_the_currency() -> None:
    assert total([], "JPY") == Money(0, "JPY")
    assert totals([]) == {}


@given(st.lists(st.builds(Money, st.integers(-(10**6), 10**6), currencies)))
def test_totals_keep_the_currencies_apart(several: list[Money]) -> None:
    sums = totals(several)
    assert list(sums) == list(dict.fromkeys(amount.currency for amount in several))
    for currency, amount in sums.items():
        assert amount == total((a for a in several if a.currency == currency), currency)
