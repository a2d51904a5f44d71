"""May it be written? Modes, a person's word, and what moves it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.books.approval import (
    Asked,
    HeldBack,
    InShadow,
    NotAsApproved,
    Said,
    Verdict,
    WaitsForApproval,
    WasDeclined,
    each_by_itself,
    require_permission,
    together,
)
from ml_connector.books.modes import OF_PURPOSE, Mode, Modes, RecordType
from ml_connector.books.postings import Purpose

ASKED = Asked(RecordType.FEES, "fee:txn_1 (-0.65 USD)", "aa")


def said(verdict: Verdict = Verdict.APPROVED, body_hash: str = "aa", version: int = 1) -> Said:
    return Said(verdict, body_hash, version, "ann", "booked by hand")


def test_every_purpose_belongs_to_a_kind_of_record() -> None:
    assert set(OF_PURPOSE) == set(Purpose)


def test_every_kind_of_record_is_automatic_unless_a_mode_is_set() -> None:
    assert {Modes().of(kind) for kind in RecordType} == {Mode.AUTOMATIC}
    only = Modes(fees=Mode.SHADOW)
    assert [kind for kind in RecordType if only.of(kind) is Mode.SHADOW] == [RecordType.FEES]


@pytest.mark.parametrize(
    ("mode", "word", "why"),
    [
        (Mode.SHADOW, said(), InShadow),
        (Mode.SHADOW, None, InShadow),
        (Mode.APPROVE, None, WaitsForApproval),
        (Mode.APPROVE, said(body_hash="bb"), NotAsApproved),
        (Mode.APPROVE, said(body_hash="bb", version=9), NotAsApproved),
        (Mode.AUTOMATIC, said(body_hash="bb"), NotAsApproved),
        (Mode.APPROVE, said(Verdict.DECLINED), WasDeclined),
        (Mode.AUTOMATIC, said(Verdict.DECLINED), WasDeclined),
    ],
)
def test_a_document_is_held_back_for_a_reason(
    mode: Mode, word: Said | None, why: type[HeldBack]
) -> None:
    with pytest.raises(why, match="fee:txn_1") as held:
        require_permission(ASKED, mode, word, mapping_version=1)
    assert held.value.remedy


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        (Mode.AUTOMATIC, None),
        (Mode.AUTOMATIC, said()),
        (Mode.AUTOMATIC, said(body_hash="bb", version=9)),
        (Mode.APPROVE, said()),
        (Mode.APPROVE, said(version=9)),
    ],
)
def test_what_is_automatic_or_approved_as_it_is_passes(mode: Mode, word: Said | None) -> None:
    require_permission(ASKED, mode, word, mapping_version=1)


@given(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 3))
def test_where_a_person_approves_only_the_approved_document_passes(
    approved: str, sent: str, version: int
) -> None:
    asked, word = Asked(RecordType.PAYMENTS, "payment:ch_1", sent), said(body_hash=approved)
    try:
        require_permission(asked, Mode.APPROVE, word, version)
    except NotAsApproved:
        assert sent != approved
    else:
        assert sent == approved


def test_several_reasons_are_told_as_one() -> None:
    both = together([WaitsForApproval(ASKED), WasDeclined(ASKED, said(Verdict.DECLINED))])
    assert "waits for approval" in both.sentence
    assert "booked by hand" in both.sentence
    assert both.cause == "mode.approve:fees"


def test_an_approval_cures_one_document_and_another_mode_cures_them_all() -> None:
    modes = {RecordType.FEES: Mode.APPROVE, RecordType.PAYMENTS: Mode.AUTOMATIC}
    assert each_by_itself("mode.approve:fees", modes)
    assert each_by_itself("mode.declined:payments", modes)
    assert not each_by_itself("mode.approve:payments", modes)
    assert not each_by_itself("mode.shadow:fees", modes)
    assert not each_by_itself("mapping.account:fees", modes)
