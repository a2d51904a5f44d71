"""Which invoice a payment settles, or the reason why none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import a_balance_transaction, a_charge, a_mirrored_invoice, money
from build.strategies import amounts
from ml_connector.basics.errors import AskAPerson, Refused, TryAgain
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.matching import (
    Evidence,
    HeldByHand,
    MirroredInvoice,
    NoInvoice,
    NotSettled,
    Unmatched,
    match,
    match_by_evidence,
    named_in_metadata,
    named_payer,
    on_account,
    refuse_held,
    settle,
    settled,
    words_of,
)
from ml_connector.books.postings import Application
from ml_connector.books.records import Charge


def test_a_payment_settles_the_invoice_it_was_made_for() -> None:
    charge = a_charge("12.00 USD")
    found = match(charge, a_mirrored_invoice("12.00 USD"))
    assert found.charge is charge
    assert found.customer_id == "C000012"
    assert found.applications == (Application(erp_ref("Invoice", "000123"), money("12.00 USD")),)


@given(amounts(least=1), amounts(least=1))
def test_a_payment_never_settles_more_than_the_invoice_or_than_itself(
    paid: Money, owed: Money
) -> None:
    (application,) = match(a_charge(paid), a_mirrored_invoice(owed)).applications
    assert application.amount == min(paid, owed)


def test_a_payment_without_an_invoice_waits_and_is_named() -> None:
    with pytest.raises(
        Unmatched, match=r"ch_1 of 12\.00 USD belongs to no mirrored invoice"
    ) as why:
        match(a_charge("12.00 USD"), None)
    assert isinstance(why.value, AskAPerson)
    assert why.value.cause == "payment.no_invoice"
    assert "link it to an invoice" in why.value.remedy


def test_a_payment_in_another_currency_than_its_invoice_waits() -> None:
    with pytest.raises(Unmatched, match=r"is in EUR but invoice Invoice\|000123 is in USD") as why:
        match(a_charge("12.00 EUR"), a_mirrored_invoice("12.00 USD"))
    assert why.value.cause == "payment.currency_differs"
    assert "never converted" in why.value.remedy


def test_a_settled_payment_shows_its_balance_transaction() -> None:
    transaction = a_balance_transaction()
    assert settled(a_charge(transaction=transaction)) is transaction


@pytest.mark.parametrize(
    ("status", "with_transaction"), [("succeeded", False), ("pending", False), ("pending", True)]
)
def test_a_payment_that_stripe_has_not_booked_is_tried_again(
    status: str, with_transaction: bool
) -> None:
    transaction = a_balance_transaction() if with_transaction else None
    with pytest.raises(NotSettled, match="not settled ch_1 yet") as why:
        settled(a_charge(status=status, transaction=transaction))
    assert isinstance(why.value, TryAgain)
    assert why.value.cause == "stripe.not_settled"


def test_a_failed_attempt_moved_no_money_and_never_will() -> None:
    with pytest.raises(Refused, match="ch_1 failed; no money moved"):
        settled(a_charge(status="failed"))


def test_a_bank_debit_that_failed_after_it_was_booked_has_moved_money() -> None:
    transaction = a_balance_transaction("payment/charge")
    assert settled(a_charge(status="failed", transaction=transaction)) is transaction


# By what a payment says


def an_owed(number: str, total: str = "12.00 USD", customer: str = "C000012") -> MirroredInvoice:
    return MirroredInvoice(erp_ref("Invoice", number), customer, money(total))


def saying(description: str = "", amount: str = "12.00 USD", **metadata: str) -> Charge:
    return replace(a_charge(amount), description=description, metadata=metadata)


def test_metadata_names_invoices_with_commas_each_once() -> None:
    charge = saying(erp_invoice=" INV1, INV2 ,,INV1")
    assert named_in_metadata(charge) == ("INV1", "INV2")


def test_only_words_with_a_digit_may_be_invoice_numbers() -> None:
    assert words_of(saying("Pay no. 000123 (AR-77), thanks 000123")) == ("000123", "AR-77")


def test_invoices_are_settled_in_order_and_the_rest_stays_on_account() -> None:
    invoices = (an_owed("1", "5.00 USD"), an_owed("2", "0.00 USD"), an_owed("3", "4.00 USD"))
    found = match_by_evidence(
        saying(erp_invoice="1,2,3"), Evidence(customer_id="C000012", named=invoices)
    )
    assert [str(one.amount) for one in found.applications] == ["5.00 USD", "4.00 USD"]


@given(st.lists(amounts(least=0, most=900), min_size=1, max_size=5), amounts(least=1, most=2000))
def test_applications_never_exceed_the_payment_or_any_invoice(
    owed: list[Money], paid: Money
) -> None:
    invoices = [MirroredInvoice(erp_ref("Invoice", str(n)), "C1", one) for n, one in
                enumerate(owed)]  # fmt: skip
    found = settle(a_charge(paid), invoices)
    whole = sum(one.minor for one in owed)
    assert sum(one.amount.minor for one in found.applications) == min(whole, paid.minor)
    by_ref = {one.ref: one.total for one in invoices}
    assert all(Money(0, "USD") < one.amount <= by_ref[one.document] for one in found.applications)


@given(
    st.lists(st.tuples(amounts(least=0, most=900), amounts(least=0, most=900)), min_size=1,
             max_size=5),
    amounts(least=1, most=2000),
)  # fmt: skip
def test_what_others_have_settled_is_wanted_as_far_as_the_payment_reaches_and_no_further(
    invoices: list[tuple[Money, Money]], paid: Money
) -> None:
    known = [MirroredInvoice(erp_ref("Invoice", str(n)), "C1", owed, lowered) for n, (owed, lowered)
             in enumerate(invoices)]  # fmt: skip
    found = settle(a_charge(paid), known)
    applied = {one.document: one.amount.minor for one in found.applications}
    wanted = {one.document: one.amount.minor for one in found.wanted or found.applications}
    lowered = sum(one.minor for _, one in invoices)
    rest = paid.minor - sum(applied.values())
    assert sum(wanted.values()) - sum(applied.values()) == min(rest, lowered)
    for one in known:
        more = wanted.get(one.ref, 0) - applied.get(one.ref, 0)
        assert 0 <= more <= (one.lowered or one.total).minor


CONTRADICTIONS: dict[str, tuple[Charge, Evidence]] = {
    "names 9, not mirrored": (saying(erp_invoice="1,9"), Evidence(named=(an_owed("1"),))),
    "of C000012 but was paid by C9": (
        saying(erp_invoice="1"), Evidence("C9", named=(an_owed("1"),))),
    "names 7 of C000012 but": (saying("7"), Evidence("C9", described=(an_owed("7"),))),
    "are of C1 and C2": (
        saying("7 8"), Evidence(described=(an_owed("7", customer="C1"),
                                           an_owed("8", customer="C2")))),
    "payer is not known": (saying(), Evidence()),
    "fits several of C1: 1, 2": (
        saying(), Evidence("C1", owed=(an_owed("1", customer="C1"), an_owed("2", customer="C1")))),
    "No open invoice of C1": (saying(), Evidence("C1", owed=(an_owed("1", "11.99 USD"),))),
}  # fmt: skip


@pytest.mark.parametrize("reason", CONTRADICTIONS)
def test_what_contradicts_itself_is_no_match_and_says_why(reason: str) -> None:
    charge, evidence = CONTRADICTIONS[reason]
    with pytest.raises(NoInvoice, match=reason) as why:
        match_by_evidence(charge, evidence)
    assert why.value.cause == "payment.no_invoice"


def test_the_same_amount_in_another_currency_does_not_fit() -> None:
    with pytest.raises(NoInvoice, match="No open invoice"):
        match_by_evidence(saying(), Evidence("C1", owed=(an_owed("1", "12.00 EUR"),)))


def test_a_payment_on_account_settles_nothing() -> None:
    assert on_account(a_charge(), "C1").applications == ()


@pytest.mark.parametrize("word", ["true", "True", " TRUE "])
def test_a_charge_is_held_by_its_metadata_and_says_how_to_let_it_go(word: str) -> None:
    with pytest.raises(HeldByHand) as held:
        refuse_held(replace(a_charge(), metadata={"erp_hold": word}))
    assert "erp_hold" in held.value.remedy


@pytest.mark.parametrize("metadata", [{}, {"erp_hold": "false"}, {"erp_hold": ""}])
def test_a_charge_without_the_word_is_not_held(metadata: dict[str, str]) -> None:
    refuse_held(replace(a_charge(), metadata=metadata))


def test_a_charge_may_name_its_payer() -> None:
    assert named_payer(replace(a_charge(), metadata={"erp_customer": " C000012 "})) == "C000012"
    assert named_payer(replace(a_charge(), metadata={"erp_customer": " "})) is None
    assert named_payer(a_charge()) is None
