"""The value wrapper: absent, null and value stay three things, and no digit is lost."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.acumatica.fields import (
    ABSENT,
    NEVER,
    Field,
    cleared,
    day,
    decode,
    encode,
    exact,
    held,
    instant,
    sent,
    text,
)
from ml_connector.basics.errors import Bug


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    text: Field[str] = ABSENT
    amount: Field[Decimal] = ABSENT
    mark: Field[bool] = ABSENT


DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=None, min_value=-(10**20), max_value=10**20
)


def fields(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.just(Field()), st.just(Field(None)), values.map(Field))


@given(fields(st.text()), fields(DECIMALS), fields(st.booleans()))
def test_absent_null_and_value_survive_the_wire_with_every_digit(
    words: Field[str], amount: Field[Decimal], mark: Field[bool]
) -> None:
    sample = Sample(words, amount, mark)
    back = decode(encode(sample), Sample)
    assert back == sample
    if amount.known:
        assert str(back.amount.value) == str(amount.value)


@given(DECIMALS.map(lambda amount: round(amount, 6).normalize()))
def test_an_amount_is_sent_with_all_its_digits_and_never_as_an_exponent(amount: Decimal) -> None:
    body = encode(Sample(amount=exact(amount)))
    assert b"E" not in body
    assert decode(body, Sample).amount.value == amount


def test_a_field_left_alone_is_not_sent_and_a_cleared_one_is_null() -> None:
    assert encode(Sample()) == b"{}"
    assert encode(Sample(text=cleared())) == b'{"text":{"value":null}}'
    assert encode(Sample(text=sent(""))) == b'{"text":{"value":""}}'


def test_an_empty_wrapper_reads_as_absent() -> None:
    assert decode(b'{"text":{}}', Sample).text == Field()


def test_a_number_sent_as_text_is_still_exact() -> None:
    assert decode(b'{"amount":{"value":"2.00"}}', Sample).amount.value == Decimal("2.00")


def test_stored_padding_is_not_part_of_a_key() -> None:
    assert text(sent("MAIN      ")) == "MAIN"
    assert text(Field(None)) == ""


@pytest.mark.parametrize(
    "written", ["2024-12-14T00:00:00+00:00", "2024-12-14T23:30:00-11:00", "2024-12-14"]
)
def test_a_business_date_is_the_day_that_is_written_whatever_the_offset(written: str) -> None:
    assert day(sent(written)) == date(2024, 12, 14)


def test_an_instant_is_moved_to_utc() -> None:
    written = sent("2023-12-14T17:20:45.16+03:00")
    assert instant(written) == datetime(2023, 12, 14, 14, 20, 45, 160_000, UTC)
    assert instant(Field()) == NEVER


def test_a_record_without_its_key_is_named() -> None:
    with pytest.raises(Bug, match="ReferenceNbr"):
        held(Field(), "ReferenceNbr")
