"""The guardian's one table: each kind of edit on each kind of document has its grade."""

import pytest

from ml_connector.basics.money import Money
from ml_connector.books.guardian import (
    HOW,
    TABLE,
    Change,
    Edit,
    Grade,
    Paper,
    grade,
    how_to_mend,
    restorable,
)

NOTHING = Money.zero("USD")


def graded(paper: Paper, *edits: Edit, missing: Money = NOTHING) -> Grade:
    return grade(paper, [Change(edit, "It was changed.") for edit in edits], missing)


MATRIX = """
               payment  journal  refund   memo     booked
description    harmless harmless harmless harmless -
applied_more   harmless -        harmless -        -
reference      yes      -        yes      yes      -
method         yes      -        yes      -        -
branch         yes      yes      yes      -        -
date           yes      yes      yes      yes      -
period         accounts accounts accounts accounts -
amount         ar       -        ar       ar       ar
charges        accounts -        accounts -        accounts
cash_account   accounts -        accounts -        accounts
customer       ar       -        ar       ar       -
unapplied      ar       -        ar       -        -
reapplied      ar       -        ar       -        -
voided         ar       -        ar       ar       ar
reentered      yes      -        -        -        -
unreleased     ar       accounts ar       ar       ar
deleted        ar       accounts ar       ar       ar
accounts       -        accounts -        accounts -
reversed       -        accounts -        -        -
corrected      -        accounts -        -        -
"""
"""What a controller expects: harmless, wants a yes, breaks accounts or receivables; a hyphen where
the edit cannot happen to the document or is its owner's own business."""
COLUMNS = (Paper.PAYMENT, Paper.JOURNAL, Paper.REFUND, Paper.CREDIT_MEMO, Paper.BOOKED)
WORDS = {
    "harmless": Grade.HARMLESS,
    "yes": Grade.EXPLAINED,
    "accounts": Grade.BREAKS_ACCOUNTS,
    "ar": Grade.BREAKS_AR,
}


def expected_grades() -> dict[tuple[Paper, Edit], Grade]:
    lines = [line.split() for line in MATRIX.strip().splitlines()[1:]]
    return {
        (paper, Edit(name)): WORDS[word]
        for name, *words in lines
        for paper, word in zip(COLUMNS, words, strict=True)
        if word != "-"
    }


def test_each_kind_of_edit_of_each_kind_of_document_has_the_grade_that_a_controller_expects() -> (
    None
):
    expected = expected_grades()
    assert {edit for _, edit in expected} == set(Edit)
    assert set(COLUMNS) == set(Paper)
    assert expected == TABLE
    assert all(graded(paper, edit) is wanted for (paper, edit), wanted in expected.items())


@pytest.mark.parametrize(("paper", "edit"), expected_grades())
def test_whatever_takes_money_off_the_clearing_account_breaks_the_tie_out(
    paper: Paper, edit: Edit
) -> None:
    assert graded(paper, edit, missing=Money(-1, "USD")) is Grade.BREAKS_TIE_OUT


def test_the_worst_of_several_edits_counts() -> None:
    texts_and_customer = graded(Paper.PAYMENT, Edit.DESCRIPTION, Edit.CUSTOMER, Edit.DATE)
    assert texts_and_customer is Grade.BREAKS_AR
    assert graded(Paper.PAYMENT, Edit.DESCRIPTION, Edit.APPLIED_MORE) is Grade.HARMLESS


def test_only_what_is_harmless_asks_for_nobody() -> None:
    assert [one for one in Grade if not one.asks] == [Grade.HARMLESS]


def test_a_reversal_by_hand_is_restored_whatever_its_text_says_and_nothing_else_is() -> None:
    assert restorable([Edit.VOIDED])
    assert restorable([Edit.DESCRIPTION, Edit.REVERSED])
    for edits in ([], [Edit.DESCRIPTION], [Edit.REVERSED, Edit.PERIOD], [Edit.REENTERED]):
        assert not restorable(edits)


def test_a_change_that_we_cannot_take_back_says_how_it_is_done_by_hand() -> None:
    assert how_to_mend([Edit.REAPPLIED]) == HOW[Edit.REAPPLIED]
    assert how_to_mend([Edit.AMOUNT, Edit.CUSTOMER]).count("restore this finding") == 1
