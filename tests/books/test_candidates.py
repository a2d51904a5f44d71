"""Why a payment matches no invoice: each refusal in a sentence, and what would cure it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import a_charge, money
from build.strategies import amounts
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.candidates import candidates, why_unmatched
from ml_connector.books.matching import (
    NAMED_IN,
    Evidence,
    MirroredInvoice,
    match_by_evidence,
    named_in_metadata,
)
from ml_connector.books.records import Charge


def owed(number: str, total: str | Money = "12.00 USD", customer: str = "C1") -> MirroredInvoice:
    return MirroredInvoice(erp_ref("Invoice", number), customer, money(total))


def saying(**metadata: str) -> Charge:
    return replace(a_charge("12.00 USD"), metadata=metadata)


REFUSALS: dict[str, tuple[Charge, Evidence]] = {
    "It is in EUR, the payment in USD.": (
        saying(), Evidence("C1", owed=(owed("1", "12.00 EUR"),))),
    "It belongs to C2, the payment is from C1.": (
        saying(erp_invoice="1"), Evidence("C1", named=(owed("1", customer="C2"),))),
    "Nothing is left to pay of it.": (
        saying(erp_invoice="1,9"), Evidence("C1", named=(owed("1", "0.00 USD"),))),
    "It is named beside 9, which was not sent to Stripe.": (
        saying(erp_invoice="1,9"), Evidence("C1", named=(owed("1"),))),
    "It is named beside invoices of C2.": (
        saying(), Evidence(described=(owed("1"), owed("2", customer="C2")))),
    "The payment names other invoices, so that its amount was not compared.": (
        saying(erp_invoice="9"), Evidence("C1", owed=(owed("1"),))),
    "12.07 USD is owed of it, 0.07 USD more than the payment.": (
        saying(), Evidence("C1", owed=(owed("1", "12.07 USD"),))),
    "Its amount fits, and so does that of 2.": (
        saying(), Evidence("C1", owed=(owed("1"), owed("2")))),
}  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS)
def test_each_refusal_is_a_sentence_that_a_clerk_understands(refusal: str) -> None:
    charge, evidence = REFUSALS[refusal]
    why = why_unmatched(charge, evidence)
    assert why is not None
    assert refusal in [one.refusal for one in why.candidates]


@given(st.lists(amounts(least=1, most=3000), max_size=5))
def test_the_change_that_is_proposed_would_match_that_very_invoice(totals: list[Money]) -> None:
    evidence = Evidence("C1", owed=tuple(owed(str(n), one) for n, one in enumerate(totals)))
    charge = saying()
    why = why_unmatched(charge, evidence)
    fitting = [one for one in totals if one == charge.amount]
    assert (why is None) == (len(fitting) == 1)
    for one in why.candidates if why else ():
        told = replace(charge, metadata={NAMED_IN: one.invoice.number})
        assert one.change == f"Set the metadata {NAMED_IN} of ch_1 to {one.invoice.number}."
        named = tuple(i for i in evidence.owed if i.number in named_in_metadata(told))
        found = match_by_evidence(told, replace(evidence, named=named))
        assert [a.document for a in found.applications] == [one.invoice.ref]


def test_the_nearest_amount_comes_first_and_another_currency_last() -> None:
    evidence = Evidence(
        "C1", owed=(owed("1", "12.00 EUR"), owed("2", "90.00 USD"), owed("3", "12.01 USD"))
    )
    found = candidates(saying(), evidence)
    assert [one.invoice.number for one in found] == ["3", "2", "1"]
    assert found[-1].change == ""
