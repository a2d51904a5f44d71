"""What Stripe keeps is in the books once, whoever carries it: any fee, any parts, any policy."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.ledger import (
    CLEARING_OF,
    FEES,
    INPUT_TAX,
    KNOWN_PAIRS,
    RECEIPTS,
    RECEIVABLE,
    entries,
    story_of,
    t_accounts,
)
from build.records import (
    CLEARING,
    a_balance_transaction,
    a_charge,
    a_fee_part,
    a_mapping,
    a_match,
    a_payout,
    money,
)
from build.strategies import amounts
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.basics.money import Money, total
from ml_connector.books.disputes import Lost, as_reopened
from ml_connector.books.fees import Kept, fees_of_payout
from ml_connector.books.mapping import Role, problems
from ml_connector.books.policies import FeesPosted, Policies
from ml_connector.books.postings import (
    ArPayment,
    PaymentCharge,
    Purpose,
    Voiding,
    clearing_effect,
)
from ml_connector.books.records import BalanceTransaction, FeePart
from ml_connector.books.rules import Story, fee_may_wait, fee_role, postings
from ml_connector.books.unexplained import UnknownFee

RIDING = a_mapping(policies=Policies(fees=FeesPosted.PAYMENT_CHARGE))
WITH_PAYOUT = a_mapping(policies=Policies(fees=FeesPosted.PAYOUT))
TRANSFERS = ["payout/payout", "payout_failure/payout_reversal", "payout_cancel/payout_reversal"]


@st.composite
def movements(draw: st.DrawFn) -> BalanceTransaction:
    """A transaction of a known pair, with a fee in parts that may or may not add up."""
    pair = draw(st.sampled_from(KNOWN_PAIRS))
    amount = draw(amounts(least=0 if pair in RECEIPTS else -(10**6), most=10**6))
    kinds = st.sampled_from(["stripe_fee", "tax", "application_fee"])
    kept = draw(st.lists(st.tuples(amounts(least=-500, most=500), kinds), max_size=4))
    parts = tuple(a_fee_part(part, kind) for part, kind in kept)
    fee = total((part.amount for part in parts), "USD")
    fee += Money(draw(st.sampled_from([0, 0, 0, 1, -7])), "USD")
    return a_balance_transaction(pair, amount, fee, fee_parts=parts, id=f"txn_{draw(st.uuids())}")


def on_clearing(made: list[tuple[str, Money]]) -> int:
    return sum(amount.minor for account, amount in made if account == CLEARING)


@given(st.lists(movements(), max_size=6), st.sampled_from(FeesPosted))
def test_documents_and_shares_of_the_payouts_fees_change_clearing_by_every_net(
    inside: list[BalanceTransaction], policy: FeesPosted
) -> None:
    mapping = a_mapping(policies=Policies(fees=policy), fee_kinds={"rest": "61900"})
    left: list[Kept] = []
    for bt in inside:
        made = postings(bt, story_of(bt), mapping)
        moved = clearing_effect(made, "USD")
        assert moved.minor == sum(on_clearing(entries(one)) for one in made)
        if moved != bt.net:
            assert moved == bt.net + bt.fee
            left.append(Kept(bt, fee_role(bt, mapping)))
    waiting = [bt for bt in inside if fee_may_wait(bt, mapping)]
    assert [one.transaction for one in left] == (waiting if policy is FeesPosted.PAYOUT else [])
    if left:
        journal = fees_of_payout(a_payout("1.00 USD"), left, mapping)
        assert journal.clearing == -total((one.transaction.fee for one in left), "USD")
        assert on_clearing(entries(journal)) == journal.clearing.minor
        assert sum(amount.minor for _, amount in entries(journal)) == 0


@given(movements(), st.sampled_from(FeesPosted), st.sampled_from([True, False]))
def test_what_is_decided_of_a_fee_is_kept_under_any_policy(
    bt: BalanceTransaction, policy: FeesPosted, apart: bool
) -> None:
    mapping = a_mapping(policies=Policies(fees=policy), fee_kinds={"rest": "61900"})
    made = postings(bt, replace(story_of(bt), fee_apart=apart), mapping)
    assert clearing_effect(made, "USD") == (bt.net + bt.fee if apart else bt.net)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-90, 90))
def test_a_payment_that_is_undone_leaves_exactly_the_fee_that_stripe_keeps(
    gross: int, fee: int, tax: int, back: int
) -> None:
    """Whatever rode on it went back with it, and is booked again."""
    parts = (a_fee_part(Money(fee, "USD")), a_fee_part(Money(tax, "USD"), "tax"))
    came = a_balance_transaction(
        "charge/charge", Money(gross, "USD"), Money(fee + tax, "USD"), fee_parts=parts
    )
    story = Story(subject="ch_1", match=a_match(a_charge(came.amount)))
    made = postings(came, story, RIDING)
    paper = made[0].document
    assert isinstance(paper, ArPayment)
    assert bool(paper.charges) == (0 < fee + tax < gross)
    voiding = Voiding(erp_ref("Payment", "000078"), "ch_1", paper.amount, paper.charges)
    went = a_balance_transaction(
        "payment_reversal/charge", -came.amount, Money(back, "USD"), id="txn_2"
    )
    undone = postings(went, Story(subject="ch_1", voids=voiding), RIDING)
    assert clearing_effect(undone, "USD") == went.net
    left = t_accounts([*made, *undone])
    assert left[CLEARING] == str(came.net + went.net)
    assert left.get(FEES, "0.00 USD") == str(Money(fee + back, "USD"))
    assert left.get(INPUT_TAX, "0.00 USD") == str(Money(tax, "USD"))
    day = date(2026, 3, 31)
    lost = Lost(StripeId("du_1"), "ch_1", came.amount, StripeId("txn_3"), day)
    assert not clearing_effect(as_reopened(lost, voiding, RIDING), "USD")


@shows(FeesPosted.PAYMENT_CHARGE)
def test_a_fee_that_rides_on_its_payment_is_split_by_entry_type() -> None:
    """A charge of 108.25 with a fee of 3.44, of which 0.55 is tax.

    clearing             | receivable           | fees         | input tax
    104.81 |             |        |   108.25    | 2.89 |       | 0.55 |
    """
    parts = (a_fee_part("2.69 USD"), a_fee_part("0.55 USD", "tax"), a_fee_part("0.20 USD"))
    bt = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    (payment,) = postings(bt, story_of(bt), RIDING)
    assert isinstance(payment.document, ArPayment)
    assert [(one.entry_type, str(one.amount)) for one in payment.document.charges] == [
        ("STRIPEFEE", "2.89 USD"),
        ("STRIPETAX", "0.55 USD"),
    ]
    assert payment.clearing == money("104.81 USD")


@shows(Purpose.FEE_KEPT, Purpose.VOID)
def test_a_debit_that_bounces_takes_its_charges_back_and_the_fee_is_booked_again() -> None:
    """108.25 came with a fee of 3.44 on the payment, 0.55 of it tax; the bank takes 108.25 back.

    clearing             | receivable           | fees         | input tax
    104.81 |             |        |   108.25    | 2.89 |       | 0.55 |           the payment
           |    104.81   | 108.25 |             |      |  2.89 |      |  0.55     voided
           |      3.44   |        |             | 2.89 |       | 0.55 |           the fee kept
    """
    parts = (a_fee_part("2.89 USD"), a_fee_part("0.55 USD", "tax"))
    came = a_balance_transaction("payment/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    (paid,) = postings(came, story_of(came), RIDING)
    assert isinstance(paid.document, ArPayment)
    ref = erp_ref("Payment", "000078")
    voiding = Voiding(ref, "ch_1", paid.document.amount, paid.document.charges)
    went = a_balance_transaction("payment_failure_refund/charge_failure", "-108.25 USD", id="t2")
    back = postings(went, Story(subject="ch_1", voids=voiding), RIDING)
    assert [one.key for one in back] == ["void:ch_1", "fee_kept:t2"]
    assert [str(one.clearing) for one in back] == ["-104.81 USD", "-3.44 USD"]
    assert t_accounts([paid, *back]) == {
        CLEARING: "-3.44 USD",
        RECEIVABLE: "0.00 USD",
        FEES: "2.89 USD",
        INPUT_TAX: "0.55 USD",
    }


@pytest.mark.parametrize(
    ("pair", "fee", "parts"),
    [
        ("charge/charge", "-0.30 USD", None),
        ("charge/charge", "12.00 USD", None),
        ("charge/charge", "0.50 USD", (a_fee_part("0.80 USD"), a_fee_part("-0.30 USD", "tax"))),
        ("adjustment/dispute", "15.00 USD", None),
        ("refund/refund", "0.20 USD", None),
    ],
)
def test_a_fee_that_cannot_ride_is_a_journal_of_its_own(
    pair: str, fee: str, parts: tuple[FeePart, ...] | None
) -> None:
    bt = a_balance_transaction(pair, "12.00 USD", fee, fee_parts=parts)
    made = postings(bt, story_of(bt), RIDING)
    assert [one.purpose for one in made][-1] is Purpose.FEE
    assert clearing_effect(made, "USD") == bt.net


@pytest.mark.parametrize("pair", TRANSFERS)
def test_the_fee_of_a_transfer_does_not_wait_for_a_payout(pair: str) -> None:
    bt = a_balance_transaction(pair, "-50.00 USD", "0.75 USD")
    assert not fee_may_wait(bt, WITH_PAYOUT)
    assert clearing_effect(postings(bt, story_of(bt), WITH_PAYOUT), "USD") == bt.net


def test_neither_does_a_fee_alone_nor_one_of_an_unknown_kind() -> None:
    assert not fee_may_wait(a_balance_transaction(amount="0.00 USD", fee="0.10 USD"), WITH_PAYOUT)
    odd = a_balance_transaction("gift_card/gift", "5.00 USD", "0.10 USD")
    assert not fee_may_wait(odd, WITH_PAYOUT)


def test_a_fee_that_nobody_can_explain_lets_its_movement_wait_whoever_is_to_carry_it() -> None:
    """Left to the payout, it would keep the fees of all others from being posted."""
    odd = (a_fee_part("0.50 USD"), a_fee_part("0.10 USD", "network_levy"))
    bt = a_balance_transaction(fee="0.60 USD", fee_parts=odd)
    for mapping in (WITH_PAYOUT, RIDING):
        assert not fee_may_wait(bt, mapping)
        with pytest.raises(UnknownFee, match="'network_levy'"):
            postings(bt, story_of(bt), mapping)
    known = replace(RIDING, fee_kinds={"network_levy": "61900"})
    assert [one.purpose for one in postings(bt, story_of(bt), known)] == ["payment", "fee"]


@shows(FeesPosted.PAYOUT, Purpose.FEES_OF_PAYOUT)
def test_the_fees_of_a_payout_are_one_line_an_account_on_the_day_it_arrives() -> None:
    """Fees of 3.44 (0.55 of it tax) and 15.00 of a dispute.

    clearing             | fees         | input tax    | dispute fees
           |     18.44   | 2.89 |       | 0.55 |       | 15.00 |
    """
    parts = (a_fee_part("2.89 USD"), a_fee_part("0.55 USD", "tax"))
    sale = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    dispute = a_balance_transaction("adjustment/dispute", "-50.00 USD", "15.00 USD", id="txn_2")
    inside = [Kept(sale, Role.FEES), Kept(dispute, Role.DISPUTE_FEES)]
    posting = fees_of_payout(a_payout("1.00 USD"), inside, WITH_PAYOUT)
    assert posting.key == "fees_of_payout:po_1"
    assert t_accounts([posting]) == {
        FEES: "2.89 USD",
        INPUT_TAX: "0.55 USD",
        "60110": "15.00 USD",
        CLEARING: "-18.44 USD",
    }
    assert len(entries(posting)) == 4


def test_fees_that_cancel_out_in_a_payout_are_shown_on_both_sides() -> None:
    taken = a_balance_transaction("adjustment/dispute", "-50.00 USD", "15.00 USD")
    back = a_balance_transaction("adjustment/dispute_reversal", "50.00 USD", "-15.00 USD", id="t2")
    inside = [Kept(one, Role.DISPUTE_FEES) for one in (taken, back)]
    posting = fees_of_payout(a_payout("1.00 USD"), inside, WITH_PAYOUT)
    assert sorted(str(amount) for _, amount in entries(posting)) == ["-15.00 USD", "15.00 USD"]
    assert not posting.clearing


@pytest.mark.parametrize("amount", ["0.00 USD", "-1.00 USD", "12.00 USD"])
def test_charges_leave_a_part_of_the_payment_and_are_positive(amount: str) -> None:
    match = a_match(a_charge("12.00 USD"))
    bt = a_balance_transaction(amount="12.00 USD")
    (posting,) = postings(bt, Story(subject="ch_1", match=match), RIDING)
    assert isinstance(posting.document, ArPayment)
    with pytest.raises(Bug, match="charges of a payment"):
        replace(posting.document, charges=(PaymentCharge("FEE", "61100", money(amount)),))


def test_charges_need_an_entry_type_for_each_role_of_a_fee() -> None:
    without = replace(RIDING, entry_types={})
    assert problems(RIDING) == []
    assert problems(without) == [
        "Fees as payment charges need the entry type of 'fees'.",
        "Fees as payment charges need the entry type of 'input_tax'.",
    ]
    assert problems(a_mapping(entry_types={})) == []
    odd = a_mapping(entry_types={"refunds": "X", "fees": "FARTOOLONGNAME"})
    assert ["refunds" in problems(odd)[0], "FARTOOLONGNAME" in problems(odd)[1]] == [True, True]


def test_both_clearing_accounts_are_those_of_their_currency() -> None:
    bt = a_balance_transaction("charge/charge", "12.00 EUR", "0.60 EUR")
    (posting,) = postings(bt, story_of(bt), RIDING)
    assert [amount for account, amount in entries(posting) if account == CLEARING_OF["EUR"]] == [
        money("11.40 EUR")
    ]
