"""Credit memos and refunds on the wire: what is sent, what is read, what is never cut."""

from datetime import date
from decimal import Decimal

import pytest

from ml_connector.acumatica import memos, wire
from ml_connector.acumatica.fields import decode, encode, sent
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import ArRefund, CreditMemo

NEW, OLD = EndpointVersion("Default", "24.200.001"), EndpointVersion("Default", "20.200.001")
DAY = date(2026, 3, 31)


def a_memo(order: str = "re_1", tax_category: str = "") -> CreditMemo:
    amount = Money(2500, "USD")
    return CreditMemo(
        "GOODFOOD", "HQ", DAY, "40900", "000000", tax_category, amount, order, "Stripe refund re_1"
    )


def a_refund(reference: str = "re_1") -> ArRefund:
    return ArRefund(
        "GOODFOOD", "STRIPE", "10650ST", "HQ", DAY, Money(2500, "USD"), reference, "txn_1",
        "Stripe refund re_1", PostingKey("credit_memo:re_1"),
    )  # fmt: skip


def test_a_memo_is_one_line_in_the_currency_of_the_refund() -> None:
    body = memos.memo_body(a_memo(tax_category="EXEMPT"), NEW)
    assert decode(encode(body), dict[str, object]) == {
        "Type": {"value": "Credit Memo"},
        "Customer": {"value": "GOODFOOD"},
        "CustomerOrder": {"value": "re_1"},
        "LinkBranch": {"value": "HQ"},
        "Date": {"value": "2026-03-31"},
        "Description": {"value": "Stripe refund re_1"},
        "Hold": {"value": False},
        "Details": [
            {
                "TransactionDescription": {"value": "Stripe refund re_1"},
                "Account": {"value": "40900"},
                "Subaccount": {"value": "000000"},
                "Branch": {"value": "HQ"},
                "TaxCategory": {"value": "EXEMPT"},
                "Qty": {"value": 1},
                "UnitPrice": {"value": 25.00},
            }
        ],
        "custom": {"Document": {"CuryID": {"value": "USD"}}},
    }


def test_an_endpoint_without_tax_categories_is_sent_none() -> None:
    for memo, endpoint in ((a_memo(tax_category="EXEMPT"), OLD), (a_memo(), NEW)):
        assert not memos.memo_body(memo, endpoint).details[0].tax_category.known


def test_a_refund_names_the_memo_that_it_pays_out() -> None:
    memo = erp_ref("Credit Memo", "000012")
    body = memos.refund_body(a_refund(), memo, NEW)
    (row,) = body.documents_to_apply
    assert (row.doc_type, row.reference_nbr) == (sent("Credit Memo"), sent("000012"))
    assert row.amount_paid == body.payment_amount == sent(Decimal("25.00"))
    assert body.type == sent("Refund")
    assert body.external_ref == sent("txn_1")
    assert not memos.refund_body(a_refund(), memo, OLD).external_ref.known
    again = memos.paid_out_body(erp_ref("Customer Refund", "000079"), a_refund(), memo)
    assert (again.type, again.documents_to_apply) == (sent("Customer Refund"), (row,))


def test_a_mark_that_would_be_cut_is_never_sent() -> None:
    long = "re_" + "x" * 40
    with pytest.raises(Bug, match="too long"):
        memos.memo_body(a_memo(order=long), NEW)
    with pytest.raises(Bug, match="too long"):
        memos.refund_body(a_refund(long), erp_ref("Credit Memo", "000012"), NEW)


def test_a_memo_without_currency_or_date_is_not_believed() -> None:
    read = wire.InvoiceWire(
        id="guid-1",
        type=sent("Credit Memo"),
        reference_nbr=sent("000012"),
        amount=sent(Decimal(25)),
    )
    assert memos.memo_document(read).amount is None
    with pytest.raises(Bug, match="no currency"):
        memos.memo(read)
    custom = {"Document": {"CuryID": wire.CustomWire("USD")}}
    told = wire.InvoiceWire(
        id="guid-1", type=sent("Credit Memo"), reference_nbr=sent("000012"),
        amount=sent(Decimal(25)), custom=custom,
    )  # fmt: skip
    assert memos.memo_document(told).amount == Money(2500, "USD")
    with pytest.raises(Bug, match="no date"):
        memos.memo(told)
