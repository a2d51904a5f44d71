"""A payout is proven when every member and the transfer were read back and the sum agrees."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import a_carried, a_member, a_payout, money
from build.strategies import amounts
from ml_connector.basics.ids import PostingKey
from ml_connector.basics.money import Money, total
from ml_connector.books.guardian import Grade
from ml_connector.books.postings import State
from ml_connector.books.proof import Carried, Changed, Member, Shared, Verdict, prove

states = st.sampled_from(State)
unfinished = st.sampled_from([state for state in State if state is not State.VERIFIED])


def a_transfer(amount: str | Money = "12.00 USD", state: State = State.VERIFIED) -> Member:
    """The payout's own row: what leaves the clearing account for the bank."""
    leaves = -money(amount)
    carried = a_carried(leaves, key="payout:po_1", state=state)
    return a_member(leaves, id="txn_po", pair="payout/payout", carried=(carried,))


@st.composite
def members(draw: st.DrawFn) -> Member:
    """A member whose documents together carry its net, in any states."""
    parts = draw(st.lists(st.tuples(amounts().filter(bool), states), min_size=1, max_size=3))
    carried = tuple(
        a_carried(amount, key=f"fee:txn_{number}", state=state)
        for number, (amount, state) in enumerate(parts)
    )
    return a_member(total((amount for amount, _ in parts), "USD"), carried=carried)


@given(st.lists(members(), max_size=4), states, st.sampled_from(["0 USD", "0.01 USD", "-5.00 USD"]))
def test_a_payout_is_proven_exactly_when_all_is_verified_and_the_sum_agrees(
    inside: list[Member], transferred: State, astray: str
) -> None:
    amount = total((member.net for member in inside), "USD") + money(astray)
    proof = prove(a_payout(amount), inside, a_transfer(amount, transferred))
    documents = [document for member in inside for document in member.carried]
    verified = all(document.state is State.VERIFIED for document in documents)
    assert proof.proven == (verified and transferred is State.VERIFIED and not money(astray))
    assert proof.proven == (not proof.gaps)
    assert proof.difference == money(astray)


@given(st.lists(amounts().filter(bool), min_size=1, max_size=4), st.sampled_from([0, 1, -1]))
def test_shares_in_one_document_prove_only_when_they_are_the_whole_document(
    fees: list[Money], astray: int
) -> None:
    whole = Shared(PostingKey("fees_of_payout:po_1"), -total(fees, "USD"), -total(fees, "USD"))
    whole = replace(whole, shares=whole.shares + Money(astray, "USD"))
    inside = [
        a_member(-fee, id=f"txn_{n}", carried=(a_carried(-fee, key=whole.key),))
        for n, fee in enumerate(fees)
    ]
    amount = -total(fees, "USD")
    proof = prove(a_payout(amount), inside, a_transfer(amount), shared=[whole])
    assert proof.proven == (not astray)
    assert [f"add up to {whole.shares}" in gap for gap in proof.gaps] == [True] * abs(astray)


@given(st.data())
def test_a_document_that_people_voided_takes_the_proof_away_wherever_its_money_is_now(
    data: st.DataObject,
) -> None:
    inside = [a_member(id="txn_1"), a_member("-2.00 USD", id="txn_2", carried=(
        a_carried("-2.00 USD", key="refund:re_1"),))]  # fmt: skip
    out = a_transfer("10.00 USD")
    key = data.draw(st.sampled_from(["payment:ch_1", "refund:re_1", "payout:po_1"]))
    stands = data.draw(st.booleans())
    changed = Changed(
        PostingKey(key), Grade.EXPLAINED, "accepted", "It was touched.", money("0.00 USD"), stands
    )
    proof = prove(a_payout("10.00 USD"), inside, out, changed=[changed])
    assert proof.proven is stands
    assert proof.transferred is (stands or key != "payout:po_1")
    sent_back = prove(
        a_payout("10.00 USD", status="failed"), inside, out,
        a_member("10.00 USD", id="txn_back", carried=(a_carried("10.00 USD", key=key),)),
        changed=[changed],
    )  # fmt: skip
    assert (sent_back.verdict is Verdict.RETURNED) is stands


def test_a_proven_payout_has_no_gap() -> None:
    """Charge 108.25 less fee 3.44, refund 20.00, dispute 50.00 and 15.00, bill 0.43."""
    inside = [
        a_member(
            "104.81 USD",
            carried=(a_carried("108.25 USD"), a_carried("-3.44 USD", key="fee:txn_1")),
        ),
        a_member("-20.00 USD", id="txn_2", pair="refund/refund"),
        a_member("-65.00 USD", id="txn_3", pair="adjustment/dispute"),
        a_member("-0.43 USD", id="txn_4", pair="stripe_fee/fee"),
    ]
    proof = prove(a_payout("19.38 USD"), inside, a_transfer("19.38 USD"))
    assert proof.gaps == ()
    assert proof.proven
    assert proof.sum_of_members == money("19.38 USD")
    assert (proof.payout, proof.status) == ("po_1", "paid")


def test_a_debit_from_the_bank_is_proven_like_a_deposit() -> None:
    inside = [a_member("-20.00 USD", pair="refund/refund")]
    assert prove(a_payout("-20.00 USD"), inside, a_transfer("-20.00 USD")).proven


def test_members_that_do_not_add_up_are_named_with_both_sums() -> None:
    proof = prove(a_payout("12.01 USD"), [a_member("12.00 USD")], a_transfer("12.01 USD"))
    assert proof.gaps == ("The members add up to 12.00 USD, not 12.01 USD.",)


def test_a_member_that_nothing_carries_is_named_with_what_it_lacks() -> None:
    inside = [a_member("12.00 USD", carried=(), pair="climate_order_purchase/contribution")]
    proof = prove(a_payout(), inside, a_transfer())
    assert proof.gaps == ("txn_1 (climate_order_purchase) lacks 12.00 USD in the ledger.",)


@given(unfinished)
def test_a_fee_that_was_not_read_back_is_missing(state: State) -> None:
    fee = a_carried("-3.44 USD", key="fee:txn_1", state=state)
    member = a_member("104.81 USD", carried=(a_carried("108.25 USD"), fee))
    proof = prove(a_payout("104.81 USD"), [member], a_transfer("104.81 USD"))
    assert proof.gaps == ("txn_1 (charge) lacks -3.44 USD in the ledger.",)


def test_documents_that_cancel_out_are_no_proof_before_they_were_read_back() -> None:
    """A charge of 0.30 whose fee is 0.30 moves nothing, yet both documents must be there."""
    documents = (
        a_carried("0.30 USD", key="payment:ch_1", state=State.CREATED),
        a_carried("-0.30 USD", key="fee:txn_1", state=State.FAILED),
    )
    inside = [a_member("12.00 USD", id="txn_2"), a_member("0.00 USD", carried=documents)]
    proof = prove(a_payout("12.00 USD"), inside, a_transfer())
    assert proof.gaps == ("txn_1 (charge) waits for payment:ch_1, fee:txn_1 to be read back.",)


@pytest.mark.parametrize(
    "transfer",
    [None, a_transfer(state=State.SENDING), a_member("-12.00 USD", id="txn_po", carried=())],
)
def test_a_transfer_that_is_not_in_the_ledger_is_a_gap(transfer: Member | None) -> None:
    proof = prove(a_payout(), [a_member()], transfer)
    assert proof.gaps == ("The transfer to the bank is not in the ledger.",)


@pytest.mark.parametrize(
    ("automatic", "reconciliation"), [(False, "not_applicable"), (True, "in_progress")]
)
def test_a_payout_without_member_list_is_never_proven_and_says_why(
    automatic: bool, reconciliation: str
) -> None:
    payout = a_payout(automatic=automatic, reconciliation=reconciliation)
    proof = prove(payout, [], a_transfer())
    assert not proof.proven
    assert len(proof.gaps) == 1
    assert "Stripe does not say what is inside" in proof.gaps[0]


def test_more_in_the_ledger_than_stripe_moved_is_a_gap_too() -> None:
    twice: tuple[Carried, ...] = (a_carried(), a_carried(key="payment:ch_1 again"))
    proof = prove(a_payout(), [a_member(carried=twice)], a_transfer())
    assert proof.gaps == ("txn_1 (charge) lacks -12.00 USD in the ledger.",)
