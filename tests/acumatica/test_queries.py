"""Addresses and filters as the contract wants them."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.acumatica.queries import Addresses, addressable, keys_of, moment, query_string
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ErpRef, erp_ref

VERSION = EndpointVersion("Default", "24.200.001")
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="|\r\n"), min_size=1, max_size=20)


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    there = datetime(2026, 1, 31, 13, 0, 0, 123_456, timezone(timedelta(hours=3)))
    assert moment(there) == "datetimeoffset'2026-01-31T10:00:00.123+00:00'"
    assert moment(there.astimezone(UTC)) == moment(there)


@given(st.dictionaries(st.sampled_from(["$filter", "$select", "$top"]), WORDS))
def test_a_query_arrives_as_it_was_meant(query: dict[str, str]) -> None:
    arrived = parse_qs(query_string(query).removeprefix("?"), keep_blank_values=True)
    assert {name: values[0] for name, values in arrived.items()} == query


@given(st.lists(WORDS.filter(lambda word: word.strip() == word), min_size=1, max_size=3))
def test_keys_stay_keys_whatever_is_in_them(keys: list[str]) -> None:
    ref = erp_ref(*keys)
    path = keys_of(ref)
    assert [unquote(part) for part in path.split("/")] == keys
    assert addressable(ref) is not any("/" in key for key in keys)


def test_a_type_with_a_space_is_encoded() -> None:
    assert keys_of(ErpRef("Credit Memo|000012")) == "Credit%20Memo/000012"


@pytest.mark.parametrize("base", ["https://erp.example.com/Erp", "https://erp.example.com"])
def test_an_operation_is_rooted_at_the_host_and_not_at_the_sites_directory(base: str) -> None:
    addresses = Addresses(base + "/", VERSION)
    assert addresses.of("Payment") == f"{base}/entity/Default/24.200.001/Payment"
    there = addresses.operation("/Erp/entity/Default/24.200.001/Payment/x/status/1")
    assert urlsplit(there).path == "/Erp/entity/Default/24.200.001/Payment/x/status/1"
    assert urlsplit(there).netloc == "erp.example.com"


@pytest.mark.parametrize(
    "location",
    ["https://elsewhere.example/x", "//elsewhere.example/x", "https://erp.example.com.evil/x"],
)
def test_an_operation_on_another_host_is_refused(location: str) -> None:
    with pytest.raises(Misconfigured):
        Addresses("https://erp.example.com", VERSION).operation(location)


@pytest.mark.parametrize("url", ["erp.example.com", "", "ftp://erp.example.com"])
def test_an_address_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="URL"):
        Addresses(url, VERSION)
