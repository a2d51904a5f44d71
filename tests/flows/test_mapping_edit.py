"""A mapping's text: what is written is what is read, and an edit touches one key only."""

import msgspec
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.mapping import CurrencyAccounts, Mapping, Role, TransitAccounts, problems
from ml_connector.books.mirror import Adopt, MirrorPolicies, Selection
from ml_connector.books.policies import Policies, WhenConverted, WhenLost, WhenUnmatched
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.mapping.mapping_edit import Changed, differences, drop, put
from ml_connector.flows.mapping.mapping_text import mapping_of, read_body

WHOLE = SANDBOX_MAPPING.read_text("utf-8")
CODES = ("USD", "EUR", "JPY")

words = st.text(min_size=1, max_size=8)
lists = st.lists(words, max_size=2).map(tuple)
selections = st.builds(Selection, lists, lists)
mirrors = st.builds(
    MirrorPolicies, st.sampled_from(Adopt), selections, selections, selections, st.booleans(),
    st.sampled_from(["Invoice", "SalesInvoice"]),
)  # fmt: skip
policies = st.builds(
    Policies, st.sampled_from(WhenUnmatched), st.sampled_from(WhenLost),
    st.sampled_from(WhenConverted),
)  # fmt: skip


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    """Sound mappings with account codes of any signs."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, unique=True))
    least = 3 * len(codes) + 5
    names = draw(st.lists(words, min_size=least, max_size=least, unique=True))
    take = iter(names)
    return Mapping(
        version=0,
        time_zone="Europe/Berlin",
        branch=draw(st.text()),
        subaccount=draw(st.text()),
        payment_method=draw(st.text()),
        currencies={code: CurrencyAccounts(next(take), next(take), next(take)) for code in codes},
        accounts=dict.fromkeys(draw(st.sets(st.sampled_from(list(map(str, Role))))), next(take)),
        pairs=dict.fromkeys(draw(st.sets(st.text(), max_size=3)), next(take)),
        policies=draw(policies),
        transit={"CAD": TransitAccounts(next(take), next(take), next(take))},
        mirror=draw(mirrors),
    )


@settings(max_examples=25)
@given(mappings())
def test_a_sound_mapping_written_as_text_reads_as_the_same_mapping(mapping: Mapping) -> None:
    assert problems(mapping) == []
    body = msgspec.to_builtins(mapping)
    text = tomlkit.dumps({k: v for k, v in body.items() if k not in {"version", "time_zone"}})
    assert mapping_of(read_body(text), 0, mapping.time_zone) == mapping


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("accounts.fees", "81000", 'fees = "81000"'),
        ("currencies.USD.bank", "10500",
         'bank = "10500"            # the general ledger account of the bank'),
        ("policies.unmatched", "suspense", 'unmatched = "suspense"'),
        ('pairs."contribution/contribution"', "81000", '"contribution/contribution" = "81000"'),
        ("mirror.send", "true", "send = true"),
        ("mirror.terms.exclude", '["COD"]', 'exclude = ["COD"]'),
    ],
)  # fmt: skip
def test_one_key_is_set_and_every_other_line_stays(key: str, value: str, line: str) -> None:
    text = put(WHOLE, key, value)
    assert line in text.splitlines()
    kept = set(WHOLE.splitlines()) - set(text.splitlines())
    assert len(kept) <= 1
    assert len(differences(read_body(WHOLE), read_body(text))) == 1
    assert put(text, key, value) == text


def test_a_key_that_was_set_is_taken_out_again_without_a_trace_in_the_meaning() -> None:
    text = put(WHOLE, "policies.unmatched", "suspense")
    assert read_body(drop(text, "policies.unmatched")) == {
        **read_body(WHOLE), "policies": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("policies.unmatched", "guess", "guess"),
        ("policies.unmached", "hold", "unmached"),
        ("mirror.send", "perhaps", "mirror.send"),
        ("branch.name", "X", "'branch.name' cannot be a key"),
        ("", "X", "'' cannot be a key"),
        ("accounts.fees", "10650", "clearing account"),
    ],
)
def test_what_would_not_read_as_a_sound_mapping_is_refused(
    key: str, value: str, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        put(WHOLE, key, value)


@pytest.mark.parametrize("key", ["policies.unmatched", "branch.name", "accounts", ""])
def test_a_key_that_is_not_there_cannot_be_taken_out(key: str) -> None:
    text = drop(WHOLE, "accounts") if key == "accounts" else WHOLE
    with pytest.raises(Misconfigured, match="has no key"):
        drop(text, key)


def test_differences_name_each_key_with_both_values() -> None:
    before = {"branch": "A", "mirror": {"send": False}, "pairs": {"x/y": "1"}}
    after = {"branch": "B", "mirror": {"send": False, "terms": {"exclude": ["COD"]}}, "pairs": {}}
    assert differences(before, after) == [
        Changed("branch", "A", "B"),
        Changed("mirror.terms.exclude", None, '["COD"]'),
        Changed('pairs."x/y"', "1", None),
    ]
