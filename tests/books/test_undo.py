"""Undoing by reversing documents: opposite to the cent, in an order that never leaves a gap."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.ledger import REFUNDS, booked, t_accounts
from build.records import CLEARING, a_balance_transaction
from ml_connector.basics.ids import PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.editions import edition_of, in_edition, key_in, plain_key
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    CreditMemo,
    DebitMemo,
    Document,
    Journal,
    Line,
    PaymentCharge,
    Posting,
    Purpose,
    Voiding,
    clearing_effect,
)
from ml_connector.books.undo import CannotUndo, Stands, effect, mirror, rank, reversal, way

DAY = date(2026, 3, 31)
accounts = st.sampled_from(["10300", "60100", "13500", "40900"])
amounts = st.integers(-(10**12), 10**12).filter(bool)


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    sides = draw(st.lists(st.tuples(accounts, amounts), min_size=1, max_size=6))
    rest = -sum(amount for _, amount in sides)
    sides += [("10300", rest)] if rest else []
    text = draw(st.sampled_from(["Stripe fee txn_1", "long " * 100]))
    lines = tuple(Line(account, "000", Money(amount, "USD"), text) for account, amount in sides)
    return Journal(DAY, "HQ", text, lines)


def stands(document: Document, clearing: Money, purpose: Purpose = Purpose.FEE) -> Stands:
    key = PostingKey(f"{purpose}:txn_1")
    return Stands(key, purpose, StripeId("txn_1"), erp_ref("GL", "000007"), document, clearing)


def a_payment() -> ArPayment:
    amount = Money(10_000, "USD")
    return ArPayment("C1", "STRIPE", "10650ST", "HQ", DAY, amount, "ch_1", "txn_1", "", ())


@given(journals())
def test_a_mirror_journal_takes_back_every_account_and_balances(journal: Journal) -> None:
    image = mirror(journal, "GL 000007")
    assert sum(line.amount.minor for line in image.lines) == 0
    for account in {line.account for line in journal.lines}:
        assert image.effect_on(account) == -journal.effect_on(account)
    assert (image.day, image.branch, image.currency) == (DAY, "HQ", "USD")
    assert len(image.description) <= 256
    assert mirror(image, "GL 000008").lines[0].amount == journal.lines[0].amount


@given(journals())
def test_a_document_and_its_undoing_leave_the_clearing_account_untouched(journal: Journal) -> None:
    posted = stands(journal, journal.effect_on("10300"))
    undone = reversal(posted)
    assert clearing_effect([undone], "USD") == -posted.clearing
    assert undone.key == f"undo:{posted.key}"
    assert isinstance(undone.document, Journal)
    assert undone.document.effect_on("10300") == undone.clearing


@shows(Purpose.UNDO)
def test_a_journal_is_undone_by_its_mirror_image_and_both_stay() -> None:
    """A refund of 20.00 was booked under a wrong mapping.

    clearing             | refunds
           |     20.00   | 20.00  |              the journal
    20.00  |             |        | 20.00        its mirror image
    """
    (refund,) = booked(a_balance_transaction("refund/refund", "-20.00 USD"))
    undone = reversal(stands(refund.document, refund.clearing, Purpose.REFUND))
    assert t_accounts([undone]) == {REFUNDS: "-20.00 USD", CLEARING: "20.00 USD"}
    assert t_accounts([refund, undone]) == {REFUNDS: "0.00 USD", CLEARING: "0.00 USD"}


def test_a_payment_is_undone_by_voiding_it_as_a_whole() -> None:
    paid = stands(a_payment(), Money(10_000, "USD"), Purpose.PAYMENT)
    undone = reversal(paid)
    assert undone.document == Voiding(paid.ref, "ch_1", Money(10_000, "USD"))
    assert undone.clearing == Money(-10_000, "USD")
    assert effect(paid.document) == [
        ("10650ST", Money(10_000, "USD")),
        ("receivables of C1", Money(-10_000, "USD")),
    ]


def test_the_charges_of_a_payment_go_back_with_it() -> None:
    charges = (PaymentCharge("STRIPEFEE", "61100", Money(320, "USD")),)
    paid = stands(replace(a_payment(), charges=charges), Money(9_680, "USD"), Purpose.PAYMENT)
    undone = reversal(paid)
    assert isinstance(undone.document, Voiding)
    assert (undone.document.cash, undone.clearing) == (Money(9_680, "USD"), Money(-9_680, "USD"))
    assert ("61100", Money(320, "USD")) in effect(paid.document)


def test_a_payment_of_somebody_else_is_only_taken_back_once_people_have_voided_it() -> None:
    money = Money(10_000, "USD")
    booked = Booked(erp_ref("Payment", "000001"), "card 4242", "10650ST", money)
    theirs = stands(booked, money, Purpose.PAYMENT)
    with pytest.raises(CannotUndo, match="booked by somebody else"):
        reversal(theirs)
    assert reversal(theirs, voided=True).clearing == -money
    assert reversal(theirs, others=True) == reversal(theirs, voided=True)


def test_a_person_is_told_in_a_few_words_how_each_document_is_undone() -> None:
    money, ref = Money(2_500, "USD"), erp_ref("Payment", "000001")
    journal = Journal(DAY, "HQ", "Fee", (Line("61100", "000", money, "Fee"),
                                         Line("10300", "000", -money, "Fee")))  # fmt: skip
    papers: list[Document] = [journal, a_payment(), a_memo(), Booked(ref, "c", "10650ST", money)]
    told = [way(one, reversal(stands(one, money), others=True).document) for one in papers]
    assert told == ["its mirror journal", "voiding", "a debit memo that it is applied to",
                    "voiding, though others booked it"]  # fmt: skip


def a_memo() -> CreditMemo:
    return CreditMemo("C1", "HQ", DAY, "40900", "000", "EXEMPT", Money(2_500, "USD"), "re_1", "")


def test_a_credit_memo_is_undone_by_a_debit_memo_and_its_refund_by_a_voiding() -> None:
    memo, money = a_memo(), Money(2_500, "USD")
    stood = replace(stands(memo, Money.zero("USD"), Purpose.CREDIT_MEMO),
                    ref=erp_ref("Credit Memo", "000012"))  # fmt: skip
    undone = reversal(stood).document
    assert isinstance(undone, DebitMemo)
    assert (undone.memo, undone.order, undone.day) == ("Credit Memo|000012", "re_1", DAY)
    assert undone.tax_category == "EXEMPT"
    assert sorted(effect(undone)) == sorted((name, -by) for name, by in effect(memo))
    paid = ArRefund("C1", "STRIPE", "10650ST", "HQ", DAY, money, "re_1", "txn_1", "",
                    PostingKey("credit_memo:re_1"))  # fmt: skip
    for label in ("Refund", "Customer Refund"):
        ref = erp_ref(label, "000013")
        voided = reversal(replace(stands(paid, -money, Purpose.REFUND_PAID), ref=ref))
        assert (voided.document, voided.clearing) == (Voiding(ref, "re_1", money), money)
        cash, owed = effect(voided.document)
        assert (cash[1], owed[1]) == (money, -money)


def test_the_memo_of_a_later_edition_bears_a_mark_of_its_own() -> None:
    nothing = Money.zero("USD")
    key = PostingKey("credit_memo:re_1")
    made = Posting(key, Purpose.CREDIT_MEMO, StripeId("txn_1"), a_memo(), nothing)
    orders = [in_edition(made, edition).document for edition in (1, 2)]
    assert [one.order for one in orders if isinstance(one, CreditMemo)] == ["re_1", "re_1~2"]


def test_a_voiding_is_not_undone_and_says_what_to_do() -> None:
    voiding = Voiding(erp_ref("Payment", "000001"), "ch_1", Money(10_000, "USD"))
    with pytest.raises(CannotUndo, match="cannot be undone") as refused:
        reversal(stands(voiding, Money(-10_000, "USD"), Purpose.VOID))
    assert "--skip" in refused.value.remedy


def test_the_transfer_goes_first_then_what_came_later_then_fees_then_payments() -> None:
    order = [Purpose.PAYOUT, Purpose.FEES_OF_PAYOUT, Purpose.DISPUTE_LOSS, Purpose.DISPUTE,
             Purpose.REFUND_PAID, Purpose.CREDIT_MEMO, Purpose.FEE, Purpose.PAYMENT]  # fmt: skip
    ranks = [rank(one) for one in order]
    assert ranks == sorted(set(ranks))
    assert rank(Purpose.REFUND) == rank(Purpose.REFUND_PAID)


@pytest.mark.parametrize(
    ("key", "edition", "shown"),
    [("payment:ch_1", 1, "payment:ch_1"), ("payment:ch_1", 2, "payment:ch_1~2"),
     ("undo:fee:txn_1", 12, "undo:fee:txn_1~12")],
)  # fmt: skip
def test_an_edition_is_read_from_its_key_as_it_was_written(
    key: str, edition: int, shown: str
) -> None:
    made = key_in(PostingKey(key), edition)
    assert made == shown
    assert (plain_key(made), edition_of(made)) == (key, edition)
