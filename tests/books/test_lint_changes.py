"""No account is left by a change of the mapping while our money still stands on it."""

from dataclasses import replace
from datetime import date

import pytest

from build.records import a_mapping, dollar_accounts, euro_accounts, money
from ml_connector.basics.money import Money
from ml_connector.books.finding import Severity
from ml_connector.books.lint_changes import left_behind
from ml_connector.books.mapping import Mapping, TransitAccounts
from ml_connector.books.tenant import Tenant

CAD = TransitAccounts("TRANSITCAD", "10400", "10500")
NOW = a_mapping(transit={"CAD": CAD})
"""The mapping in force: dollars, euros, and Canadian dollars in transit."""
USD, EUR = dollar_accounts(), euro_accounts()


def tenant(**standing: str) -> Tenant:
    """What stands on the accounts of a currency, by `USD` or by `transit_CAD`."""
    held = {
        name.replace("_", ".") if "_" in name else f"currencies.{name}": money(amount)
        for name, amount in standing.items()
    }
    return Tenant(date(2026, 10, 5), {}, None, in_force=NOW, standing=held)


CHANGES: dict[str, Mapping] = {
    "currencies.USD.clearing": replace(
        NOW, currencies={"USD": replace(USD, clearing="10301"), "EUR": EUR}
    ),
    "currencies.USD.clearing_cash": replace(
        NOW, currencies={"USD": replace(USD, clearing_cash="OTHER"), "EUR": EUR}
    ),
    "currencies.USD": replace(NOW, currencies={"EUR": EUR}),
    "transit.CAD.cash": replace(NOW, transit={"CAD": replace(CAD, cash="OTHER")}),
    "transit.CAD.account": replace(NOW, transit={"CAD": replace(CAD, account="10401")}),
    "transit.CAD": replace(NOW, transit={}),
}


@pytest.mark.parametrize("key", CHANGES)
def test_an_account_with_money_on_it_is_not_left(key: str) -> None:
    (found,) = left_behind(CHANGES[key], tenant(USD="96.80 USD", transit_CAD="-5.00 CAD"))
    assert (found.key, found.severity) == (key, Severity.FAIL)
    usd = key.startswith("currencies")
    account = "STRIPEUSD" if key.endswith("_cash") else "10300" if usd else "10400"
    account = "TRANSITCAD" if key.endswith(".cash") else account
    assert ("96.80 USD" if usd else "-5.00 CAD") in found.sentence
    assert account in found.sentence
    assert account in found.remedy
    assert "--force" in found.remedy


@pytest.mark.parametrize("key", CHANGES)
def test_an_empty_account_may_be_left_and_so_may_one_that_nothing_was_booked_to(key: str) -> None:
    beside = tenant(USD="0.00 USD", EUR="7.00 EUR", transit_CAD="0.00 CAD")
    assert list(left_behind(CHANGES[key], beside)) == []
    assert list(left_behind(CHANGES[key], tenant())) == []


def test_where_no_account_is_left_nothing_is_said() -> None:
    beside = tenant(USD="96.80 USD", EUR="7.00 EUR", transit_CAD="5.00 CAD")
    more = {"GBP": replace(EUR, clearing_cash="STRIPEGBP", clearing="10320", bank="10220")}
    other = replace(NOW, currencies={"USD": replace(USD, bank="10201"), "EUR": EUR, **more})
    accounts = dict.fromkeys(NOW.accounts, "99999")
    assert list(left_behind(replace(other, accounts=accounts), beside)) == []


def test_a_first_mapping_leaves_nothing() -> None:
    beside = replace(tenant(), in_force=None, standing={"currencies.USD": Money(1, "USD")})
    assert list(left_behind(CHANGES["currencies.USD"], beside)) == []
