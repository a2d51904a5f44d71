"""The plan of many months: the same for the same seed, and with everything that can happen."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_sandbox.stripe.cards import CARDS
from ml_sandbox.year.acting import ACTS
from ml_sandbox.year.fates import CURRENCIES, FATES, SETTLED, Act
from ml_sandbox.year.plan import LATE, Year, end_of, plan_year

FIRST = date(2026, 1, 1)
SIZES = st.tuples(
    st.integers(0, 1000),
    st.dates(date(2025, 1, 1), date(2027, 6, 30)).map(lambda day: day.replace(day=1)),
    st.integers(1, 4),
)


@pytest.fixture(scope="module")
def usual() -> Year:
    return plan_year(7, FIRST, 12, customers=15, invoices=20)


def test_the_same_seed_gives_the_same_year_and_another_one_another(usual: Year) -> None:
    assert plan_year(7, FIRST, 12, customers=15, invoices=20) == usual
    assert plan_year(8, FIRST, 12, customers=15, invoices=20).months != usual.months


def test_in_twelve_months_everything_happens_that_can(usual: Year) -> None:
    acts = Counter(step.act for _, steps in usual.months for step in steps)
    assert acts.keys() == set(Act)
    assert set(usual.fates) == {*FATES, "newcomer", "paid with the one before"}
    assert min(acts.values()) >= 4


def test_somebody_does_every_act_of_a_plan() -> None:
    assert ACTS.keys() == set(Act)


def test_the_firm_bills_in_five_currencies_and_no_quarter_lacks_one(usual: Year) -> None:
    for quarter in range(0, 12, 3):
        first, last = usual.months[quarter][0], end_of(usual.months[quarter + 2][0])
        mine = [invoice for invoice in usual.invoices if first <= invoice.day <= last]
        billed = {usual.clients[invoice.client].currency for invoice in mine}
        assert billed == set(CURRENCIES)


def test_what_needs_a_bank_account_of_ones_own_is_never_billed_in_canadian_dollars(
    usual: Year,
) -> None:
    for invoice, name in zip(usual.invoices, usual.fates, strict=True):
        if name in FATES:
            assert usual.clients[invoice.client].currency in FATES[name].currencies
    assert FATES["check"].currencies == SETTLED


def test_payouts_are_on_each_friday_after_all_else_of_the_day(usual: Year) -> None:
    for month, steps in usual.months:
        paid = [step.day for step in steps if step.act is Act.PAY_OUT]
        assert {day.weekday() for day in paid} == {4}
        assert len(paid) == sum((month + timedelta(n)).weekday() == 4
                                for n in range(end_of(month).day))  # fmt: skip
        for one, next_one in pairwise(steps):
            if one.day == next_one.day and one.act in LATE:
                assert next_one.act in LATE


def test_cards_that_are_tried_in_vain_are_refused_and_the_others_are_not(usual: Year) -> None:
    for _, steps in usual.months:
        for step in steps:
            if step.act in {Act.PAY, Act.TRY}:
                card = CARDS[step.card]
                refused = card.code is not None or card.bank not in {None, "succeeded"}
                assert refused == (step.act is Act.TRY)


@given(SIZES)
def test_months_of_any_beginning_are_possible(size: tuple[int, date, int]) -> None:
    seed, first, months = size
    year = plan_year(seed, first, months, customers=5, invoices=3)
    assert len(year.months) == months
    issued: dict[int, date] = {}
    for month, steps in year.months:
        assert [step.day for step in steps] == sorted(step.day for step in steps)
        for step in steps:
            assert month <= step.day <= end_of(month)
            if step.act is Act.ISSUE:
                issued[step.about] = step.day
            elif step.card:
                assert issued[step.about] < step.day


@pytest.mark.parametrize(("customers", "invoices", "months"), [(4, 5, 1), (5, 0, 1), (5, 5, 0)])
def test_sizes_that_make_no_year_are_refused(customers: int, invoices: int, months: int) -> None:
    with pytest.raises(ValueError, match="5 customers, 1 invoice and 1 month"):
        plan_year(1, FIRST, months, customers=customers, invoices=invoices)
