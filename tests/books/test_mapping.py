"""A mapping's gaps are found before money meets them, each as a sentence."""

from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import ACCOUNTS, CLEARING, a_mapping, dollar_accounts, euro_accounts
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.books.hold import Hold
from ml_connector.books.mapping import (
    CurrencyAccounts,
    Mapping,
    NotMapped,
    Role,
    problems,
    require_sound,
)

DOLLARS = dollar_accounts()
EUROS = euro_accounts()


def test_a_sound_mapping_has_no_problem() -> None:
    mapping = a_mapping(pairs={"contribution/contribution": "61000"})
    assert problems(mapping) == []
    assert require_sound(mapping) is mapping


@pytest.mark.parametrize("role", Role)
def test_every_role_has_the_account_that_the_mapping_names(role: Role) -> None:
    assert a_mapping().account(role) == ACCOUNTS[role]


@pytest.mark.parametrize("accounts", [{}, {"fees": ""}])
def test_a_role_without_account_is_asked_for_by_name(accounts: ReadOnly[str, str]) -> None:
    with pytest.raises(NotMapped, match="no account for the role 'fees'") as gap:
        a_mapping(accounts=accounts).account(Role.FEES)
    assert isinstance(gap.value, AskAPerson)
    assert gap.value.cause == "mapping.account:fees"
    assert "Add it to the connection's mapping" in gap.value.remedy


def test_a_settlement_currency_has_its_own_accounts() -> None:
    assert a_mapping().of_currency("EUR") == EUROS


def test_a_settlement_currency_without_accounts_is_asked_for_by_name() -> None:
    with pytest.raises(NotMapped, match="no account for the settlement currency JPY") as gap:
        a_mapping().of_currency("JPY")
    assert gap.value.cause == "mapping.currency:JPY"


def test_a_mapping_knows_its_time_zone() -> None:
    assert a_mapping(time_zone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")


PLANTED: dict[str, tuple[Mapping, str]] = {
    "no currency": (a_mapping(currencies={}), "No settlement currency is mapped"),
    "an unknown currency": (
        a_mapping(currencies={"XXX": DOLLARS}),
        "The currency 'XXX' is not one that Stripe knows.",
    ),
    "a lower-case currency": (
        a_mapping(currencies={"usd": DOLLARS}),
        "The currency 'usd' is not one that Stripe knows.",
    ),
    "no clearing cash account": (
        a_mapping(currencies={"USD": replace(DOLLARS, clearing_cash="")}),
        "USD lacks its clearing cash, clearing or bank account.",
    ),
    "no clearing account": (
        a_mapping(currencies={"USD": replace(DOLLARS, clearing="")}),
        "USD lacks its clearing cash, clearing or bank account.",
    ),
    "no bank account": (
        a_mapping(currencies={"USD": replace(DOLLARS, bank="")}),
        "USD lacks its clearing cash, clearing or bank account.",
    ),
    "a bank account that is the clearing account": (
        a_mapping(currencies={"USD": replace(DOLLARS, bank=CLEARING)}),
        f"The account {CLEARING} of 'bank USD' is a clearing account",
    ),
    "a bank account that is another currency's clearing account": (
        a_mapping(currencies={"USD": DOLLARS, "EUR": replace(EUROS, bank=CLEARING)}),
        f"The account {CLEARING} of 'bank EUR' is a clearing account",
    ),
    "one clearing cash account for two currencies": (
        a_mapping(currencies={"USD": DOLLARS, "EUR": replace(EUROS, clearing_cash="STRIPEUSD")}),
        "The clearing cash account STRIPEUSD serves more than one currency.",
    ),
    "one clearing account for two currencies": (
        a_mapping(currencies={"USD": DOLLARS, "EUR": replace(EUROS, clearing=CLEARING)}),
        f"The clearing account {CLEARING} serves more than one currency.",
    ),
    "one bank account for two currencies": (
        a_mapping(currencies={"USD": DOLLARS, "EUR": replace(EUROS, bank=DOLLARS.bank)}),
        f"The bank account {DOLLARS.bank} serves more than one currency.",
    ),
    "an unknown role": (
        a_mapping(accounts={**ACCOUNTS, "fee": "1"}),
        "'fee' is not a role of an account; the roles are fees, input_tax, refunds,",
    ),
    "a role on the clearing account": (
        a_mapping(accounts={**ACCOUNTS, Role.FEES: CLEARING}),
        f"The account {CLEARING} of 'fees' is a clearing account; it may hold nothing else.",
    ),
    "a pair on the clearing account": (
        a_mapping(pairs={"topup/topup": CLEARING}),
        f"The account {CLEARING} of 'topup/topup' is a clearing account",
    ),
    "a pair without account": (
        a_mapping(pairs={"topup/topup": ""}),
        "The pair 'topup/topup' has no account.",
    ),
    "a kind of fee on the clearing account": (
        a_mapping(fee_kinds={"network_levy": CLEARING}),
        f"The account {CLEARING} of 'fee kind network_levy' is a clearing account",
    ),
    "a kind of fee without account": (
        a_mapping(fee_kinds={"network_levy": ""}),
        "The kind of fee 'network_levy' has no account.",
    ),
    "the balance of payments by hand": (
        replace(a_mapping(), balances_by_hand=("issuing", "payments")),
        "The balance of payments is what is booked; it cannot be booked by hand.",
    ),
    "a hold on what is no charge": (
        replace(a_mapping(), hold=Hold(charges=("ch_1", "pi_1"))),
        "hold.charges names 'pi_1', which is no charge of Stripe's (ch_... or py_...).",
    ),
    "a time zone that does not exist": (
        a_mapping(time_zone="Europe/Atlantis"),
        "'Europe/Atlantis' is not a time zone, such as Europe/Berlin.",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_problem_is_found_and_said_once(planted: str) -> None:
    mapping, sentence = PLANTED[planted]
    found = problems(mapping)
    assert len(found) == 1
    assert found[0].startswith(sentence)
    with pytest.raises(Misconfigured) as refusal:
        require_sound(mapping)
    assert refusal.value.sentence == found[0]
    assert refusal.value.cause == "mapping.unsound"


def test_all_problems_are_told_at_once() -> None:
    empty = CurrencyAccounts(clearing_cash="", clearing="", bank="")
    found = problems(a_mapping(currencies={"XXX": empty}, accounts={"x": "1"}, time_zone="nowhere"))
    assert len(found) == 4
    with pytest.raises(Misconfigured) as refusal:
        require_sound(a_mapping(currencies={}, time_zone="nowhere"))
    assert "No settlement currency" in refusal.value.sentence
    assert "'nowhere' is not a time zone" in refusal.value.sentence


@pytest.mark.parametrize("name", ["", "Europe", "../etc/localtime", "/etc/localtime", "x" * 300])
def test_what_only_looks_like_a_time_zone_is_a_problem_and_no_crash(name: str) -> None:
    assert len(problems(a_mapping(time_zone=name))) == 1


@given(st.text(max_size=30))
def test_any_text_as_a_time_zone_gives_an_answer(name: str) -> None:
    assert len(problems(a_mapping(time_zone=name))) <= 1
