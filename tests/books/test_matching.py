"""Which invoice a payment settles, or the reason why none."""

import pytest
from hypothesis import given

from build.records import a_balance_transaction, a_charge, a_mirrored_invoice, money
from build.strategies import amounts
from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.matching import NotSettled, Unmatched, match, settled
from ml_connector.books.postings import Application


def test_a_payment_settles_the_invoice_it_was_made_for() -> None:
    charge = a_charge("12.00 USD")
    found = match(charge, a_mirrored_invoice("12.00 USD"))
    assert found.charge is charge
    assert found.customer_id == "C000012"
    assert found.applications == (Application(erp_ref("Invoice", "000123"), money("12.00 USD")),)


@given(amounts(least=1), amounts(least=1))
def test_a_payment_never_settles_more_than_the_invoice_or_than_itself(
    paid: Money, owed: Money
) -> None:
    (application,) = match(a_charge(paid), a_mirrored_invoice(owed)).applications
    assert application.amount == min(paid, owed)


def test_a_payment_without_an_invoice_waits_and_is_named() -> None:
    with pytest.raises(
        Unmatched, match=r"ch_1 of 12\.00 USD belongs to no mirrored invoice"
    ) as why:
        match(a_charge("12.00 USD"), None)
    assert isinstance(why.value, AskAPerson)
    assert why.value.cause == "payment.no_invoice"
    assert "link it to an invoice" in why.value.remedy


def test_a_payment_in_another_currency_than_its_invoice_waits() -> None:
    with pytest.raises(Unmatched, match=r"is in EUR but invoice Invoice\|000123 is in USD") as why:
        match(a_charge("12.00 EUR"), a_mirrored_invoice("12.00 USD"))
    assert why.value.cause == "payment.currency_differs"
    assert "never converted" in why.value.remedy


def test_a_settled_payment_shows_its_balance_transaction() -> None:
    transaction = a_balance_transaction()
    assert settled(a_charge(transaction=transaction)) is transaction


@pytest.mark.parametrize(
    ("status", "with_transaction"), [("succeeded", False), ("pending", False), ("pending", True)]
)
def test_a_payment_that_stripe_has_not_booked_is_tried_again(
    status: str, with_transaction: bool
) -> None:
    transaction = a_balance_transaction() if with_transaction else None
    with pytest.raises(NotSettled, match="not settled ch_1 yet") as why:
        settled(a_charge(status=status, transaction=transaction))
    assert isinstance(why.value, TryAgain)
    assert why.value.cause == "stripe.not_settled"


def test_a_failed_attempt_moved_no_money_and_never_will() -> None:
    with pytest.raises(Refused, match="ch_1 failed; no money moved"):
        settled(a_charge(status="failed"))


def test_a_bank_debit_that_was_returned_later_has_moved_money_before() -> None:
    transaction = a_balance_transaction()
    assert settled(a_charge(status="failed", transaction=transaction)) is transaction
