"""A document that is said otherwise since it was planned is known by itself."""

from dataclasses import replace
from datetime import date

import pytest

from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.closed import as_acumatica_dates_it, moved_to, void_on
from ml_connector.books.otherwise import said_otherwise, stands_for
from ml_connector.books.postings import (
    Application,
    ArPayment,
    Booked,
    Document,
    Journal,
    Line,
    Voiding,
)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 1)
INVOICE, OTHER = ErpRef("Invoice|1"), ErpRef("Invoice|2")
PAYMENT = ArPayment(
    "ABC", "STRIPE", "10650ST", "HEADOFFICE", OCTOBER, usd(100), "ch_1", "ch_1", "A payment",
    (Application(INVOICE, usd(100)),),
)  # fmt: skip
JOURNAL = Journal(
    OCTOBER, "HEADOFFICE", "A fee",
    (Line("61100", "0", usd(3), "fee"), Line("10650", "0", usd(-3), "fee")),
)  # fmt: skip
VOIDING = Voiding(ErpRef("Payment|1"), "ch_1", usd(100))
LESS = replace(PAYMENT, applications=(Application(INVOICE, usd(40)),), wanted=PAYMENT.applications)
NOTHING = replace(PAYMENT, applications=(), wanted=PAYMENT.applications)
VOIDED_LATER = void_on(VOIDING, NOVEMBER, true_day=OCTOBER, text="A payment")


@pytest.mark.parametrize(
    ("planned", "stored"),
    [
        (PAYMENT, moved_to(PAYMENT, NOVEMBER)),
        (PAYMENT, LESS),
        (PAYMENT, NOTHING),
        (PAYMENT, moved_to(LESS, NOVEMBER)),
        (JOURNAL, moved_to(JOURNAL, NOVEMBER)),
        (VOIDING, VOIDED_LATER),
        (VOIDING, as_acumatica_dates_it(VOIDED_LATER)),
    ],
)
def test_a_document_on_another_day_or_settling_less_stands_for_the_planned_one(
    planned: Document, stored: Document
) -> None:
    assert said_otherwise(stored)
    assert not said_otherwise(planned)
    assert stands_for(stored, planned)


def test_a_payment_planned_to_settle_less_than_it_was_meant_for_and_then_even_less_stands() -> None:
    """What was shown and refused once is not shown and refused again in its first form."""
    assert stands_for(replace(LESS, applications=()), LESS)
    assert stands_for(moved_to(LESS, NOVEMBER), LESS)


@pytest.mark.parametrize(
    ("planned", "stored"),
    [
        (PAYMENT, PAYMENT),
        (replace(PAYMENT, cash_account="10700ST"), moved_to(PAYMENT, NOVEMBER)),
        (replace(PAYMENT, day=date(2026, 10, 30)), moved_to(PAYMENT, NOVEMBER)),
        (replace(PAYMENT, applications=(Application(OTHER, usd(100)),)), LESS),
        (replace(JOURNAL, description="Another fee"), moved_to(JOURNAL, NOVEMBER)),
        (JOURNAL, moved_to(PAYMENT, NOVEMBER)),
        (replace(VOIDING, amount=usd(90)), VOIDED_LATER),
    ],
)
def test_what_is_planned_in_another_way_since_is_another_document(
    planned: Document, stored: Document
) -> None:
    assert not stands_for(stored, planned)


def test_what_somebody_else_has_booked_is_never_said_otherwise() -> None:
    assert not said_otherwise(Booked(ErpRef("Payment|1"), "ch_1", "10650ST", usd(100)))
