"""The paper of a payout: signed line by line, recounted from its lines, honest about gaps."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import a_carried, a_member, a_payout, money
from ml_connector.basics.ids import PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.certificate import FORMAT, Around, Certificate, Document, Entry, lines
from ml_connector.books.guardian import Grade
from ml_connector.books.postings import State
from ml_connector.books.proof import Changed, Member, Proof, Verdict, prove
from ml_connector.books.recount import recount
from ml_connector.books.sealed import Complaint, NotAPaper, Paper, opened, sealed
from ml_connector.vault.signing import SigningKey, genuine

AT = datetime(2026, 10, 9, 6, 0, tzinfo=UTC)
KEY = SigningKey.generate()
Change = Callable[[list[dict[str, Any]]], None]


def a_document(
    key: str, effect: str | Money, state: State = State.VERIFIED, others: str = "0.00 USD"
) -> Document:
    """A journal between clearing and another account."""
    moved = money(effect)
    sides = (Entry("10650", moved, clearing=True), Entry("61100", -moved, clearing=False))
    ref = erp_ref("GL", key[-6:])
    nothing = Money.zero(moved.currency)
    return Document(
        PostingKey(key), ref, state, moved, "ab" * 32, AT, 1, sides,
        for_others=money(others), taken_off=nothing,
    )  # fmt: skip


def inside() -> list[Member]:
    charge = (a_carried("108.25 USD"), a_carried("-3.44 USD", key="fee:txn_1"))
    refund = a_carried("-20.00 USD", key="refund:re_1")
    return [
        a_member("104.81 USD", carried=charge),
        a_member("-20.00 USD", id="txn_2", pair="refund/refund", carried=(refund,)),
    ]


def transfer(amount: str = "-84.81 USD", key: str = "payout:po_1") -> Member:
    moved = (a_carried(amount, key=key),)
    return a_member(amount, id=f"txn_{key[:7]}", pair="payout/payout", carried=moved)


def a_paper(proof: Proof) -> Certificate:
    every = [*proof.members, *(one for one in (proof.transfer, proof.reversal) if one)]
    papers = [a_document(one.key, one.clearing, one.state) for m in every for one in m.carried]
    around = Around(money("84.81 USD"), money("-84.81 USD"))
    return Certificate("main", proof, date(2026, 10, 9), AT, tuple(papers), around)


def signed(paper: Certificate) -> str:
    return sealed(FORMAT, paper.name, KEY.public, lines(paper), KEY.sign)


def a_proof() -> Proof:
    return prove(a_payout("84.81 USD"), inside(), transfer())


def read(text: str) -> Paper:
    return opened(text, FORMAT, genuine)


def complaints(text: str) -> list[Complaint]:
    paper = read(text)
    return [*paper.complaints, *recount(paper.lines)]


def test_a_paper_that_nobody_touched_has_no_complaint_and_says_what_was_proven() -> None:
    text = signed(a_paper(a_proof()))
    assert complaints(text) == []
    head = dict(read(text).lines)[1]
    assert (head["verdict"], head["amount"]) == ("proven", "84.81 USD")


def texts(place: Any) -> list[tuple[Any, Any]]:
    """Every place inside a line that holds a value."""
    known: Any = place.keys() if hasattr(place, "keys") else range(len(place))
    pairs: list[tuple[Any, Any]] = []
    for name in known:
        holds = not isinstance(place[name], str | int)
        pairs += texts(place[name]) if holds else [(place, name)]
    return pairs


@given(st.data())
def test_any_one_value_that_is_changed_names_its_line(data: st.DataObject) -> None:
    paper = json.loads(signed(a_paper(a_proof())))
    row = data.draw(st.sampled_from(paper["lines"]))
    place, name = data.draw(st.sampled_from(texts(row["says"])))
    place[name] = "1.23 USD" if place[name] != "1.23 USD" else "1.24 USD"
    found = read(json.dumps(paper)).complaints
    assert [one.line for one in found] == [row["line"]]


def test_a_line_taken_away_or_put_in_another_place_is_seen() -> None:
    paper = json.loads(signed(a_paper(a_proof())))
    whole = paper["lines"]
    paper["lines"] = [row for row in whole if row["line"] != 3]
    assert 0 in {one.line for one in read(json.dumps(paper)).complaints}
    paper["lines"] = [whole[0], whole[2], whole[1], *whole[3:]]
    assert {one.line for one in read(json.dumps(paper)).complaints} == {0, 2, 3}


def test_a_line_of_another_paper_does_not_fit() -> None:
    other = json.loads(signed(a_paper(prove(a_payout("84.82 USD"), inside(), transfer()))))
    other["lines"][0]["signature"] = json.loads(signed(a_paper(a_proof())))["lines"][0]["signature"]
    assert {one.line for one in read(json.dumps(other)).complaints} == {0, 1}


FORGED: dict[str, Change] = {
    "The members add up to 84.81 USD, not 90.00 USD.": lambda rows: rows[10].update(
        members="90.00 USD", difference="-5.19 USD"
    ),
    "txn_2 is not carried whole: -1.00 USD is missing.": lambda rows: rows[2].update(
        net="-21.00 USD"
    ),
    "refund:re_1 does not balance in USD: 1.00 USD.": lambda rows: rows[6]["entries"][0].update(
        amount="-19.00 USD"
    ),
    "Account 61100 adds up to 0.00 USD, not 7.00 USD.": lambda rows: rows[8].update(
        account="61100", amount="7.00 USD"
    ),
    "Clearing before and the transfer are not after.": lambda rows: rows[-1].update(
        after="0.01 USD"
    ),
    "The lines do not bear out 'proven'.": lambda rows: rows[5].update(state="released"),
}


@pytest.mark.parametrize("sentence", FORGED)
def test_a_paper_whose_sums_do_not_follow_is_found_out_even_when_it_is_well_signed(
    sentence: str,
) -> None:
    """What the owner of the key has signed is recounted as well."""
    rows = json.loads(json.dumps(lines(a_paper(a_proof()))))
    FORGED[sentence](rows)
    text = sealed(FORMAT, "main/po_1", KEY.public, rows, KEY.sign)
    assert read(text).complaints == ()
    assert sentence in {one.sentence for one in complaints(text)}


def test_a_document_that_many_payouts_share_is_counted_by_its_shares() -> None:
    proof = prove(a_payout("84.81 USD"), inside(), transfer())
    paper = a_paper(proof)
    for others, sound in (("-6.56 USD", True), ("-6.55 USD", False)):
        fees = a_document("fee:txn_1", "-10.00 USD", others=others)
        shared = [fees if one.key == "fee:txn_1" else one for one in paper.documents]
        text = signed(Certificate("main", proof, paper.arrival, AT, tuple(shared), paper.around))
        (row,) = (one for _, one in read(text).lines if one.get("key") == "fee:txn_1")
        assert row["for_others"] == others
        assert (complaints(text) == []) is sound


def changed(*, stands: bool, missing: str = "0.00 USD") -> Changed:
    """What a person did to the refund's document."""
    return Changed(PostingKey("refund:re_1"), Grade.EXPLAINED, "open",
                   "GL und:re_1 was changed.", money(missing), stands)  # fmt: skip


@pytest.mark.parametrize("stands", [True, False])
def test_what_people_changed_is_a_line_of_its_own_and_a_voided_document_proves_nothing(
    stands: bool,
) -> None:
    proof = prove(a_payout("84.81 USD"), inside(), transfer(), changed=[changed(stands=stands)])
    text = signed(a_paper(proof))
    assert complaints(text) == []
    rows = [one for _, one in read(text).lines]
    (line,) = (one for one in rows if one["what"] == "changed")
    assert (line["document"], line["decision"], line["stands"]) == ("refund:re_1", "open", stands)
    assert rows[0]["verdict"] == ("proven" if stands else "not proven")
    gaps = [str(one["sentence"]) for one in rows if one["what"] == "gap"]
    assert ["relink or restore" in one for one in gaps] == ([] if stands else [True])


def test_a_verdict_that_passes_over_a_voided_document_is_found_out() -> None:
    rows = json.loads(json.dumps(lines(a_paper(a_proof()))))
    voided = lines(a_paper(prove(a_payout("84.81 USD"), inside(), transfer(),
                                 changed=[changed(stands=False)])))  # fmt: skip
    rows += [one for one in voided if one["what"] == "changed"]
    text = sealed(FORMAT, "main/po_1", KEY.public, rows, KEY.sign)
    assert "The lines do not bear out 'proven'." in {one.sentence for one in complaints(text)}
    rows[-1]["document"] = "payment:nobody"
    text = sealed(FORMAT, "main/po_1", KEY.public, rows, KEY.sign)
    assert "payment:nobody is called changed and is not here." in {
        one.sentence for one in complaints(text)
    }


def test_what_people_took_off_a_document_is_not_called_a_part_of_others() -> None:
    """The refund of 20.00 was voided: nobody carries it, and the paper still adds up."""
    half = [inside()[0], replace(inside()[1], carried=(a_carried("0.00 USD", key="refund:re_1"),))]
    taken = changed(stands=False, missing="-20.00 USD")
    proof = prove(a_payout("84.81 USD"), half, transfer(), changed=[taken])
    papers = [
        replace(a_document("refund:re_1", "-20.00 USD"), taken_off=taken.missing)
        if one.key == "refund:re_1" else one for one in a_paper(proof).documents
    ]  # fmt: skip
    text = signed(replace(a_paper(proof), documents=tuple(papers)))
    assert complaints(text) == []
    (row,) = (one for _, one in read(text).lines if one.get("key") == "refund:re_1")
    assert (row["for_others"], row["taken_off"]) == ("0.00 USD", "-20.00 USD")


def test_a_paper_from_before_it_said_what_was_taken_off_is_still_good() -> None:
    rows = json.loads(json.dumps(lines(a_paper(a_proof()))))
    for row in rows:
        row.pop("taken_off", None)
    text = sealed(FORMAT, "main/po_1", KEY.public, rows, KEY.sign)
    assert complaints(text) == []


def test_a_manual_payout_has_an_honest_paper_of_its_transfer_alone() -> None:
    proof = prove(a_payout("84.81 USD", automatic=False), [], transfer())
    assert proof.verdict is Verdict.TRANSFER_ONLY
    assert complaints(signed(a_paper(proof))) == []


def test_a_payout_that_came_back_is_settled_only_with_its_reversal() -> None:
    back = transfer("84.81 USD", "payout_reversal:po_1")
    payout = a_payout("84.81 USD", status="failed")
    assert prove(payout, inside(), transfer()).verdict is Verdict.NOT_PROVEN
    assert not prove(payout, inside(), transfer()).proven
    proof = prove(payout, inside(), transfer(), back)
    assert proof.verdict is Verdict.RETURNED
    assert complaints(signed(a_paper(proof))) == []


def test_a_debit_from_the_bank_has_a_paper_like_a_deposit() -> None:
    refund = a_carried("-20.00 USD", key="refund:re_1")
    members = [a_member("-20.00 USD", pair="refund/refund", carried=(refund,))]
    proof = prove(a_payout("-20.00 USD"), members, transfer("20.00 USD"))
    assert complaints(signed(a_paper(proof))) == []


def test_an_unproven_payout_is_signed_with_its_gaps() -> None:
    waiting = a_carried("12.00 USD", state=State.SENDING)
    proof = prove(a_payout("12.00 USD"), [a_member("12.00 USD", carried=(waiting,))], None)
    text = signed(a_paper(proof))
    assert complaints(text) == []
    gaps = [facts["sentence"] for _, facts in read(text).lines if facts["what"] == "gap"]
    assert gaps == list(proof.gaps)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 1.5}', '{"format": "a", "format": "b"}', '"proof"',
     '{"format":"x/1","paper":"p","key":"k","lines":[],"signature":""}'],
)  # fmt: skip
def test_what_is_no_paper_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(NotAPaper) as why:
        read(text)
    assert "--out" in why.value.remedy
