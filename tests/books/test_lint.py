"""A mapping beside a tenant's lists: what does not fit has a key, a sentence and a remedy."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from build.records import a_mapping
from ml_connector.books.calendar import AR, CA, GL, Calendar, Period
from ml_connector.books.finding import Severity
from ml_connector.books.lint import findings
from ml_connector.books.lint_accounts import KINDS, uses
from ml_connector.books.mapping import Mapping, TransitAccounts
from ml_connector.books.mirror import MirrorPolicies, Selection
from ml_connector.books.policies import Policies, WhenConverted
from ml_connector.books.tenant import (
    CashAccountUse,
    ErpAccount,
    ErpBranch,
    ErpPaymentMethod,
    ErpSubaccount,
    ErpTaxCategory,
    Tenant,
)

TODAY = date(2026, 10, 5)
TRANSIT = TransitAccounts("TRANSITCAD", "10400", "10500")


def mapping(**changes: Any) -> Mapping:
    """Dollars, euros, and Canadian dollars that are settled in another currency."""
    return replace(a_mapping(transit={"CAD": TRANSIT}), **changes)


def chart(of: Mapping) -> Iterator[ErpAccount]:
    """A chart of accounts that fits a mapping."""
    for use in uses(of):
        kind = min(KINDS.get(use.what, {"Asset"}))
        currency = "" if use.currency == "USD" else use.currency
        cash = use.what in {"clearing", "bank", "transit"}
        yield ErpAccount(use.account, use.what, kind, True, currency, cash, control="")


def tenant(of: Mapping | None = None) -> Tenant:
    """A tenant that fits a mapping."""
    fits = of or mapping()
    cash = [one.clearing_cash for one in fits.currencies.values()]
    cash += [one.cash for one in fits.transit.values()]
    rows = tuple(CashAccountUse(code, "HQ", True, False) for code in cash)
    return Tenant(
        today=TODAY,
        accounts={one.account: one for one in chart(fits)},
        method=ErpPaymentMethod("STRIPE", True, False, True, rows),
        ledger_currency="USD",
        branches={"HQ": ErpBranch("HQ", True, "USD")},
        subaccounts=[ErpSubaccount("000000", True)],
        periods=Calendar(
            (
                Period("092026", date(2026, 9, 1), date(2026, 9, 30), frozenset()),
                Period("102026", date(2026, 10, 1), date(2026, 10, 31), frozenset({GL, AR, CA})),
            )
        ),
    )


def test_a_tax_category_that_is_inactive_or_missing_is_named_and_one_that_fits_is_not() -> None:
    named = mapping(refunds_tax_category="exempt")
    for category, said in (
        (ErpTaxCategory("EXEMPT", True), ""),
        (ErpTaxCategory("EXEMPT", False), "inactive"),
        (ErpTaxCategory("OTHER", True), "no tax category 'exempt'"),
    ):
        told = findings(named, replace(tenant(named), tax_categories=[category]))
        found = [one for one in told if one.key == "refunds_tax_category"]
        assert [one.severity for one in found] == ([Severity.FAIL] if said else [])
        assert all(said in one.sentence and one.remedy for one in found)


def account(code: str, **changes: Any) -> Tenant:
    """The tenant with one account that is otherwise."""
    whole = tenant()
    return replace(
        whole, accounts={**whole.accounts, code: replace(whole.accounts[code], **changes)}
    )


def method(**changes: Any) -> Tenant:
    """The tenant with a payment method that is otherwise."""
    whole = tenant()
    assert whole.method is not None
    return replace(whole, method=replace(whole.method, **changes))


def told(of: Mapping, beside: Tenant) -> list[tuple[str, str, str]]:
    """The findings besides what cannot be checked: key, severity, sentence."""
    found = findings(of, beside)
    assert all(one.remedy.endswith(".") and one.sentence.endswith(".") for one in found)
    return [(one.key, one.severity.value, one.sentence) for one in found if not one.unchecked]


def test_where_everything_fits_only_the_cash_accounts_stay_unchecked() -> None:
    (only,) = findings(mapping(), tenant())
    assert (only.unchecked, only.severity) == (True, Severity.WARN)
    assert "STRIPEEUR, STRIPEUSD, TRANSITCAD" in only.sentence


def period(**changes: Any) -> Tenant:
    whole = tenant()
    assert whole.periods is not None
    return replace(whole, periods=Calendar((replace(whole.periods.periods[1], **changes),)))


WRONG: list[tuple[Tenant, str, str, str]] = [
    (replace(tenant(), accounts={**{k: v for k, v in tenant().accounts.items() if k != "60100"}}),
     "accounts.fees", "fail", "no account '60100'"),
    (account("60100", active=False), "accounts.fees", "fail", "inactive"),
    (account("60100", currency="EUR"), "accounts.fees", "fail", "EUR, but USD is booked"),
    (account("60100", type="Asset"), "accounts.fees", "warn", "type Asset"),
    (account("60100", control="AR"), "accounts.fees", "fail", "control account of AR"),
    (account("60100", cash_account=True), "accounts.fees", "warn", "A cash account stands"),
    (account("10210", currency="USD"), "currencies.EUR.bank", "fail", "kept in USD"),
    (account("10210", currency=""), "currencies.EUR.bank", "warn", "balance in EUR is not known"),
    (account("10310", currency=""), "currencies.EUR.clearing", "fail", "EUR is not known"),
    (account("10310", cash_account=False), "currencies.EUR.clearing", "fail", "No cash account"),
    (account("10210", cash_account=False), "currencies.EUR.bank", "warn", "No cash account"),
    (account("10400", currency="USD"), "transit.CAD.account", "fail", "kept in USD"),
    (account("10500", active=False), "transit.CAD.counterpart", "fail", "inactive"),
    (replace(tenant(), method=None), "payment_method", "fail", "no payment method 'STRIPE'"),
    (method(active=False), "payment_method", "fail", "inactive"),
    (method(use_in_ar=False), "payment_method", "fail", "not used in accounts receivable"),
    (method(integrated=True), "payment_method", "fail", "integrated card processing"),
    (replace(tenant(), branches={"HQ": ErpBranch("HQ", False, "USD")}), "branch", "fail", "inact"),
    (replace(tenant(), branches={"B": ErpBranch("B", True, "USD")}), "branch", "fail", "are: B."),
    (replace(tenant(), branches={"HQ": ErpBranch("HQ", True, "EUR")}), "branch", "fail", "in EUR"),
    (replace(tenant(), subaccounts=[ErpSubaccount("000000", False)]), "subaccount", "fail", "inac"),
    (replace(tenant(), subaccounts=[ErpSubaccount("111111", True)]), "subaccount", "fail", "no s"),
    (replace(tenant(), subaccounts=[]), "subaccount", "fail", "no subaccount '000-000'"),
    (replace(tenant(), subaccounts=[ErpSubaccount("00", True)]), "subaccount", "fail", "have 2"),
    (period(open_in=frozenset()), "period", "fail", "10-2026 of today is not open in the ledger"),
    (period(open_in=frozenset({GL})), "period", "fail", "not open in AR and CA"),
    (period(start=date(2026, 11, 1)), "period", "fail", "No financial period is there"),
    (period(end=date(2026, 10, 3)), "period", "fail", "No financial period is there"),
    (replace(tenant(), elsewhere={"STRIPEUSD": "shop2"}), "currencies.USD.clearing_cash", "warn",
     "The connection shop2 uses"),
]  # fmt: skip


@pytest.mark.parametrize(("beside", "key", "severity", "words"), WRONG)
def test_each_gap_is_found_by_its_key(beside: Tenant, key: str, severity: str, words: str) -> None:
    (found,) = told(mapping(), beside)
    assert found[:2] == (key, severity)
    assert words in found[2]


def test_a_control_account_that_takes_journals_by_hand_is_fine() -> None:
    assert told(mapping(), account("60100", control="AR", manual=True)) == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (CashAccountUse("STRIPEUSD", "HQ", False, False), "does not allow the cash account"),
        (CashAccountUse("STRIPEUSD", "STORE", True, False), "belongs to the branch STORE"),
    ],
)
def test_a_cash_account_of_the_method_is_of_receivables_and_of_the_mapped_branch(
    row: CashAccountUse, words: str
) -> None:
    whole = method()
    assert whole.method is not None
    rows = (row, *(one for one in whole.method.cash_accounts if one.cash_account != "STRIPEUSD"))
    (found,) = told(mapping(), method(cash_accounts=rows))
    assert found[:2] == ("currencies.USD.clearing_cash", "fail")
    assert words in found[2]


@pytest.mark.parametrize("fx", list(WhenConverted))
def test_a_role_that_a_policy_needs_is_missed_before_money_meets_it(fx: WhenConverted) -> None:
    """Exchange differences under either: a listed payment may bounce at another rate."""
    bare = mapping(accounts={"disputed": "12800"})
    found = told(replace(bare, policies=Policies(fx=fx)), tenant(bare))
    assert [key for key, _, _ in found] == [
        "accounts.fees", "accounts.chargeback_loss", "accounts.fx_gain_loss",
    ]  # fmt: skip
    assert {severity for _, severity, _ in found} == {"warn"}


def test_a_branch_of_the_mirror_that_is_not_there_does_nothing_and_is_said() -> None:
    chosen = MirrorPolicies(branches=Selection(include=("hq",), exclude=("STORE",)))
    (found,) = told(mapping(mirror=chosen), tenant())
    assert found[0] == "mirror.branches"
    assert "'STORE'" in found[2]


def test_what_could_not_be_read_is_named_and_fails_nothing() -> None:
    accounts = {k: replace(one, control=None) for k, one in tenant().accounts.items()}
    blind = Tenant(
        TODAY, accounts, tenant().method, unread={"branch": "No rights.", "period": "Off."}
    )
    found = findings(mapping(), blind)
    assert all(one.unchecked for one in found)
    assert [one.key for one in found] == ["currencies", "accounts", "branch", "period"]
    assert "No rights." in found[2].sentence


def test_what_fails_comes_first_and_what_was_not_looked_at_last() -> None:
    both = replace(account("60100", type="Asset"), method=None)
    found = findings(mapping(), both)
    assert [(one.severity.value, one.unchecked) for one in found] == [
        ("fail", False), ("warn", False), ("warn", True),
    ]  # fmt: skip
