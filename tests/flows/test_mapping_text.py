"""A mapping is read strictly: what nobody knows is refused, with the word that was meant."""

import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.mirror import Adopt
from ml_connector.books.policies import WhenUnmatched
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.mapping.mapping_text import parse

WHOLE = SANDBOX_MAPPING.read_text("utf-8")
MIRROR = '\n[mirror]\nadopt = "never"\nterms = { exclude = ["COD"] }\n'

SLIPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a policy": (
        '[policies]\nunmached = "hold"',
        ("[policies] has no word 'unmached'", "did you mean 'unmatched'?", "Line 28"),
    ),
    "the choice of a policy": (
        '[policies]\nunmatched = "suspence"',
        ("policies.unmatched cannot be 'suspence'", "did you mean 'suspense'?", "Line 28"),
    ),
    "a word of the mirror": ('[mirror]\nadpot = "ask"', ("did you mean 'adopt'?", "Line 28")),
    "the form to read": ('[mirror]\nsource = "SaleInvoice"', ("'SalesInvoice'?", "Invoice")),
    "a word of a selection": (
        '[mirror]\nterms = { exlude = ["COD"] }',
        ("[mirror.terms] has no word 'exlude'; did you mean 'exclude'?",),
    ),
    "an account of a currency": (
        '[currencies.EUR]\nclearing_cash = "1"\nclearing = "2"\nbnk = "3"',
        ("[currencies.EUR] has no word 'bnk'; did you mean 'bank'?", "Line 30"),
    ),
    "a transit account": ('[transit.CAD]\nchas = "1"', ("did you mean 'cash'?",)),
    "a whole table": ("[polices]", ("A mapping has no word 'polices'", "'policies'?", "Line 27")),
    "the role of an account": (
        '[accounts.fee]\nx = "1"', ("[accounts] has no word 'fee'; did you mean 'fees'?",)
    ),
    "the connection's own time zone": ('time_zone = "UTC"', ("has no word 'time_zone'",)),
    "a word like no other": ('[policies]\nzzz = "hold"', ("'zzz'. There are ", "unmatched")),
    "a capital letter": ('[policies]\nUnmatched = "hold"', ("did you mean 'unmatched'?",)),
    "a missing quote": ('[policies]\nunmatched = "hold', ("at line 28",)),
    "an account as a number": ("[pairs]\na = 5", ("Expected `str`, got `int`",)),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_and_the_word_that_was_meant_is_named(slip: str) -> None:
    written, parts = SLIPS[slip]
    # TOML wants the words of no table before the first one.
    text = f"{written}\n{WHOLE}" if written.startswith("time_zone") else f"{WHOLE}\n{written}\n"
    with pytest.raises(Misconfigured) as refusal:
        parse(text)
    for part in parts:
        assert part in refusal.value.sentence
    assert refusal.value.cause == "mapping.unreadable"
    assert "docs/mapping.md" in refusal.value.remedy


def test_every_slip_is_named_at_once() -> None:
    slips = f'{WHOLE}\n[policies]\nfix = "list"\n[mirror]\nsent = true\n'
    with pytest.raises(Misconfigured, match=r"'fix'.*'fx'.*'sent'.*'send'"):
        parse(slips)


def test_what_is_written_well_is_what_the_mapping_says() -> None:
    mapping = parse(f'{WHOLE}{MIRROR}[policies]\nunmatched = "suspense"\n', "Europe/Berlin")
    assert mapping.mirror.adopt is Adopt.NEVER
    assert mapping.mirror.terms.exclude == ("COD",)
    assert mapping.policies.unmatched is WhenUnmatched.SUSPENSE
    assert (mapping.branch, mapping.time_zone) == ("HEADOFFICE", "Europe/Berlin")


def test_an_unsound_mapping_is_refused_even_when_every_word_is_known() -> None:
    with pytest.raises(Misconfigured, match="is a clearing account"):
        parse(WHOLE.replace('fees = "61100"', 'fees = "10650"', 1))
