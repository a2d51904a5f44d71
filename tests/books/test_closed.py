"""Each kind of document in a closed period, under each policy: what becomes of it."""

from datetime import date
from typing import get_args

import pytest

from build.records import a_journal
from ml_connector.basics.ids import PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.calendar import AR, CA, GL
from ml_connector.books.closed import (
    OPEN_IN,
    Dated,
    Then,
    as_acumatica_dates_it,
    moved_to,
    void_on,
    when_closed,
)
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Document,
    Voiding,
)

DAY, LATER = date(2026, 3, 31), date(2026, 4, 1)
AMOUNT = Money(2_500, "USD")
MEMO = erp_ref("Credit Memo", "000012")
VOIDING = Voiding(erp_ref("Payment", "000007"), "ch_1", AMOUNT)
PAPERS: list[Document] = [
    a_journal(("60100", "0.65 USD"), ("10300", "-0.65 USD")),
    ArPayment("C1", "STRIPE", "10650ST", "HQ", DAY, AMOUNT, "ch_1", "txn_1", "Paid", ()),
    CreditMemo("C1", "HQ", DAY, "40900", "000", "", AMOUNT, "re_1", "Refund re_1"),
    DebitMemo(MEMO, "C1", "HQ", DAY, "40900", "000", "", AMOUNT, "re_1", "Undo of it"),
    ArRefund("C1", "STRIPE", "10650ST", "HQ", DAY, AMOUNT, "re_1", "txn_2", "Refund re_1",
             PostingKey("credit_memo:re_1")),
    VOIDING,
    as_acumatica_dates_it(VOIDING),
    Booked(erp_ref("Payment", "000001"), "card 4242", "10650ST", AMOUNT),
]  # fmt: skip
WAIT, MOVE = Then.WAITS, Then.MOVES
TABLE = [
    # kind, where its period must be open, under hold, under next_open
    ("Journal", (GL,), WAIT, MOVE),
    ("ArPayment", (GL, AR, CA), WAIT, MOVE),
    ("CreditMemo", (GL, AR), WAIT, MOVE),
    ("DebitMemo", (GL, AR), WAIT, MOVE),
    ("ArRefund", (GL, AR, CA), WAIT, MOVE),
    ("Voiding", (GL, AR, CA), WAIT, MOVE),
    ("Voiding", (GL, AR, CA), WAIT, WAIT),  # where Acumatica keeps the payment's day
    ("Booked", None, WAIT, WAIT),  # theirs to date
]


@pytest.mark.parametrize(
    ("paper", "row"), list(zip(PAPERS, TABLE, strict=True)), ids=[row[0] for row in TABLE]
)
def test_each_kind_of_document_waits_or_moves_as_the_policy_says(
    paper: Document, row: tuple[str, tuple[str, ...] | None, Then, Then]
) -> None:
    kind, open_in, hold, next_open = row
    assert type(paper).__name__ == kind
    assert {one.__name__: modules for one, modules in OPEN_IN.items()}.get(kind) == open_in
    assert when_closed(paper, WhenClosed.HOLD) is hold
    assert when_closed(paper, WhenClosed.NEXT_OPEN) is next_open


def test_no_kind_of_document_is_left_out_of_the_table() -> None:
    assert {type(paper) for paper in PAPERS} == set(get_args(Document))


@pytest.mark.parametrize("paper", [one for one in PAPERS if isinstance(one, Dated)])
def test_what_moves_says_its_true_day_and_is_otherwise_the_same(paper: Dated) -> None:
    moved = moved_to(paper, LATER)
    assert (moved.day, moved.true_day) == (LATER, paper.day)
    assert moved.description == f"{paper.description} of {paper.day}"
    assert moved_to(moved, date(2026, 5, 1)).description == moved.description


def test_a_voiding_tells_the_payments_day_only_where_it_stands_on_another() -> None:
    moved = void_on(VOIDING, LATER, true_day=DAY, text="Stripe in_1")
    assert (moved.day, moved.true_day) == (LATER, DAY)
    assert moved.description == "Stripe in_1 of 2026-03-31"
    kept = as_acumatica_dates_it(moved)
    assert (kept.day, kept.true_day, kept.description, kept.keeps_day) == (None, None, "", True)
