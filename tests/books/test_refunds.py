"""Refunds as documents of the customer: a memo and its payment, and what a failure leaves."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.ledger import RECEIVABLE, REFUNDS, entries, t_accounts
from build.records import CLEARING, a_balance_transaction, a_mapping, money
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.policies import FeesPosted, Policies, RefundsAs
from ml_connector.books.postings import ArRefund, CreditMemo, Purpose, Voiding, clearing_effect
from ml_connector.books.refunds import PartlyFailed
from ml_connector.books.rules import Story, postings

BY_MEMO = a_mapping(policies=Policies(refunds=RefundsAs.CREDIT_MEMO))
OF_A_CUSTOMER = Story(subject="re_1", customer_id="C000012", text="of ch_1")


@shows(RefundsAs.CREDIT_MEMO, Purpose.CREDIT_MEMO, Purpose.REFUND_PAID)
def test_a_refund_is_a_memo_that_is_paid_out() -> None:
    """20.00 go back to the customer.

    clearing             | receivable      | refunds
           |     20.00   | 20.00  |  20.00 | 20.00 |
    """
    bt = a_balance_transaction("refund/refund", "-20.00 USD", source="re_1")
    memo, paid = postings(bt, OF_A_CUSTOMER, BY_MEMO)
    assert (memo.key, paid.key) == ("credit_memo:re_1", "refund_paid:re_1")
    assert isinstance(memo.document, CreditMemo)
    assert isinstance(paid.document, ArRefund)
    assert paid.document.memo == memo.key
    assert memo.document.order == paid.document.payment_ref == "re_1"
    assert (memo.clearing, paid.clearing) == (money("0.00 USD"), money("-20.00 USD"))
    assert t_accounts([memo, paid]) == {
        REFUNDS: "20.00 USD",
        RECEIVABLE: "0.00 USD",
        CLEARING: "-20.00 USD",
    }


def test_a_refund_of_nobody_stays_a_journal() -> None:
    bt = a_balance_transaction("refund/refund", "-20.00 USD", source="re_1")
    (journal,) = postings(bt, Story(subject="re_1"), BY_MEMO)
    assert journal.key == "refund:re_1"


@shows(Purpose.VOID)
def test_a_refund_that_failed_leaves_the_memo_to_the_customer() -> None:
    """The money came back, and the customer is owed it.

    clearing             | receivable      | refunds
    20.00  |     20.00   | 20.00  |  20.00 | 20.00 |
                         |        |  20.00 |
    """
    bt = a_balance_transaction("refund/refund", "-20.00 USD", source="re_1")
    back = a_balance_transaction("refund_failure/refund_failure", "20.00 USD", id="txn_2")
    voids = Voiding(erp_ref("Refund", "000079"), "re_1", money("20.00 USD"))
    undone = postings(back, Story(subject="re_1", voids=voids), BY_MEMO)
    assert [one.key for one in undone] == ["void:re_1"]
    assert t_accounts([*postings(bt, OF_A_CUSTOMER, BY_MEMO), *undone]) == {
        REFUNDS: "20.00 USD",
        RECEIVABLE: "-20.00 USD",
        CLEARING: "0.00 USD",
    }
    part = a_balance_transaction("refund_failure/refund_failure", "5.00 USD")
    with pytest.raises(PartlyFailed, match=r"re_1 of 20\.00 USD came back 5\.00 USD"):
        postings(part, Story(subject="re_1", voids=voids), BY_MEMO)


@given(
    st.integers(-(10**7), 10**7).filter(bool), st.integers(-900, 900), st.sampled_from(FeesPosted),
    st.sampled_from(RefundsAs), st.sampled_from([None, "C000012"]),
)  # fmt: skip
def test_any_refund_changes_clearing_by_its_net_and_every_document_balances(
    cents: int, fee: int, fees: FeesPosted, refunds: RefundsAs, customer: str | None
) -> None:
    mapping = a_mapping(policies=Policies(fees=fees, refunds=refunds))
    bt = a_balance_transaction("refund/refund", Money(cents, "USD"), Money(fee, "USD"))
    made = postings(bt, Story(subject="re_1", customer_id=customer), mapping)
    waits = bool(fee) and fees is FeesPosted.PAYOUT
    assert clearing_effect(made, "USD") == (bt.amount if waits else bt.net)
    for one in made:
        assert sum(amount.minor for _, amount in entries(one)) == 0


@pytest.mark.parametrize("policy", RefundsAs)
def test_a_refund_of_what_was_on_no_invoice_is_paid_out_of_the_payment_itself(
    policy: RefundsAs,
) -> None:
    """No sale is given back, so contra revenue is not touched.

    clearing             | receivable
           |     20.00   | 20.00  |
    """
    bt = a_balance_transaction("refund/refund", "-20.00 USD", source="re_1")
    payment = erp_ref("Payment", "000078")
    story = Story(subject="re_1", customer_id="C000012", unapplied=payment)
    (paid,) = postings(bt, story, a_mapping(policies=Policies(refunds=policy)))
    assert isinstance(paid.document, ArRefund)
    assert (paid.key, paid.document.payment, paid.document.memo) == (
        "refund_paid:re_1", payment, None,
    )  # fmt: skip
    assert t_accounts([paid]) == {RECEIVABLE: "20.00 USD", CLEARING: "-20.00 USD"}
    with pytest.raises(Bug, match="pays out a memo or a payment"):
        replace(paid.document, payment=None)
