"""Kind of edit by kind of document: what is seen, how it is graded, and what the money lacks."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ml_connector.acumatica.documents import ErpJournal, ErpJournalLine, ErpMemo, ErpPayment
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.calendar import Calendar, Period
from ml_connector.books.guardian import Edit, Grade, Paper, grade
from ml_connector.books.postings import Application
from ml_connector.flows.promise.edits import (
    cash_missing,
    journal_changes,
    ledger_missing,
    marked_changes,
    memo_changes,
    payment_changes,
)

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
CLEARING, FEES, OTHER = "10300", "60100", "60200"
MONTHS = Calendar(
    (
        Period("022026", date(2026, 2, 1), date(2026, 2, 28), frozenset()),
        Period("032026", date(2026, 3, 1), date(2026, 3, 31), frozenset()),
        Period("042026", date(2026, 4, 1), date(2026, 4, 30), frozenset()),
    )
)
WEEKS = Calendar(
    (
        Period("082026", date(2026, 2, 1), date(2026, 2, 28), frozenset()),
        Period("092026", date(2026, 3, 1), date(2026, 3, 28), frozenset()),
        Period("102026", date(2026, 3, 29), date(2026, 5, 2), frozenset()),
    )
)
"""Periods of four weeks, four and five, as firms that count by weeks have them."""


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def on(number: str, minor: int) -> Application:
    return Application(erp_ref("Invoice", number), usd(minor))


def line(account: str, minor: int) -> ErpJournalLine:
    return ErpJournalLine(account, "000", "HQ", usd(minor), "a fee", "mlcaaaaaaaaaaaa")


PAYMENT = ErpPayment(
    id="1", ref=erp_ref("Payment", "000001"), status="Closed", customer_id="C1",
    payment_method="STRIPE", cash_account="10650ST", branch="HQ", day=date(2026, 3, 30),
    amount=usd(10_000), unapplied=usd(2_000), payment_ref="ch_1", external_ref="txn_1",
    description="Stripe payment", applications=(on("1", 8_000),), modified=NOON,
)  # fmt: skip
JOURNAL = ErpJournal(
    id="2", ref=erp_ref("GL", "000002"), status="Posted", branch="HQ", ledger="ACTUAL",
    currency="USD", day=date(2026, 3, 30), description="Stripe fee [mlcaaaaaaaaaaaa]",
    lines=(line(FEES, 320), line(CLEARING, -320)), modified=NOON,
)  # fmt: skip
MEMO = ErpMemo(
    id="3", ref=erp_ref("Credit Memo", "000003"), status="Closed", customer_id="C1",
    day=date(2026, 3, 30), amount=usd(2_000), order="re_1", description="Stripe refund",
    lines=((OTHER, usd(2_000)),), modified=NOON,
)  # fmt: skip
REVERSAL = replace(
    JOURNAL, ref=erp_ref("GL", "000009"), lines=(line(FEES, -320), line(CLEARING, 320))
)


@pytest.mark.parametrize(
    ("now", "edits", "wanted", "missing"),
    [
        ({}, [], None, 0),
        ({"modified": datetime(2026, 4, 1, tzinfo=UTC)}, [], None, 0),
        ({"description": "by Kim"}, [Edit.DESCRIPTION], Grade.HARMLESS, 0),
        ({"external_ref": "x"}, [Edit.DESCRIPTION], Grade.HARMLESS, 0),
        # 8,000 were applied to invoice 1, and 2,000 were left.
        ({"applications": (on("1", 8_000), on("2", 2_000))}, [Edit.APPLIED_MORE],
         Grade.HARMLESS, 0),
        ({"applications": (on("1", 5_000),)}, [Edit.UNAPPLIED], Grade.BREAKS_AR, 0),
        ({"applications": ()}, [Edit.UNAPPLIED], Grade.BREAKS_AR, 0),
        ({"applications": (on("2", 8_000),)}, [Edit.REAPPLIED], Grade.BREAKS_AR, 0),
        ({"payment_ref": "cheque 7"}, [Edit.REFERENCE], Grade.EXPLAINED, 0),
        ({"payment_method": "CHECK"}, [Edit.METHOD], Grade.EXPLAINED, 0),
        ({"branch": "WEST"}, [Edit.BRANCH], Grade.EXPLAINED, 0),
        ({"day": date(2026, 3, 1)}, [Edit.DATE], Grade.EXPLAINED, 0),
        ({"day": date(2026, 4, 1)}, [Edit.PERIOD], Grade.BREAKS_ACCOUNTS, 0),
        ({"customer_id": "C2"}, [Edit.CUSTOMER], Grade.BREAKS_AR, 0),
        ({"amount": usd(9_000)}, [Edit.AMOUNT], Grade.BREAKS_TIE_OUT, 1_000),
        ({"cash_account": "10200"}, [Edit.CASH_ACCOUNT], Grade.BREAKS_TIE_OUT, 10_000),
        ({"status": "Balanced"}, [Edit.UNRELEASED], Grade.BREAKS_TIE_OUT, 10_000),
        ({"status": "Voided", "applications": ()}, [Edit.VOIDED], Grade.BREAKS_TIE_OUT, 10_000),
    ],
)  # fmt: skip
def test_an_edit_of_a_payment_is_seen_graded_and_counted(
    now: dict[str, object], edits: list[Edit], wanted: Grade | None, missing: int
) -> None:
    after = replace(PAYMENT, **now)
    changes = payment_changes(PAYMENT, after, MONTHS)
    lacks = cash_missing(PAYMENT, after, usd(10_000))
    assert [one.edit for one in changes] == edits
    assert lacks == usd(missing)
    assert (grade(Paper.PAYMENT, changes, lacks) if changes else None) is wanted


@pytest.mark.parametrize(
    ("day", "edit", "wanted"),
    [
        (
            date(2026, 3, 28),
            Edit.PERIOD,
            Grade.BREAKS_ACCOUNTS,
        ),  # the same month, the period before
        (date(2026, 4, 30), Edit.DATE, Grade.EXPLAINED),  # the next month, the same period
    ],
)
def test_a_moved_date_is_graded_by_the_tenants_periods_and_not_by_the_month(
    day: date, edit: Edit, wanted: Grade
) -> None:
    payment = payment_changes(PAYMENT, replace(PAYMENT, day=day), WEEKS)
    journal = journal_changes(JOURNAL, replace(JOURNAL, day=day), WEEKS)
    memo = memo_changes(MEMO, replace(MEMO, day=day), WEEKS)
    for paper, changes in (
        (Paper.PAYMENT, payment), (Paper.JOURNAL, journal), (Paper.CREDIT_MEMO, memo)
    ):  # fmt: skip
        assert [one.edit for one in changes] == [edit]
        assert grade(paper, changes, usd(0)) is wanted


def test_a_voided_payment_in_transit_breaks_what_is_owed_and_not_the_tie_out() -> None:
    after = replace(PAYMENT, status="Voided")
    changes = payment_changes(PAYMENT, after, MONTHS)
    lacks = cash_missing(PAYMENT, after, Money.zero("EUR"))
    assert lacks == Money.zero("EUR")
    assert grade(Paper.PAYMENT, changes, lacks) is Grade.BREAKS_AR


@pytest.mark.parametrize(
    ("now", "others", "edits", "wanted", "missing"),
    [
        ({}, [], [], None, 0),
        ({"status": "Unposted"}, [], [], None, 0),
        ({"lines": (line(FEES, 300), line(FEES, 20), line(CLEARING, -320))}, [], [], None, 0),
        ({"description": "by Kim"}, [], [Edit.DESCRIPTION], Grade.HARMLESS, 0),
        ({"branch": "WEST"}, [], [Edit.BRANCH], Grade.EXPLAINED, 0),
        ({"day": date(2026, 3, 29)}, [], [Edit.DATE], Grade.EXPLAINED, 0),
        ({"day": date(2026, 2, 28)}, [], [Edit.PERIOD], Grade.BREAKS_ACCOUNTS, 0),
        ({"lines": (line(OTHER, 320), line(CLEARING, -320))}, [],
         [Edit.ACCOUNTS, Edit.ACCOUNTS], Grade.BREAKS_ACCOUNTS, 0),
        # The clearing account was to lose 320 and loses 300: it has 20 too much.
        ({"lines": (line(FEES, 300), line(CLEARING, -300))}, [],
         [Edit.ACCOUNTS, Edit.ACCOUNTS], Grade.BREAKS_TIE_OUT, -20),
        ({"status": "On Hold"}, [], [Edit.UNRELEASED], Grade.BREAKS_TIE_OUT, -320),
        ({}, [REVERSAL], [Edit.REVERSED], Grade.BREAKS_TIE_OUT, -320),
        # Reversed, and the reversal reversed: as it was.
        ({}, [REVERSAL, replace(JOURNAL, ref=erp_ref("GL", "000010"))], [], None, 0),
        # Copied: booked twice.
        ({}, [replace(JOURNAL, ref=erp_ref("GL", "000010"))], [Edit.CORRECTED],
         Grade.BREAKS_TIE_OUT, 320),
        # Moved by a batch of its own from one expense to another.
        ({}, [replace(REVERSAL, lines=(line(FEES, -320), line(OTHER, 320)))], [Edit.CORRECTED],
         Grade.BREAKS_ACCOUNTS, 0),
    ],
)  # fmt: skip
def test_an_edit_of_a_journal_is_seen_graded_and_counted(
    now: dict[str, object],
    others: list[ErpJournal],
    edits: list[Edit],
    wanted: Grade | None,
    missing: int,
) -> None:
    after = replace(JOURNAL, **now)
    changes = [*journal_changes(JOURNAL, after, MONTHS), *marked_changes(JOURNAL, others)]
    lacks = ledger_missing(CLEARING, JOURNAL, after, others)
    assert [one.edit for one in changes] == edits
    assert lacks == usd(missing)
    assert (grade(Paper.JOURNAL, changes, lacks) if changes else None) is wanted


def test_a_deleted_document_lacks_all_its_money() -> None:
    assert cash_missing(PAYMENT, None, usd(10_000)) == usd(10_000)
    assert ledger_missing(CLEARING, JOURNAL, None, []) == usd(-320)
