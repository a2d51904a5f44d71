"""What is never booked, and what holds for every movement whatever its numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.ledger import (
    CLEARING_OF,
    FEES,
    KNOWN_PAIRS,
    RECEIPTS,
    RECEIVABLE,
    booked,
    entries,
    story_of,
    t_accounts,
)
from build.records import (
    ACCOUNTS,
    CLEARING,
    a_balance_transaction,
    a_charge,
    a_fee_part,
    a_mapping,
    a_match,
)
from build.strategies import amounts
from ml_connector.basics.errors import AskAPerson, Bug
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.fees import FeeTwice
from ml_connector.books.mapping import NotMapped, Role
from ml_connector.books.matching import Evidence, NoInvoice, match_by_evidence, on_account
from ml_connector.books.policies import FeesPosted, Policies, WhenUnmatched
from ml_connector.books.postings import (
    ArPayment,
    Booked,
    PaymentCharge,
    Posting,
    Purpose,
    clearing_effect,
)
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import (
    ForeignCurrency,
    Story,
    postings,
    why_passed_over,
)
from ml_connector.books.unexplained import OtherBalance, Unexplained

# What is never booked


@given(st.text(max_size=20), st.text(max_size=20), amounts(), amounts(least=0, most=100))
def test_a_pair_without_rule_or_account_never_makes_a_posting(
    kind: str, category: str, amount: Money, fee: Money
) -> None:
    pair = f"{kind.replace('/', '')}/{category}"
    if pair in KNOWN_PAIRS:
        return
    with pytest.raises(Unexplained) as refusal:
        booked(a_balance_transaction(pair, amount, fee))
    assert isinstance(refusal.value, AskAPerson)
    assert pair in refusal.value.sentence
    assert refusal.value.cause == f"rules.unknown_pair:{pair}"
    assert f"Map an account for {pair}" in refusal.value.remedy


@pytest.mark.parametrize(
    "pair",
    [
        "refund/partial_capture_reversal",
        "adjustment/other_adjustment",
        "adjustment/refund_failure",
        "charge/refund",
        "topup/other",
        "payment_unreconciled/other",
    ],
)
def test_a_known_type_in_an_unknown_category_is_not_guessed(pair: str) -> None:
    with pytest.raises(Unexplained, match=rf"moved -20\.00 USD as {pair} \(txn_1\), which has no"):
        booked(a_balance_transaction(pair, "-20.00 USD"))


@pytest.mark.parametrize("pair", [*KNOWN_PAIRS, "issuing_transaction/issuing_transaction"])
@pytest.mark.parametrize("balance", ["issuing", "refund_and_dispute_prefunding", "newer"])
def test_what_clearing_does_not_stand_for_is_named_and_never_booked(
    pair: str, balance: str
) -> None:
    bt = a_balance_transaction(pair, "-20.00 USD", balance=balance)
    assert str(bt.moves) == "0.00 USD"
    with pytest.raises(OtherBalance, match=rf"moved -20\.00 USD as {pair} .*'{balance}'") as why:
        booked(bt)
    assert why.value.cause == f"rules.other_balance:{balance}"
    assert not why_passed_over(bt, a_mapping())
    by_hand = replace(a_mapping(), balances_by_hand=(balance,))
    assert "booked by hand" in why_passed_over(bt, by_hand)


def test_a_reserve_is_booked_where_it_leaves_the_payments_and_passed_over_on_its_other_side() -> (
    None
):
    pair = "reserve_hold/risk_reserved_funds"
    left = a_balance_transaction(pair, "-20.00 USD")
    other = a_balance_transaction(pair, "20.00 USD", balance="risk_reserved")
    assert not why_passed_over(left, a_mapping())
    assert "the other side of a reserve" in why_passed_over(other, a_mapping())
    odd = a_balance_transaction("adjustment/other", "20.00 USD", balance="risk_reserved")
    assert not why_passed_over(odd, a_mapping())


def test_a_payment_that_settled_in_another_currency_is_held() -> None:
    bt = a_balance_transaction("charge/charge", "11.10 USD", "0.60 USD")
    story = Story(subject="ch_1", match=a_match(a_charge("10.00 EUR")))
    with pytest.raises(ForeignCurrency, match=r"ch_1 of 10\.00 EUR settled as 11\.10 USD") as why:
        booked(bt, story)
    assert isinstance(why.value, AskAPerson)
    assert why.value.cause == "rules.fx:EUR/USD"
    assert "by hand" in why.value.remedy


def test_a_payment_is_never_planned_without_its_match() -> None:
    with pytest.raises(Bug, match="without its match: txn_1"):
        booked(a_balance_transaction("charge/charge"), Story(subject="ch_1"))


@pytest.mark.parametrize("pair", KNOWN_PAIRS)
def test_money_in_a_currency_without_accounts_is_asked_for_and_not_booked(pair: str) -> None:
    with pytest.raises(NotMapped, match="the settlement currency JPY"):
        booked(a_balance_transaction(pair, "500 JPY"))


ELSEWHERE = {Role.CHARGEBACK_LOSS, Role.FX_GAIN_LOSS, Role.IN_TRANSIT}
"""Accounts of the ends of disputes, of conversions and of the opening."""


@pytest.mark.parametrize("role", sorted(set(Role) - ELSEWHERE))
def test_no_part_is_booked_when_an_account_is_missing(role: Role) -> None:
    mapping = a_mapping(accounts={key: value for key, value in ACCOUNTS.items() if key != role})
    parts = (a_fee_part("0.50 USD"), a_fee_part("0.10 USD", "tax"))
    bt = {
        Role.FEES: a_balance_transaction("charge/charge", fee="0.60 USD", fee_parts=parts),
        Role.INPUT_TAX: a_balance_transaction("charge/charge", fee="0.60 USD", fee_parts=parts),
        Role.WITHHELD_TAX: a_balance_transaction(
            fee="0.60 USD", fee_parts=(a_fee_part("0.60 USD", "withheld_tax"),)
        ),
        Role.REFUNDS: a_balance_transaction("refund/refund"),
        Role.DISPUTED: a_balance_transaction("adjustment/dispute", fee="15.00 USD"),
        Role.DISPUTE_FEES: a_balance_transaction("adjustment/dispute", fee="15.00 USD"),
        Role.RESERVE: a_balance_transaction("reserve_hold/risk_reserved_funds"),
        Role.SUSPENSE: a_balance_transaction("charge/charge"),
    }[role]
    story = replace(story_of(bt), aside=role is Role.SUSPENSE)
    with pytest.raises(NotMapped, match=f"the role '{role}'"):
        postings(bt, story, mapping)


NOBODYS = a_charge("12.00 USD")


@shows(WhenUnmatched.HOLD)
def test_a_payment_of_nobody_waits_by_name_until_somebody_decides() -> None:
    """12.00 that pay no known invoice, under "hold": nothing is posted, the tie-out names them.

    clearing             | receivable
           |             |        |
    """
    with pytest.raises(NoInvoice, match=r"ch_1 of 12\.00 USD belongs to no mirrored") as why:
        match_by_evidence(NOBODYS, Evidence())
    assert isinstance(why.value, AskAPerson)
    assert (why.value.cause, Policies().unmatched) == ("payment.no_invoice", WhenUnmatched.HOLD)


@shows(WhenUnmatched.UNAPPLIED)
def test_a_payment_of_a_known_customer_stands_on_account_where_policy_says_so() -> None:
    """12.00 of a known customer that pay no known invoice, with a fee of 0.65, under "unapplied".

    clearing             | receivable           | fees
    12.00  |      0.65   |        |    12.00    | 0.65 |
    """
    story = Story(subject="ch_1", match=on_account(NOBODYS, "C000012"))
    made = booked(a_balance_transaction(fee="0.65 USD"), story)
    assert [posting.key for posting in made] == ["payment:ch_1", "fee:txn_1"]
    assert t_accounts(made) == {
        CLEARING: "11.35 USD",
        RECEIVABLE: "-12.00 USD",
        FEES: "0.65 USD",
    }
    paper = made[0].document
    assert isinstance(paper, ArPayment)
    assert (paper.customer_id, paper.applications) == ("C000012", ())


@shows(WhenUnmatched.SUSPENSE, Purpose.SUSPENSE)
def test_a_payment_of_nobody_is_a_journal_against_suspense_where_policy_says_so() -> None:
    """12.00 that pay no known invoice, with a fee of 0.65, under "suspense".

    clearing             | suspense             | fees
    12.00  |      0.65   |        |    12.00    | 0.65 |
    """
    made = booked(a_balance_transaction(fee="0.65 USD"), Story(subject="ch_1", aside=True))
    assert t_accounts(made[:1]) == {ACCOUNTS[Role.SUSPENSE]: "-12.00 USD", CLEARING: "12.00 USD"}
    assert [posting.key for posting in made] == ["suspense:txn_1", "fee:txn_1"]


def test_a_net_that_is_not_amount_less_fee_is_an_impossible_state() -> None:
    bt = a_balance_transaction("refund/refund", "-20.00 USD", "0.10 USD", net="-19.90 USD")
    with pytest.raises(Bug, match=r"txn_1 do not add up to -19\.90 USD"):
        booked(bt)


@pytest.mark.parametrize("pair", KNOWN_PAIRS)
def test_a_movement_of_nothing_makes_no_document(pair: str) -> None:
    assert booked(a_balance_transaction(pair, "0.00 USD")) == []


# Whatever the numbers


@st.composite
def movements(draw: st.DrawFn) -> BalanceTransaction:
    """A transaction of a known pair, with a fee in parts that may or may not add up."""
    pair = draw(st.sampled_from([*KNOWN_PAIRS, "contribution/contribution"]))
    currency = draw(st.sampled_from(["USD", "EUR"]))
    amount = draw(amounts(currency, least=0 if pair in RECEIPTS else -(10**8)))
    kinds = st.sampled_from(["stripe_fee", "tax", "application_fee", "withheld_tax"])
    kept = draw(st.lists(st.tuples(amounts(currency, least=-500, most=500), kinds), max_size=4))
    parts = tuple(a_fee_part(part, kind) for part, kind in kept)
    fee = Money(sum(part.amount.minor for part in parts), currency)
    astray = draw(st.sampled_from([0, 0, 0, 1, -7]))
    return a_balance_transaction(
        pair, amount, fee + Money(astray, currency), fee_parts=parts, id="txn_9"
    )


def with_contributions(bt: BalanceTransaction) -> list[Posting]:
    mapping = a_mapping(pairs={"contribution/contribution": "61000"}, fee_kinds={"rest": "61900"})
    return postings(bt, story_of(bt), mapping)


@given(movements())
def test_the_postings_of_a_movement_change_clearing_by_its_net_and_nothing_else(
    bt: BalanceTransaction,
) -> None:
    made = with_contributions(bt)
    assert clearing_effect(made, bt.net.currency) == bt.net
    clearing = CLEARING_OF[bt.net.currency]
    moved = [amount for p in made for account, amount in entries(p) if account == clearing]
    assert sum(amount.minor for amount in moved) == bt.net.minor
    assert {amount.currency for amount in moved} <= {bt.net.currency}


@given(movements())
def test_every_document_balances_and_says_truly_what_it_does_to_clearing(
    bt: BalanceTransaction,
) -> None:
    for posting in with_contributions(bt):
        made = entries(posting)
        assert sum(amount.minor for _, amount in made) == 0
        assert all(amount for _, amount in made)
        on_clearing = [a.minor for account, a in made if account == CLEARING_OF[a.currency]]
        assert sum(on_clearing) == posting.clearing.minor
        assert posting.transaction == bt.id


@given(movements())
def test_a_movement_makes_a_document_for_its_amount_and_one_for_its_fee(
    bt: BalanceTransaction,
) -> None:
    made = with_contributions(bt)
    assert len(made) == bool(bt.amount) + bool(bt.fee)
    assert len({posting.key for posting in made}) == len(made)
    assert [posting.purpose is Purpose.FEE for posting in made] == [False] * bool(bt.amount) + [
        True
    ] * bool(bt.fee)


@given(movements())
def test_the_same_movement_always_makes_the_same_documents(bt: BalanceTransaction) -> None:
    assert with_contributions(bt) == with_contributions(replace(bt, status="available"))


def test_a_charge_that_somebody_else_booked_is_carried_by_that_payment_and_its_fee_is_ours() -> (
    None
):
    bt = a_balance_transaction("charge/charge", "12.00 USD", "0.65 USD")
    theirs = Booked(erp_ref("Payment", "000077"), "card 4242", "STRIPEUSD", bt.amount)
    payment, fee = postings(bt, Story(subject="ch_1", booked=theirs), a_mapping())
    assert (payment.document, payment.clearing) == (theirs, bt.amount)
    assert payment.clearing + fee.clearing == bt.net


@pytest.mark.parametrize("apart", [None, False, True])
def test_a_fee_on_somebody_elses_payment_is_carried_by_it_and_by_nothing_else(
    apart: bool | None,
) -> None:
    bt = a_balance_transaction("charge/charge", "12.00 USD", "0.65 USD")
    fee = PaymentCharge("STRIPEFEE", "61100", bt.fee)
    theirs = Booked(erp_ref("Payment", "000077"), "card 4242", "STRIPEUSD", bt.amount, (fee,))
    story = Story(subject="ch_1", booked=theirs, fee_apart=apart)
    mapping = a_mapping(policies=Policies(fees=FeesPosted.PAYOUT))
    if apart:
        with pytest.raises(FeeTwice, match=r"fee of 0\.65 USD"):
            postings(bt, story, mapping)
    else:
        (payment,) = postings(bt, story, mapping)
        assert payment.clearing == bt.net
