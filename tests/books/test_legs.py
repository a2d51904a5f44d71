"""What comes back goes where it came from, though the mapping is another one by then."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.ledger import DISPUTED, the_journal
from build.records import (
    ACCOUNTS,
    BANK,
    CLEARING,
    NOON,
    a_balance_transaction,
    a_charge,
    a_mapping,
    a_match,
    dollar_accounts,
    money,
)
from build.strategies import amounts
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.conversion import Converted
from ml_connector.books.disputes import Lost, as_loss, as_loss_reversed, as_reopened
from ml_connector.books.legs import Leg, leg, other_leg, places, spread
from ml_connector.books.mapping import Mapping, Role, TransitAccounts
from ml_connector.books.policies import Policies, WhenConverted
from ml_connector.books.postings import Journal, Posting, Purpose, Voiding
from ml_connector.books.rules import Story, postings

BACK = {
    "adjustment/dispute": "adjustment/dispute_reversal",
    "refund/refund": "refund_failure/refund_failure",
    "payout/payout": "payout_failure/payout_reversal",
}
"""Each kind of money that goes, and as what it comes back."""


def mappings() -> st.SearchStrategy[Mapping]:
    """What a firm may say of the same roles, at one time or another."""
    return st.builds(_said, st.integers(0, 2), st.sampled_from(WhenConverted))


def _said(other: int, fx: WhenConverted) -> Mapping:
    accounts = {role: f"{account}{other}" for role, account in ACCOUNTS.items()}
    transit = {"EUR": TransitAccounts(f"STRIPEEUR{other}", f"1031{other}", f"1050{other}")}
    made = a_mapping(accounts=accounts, transit=transit, policies=Policies(fx=fx))
    bank = replace(dollar_accounts(), bank=f"{BANK}{other}")
    return replace(made, currencies={"USD": bank}, subaccount=f"000-00{other}", branch=f"HQ{other}")


Place = tuple[str, str, str, str]


def left(made: Iterable[Posting]) -> dict[Place, int]:
    """What journals leave in each place beside the clearing account, where it is not nothing."""
    sums: Counter[Place] = Counter()
    for paper in (one.document for one in made if isinstance(one.document, Journal)):
        for line in paper.lines:
            place = (line.account, line.subaccount, paper.branch, paper.currency)
            sums[place] += line.amount.minor if line.account != CLEARING else 0
    return {place: minor for place, minor in sums.items() if minor}


def facing(posting: Posting) -> tuple[Leg, ...]:
    """The leg of a posting, as the next one is told of it."""
    found = other_leg(the_journal(posting), posting.clearing)
    assert found is not None
    return (found,)


@given(st.sampled_from(sorted(BACK)), amounts(least=1), mappings(), mappings())
def test_a_mapping_change_between_two_legs_leaves_no_rest_on_any_account(
    pair: str, amount: Money, then: Mapping, now: Mapping
) -> None:
    went = postings(a_balance_transaction(pair, -amount), Story("re_1"), then)
    legs = facing(went[0])
    came = postings(a_balance_transaction(BACK[pair], amount), Story("re_1", legs=legs), now)
    assert left([*went, *came]) == {}
    assert sum(one.clearing.minor for one in [*went, *came]) == 0


@given(st.sampled_from(sorted(BACK)), amounts(least=1), mappings(), mappings())
def test_money_that_is_posted_after_its_return_meets_it_on_the_same_place(
    pair: str, amount: Money, then: Mapping, now: Mapping
) -> None:
    came = postings(a_balance_transaction(BACK[pair], amount), Story("re_1"), then)
    legs = facing(came[0])
    went = postings(a_balance_transaction(pair, -amount), Story("re_1", legs=legs), now)
    assert left([*came, *went]) == {}
    first, second = ((the_journal(one[0]), one[0].clearing) for one in (came, went))
    assert len(places(*first)) == 1
    assert places(*first) == places(*second)


@given(amounts(least=1), st.lists(mappings(), min_size=4, max_size=4))
def test_what_was_set_aside_is_given_back_and_fails_from_the_same_account(
    amount: Money, said: list[Mapping]
) -> None:
    pairs = [("charge/charge", amount), ("refund/refund", -amount)]
    pairs += [("refund_failure/refund_failure", amount), ("payment_reversal/charge", -amount)]
    made: list[Posting] = []
    for (pair, moved), mapping in zip(pairs, said, strict=True):
        legs = facing(made[-1]) if made else ()
        story = Story("ch_1", aside=True, legs=legs)
        made += postings(a_balance_transaction(pair, moved), story, mapping)
    assert left(made) == {}


@given(amounts(least=1), mappings(), mappings(), mappings())
def test_a_loss_that_is_won_after_all_leaves_no_rest_on_any_account(
    amount: Money, then: Mapping, later: Mapping, now: Mapping
) -> None:
    went = postings(a_balance_transaction("adjustment/dispute", -amount), Story("du_1"), then)
    (stands,) = facing(went[0])
    lost = Lost(StripeId("du_1"), "ch_1", amount, StripeId("txn_1"), NOON.date(), stands)
    loss = as_loss(lost, later)
    assert {place[:3] for place in left([*went, loss])} == {
        (later.accounts[Role.CHARGEBACK_LOSS], later.subaccount, then.branch)
    }
    paper = the_journal(loss)
    undone = as_loss_reversed(replace(lost, written_off=leg(paper.lines[0], paper)), now)
    back = a_balance_transaction("adjustment/dispute_reversal", amount)
    came = postings(back, Story("du_1", legs=(stands,)), now)
    assert left([*went, loss, undone, *came]) == {}


def test_an_invoice_that_is_owed_again_takes_the_disputed_money_from_where_it_stands() -> None:
    stands = Leg("12801", "000-001", "HQ1", money("50.00 USD"))
    lost = Lost(StripeId("du_1"), "ch_1", stands.amount, StripeId("txn_1"), NOON.date(), stands)
    payment = Voiding(erp_ref("Payment", "000078"), "ch_1", stands.amount)
    _, undone = as_reopened(lost, payment, a_mapping())
    assert left([undone]) == {("12801", "000-001", "HQ1", "USD"): -5000}


@given(amounts("EUR", least=1), amounts(least=1), mappings(), mappings())
def test_a_debit_that_bounces_undoes_its_conversion_as_it_was_made(
    paid: Money, settled: Money, then: Mapping, now: Mapping
) -> None:
    story = Story("ch_1", match=a_match(a_charge(paid)))
    came = postings(a_balance_transaction("payment/charge", settled), story, then)
    papers = {one.purpose: one for one in came}
    emptied = papers.get(Purpose.EXCHANGE)
    (other,) = facing(papers[Purpose.CONVERSION])
    first = Converted(other, None if emptied is None else the_journal(emptied))
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", paid)
    bounced = Story("ch_1", voids=voids, settled_as=settled, converted=first)
    pair = "payment_failure_refund/charge_failure"
    went = postings(a_balance_transaction(pair, -settled, id="txn_2"), bounced, now)
    assert left([*came, *went]) == {}
    assert sum(one.clearing.minor for one in [*came, *went]) == 0


@given(st.lists(amounts(least=1), min_size=1, max_size=5), mappings(), st.data())
def test_reserves_set_free_under_another_mapping_leave_no_rest_on_any_account(
    held: list[Money], mapping: Mapping, data: st.DataObject
) -> None:
    """Holds under the mappings of their days, releases of other sizes; one branch, as a rule."""
    said = mappings().map(lambda one: replace(one, branch=mapping.branch))
    made: list[Posting] = []
    for amount in held:
        made += _reserved("reserve_hold", -amount, made, data.draw(said))
    rest = sum(one.minor for one in held)
    cuts = data.draw(st.lists(st.integers(0, rest), max_size=4))
    ends = sorted({*cuts, rest} - {0})
    for start, end in zip([0, *ends], ends, strict=False):
        made += _reserved("reserve_release", Money(end - start, "USD"), made, data.draw(said))
    assert left(made) == {}


def _reserved(kind: str, amount: Money, before: list[Posting], mapping: Mapping) -> list[Posting]:
    bt = a_balance_transaction(f"{kind}/risk_reserved_funds", amount)
    legs = tuple(
        Leg(account, sub, branch, Money(minor, code))
        for (account, sub, branch, code), minor in left(before).items()
    )
    return postings(bt, Story("rsv_1", legs=legs), mapping)


def test_more_than_stands_of_a_reserve_is_taken_from_the_account_of_today() -> None:
    stood = Leg("12901", "000-001", "HQ1", money("30.00 USD"))
    bt = a_balance_transaction("reserve_release/risk_reserved_funds", "50.00 USD")
    (made,) = postings(bt, Story("rsv_1", legs=(stood,)), a_mapping())
    assert {place[0]: minor for place, minor in left([made]).items()} == {
        "12901": -3000,
        ACCOUNTS[Role.RESERVE]: -2000,
    }


def test_one_journal_takes_from_the_places_of_one_branch_only() -> None:
    first, other = (
        Leg("12900", "000-000", branch, money("30.00 USD")) for branch in ("HQ", "SHOP")
    )
    assert spread([first, other], money("-50.00 USD")) == [
        replace(first, amount=money("-30.00 USD"))
    ]


@pytest.mark.parametrize("role", [Role.DISPUTED, Role.REFUNDS, Role.RESERVE])
def test_what_comes_back_asks_for_no_account_that_is_mapped_no_more(role: Role) -> None:
    pair = {
        Role.DISPUTED: "adjustment/dispute_reversal",
        Role.REFUNDS: "refund_failure/refund_failure",
        Role.RESERVE: "reserve_release/risk_reserved_funds",
    }[role]
    accounts = {key: account for key, account in ACCOUNTS.items() if key != role}
    stood = Leg("12801", "000-001", "HQ1", money("50.00 USD"))
    bt = a_balance_transaction(pair, "50.00 USD")
    (made,) = postings(bt, Story("re_1", legs=(stood,)), a_mapping(accounts=accounts))
    assert left([made]) == {("12801", "000-001", "HQ1", "USD"): -5000}


def test_only_a_journal_of_two_sides_has_one_leg() -> None:
    bt = a_balance_transaction("adjustment/dispute", "-50.00 USD")
    (made,) = postings(bt, Story("du_1"), a_mapping())
    assert facing(made)[0].account == DISPUTED
    assert other_leg(the_journal(made), money("0.00 USD")) is None
