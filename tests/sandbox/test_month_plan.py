"""The month's plan: the same for the same seed, and as varied as a month of a firm is."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_sandbox.month.plan import (
    AT_ONCE,
    FIRST,
    LAST,
    LAST_ISSUE,
    PAYOUT_DAYS,
    Month,
    days,
    is_business_day,
    plan,
)
from ml_sandbox.stripe.cards import CARDS

SIZES = st.tuples(st.integers(0, 1000), st.integers(2, 9), st.integers(1, 12), st.integers(0, 3))


@pytest.fixture(scope="module")
def usual() -> Month:
    return plan(7, 60, 200)


def test_the_same_seed_gives_the_same_month(usual: Month) -> None:
    assert plan(7, 60, 200) == usual


def test_another_seed_gives_another_month(usual: Month) -> None:
    other = plan(8, 60, 200)
    assert other.clients != usual.clients
    assert other.invoices != usual.invoices
    assert other.visits != usual.visits


def test_the_month_is_october_2026_with_four_friday_payouts() -> None:
    assert days()[0] == date(2026, 10, 1)
    assert days()[-1] == date(2026, 10, 31)
    assert len(days()) == 31
    assert [day.weekday() for day in PAYOUT_DAYS] == [4, 4, 4, 4]


def test_one_client_in_six_is_billed_in_yen_and_no_two_share_name_or_address(usual: Month) -> None:
    assert Counter(client.currency for client in usual.clients) == {"USD": 50, "JPY": 10}
    assert len({client.name for client in usual.clients}) == 60
    assert len({client.email for client in usual.clients}) == 60
    assert any(not client.name.isascii() for client in usual.clients)
    assert len({client.place.zone for client in usual.clients}) >= 4


def test_invoices_have_one_to_six_lines_taxed_and_untaxed(usual: Month) -> None:
    assert {len(invoice.lines) for invoice in usual.invoices} == {1, 2, 3, 4, 5, 6}
    lines = [line for invoice in usual.invoices for line in invoice.lines]
    assert {line.taxable for line in lines} == {True, False}
    assert any(line.quantity % 1 for line in lines)
    assert all(line.price > 0 and line.quantity > 0 for line in lines)


def test_every_client_is_billed_and_terms_differ(usual: Month) -> None:
    assert {invoice.client for invoice in usual.invoices} == set(range(60))
    assert len({client.terms for client in usual.clients}) >= 3
    assert any(invoice.due for invoice in usual.invoices)
    assert any(invoice.terms for invoice in usual.invoices)


def test_yen_amounts_are_whole(usual: Month) -> None:
    for invoice in usual.invoices:
        if usual.clients[invoice.client].currency == "JPY":
            assert all((line.quantity * line.price) % 1 == 0 for line in invoice.lines)


def test_most_pay_some_in_two_parts_some_after_a_decline_and_some_never(usual: Month) -> None:
    paid = Counter(visit.invoice for visit in usual.visits if visit.succeeds)
    declined = {visit.invoice for visit in usual.visits if not visit.succeeds}
    assert len(paid) == 170
    assert sum(parts == 2 for parts in paid.values()) == 14
    assert len(declined & paid.keys()) == 17
    assert len(declined - paid.keys()) == 8
    assert len(usual.returns) == 7
    cards = Counter(visit.card == AT_ONCE for visit in usual.visits if visit.succeeds)
    assert cards[True] > 20
    assert cards[False] > 100


def test_the_cards_do_what_the_plan_says(usual: Month) -> None:
    for visit in usual.visits:
        assert (CARDS[visit.card].code is None) == visit.succeeds


@given(SIZES)
def test_a_month_of_any_size_is_possible(size: tuple[int, int, int, int]) -> None:
    month = plan(*size)
    left = dict.fromkeys(range(size[2]), 100)
    for visit in month.visits:
        invoice = month.invoices[visit.invoice]
        assert invoice.day < visit.day <= LAST
        if visit.succeeds:
            assert left[visit.invoice] > 0
            left[visit.invoice] -= min(visit.percent, left[visit.invoice])
    assert all(rest in {0, 100} for rest in left.values())
    assert all(FIRST <= i.day <= LAST_ISSUE and is_business_day(i.day) for i in month.invoices)
    assert [visit.key for visit in month.visits] == list(range(len(month.visits)))
    for row in (*month.returns, *month.contests):
        assert month.visits[row.visit].succeeds
        assert month.visits[row.visit].day + timedelta(days=1) <= row.day <= LAST
    assert not {row.visit for row in month.returns} & {row.visit for row in month.contests}


@pytest.mark.parametrize(("customers", "invoices"), [(1, 5), (5, 0)])
def test_a_month_without_people_or_work_is_refused(customers: int, invoices: int) -> None:
    with pytest.raises(ValueError, match="at least 2 customers and 1 invoice"):
        plan(1, customers, invoices)
