"""What each balance transaction becomes, with the T-accounts of each row of the rule table.

In the docstrings a debit stands left of the bar and a credit right of it.
"""

from datetime import UTC, date, datetime

import pytest

from build.examples import shows
from build.ledger import (
    DISPUTE_FEES,
    DISPUTED,
    FEES,
    INPUT_TAX,
    KNOWN_PAIRS,
    RECEIPTS,
    RECEIVABLE,
    REFUNDS,
    RESERVE,
    booked,
    entries,
    story_of,
    t_accounts,
    the_journal,
)
from build.records import (
    ACCOUNTS,
    BANK,
    CLEARING,
    a_balance_transaction,
    a_charge,
    a_fee_part,
    a_mapping,
    a_match,
    money,
)
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import erp_ref
from ml_connector.books.bounces import PartlyReturned
from ml_connector.books.mapping import Role
from ml_connector.books.policies import FeesPosted, RefundsAs
from ml_connector.books.postings import ArPayment, Purpose, Voiding, clearing_effect
from ml_connector.books.rules import (
    LONGEST_TEXT,
    Story,
    is_receipt,
    postings,
)
from ml_connector.books.unexplained import UnknownFee, UnknownPair

# The rows of the rule table


@shows(*RECEIPTS, Purpose.PAYMENT, Purpose.FEE, FeesPosted.TRANSACTION)
@pytest.mark.parametrize("pair", RECEIPTS)
def test_a_payment_debits_clearing_with_the_gross_and_the_fee_takes_its_part(pair: str) -> None:
    """A charge of 108.25 with a fee of 3.44.

    clearing             | receivable           | fees
    108.25 |      3.44   |        |   108.25    | 3.44 |
    """
    bt = a_balance_transaction(pair, "108.25 USD", "3.44 USD")
    made = booked(bt)
    assert [posting.key for posting in made] == ["payment:ch_1", "fee:txn_1"]
    assert [posting.purpose for posting in made] == [Purpose.PAYMENT, Purpose.FEE]
    assert [entries(posting) for posting in made] == [
        [(CLEARING, money("108.25 USD")), (RECEIVABLE, money("-108.25 USD"))],
        [(FEES, money("3.44 USD")), (CLEARING, money("-3.44 USD"))],
    ]


def test_a_payment_is_recorded_with_everything_that_finds_it_again() -> None:
    match = a_match(a_charge("12.00 USD"))
    story = Story(subject="ch_1", match=match, text="Invoice 000123")
    (posting,) = booked(a_balance_transaction(amount="12.00 USD"), story)
    assert posting.document == ArPayment(
        customer_id="C000012",
        payment_method="STRIPE",
        cash_account="STRIPEUSD",
        branch="HQ",
        day=date(2026, 3, 31),
        amount=money("12.00 USD"),
        payment_ref="ch_1",
        external_ref="txn_1",
        description="Stripe payment ch_1 Invoice 000123",
        applications=match.applications,
    )
    assert posting.transaction == "txn_1"
    assert posting.clearing == money("12.00 USD")


@shows("refund/refund", "payment_refund/refund", Purpose.REFUND, RefundsAs.JOURNAL)
@pytest.mark.parametrize("pair", ["refund/refund", "payment_refund/refund"])
def test_a_refund_debits_the_refunds_account(pair: str) -> None:
    """A refund of 20.00; the original fee does not come back.

    clearing             | refunds
           |     20.00   | 20.00 |
    """
    made = booked(a_balance_transaction(pair, "-20.00 USD"))
    assert [posting.key for posting in made] == ["refund:re_1"]
    assert t_accounts(made) == {REFUNDS: "20.00 USD", CLEARING: "-20.00 USD"}


@shows("refund_failure/refund_failure", Purpose.REFUND_FAILURE)
def test_a_failed_refund_is_booked_back() -> None:
    """A refund of 20.00 that the buyer's bank did not take.

    clearing             | refunds
    20.00  |             |       | 20.00
    """
    made = booked(a_balance_transaction("refund_failure/refund_failure", "20.00 USD"))
    assert [posting.key for posting in made] == ["refund_failure:re_1"]
    assert t_accounts(made) == {REFUNDS: "-20.00 USD", CLEARING: "20.00 USD"}


@shows("adjustment/dispute", Purpose.DISPUTE)
def test_a_dispute_moves_money_to_the_disputed_account_and_its_fee_to_its_own() -> None:
    """A dispute of 50.00 with Stripe's fee of 15.00.

    clearing             | disputed funds | dispute fees
           |     50.00   | 50.00 |        | 15.00 |
           |     15.00   |
    """
    made = booked(a_balance_transaction("adjustment/dispute", "-50.00 USD", "15.00 USD"))
    assert [posting.key for posting in made] == ["dispute:txn_1", "fee:txn_1"]
    assert t_accounts(made) == {
        DISPUTED: "50.00 USD",
        CLEARING: "-65.00 USD",
        DISPUTE_FEES: "15.00 USD",
    }


@shows("adjustment/dispute_reversal", Purpose.DISPUTE)
def test_a_dispute_that_was_won_comes_back_with_the_fee_that_stripe_returns() -> None:
    """A dispute of 50.00 was won and 15.00 of fees are returned.

    clearing             | disputed funds | dispute fees
    50.00  |             |       | 50.00  |       | 15.00
    15.00  |             |
    """
    made = booked(a_balance_transaction("adjustment/dispute_reversal", "50.00 USD", "-15.00 USD"))
    assert t_accounts(made) == {
        DISPUTED: "-50.00 USD",
        CLEARING: "65.00 USD",
        DISPUTE_FEES: "-15.00 USD",
    }


BILLS = ["stripe_fee/fee", "stripe_fx_fee/fee", "adjustment/fee"]


@shows(*BILLS, Purpose.CHARGE_STRIPE)
@pytest.mark.parametrize("pair", BILLS)
def test_what_stripe_bills_for_itself_is_an_expense(pair: str) -> None:
    """Stripe bills 0.43 for invoicing; there is no source to which it belongs.

    clearing             | fees
           |      0.43   | 0.43 |
    """
    bt = a_balance_transaction(pair, "-0.43 USD", source=None)
    made = booked(bt, Story(subject=bt.id))
    assert [posting.key for posting in made] == ["stripe_charge:txn_1"]
    assert t_accounts(made) == {FEES: "0.43 USD", CLEARING: "-0.43 USD"}


@shows("tax_fee/tax", Purpose.CHARGE_STRIPE)
def test_tax_on_stripes_services_goes_to_the_input_tax_account() -> None:
    """Stripe bills 0.08 of tax on its services.

    clearing             | input tax
           |      0.08   | 0.08 |
    """
    made = booked(a_balance_transaction("tax_fee/tax", "-0.08 USD", source=None))
    assert t_accounts(made) == {INPUT_TAX: "0.08 USD", CLEARING: "-0.08 USD"}


@shows("payout/payout", Purpose.PAYOUT)
def test_a_payout_moves_money_to_the_bank_on_the_day_it_arrives() -> None:
    """A payout of 19.38 that arrives two days later.

    clearing             | bank
           |     19.38   | 19.38 |
    """
    bt = a_balance_transaction("payout/payout", "-19.38 USD", source="po_1")
    made = booked(bt, Story(subject="po_1", arrival=date(2026, 4, 2)))
    assert [posting.key for posting in made] == ["payout:po_1"]
    assert t_accounts(made) == {BANK: "19.38 USD", CLEARING: "-19.38 USD"}
    assert the_journal(made[0]).day == date(2026, 4, 2)


def test_a_payout_that_takes_money_from_the_bank_swaps_the_sides() -> None:
    """A balance of -20.00 is made good by the bank.

    clearing             | bank
    20.00  |             |       | 20.00
    """
    made = booked(a_balance_transaction("payout/payout", "20.00 USD"), Story(subject="po_1"))
    assert t_accounts(made) == {BANK: "-20.00 USD", CLEARING: "20.00 USD"}


RETURNED = ["payout_failure/payout_reversal", "payout_cancel/payout_reversal"]


@shows(*RETURNED, Purpose.PAYOUT_REVERSAL)
@pytest.mark.parametrize("pair", RETURNED)
def test_a_payout_that_failed_comes_back_no_earlier_than_it_was_to_arrive(pair: str) -> None:
    """A payout of 19.38 that the bank sent back.

    clearing             | bank
    19.38  |             |       | 19.38
    """
    story = Story(subject="po_1", arrival=date(2026, 4, 2))
    made = booked(a_balance_transaction(pair, "19.38 USD"), story)
    assert [posting.key for posting in made] == ["payout_reversal:po_1"]
    assert t_accounts(made) == {BANK: "-19.38 USD", CLEARING: "19.38 USD"}
    assert the_journal(made[0]).day == date(2026, 4, 2)
    later = booked(
        a_balance_transaction(pair, "19.38 USD"), Story(subject="po_1", arrival=date(2026, 3, 30))
    )
    assert the_journal(later[0]).day == date(2026, 3, 31)


MINIMUM_BALANCE = [
    "payout_minimum_balance_hold/payout_minimum_balance_hold",
    "payout_minimum_balance_release/payout_minimum_balance_release",
]
RESERVES = [
    f"{kind}/risk_reserved_funds"
    for kind in (
        *("reserve_transaction", "reserved_funds", "reserve_hold", "reserve_release"),
        *("payment_network_reserve_hold", "payment_network_reserve_release"),
    )
]


@shows(*MINIMUM_BALANCE, *RESERVES, Purpose.RESERVE)
@pytest.mark.parametrize("pair", [*MINIMUM_BALANCE, *RESERVES])
def test_money_held_aside_is_on_the_reserve_account_until_it_comes_back(pair: str) -> None:
    """Stripe holds 100.00 aside, and sets it free again.

    clearing             | reserve
           |    100.00   | 100.00 |
    100.00 |             |        | 100.00
    """
    held = booked(a_balance_transaction(pair, "-100.00 USD", id="txn_1"))
    assert t_accounts(held) == {RESERVE: "100.00 USD", CLEARING: "-100.00 USD"}
    freed = booked(a_balance_transaction(pair, "100.00 USD", id="txn_2"))
    assert t_accounts(held + freed) == {RESERVE: "0.00 USD", CLEARING: "0.00 USD"}
    assert [posting.key for posting in held + freed] == ["reserve:txn_1", "reserve:txn_2"]


@shows(Purpose.SUSPENSE)
def test_a_pair_without_rule_is_booked_only_to_the_account_that_a_person_mapped() -> None:
    """A contribution of 0.10: nothing is posted, it is named; then the mapping says 61000.

    clearing             | 61000
           |             |      |        before: named, and its payout is not proven
           |      0.10   | 0.10 |        as soon as the pair has an account
    """
    bt = a_balance_transaction("contribution/contribution", "-0.10 USD")
    with pytest.raises(UnknownPair, match=r"moved -0\.10 USD as contribution/contribution"):
        booked(bt)
    mapping = a_mapping(pairs={"contribution/contribution": "61000"})
    made = postings(bt, Story(subject="txn_1"), mapping)
    assert [posting.key for posting in made] == ["suspense:txn_1"]
    assert t_accounts(made) == {"61000": "0.10 USD", CLEARING: "-0.10 USD"}


BOUNCES = [
    "payment_failure_refund/charge_failure",
    "payment_reversal/charge_failure",
    "payment_reversal/charge",
]


@shows(*BOUNCES, Purpose.VOID)
@pytest.mark.parametrize("pair", BOUNCES)
def test_a_debit_that_the_bank_takes_back_undoes_its_payment(pair: str) -> None:
    """12.00 came back from the bank; Stripe gives 0.50 of its fee back.

    clearing             | accounts receivable | fees
    0.50   |     12.00   | 12.00               |        0.50
    """
    bt = a_balance_transaction(pair, "-12.00 USD", "-0.50 USD", source="py_1")
    made = booked(bt)
    assert [posting.key for posting in made] == ["void:ch_1", "fee:txn_1"]
    assert t_accounts(made) == {
        CLEARING: "-11.50 USD",
        RECEIVABLE: "12.00 USD",
        FEES: "-0.50 USD",
    }


@shows("topup/topup", "topup_reversal/topup_reversal", Purpose.TOPUP)
def test_a_top_up_comes_from_the_bank_and_its_reversal_goes_back() -> None:
    """20.00 are moved to Stripe and taken back.

    clearing             | bank
    20.00  |             |       | 20.00
           |      20.00  | 20.00 |
    """
    up = booked(a_balance_transaction("topup/topup", "20.00 USD", source="tu_1"))
    back = a_balance_transaction("topup_reversal/topup_reversal", "-20.00 USD", id="txn_2")
    assert t_accounts(up) == {BANK: "-20.00 USD", CLEARING: "20.00 USD"}
    assert t_accounts([*up, *booked(back)]) == {BANK: "0.00 USD", CLEARING: "0.00 USD"}
    assert [one.key for one in [*up, *booked(back)]] == ["topup:txn_1", "topup:txn_2"]


def test_only_a_whole_payment_is_undone() -> None:
    bt = a_balance_transaction("payment_failure_refund/charge_failure", "-5.00 USD")
    voids = Voiding(erp_ref("Payment", "000078"), "py_1", money("12.00 USD"))
    with pytest.raises(PartlyReturned, match=r"5\.00 USD of the payment py_1 of 12\.00 USD"):
        booked(bt, Story(subject="py_1", voids=voids))


def test_a_payment_is_never_undone_without_its_document() -> None:
    bt = a_balance_transaction("payment_failure_refund/charge_failure", "-5.00 USD")
    with pytest.raises(Bug, match="without its document: txn_1"):
        booked(bt, Story(subject="py_1"))


def test_the_rule_table_has_no_row_that_this_page_does_not_show() -> None:
    assert set(KNOWN_PAIRS) == {
        *RECEIPTS,
        *("refund/refund", "payment_refund/refund", "refund_failure/refund_failure"),
        *("payment_failure_refund/charge_failure", "payment_reversal/charge_failure"),
        "payment_reversal/charge",
        *("topup/topup", "topup_reversal/topup_reversal"),
        "payment_network_reserve_hold/risk_reserved_funds",
        "payment_network_reserve_release/risk_reserved_funds",
        *("adjustment/dispute", "adjustment/dispute_reversal", "adjustment/fee"),
        *("stripe_fee/fee", "stripe_fx_fee/fee", "tax_fee/tax"),
        *("payout/payout", "payout_failure/payout_reversal", "payout_cancel/payout_reversal"),
        "payout_minimum_balance_hold/payout_minimum_balance_hold",
        "payout_minimum_balance_release/payout_minimum_balance_release",
        *("reserve_transaction/risk_reserved_funds", "reserved_funds/risk_reserved_funds"),
        *("reserve_hold/risk_reserved_funds", "reserve_release/risk_reserved_funds"),
    }


def test_only_a_customers_money_needs_a_match() -> None:
    needing = {pair for pair in KNOWN_PAIRS if is_receipt(a_balance_transaction(pair))}
    assert needing == set(RECEIPTS)
    assert not is_receipt(a_balance_transaction("topup/topup"))


def test_a_month_of_business_leaves_the_clearing_account_empty() -> None:
    """Charge 108.25, refund 20.00, dispute 50.00, a bill of 0.43, and all the rest paid out.

    clearing             | receivable      | refunds       | disputed
    108.25 |      3.44   |        | 108.25 | 20.00 |       | 50.00 |
           |     20.00   |
           |     50.00   | fees            | dispute fees  | bank
           |     15.00   | 3.44 |          | 15.00 |       | 19.38 |
           |      0.43   | 0.43 |
           |     19.38   |
    """
    month = [
        a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", id="txn_1"),
        a_balance_transaction("refund/refund", "-20.00 USD", id="txn_2"),
        a_balance_transaction("adjustment/dispute", "-50.00 USD", "15.00 USD", id="txn_3"),
        a_balance_transaction("stripe_fee/fee", "-0.43 USD", id="txn_4", source=None),
        a_balance_transaction("payout/payout", "-19.38 USD", id="txn_5"),
    ]
    made = [posting for bt in month for posting in booked(bt)]
    assert t_accounts(made) == {
        CLEARING: "0.00 USD",
        RECEIVABLE: "-108.25 USD",
        FEES: "3.87 USD",
        REFUNDS: "20.00 USD",
        DISPUTED: "50.00 USD",
        DISPUTE_FEES: "15.00 USD",
        BANK: "19.38 USD",
    }
    assert clearing_effect(made, "USD") == money("0.00 USD")
    assert len({posting.key for posting in made}) == len(made)


# Fees


def test_tax_inside_a_fee_goes_to_the_input_tax_account() -> None:
    """A fee of 3.44 of which 0.55 is tax and 0.20 goes to an application.

    clearing             | fees         | input tax
           |      3.44   | 2.69 |       | 0.55 |
                         | 0.20 |       |
    """
    parts = (
        a_fee_part("2.69 USD"),
        a_fee_part("0.55 USD", "tax"),
        a_fee_part("0.20 USD", "application_fee"),
    )
    bt = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    fee = booked(bt)[1]
    assert entries(fee) == [
        (FEES, money("2.89 USD")),
        (INPUT_TAX, money("0.55 USD")),
        (CLEARING, money("-3.44 USD")),
    ]


def test_tax_that_stripe_withholds_is_an_asset_and_no_fee() -> None:
    """A fee of 3.44 of which 2.00 are passed through and 1.44 are tax withheld in our name.

    clearing             | fees         | withheld tax
           |      3.44   | 2.00 |       | 1.44 |
    """
    parts = (
        a_fee_part("2.00 USD", "payment_method_passthrough_fee"),
        a_fee_part("1.44 USD", "withheld_tax"),
    )
    bt = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    assert t_accounts(booked(bt)[1:]) == {
        FEES: "2.00 USD",
        ACCOUNTS[Role.WITHHELD_TAX]: "1.44 USD",
        CLEARING: "-3.44 USD",
    }


ODD_FEES = {
    "network_levy": (a_fee_part("2.69 USD"), a_fee_part("0.75 USD", "network_levy")),
    "rest": (a_fee_part("2.19 USD"), a_fee_part("0.50 USD", "tax")),
}


@pytest.mark.parametrize("kind", ODD_FEES)
def test_a_part_of_a_fee_that_nothing_explains_is_named_until_it_has_an_account(kind: str) -> None:
    """A fee of 3.44 of which 0.75 are of a kind without a rule, or are named by no part at all.

    clearing             | receivable           | fees and tax | 61900
           |             |        |             |      |       |      |       before: it waits
    108.25 |      3.44   |        |   108.25    | 2.69 |       | 0.75 |       with an account
    """
    parts = ODD_FEES[kind]
    bt = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    with pytest.raises(UnknownFee, match=rf"of txn_1, 0\.75 USD are '{kind}'") as why:
        booked(bt)
    assert (why.value.cause, kind in why.value.remedy) == (f"rules.unknown_fee:{kind}", True)
    made = postings(bt, story_of(bt), a_mapping(fee_kinds={kind: "61900"}))
    left = t_accounts(made)
    assert (left["61900"], left[CLEARING]) == ("0.75 USD", "104.81 USD")


def test_a_kind_of_fee_may_have_an_account_of_its_own() -> None:
    parts = (a_fee_part("3.24 USD"), a_fee_part("0.20 USD", "application_fee"))
    bt = a_balance_transaction("charge/charge", "108.25 USD", "3.44 USD", fee_parts=parts)
    made = postings(bt, story_of(bt), a_mapping(fee_kinds={"application_fee": "61900"}))
    assert t_accounts(made[1:]) == {"61900": "0.20 USD", FEES: "3.24 USD", CLEARING: "-3.44 USD"}


def test_parts_that_cancel_out_on_an_account_leave_no_empty_line() -> None:
    parts = (
        a_fee_part("1.00 USD"),
        a_fee_part("-1.00 USD", "application_fee"),
        a_fee_part("0.55 USD", "tax"),
    )
    bt = a_balance_transaction("charge/charge", "108.25 USD", "0.55 USD", fee_parts=parts)
    assert t_accounts(booked(bt)[1:]) == {INPUT_TAX: "0.55 USD", CLEARING: "-0.55 USD"}


def test_a_fee_that_is_all_there_is_makes_one_journal() -> None:
    bt = a_balance_transaction("stripe_fee/fee", "0.00 USD", "0.43 USD")
    made = booked(bt)
    assert [posting.key for posting in made] == ["fee:txn_1"]
    assert t_accounts(made) == {FEES: "0.43 USD", CLEARING: "-0.43 USD"}


# Texts and days


def test_a_journal_says_what_it_is_for_and_names_both_stripe_ids() -> None:
    story = Story(subject="re_1", text="Order SO-1001")
    made = booked(a_balance_transaction("refund/refund", "-20.00 USD", "0.10 USD"), story)
    refund, fee = map(the_journal, made)
    assert refund.description == "Stripe refund re_1 txn_1 Order SO-1001"
    assert fee.description == "Stripe fee of re_1 txn_1 Order SO-1001"
    assert {line.text for line in refund.lines} == {"Stripe refund re_1 Order SO-1001"}
    assert {line.subaccount for line in refund.lines} == {"000-000"}
    assert refund.branch == "HQ"


def test_a_long_text_is_cut_to_what_the_erp_holds() -> None:
    bt = a_balance_transaction("refund/refund", "-20.00 USD")
    (refund,) = booked(bt, Story(subject="re_1", text="x" * 1000))
    journal = the_journal(refund)
    assert len(journal.description) == LONGEST_TEXT
    assert {len(line.text) for line in journal.lines} == {LONGEST_TEXT}


@pytest.mark.parametrize("pair", ["charge/charge", "refund/refund", "payout/payout"])
def test_a_movement_is_dated_by_the_day_in_the_accountants_time_zone(pair: str) -> None:
    late = datetime(2026, 4, 1, 3, 59, tzinfo=UTC)
    bt = a_balance_transaction(pair, "20.00 USD", "0.10 USD", created=late)
    assert {posting.document.day for posting in booked(bt)} == {date(2026, 3, 31)}


def test_the_fee_of_an_instant_payout_is_dated_when_it_was_taken() -> None:
    bt = a_balance_transaction("payout/payout", "-19.38 USD", "0.50 USD")
    made = booked(bt, Story(subject="po_1", arrival=date(2026, 4, 2)))
    assert [posting.document.day for posting in made] == [date(2026, 4, 2), date(2026, 3, 31)]
