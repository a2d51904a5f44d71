"""Keys and tags are made from facts: the same facts give the same key, others another."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.ids import (
    ConnectionId,
    ErpRef,
    PostingKey,
    erp_keys,
    erp_ref,
    idempotency_key,
    posting_tag,
)

MAIN = ConnectionId("main")
words = st.text(st.characters(codec="utf-8", exclude_characters="|"), max_size=20)
names = st.text(st.sampled_from("abcdefghij0123456789_"), min_size=1, max_size=30)


def test_a_record_is_named_by_its_keys_in_the_order_of_its_form() -> None:
    assert erp_ref("Invoice", "000123") == "Invoice|000123"
    assert erp_ref("C000012 ") == "C000012"
    assert erp_keys(ErpRef("GL|000045")) == ("GL", "000045")


@given(st.lists(words, min_size=1, max_size=4))
def test_the_keys_of_a_record_can_be_taken_apart_again(keys: list[str]) -> None:
    assert erp_keys(erp_ref(*keys)) == tuple(key.strip() for key in keys)


def test_a_tag_never_changes_because_documents_in_the_ledger_carry_it() -> None:
    assert posting_tag(MAIN, PostingKey("fee:txn_1")) == "mlc7oxdvuldqrqd"


@given(names, names)
def test_a_tag_fits_the_fifteen_characters_of_a_journal_line(connection: str, key: str) -> None:
    tag = posting_tag(ConnectionId(connection), PostingKey(key))
    assert re.fullmatch("mlc[a-z2-7]{12}", tag)
    assert tag == posting_tag(ConnectionId(connection), PostingKey(key))


@given(st.sets(st.tuples(names, names), min_size=2, max_size=50))
def test_each_posting_of_each_connection_has_its_own_tag(keys: set[tuple[str, str]]) -> None:
    tags = {posting_tag(ConnectionId(connection), PostingKey(key)) for connection, key in keys}
    assert len(tags) == len(keys)


def test_ten_thousand_postings_have_ten_thousand_tags() -> None:
    tags = {posting_tag(MAIN, PostingKey(f"fee:txn_{number}")) for number in range(10_000)}
    assert len(tags) == 10_000


def test_a_write_key_begins_with_our_own_name_for_it() -> None:
    key = idempotency_key(MAIN, "Invoice|000123", "create", payload=b"{}")
    assert re.fullmatch(r"main:Invoice\|000123:create:[0-9a-f]{16}", key)
    assert key == idempotency_key(MAIN, "Invoice|000123", "create", payload=b"{}")


@given(st.lists(names, min_size=1, max_size=30), st.binary(), st.binary())
def test_a_corrected_payload_is_a_new_request(
    parts: list[str], first: bytes, second: bytes
) -> None:
    one = idempotency_key(MAIN, *parts, payload=first)
    other = idempotency_key(MAIN, *parts, payload=second)
    assert (one == other) == (first == second)
    assert len(one) <= 255


def test_two_long_names_stay_apart_though_only_their_beginnings_are_readable() -> None:
    one = idempotency_key(MAIN, "a" * 300 + "1", payload=b"{}")
    other = idempotency_key(MAIN, "a" * 300 + "2", payload=b"{}")
    assert one != other
    assert len(one) == len(other) == 255


def test_names_that_only_differ_in_where_they_are_cut_stay_apart() -> None:
    assert idempotency_key(MAIN, "a:b", payload=b"") != idempotency_key(MAIN, "a", "b", payload=b"")
