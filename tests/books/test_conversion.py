"""A payment in euros that settled in dollars, in T-accounts of both currencies."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.ledger import CASH_BEHIND, entries, the_journal
from build.records import (
    ACCOUNTS,
    CLEARING,
    a_balance_transaction,
    a_charge,
    a_mapping,
    a_match,
    euro_accounts,
    money,
)
from build.strategies import amounts
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.bounces import PartlyReturned
from ml_connector.books.conversion import Converted
from ml_connector.books.differences import NoPlaceForDifference
from ml_connector.books.legs import Leg, other_leg
from ml_connector.books.mapping import Mapping, NotMapped, Role, TransitAccounts, problems
from ml_connector.books.policies import Policies, WhenConverted
from ml_connector.books.postings import Posting, Purpose, Voiding, clearing_effect
from ml_connector.books.rules import ForeignCurrency, Story, postings

TRANSIT = TransitAccounts("STRIPEEUR", "10310", "10500")
GAIN_LOSS = ACCOUNTS[Role.FX_GAIN_LOSS]


def books(fx: WhenConverted = WhenConverted.LIST) -> Mapping:
    """Only dollars settle; euros meet in transit."""
    mapping = a_mapping(transit={"EUR": TRANSIT}, policies=Policies(fx=fx))
    return replace(mapping, currencies={"USD": mapping.currencies["USD"]})


def left_on(made: list[Posting]) -> dict[tuple[str, str], str]:
    """What is left on each account in each currency; what is zero is left out."""
    sums: dict[tuple[str, str], int] = {}
    for posting in made:
        for account, amount in entries(posting):
            key = (account, amount.currency)
            sums[key] = sums.get(key, 0) + amount.minor
    return {key: str(Money(minor, key[1])) for key, minor in sums.items() if minor}


def sold(
    paid: str | Money, settled: str | Money, fx: WhenConverted = WhenConverted.LIST
) -> list[Posting]:
    bt = a_balance_transaction("charge/charge", settled, "0.60 USD")
    story = Story(subject="ch_1", match=a_match(a_charge(paid)))
    return postings(bt, story, books(fx))


@shows(WhenConverted.LIST, Purpose.CONVERSION)
def test_both_amounts_stand_in_their_own_currency() -> None:
    """10.00 EUR are paid and Stripe settles 11.10 USD, under "list".

    transit EUR        | receivable EUR    | clearing USD      | counterpart USD
    10.00  |           |        | 10.00    | 11.10 |           |       | 11.10

    At a rate of 1.10 the ledger has 11.00 USD in transit: 0.10 USD were gained, and are listed.
    """
    made = sold("10.00 EUR", "11.10 USD")
    assert [one.key for one in made] == ["payment:ch_1", "conversion:txn_1", "fee:txn_1"]
    assert left_on(made[:2]) == {
        (CASH_BEHIND["STRIPEEUR"], "EUR"): "10.00 EUR",
        ("accounts receivable", "EUR"): "-10.00 EUR",
        (CLEARING, "USD"): "11.10 USD",
        ("10500", "USD"): "-11.10 USD",
    }


@shows(WhenConverted.GAIN_LOSS, Purpose.EXCHANGE)
def test_by_policy_the_difference_is_left_to_the_ledgers_own_rate_on_gain_and_loss() -> None:
    """10.00 EUR are paid and Stripe settles 11.10 USD, under "gain_loss".

    transit EUR        | receivable EUR    | clearing USD      | gain or loss EUR | and USD
    10.00  |           |        | 10.00    |       |           |       |          |       |
           |           |        |          | 11.10 |           |       |          |       | 11.10
           |  10.00    |        |          |       |           | 10.00 |          |       |

    At a rate of 1.10 gain and loss have 11.00 on the left and 11.10 on the right: 0.10 gained.
    """
    made = sold("10.00 EUR", "11.10 USD", WhenConverted.GAIN_LOSS)
    assert left_on(made[:3]) == {
        ("accounts receivable", "EUR"): "-10.00 EUR",
        (CLEARING, "USD"): "11.10 USD",
        (GAIN_LOSS, "EUR"): "10.00 EUR",
        (GAIN_LOSS, "USD"): "-11.10 USD",
    }


@given(
    amounts("EUR", least=1, most=10**7),
    amounts(least=1, most=10**7),
    st.sampled_from(WhenConverted),
)
def test_clearing_moves_by_the_net_and_every_document_balances(
    paid: Money, settled: Money, fx: WhenConverted
) -> None:
    bt = a_balance_transaction("charge/charge", settled, "0.60 USD")
    made = postings(bt, Story(subject="ch_1", match=a_match(a_charge(paid))), books(fx))
    assert clearing_effect(made, "USD") == bt.net
    moved = [a.minor for one in made for account, a in entries(one) if account == CLEARING]
    assert sum(moved) == bt.net.minor
    assert all(sum(amount.minor for _, amount in entries(one)) == 0 for one in made)


@pytest.mark.parametrize("currency", ["GBP", "USD"])
def test_a_currency_without_transit_is_held(currency: str) -> None:
    with pytest.raises(ForeignCurrency, match="Map transit accounts"):
        sold(f"10.00 {currency}", "11.10 USD")


@shows(Purpose.VOID, Purpose.CONVERSION)
def test_a_debit_in_euros_that_bounces_takes_back_both_amounts() -> None:
    """10.00 EUR that had settled as 11.10 USD come back from the bank, under "list".

    transit EUR        | receivable EUR    | clearing USD      | counterpart USD
    10.00  |           |        | 10.00    | 11.10 |           |       | 11.10      paid
           |  10.00    | 10.00  |          |       |  11.10    | 11.10 |            bounced
    """
    came = sold("10.00 EUR", "11.10 USD")[:2]
    assert left_on([*came, *bounced()]) == {}
    assert left_on(bounced()) == {
        (CASH_BEHIND["STRIPEEUR"], "EUR"): "-10.00 EUR",
        ("accounts receivable", "EUR"): "10.00 EUR",
        (CLEARING, "USD"): "-11.10 USD",
        ("10500", "USD"): "11.10 USD",
    }


@shows(Purpose.VOID, Purpose.CONVERSION, Purpose.EXCHANGE)
def test_a_debit_in_euros_that_bounces_leaves_no_gain_and_no_loss() -> None:
    """10.00 EUR that had settled as 11.10 USD come back from the bank, under "gain_loss".

    transit EUR        | receivable EUR    | clearing USD      | gain or loss EUR | and USD
    10.00  |           |        | 10.00    | 11.10 |           |       |          |       | 11.10
           |  10.00    |        |          |       |           | 10.00 |          |       |
           |  10.00    | 10.00  |          |       |  11.10    |       |          | 11.10 |
    10.00  |           |        |          |       |           |       |  10.00   |       |
    """
    came = sold("10.00 EUR", "11.10 USD", WhenConverted.GAIN_LOSS)[:3]
    back = bounced(WhenConverted.GAIN_LOSS)
    assert [one.key for one in back] == ["void:ch_1", "conversion:txn_2", "exchange:txn_2"]
    assert left_on([*came, *back]) == {}


def bounced(fx: WhenConverted = WhenConverted.LIST) -> list[Posting]:
    """The euros of 10.00 that had settled as 11.10 are taken back."""
    pair = "payment_failure_refund/charge_failure"
    bt = a_balance_transaction(pair, "-11.10 USD", id="txn_2")
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", money("10.00 EUR"))
    return postings(bt, Story("ch_1", voids=voids, settled_as=money("11.10 USD")), books(fx))


def test_a_debit_that_comes_back_is_compared_by_what_it_had_brought() -> None:
    bt = a_balance_transaction("payment_failure_refund/charge_failure", "-11.10 USD")
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", money("10.00 EUR"))
    story = Story(subject="ch_1", voids=voids, settled_as=money("11.10 USD"))
    back = postings(bt, story, books())
    assert [one.key for one in back] == ["void:ch_1", "conversion:txn_1"]
    with pytest.raises(PartlyReturned):
        postings(bt, replace(story, settled_as=money("12.00 USD")), books())


def bounced_at(settled: str, rate: str | None, first: Converted | None = None) -> list[Posting]:
    """The euros of 10.00 that had settled as 11.10 are taken back as `settled`."""
    pair = "payment_failure_refund/charge_failure"
    bt = a_balance_transaction(pair, settled, id="txn_2", rate=rate)
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", money("10.00 EUR"))
    story = Story("ch_1", voids=voids, settled_as=money("11.10 USD"), converted=first)
    return postings(bt, story, books())


@shows(Purpose.RATE_DIFFERENCE)
def test_a_debit_that_bounces_at_another_rate_is_whole_and_the_difference_is_a_loss() -> None:
    """10.00 EUR had settled as 11.10 USD; the bank takes back 11.40 USD for them, under "list".

    transit EUR        | receivable EUR    | clearing USD      | counterpart USD   | loss
    10.00  |           |        | 10.00    | 11.10 |           |       | 11.10     |      |  paid
           |  10.00    | 10.00  |          |       |  11.40    | 11.40 |           |      |  bounced
           |           |        |          |       |           |       |  0.30     | 0.30 |
    """
    made = bounced_at("-11.40 USD", "1.14")
    assert [one.key for one in made] == ["void:ch_1", "conversion:txn_2", "rate_difference:txn_2"]
    assert left_on([*sold("10.00 EUR", "11.10 USD")[:2], *made]) == {
        (CLEARING, "USD"): "-0.30 USD",
        (GAIN_LOSS, "USD"): "0.30 USD",
    }
    first = Converted(Leg("10509", "000-001", "HQ1", money("-11.10 USD")))
    gained = bounced_at("-10.90 USD", "1.09", first)
    assert left_on(gained[1:]) == {
        (CLEARING, "USD"): "-10.90 USD",
        ("10509", "USD"): "11.10 USD",
        (GAIN_LOSS, "USD"): "-0.20 USD",
    }


@pytest.mark.parametrize("rate", ["1.14", "1.13999"])
def test_a_return_is_whole_by_its_rate_however_that_is_rounded(rate: str) -> None:
    assert len(bounced_at("-11.40 USD", rate)) == 3


@pytest.mark.parametrize("rate", ["0.00649", "0.649"])
def test_a_return_in_yen_is_whole_whether_the_rate_is_of_yen_in_dollars_or_in_cents(
    rate: str,
) -> None:
    bt = a_balance_transaction("payment_reversal/charge", "-6.49 USD", rate=rate)
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", Money(1000, "JPY"))
    story = Story("ch_1", voids=voids, settled_as=money("6.70 USD"))
    made = postings(bt, story, replace(books(), transit={"JPY": TRANSIT}))
    assert made[-1].purpose == Purpose.RATE_DIFFERENCE


@pytest.mark.parametrize(("settled", "rate"), [("-5.70 USD", "1.14"), ("-11.40 USD", None)])
def test_a_part_in_another_currency_or_one_without_a_rate_is_a_persons(
    settled: str, rate: str | None
) -> None:
    with pytest.raises(PartlyReturned):
        bounced_at(settled, rate)


def test_a_difference_without_an_account_is_asked_for_in_one_sentence() -> None:
    accounts = {key: value for key, value in ACCOUNTS.items() if key != Role.FX_GAIN_LOSS}
    bt = a_balance_transaction("payment_reversal/charge", "-11.40 USD", rate="1.14")
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", money("10.00 EUR"))
    story = Story("ch_1", voids=voids, settled_as=money("11.10 USD"))
    with pytest.raises(NoPlaceForDifference) as asked:
        postings(bt, story, replace(books(), accounts=accounts))
    assert asked.value.sentence == (
        "The payment ch_1 came back at another exchange rate than it went at, and differs by"
        " 0.30 USD. The mapping has no account for the role 'fx_gain_loss'."
    )
    assert asked.value.cause == "mapping.account:fx_gain_loss"


@given(
    amounts("EUR", least=1, most=10**7),
    amounts(least=1, most=10**7),
    st.integers(50, 200),
    st.sampled_from(WhenConverted),
)
def test_whatever_the_rates_were_a_bounce_leaves_gain_or_loss_and_nothing_else(
    paid: Money, settled: Money, percent: int, fx: WhenConverted
) -> None:
    rate = Decimal(percent) / 100
    gone = Money(-max(1, round(paid.minor * rate)), "USD")
    came = sold(paid, settled, fx)
    papers = {one.purpose: one for one in came}
    facing = other_leg(the_journal(papers[Purpose.CONVERSION]), settled)
    assert facing is not None
    emptied = papers.get(Purpose.EXCHANGE)
    first = Converted(facing, None if emptied is None else the_journal(emptied))
    bt = a_balance_transaction("payment_reversal/charge", gone, id="txn_2", rate=str(rate))
    voids = Voiding(erp_ref("Payment", "000078"), "ch_1", paid)
    story = Story("ch_1", voids=voids, settled_as=settled, converted=first)
    left = left_on([*came, *postings(bt, story, books(fx))])
    lost = (-gone - settled).minor
    fee = {(CLEARING, "USD"): "", ("60100", "USD"): ""}
    beside = {place: amount for place, amount in left.items() if place not in fee}
    assert beside == ({(GAIN_LOSS, "USD"): str(Money(lost, "USD"))} if lost else {})


PLANTED = {
    "XXX": (TRANSIT, "The transit currency 'XXX' is not one"),
    "EUR": (TransitAccounts("", "10310", "10500"), "The transit of EUR lacks its cash"),
    "GBP": (TransitAccounts("GBPST", "10320"), "The transit of GBP lacks its counterpart"),
    "CHF": (
        TransitAccounts("CHFST", CLEARING, "10500"),
        f"The account {CLEARING} of 'transit CHF'",
    ),
}


@pytest.mark.parametrize("code", PLANTED)
def test_a_transit_that_cannot_work_is_a_problem(code: str) -> None:
    transit, sentence = PLANTED[code]
    found = problems(replace(books(), transit={code: transit}))
    assert [one.startswith(sentence) for one in found] == [True], found


def test_without_listing_no_counterpart_is_needed() -> None:
    transit = {"EUR": TransitAccounts("STRIPEEUR", "10310")}
    assert problems(replace(books(WhenConverted.GAIN_LOSS), transit=transit)) == []


def test_gain_and_loss_without_an_account_is_asked_for() -> None:
    accounts = {key: value for key, value in ACCOUNTS.items() if key != Role.FX_GAIN_LOSS}
    mapping = replace(books(WhenConverted.GAIN_LOSS), accounts=accounts)
    bt = a_balance_transaction("charge/charge", "11.10 USD")
    with pytest.raises(NotMapped, match="fx_gain_loss"):
        postings(bt, Story(subject="ch_1", match=a_match(a_charge("10.00 EUR"))), mapping)


def test_a_transit_may_not_be_what_settles_elsewhere() -> None:
    mapping = replace(books(), currencies={**books().currencies, "EUR": euro_accounts()})
    assert len(problems(mapping)) == 1
