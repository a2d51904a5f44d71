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


def test_every_kind_of_edit_is_graded_for_some_document() -> None:
    assert {edit for _, edit in TABLE} == set(Edit)


@pytest.mark.parametrize(("paper", "edit"), TABLE)
def test_whatever_takes_money_off_the_clearing_account_breaks_the_tie_out(
    paper: Paper, edit: Edit
) -> None:
    assert graded(paper, edit, missing=Money(-1, "USD")) is Grade.BREAKS_TIE_OUT
    assert graded(paper, edit) is TABLE[paper, edit]
    assert TABLE[paper, edit] is not Grade.BREAKS_TIE_OUT


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
