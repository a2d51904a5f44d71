"""A Stripe invoice says the same as the ERP's: it asks for the balance, to the minor unit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import (
    NOON,
    a_line,
    a_stripe_invoice,
    a_tax,
    an_invoice,
    money,
)
from build.strategies import amounts, currencies
from ml_connector.basics.clock import from_unix
from ml_connector.basics.currencies import MINIMUM_CHARGE, largest_charge, smallest_step
from ml_connector.basics.errors import AskAPerson, Bug
from ml_connector.basics.money import Money, total
from ml_connector.books.mirror import (
    LARGEST_NUMBER_OF_LINES,
    LARGEST_NUMBER_OF_TAXES,
    CannotMirror,
    DoesNotAddUp,
    InvoicePlan,
    PlannedLine,
    PlannedTax,
    check_finalized,
    is_the_same,
    plan_invoice,
)
from ml_connector.books.records import ErpInvoice, StripeInvoice


def planned(invoice: ErpInvoice) -> InvoicePlan:
    return plan_invoice(invoice, connection="main", now=NOON)


def asked_for(plan: InvoicePlan) -> Money:
    """What Stripe will ask for: the lines and the taxes on them."""
    parts = [line.amount for line in plan.lines]
    parts += [tax.amount for line in plan.lines for tax in line.taxes]
    return total(parts, plan.total.currency)


def one_line_for_the_balance(plan: InvoicePlan) -> bool:
    return plan.lines == (PlannedLine("Balance of invoice 000123", plan.total, ()),)


# Totals


@st.composite
def invoices(draw: st.DrawFn) -> ErpInvoice:
    """An invoice with lines and taxes, perhaps part-paid or a cent off by rounding."""
    several = draw(st.lists(amounts(least=-5_000, most=50_000), max_size=12))
    many = draw(st.sampled_from([(), (), (), (money("0.10 USD"),) * 240]))
    lines = tuple(a_line(amount, number=n) for n, amount in enumerate([*several, *many], start=1))
    taxes = tuple(map(a_tax, draw(st.lists(amounts(least=0, most=900), max_size=3))))
    taxes += draw(st.sampled_from([(), (), (a_tax("0.01 USD"),) * LARGEST_NUMBER_OF_TAXES]))
    amount = total([p.amount for p in (*lines, *taxes)], "USD")
    balance = amount + draw(st.sampled_from([money("0 USD"), money("0.01 USD"), money("-9 USD")]))
    least = Money(MINIMUM_CHARGE["USD"], "USD")
    return an_invoice(max(balance, least), amount=amount, lines=lines, taxes=taxes)


@given(invoices())
def test_lines_and_taxes_always_ask_for_the_balance(invoice: ErpInvoice) -> None:
    plan = planned(invoice)
    assert asked_for(plan) == invoice.balance == plan.total
    assert 1 <= len(plan.lines) <= LARGEST_NUMBER_OF_LINES
    assert all(len(line.taxes) <= LARGEST_NUMBER_OF_TAXES for line in plan.lines)
    assert all(line.amount for line in plan.lines)


def test_the_erps_own_lines_and_taxes_are_shown_when_they_add_up() -> None:
    """100.00 and 8.25 of tax in two parts, of which one is zero."""
    invoice = an_invoice(
        "108.25 USD",
        lines=(
            a_line("60.00 USD", description="Hex bolt M8", quantity="1200", unit_price="0.05"),
            a_line("0.00 USD", number=2, description="Free gift"),
            a_line("50.00 USD", number=3, description="", quantity="1"),
            a_line("-10.00 USD", number=4, description="Discount", quantity="0"),
        ),
        taxes=(
            a_tax("8.25 USD", taxable="100.00 USD"),
            a_tax("0.00 USD", tax_id="EXEMPT", rate="0"),
        ),
    )
    tax = PlannedTax("NYSTATE", Decimal("8.25"), money("8.25 USD"), money("100.00 USD"))
    assert planned(invoice).lines == (
        PlannedLine("Hex bolt M8 (1200 x 0.05)", money("60.00 USD"), (tax,)),
        PlannedLine("Line 3", money("50.00 USD"), ()),
        PlannedLine("Discount", money("-10.00 USD"), ()),
    )


DISCOUNT = a_line("-10.00 USD", number=0, description="Loyalty", quantity="0")
FREIGHT = a_line("7.50 USD", number=0, description="Freight", quantity="0")


def test_document_discounts_and_freight_are_lines_of_their_own() -> None:
    """100.00 less 10.00, and 7.50 for freight."""
    invoice = replace(
        an_invoice("97.50 USD", lines=(a_line("100.00 USD"),)), extras=(DISCOUNT, FREIGHT)
    )
    assert [(one.description, one.amount) for one in planned(invoice).lines] == [
        ("Hex bolt M8", money("100.00 USD")),
        ("Loyalty", money("-10.00 USD")),
        ("Freight", money("7.50 USD")),
    ]


def test_discounts_that_the_lines_hold_already_are_not_taken_off_twice() -> None:
    invoice = replace(an_invoice("90.00 USD", lines=(a_line("90.00 USD"),)), extras=(DISCOUNT,))
    assert [one.amount for one in planned(invoice).lines] == [money("90.00 USD")]


def test_freight_counts_against_the_250_lines() -> None:
    lines = (a_line("0.10 USD"),) * 250
    invoice = replace(an_invoice("32.50 USD", lines=lines), extras=(FREIGHT,))
    assert one_line_for_the_balance(planned(invoice))


def test_taxes_that_the_prices_include_become_one_line_for_the_balance() -> None:
    invoice = an_invoice("119.00 USD", lines=(a_line("119.00 USD"),), taxes=(a_tax("19.00 USD"),))
    assert one_line_for_the_balance(planned(invoice))


@pytest.mark.parametrize("quantity", ["1.0000", "0", "0.00"])
def test_a_single_piece_needs_no_multiplication(quantity: str) -> None:
    (line,) = planned(an_invoice(lines=(a_line(quantity=quantity),))).lines
    assert line.description == "Hex bolt M8"


def test_round_quantities_are_not_written_in_powers_of_ten() -> None:
    invoice = an_invoice(lines=(a_line(quantity="200.000", unit_price="0.06000"),))
    assert planned(invoice).lines[0].description == "Hex bolt M8 (200 x 0.06)"


def test_a_part_paid_invoice_asks_for_its_balance_in_one_line() -> None:
    plan = planned(an_invoice("7.00 USD", amount="12.00 USD", lines=(a_line("12.00 USD"),)))
    assert one_line_for_the_balance(plan)
    assert plan.total == money("7.00 USD")


def test_lines_that_miss_the_balance_by_a_rounded_cent_become_one_line() -> None:
    lines = (a_line("4.00 USD"), a_line("4.00 USD"), a_line("3.99 USD"))
    assert one_line_for_the_balance(planned(an_invoice("12.00 USD", lines=lines)))


@pytest.mark.parametrize(("number", "shown"), [(250, 250), (251, 1)])
def test_stripe_shows_no_more_than_250_lines(number: int, shown: int) -> None:
    lines = (a_line("0.10 USD"),) * number
    plan = planned(an_invoice(Money(10 * number, "USD"), lines=lines))
    assert len(plan.lines) == shown
    assert one_line_for_the_balance(plan) == (shown == 1)


def test_empty_lines_do_not_count_against_the_250() -> None:
    lines = (a_line("0.10 USD"),) * 250 + (a_line("0.00 USD"),) * 10
    assert len(planned(an_invoice("25.00 USD", lines=lines)).lines) == 250


@pytest.mark.parametrize(("number", "shown"), [(20, True), (21, False)])
def test_stripe_takes_no_more_than_20_taxes_on_a_line(number: int, shown: bool) -> None:
    lines, taxes = (a_line("10.00 USD"),), (a_tax("0.10 USD"),) * number
    balance = money("10.00 USD") + Money(10 * number, "USD")
    plan = planned(an_invoice(balance, lines=lines, taxes=(*taxes, a_tax("0.00 USD"))))
    assert one_line_for_the_balance(plan) != shown
    assert asked_for(plan) == balance


@pytest.mark.parametrize("lines", [(), (a_line("0.00 USD"), a_line("0.00 USD"))])
def test_an_invoice_without_lines_of_money_asks_for_its_balance(lines: tuple[()]) -> None:
    assert one_line_for_the_balance(planned(an_invoice("12.00 USD", lines=lines)))


def test_a_line_of_another_currency_is_an_impossible_state() -> None:
    with pytest.raises(Bug, match="not of one currency"):
        planned(an_invoice("12.00 USD", lines=(a_line("12.00 EUR"),)))


# Everything else on the invoice


def test_a_plan_carries_the_erps_number_dates_text_and_keys() -> None:
    plan = planned(an_invoice())
    assert plan.number == "000123"
    assert plan.description == "Order SO-1001"
    assert plan.effective == date(2026, 3, 31)
    assert plan.due == datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    assert plan.metadata == {
        "erp_ref": "Invoice|000123",
        "erp_customer": "C000012",
        "mlc": "main",
    }


@pytest.mark.parametrize("due", [None, date(2025, 1, 1), date(2026, 3, 30), date(2026, 3, 31)])
def test_an_invoice_without_due_day_or_overdue_is_due_in_a_day(due: date | None) -> None:
    assert planned(an_invoice(due_date=due)).due == NOON + timedelta(days=1)


@given(st.none() | st.dates(), st.integers(0, 4_102_444_800).map(from_unix))
def test_stripe_never_sees_a_due_date_in_the_past(due: date | None, now: datetime) -> None:
    plan = plan_invoice(an_invoice(due_date=due), connection="main", now=now)
    assert plan.due >= now + timedelta(days=1)


def test_texts_are_cut_to_what_stripe_takes() -> None:
    line = a_line(description="x" * 1000)
    plan = planned(an_invoice(lines=(line,), ref=f"Invoice|{'9' * 40}", description="y" * 2000))
    assert len(plan.number) == 26
    assert len(plan.description) == 1500
    assert len(plan.lines[0].description) == 500
    assert plan.metadata["erp_ref"] == f"Invoice|{'9' * 40}"


# Amounts that Stripe cannot charge


def refused(balance: Money) -> CannotMirror:
    with pytest.raises(CannotMirror) as refusal:
        planned(an_invoice(balance))
    assert isinstance(refusal.value, AskAPerson)
    assert refusal.value.sentence.startswith(f"Invoice 000123 of {balance} ")
    return refusal.value


@given(st.sampled_from(sorted(MINIMUM_CHARGE)), st.data())
def test_an_invoice_below_the_least_charge_is_refused_with_the_way_out(
    code: str, data: st.DataObject
) -> None:
    least = MINIMUM_CHARGE[code]
    error = refused(Money(data.draw(st.integers(-(10**6), least - 1)), code))
    assert f"below Stripe's minimum charge of {Money(least, code)}." in error.sentence
    assert error.cause == "invoice.below_minimum:Invoice|000123"
    assert "Collect it another way" in error.remedy
    assert planned(an_invoice(Money(least, code))).total == Money(least, code)


@given(currencies, st.integers(-(10**6), 0))
def test_nothing_or_less_is_never_asked_for(code: str, minor: int) -> None:
    assert refused(Money(minor, code)).cause.startswith("invoice.below_minimum:")


@given(currencies, st.integers(1, 10**15))
def test_an_invoice_above_the_largest_charge_is_refused_with_the_way_out(
    code: str, excess: int
) -> None:
    error = refused(Money(largest_charge(code) + excess, code))
    assert "above what Stripe can charge at once" in error.sentence
    assert error.cause == "invoice.above_maximum:Invoice|000123"
    assert error.remedy == "Split the invoice, or collect it another way."


@given(st.sampled_from(["ISK", "UGX", "KWD", "BHD"]), st.integers(1, 10**5), st.data())
def test_an_invoice_between_two_steps_of_its_currency_is_refused_with_the_way_out(
    code: str, steps: int, data: st.DataObject
) -> None:
    step = smallest_step(code)
    whole = Money(steps * step, code)
    error = refused(whole + Money(data.draw(st.integers(1, step - 1)), code))
    assert "has an amount that Stripe cannot charge" in error.sentence
    assert error.cause == "invoice.step:Invoice|000123"
    assert f"only in steps of {Money(step, code)}" in error.remedy
    assert "round the invoice" in error.remedy
    assert planned(an_invoice(whole)).total == whole


@pytest.mark.parametrize("balance", ["0.50 USD", "999999.99 USD", "99999999 JPY", "0.01 ZAR"])
def test_the_least_and_the_largest_amounts_themselves_are_sent(balance: str) -> None:
    assert planned(an_invoice(balance)).total == money(balance)


# After finalizing


@given(amounts(least=1), amounts(least=1))
def test_an_invoice_is_sent_only_when_both_sides_ask_for_the_same(erp: Money, due: Money) -> None:
    check_finalized(an_invoice(erp), a_stripe_invoice(erp))
    if erp != due:
        with pytest.raises(DoesNotAddUp) as refusal:
            check_finalized(an_invoice(erp), a_stripe_invoice(due))
        assert f"000123 is {erp} in Acumatica but {due} in Stripe." in refusal.value.sentence
        assert refusal.value.cause == "invoice.amount_differs:Invoice|000123"
        assert "discounts or taxes" in refusal.value.remedy


def test_the_same_number_in_another_currency_is_not_the_same() -> None:
    with pytest.raises(DoesNotAddUp, match=r"12\.00 USD in Acumatica but 12\.00 EUR in Stripe"):
        check_finalized(an_invoice("12.00 USD"), a_stripe_invoice("12.00 EUR"))


@given(amounts().filter(bool))
def test_a_foreign_balance_of_the_customer_is_named_as_the_reason(balance: Money) -> None:
    sent = a_stripe_invoice("12.00 USD", starting_balance=balance)
    with pytest.raises(DoesNotAddUp) as refusal:
        check_finalized(an_invoice("12.00 USD"), sent)
    assert f"holds a balance of {balance}" in refusal.value.sentence
    assert refusal.value.cause == "invoice.customer_balance:cus_1"
    assert "credit balance in Stripe to zero" in refusal.value.remedy


def by_hand(**facts: object) -> StripeInvoice:
    """An open Stripe invoice that somebody made for the document's 12.00."""
    found = replace(a_stripe_invoice("12.00 USD"), status="open", number="000123", metadata={})
    return replace(found, **facts)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("facts", "same"),
    [
        ({}, True),
        ({"number": "A-1", "metadata": {"erp_ref": "Invoice|000123"}}, True),
        ({"number": "A-1"}, False),
        ({"metadata": {"erp_ref": "none"}}, False),
        ({"metadata": {"erp_ref": "Invoice|000999"}}, False),
        ({"amount_due": money("12.01 USD")}, False),
        ({"amount_paid": money("1.00 USD")}, False),
        ({"status": "paid"}, False),
    ],
)
def test_an_invoice_made_by_hand_is_the_document_only_by_mark_or_number_and_exact_amount(
    facts: dict[str, object], same: bool
) -> None:
    assert is_the_same(an_invoice("12.00 USD"), by_hand(**facts)) is same


@pytest.mark.parametrize(
    ("balance", "safe"),
    [
        ("499 JPY", "500 JPY"),  # ten times 50
        ("99.00 INR", "100.00 INR"),  # two hundred times 0.50
        ("999.00 IDR", "1000.00 IDR"),  # no minimum is known
    ],
)
def test_what_settles_in_another_currency_must_be_safely_above_its_minimum(
    balance: str, safe: str
) -> None:
    with pytest.raises(CannotMirror, match=f"only from {money(safe)} on"):
        plan_invoice(an_invoice(balance), connection="main", now=NOON, converted=True)
    plan = plan_invoice(an_invoice(safe), connection="main", now=NOON, converted=True)
    assert plan.total == money(safe)
