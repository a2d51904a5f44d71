"""From the wire to records and back: nothing lost, nothing sent that a version lacks."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.strategies import EVERY_CURRENCY
from ml_connector.acumatica import corrections, journal_words, translate, wire
from ml_connector.acumatica.fields import NEVER, decode, encode, sent
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money, TooManyDecimals
from ml_connector.books.postings import Application, ArPayment, Journal, Line
from ml_connector.books.records import Address

DAY = date(2026, 1, 31)
NEW = EndpointVersion("Default", "24.200.001")
OLD = EndpointVersion("Default", "20.200.001")


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    currency = draw(st.sampled_from(EVERY_CURRENCY))
    minor = st.integers(-(10**12), 10**12).filter(bool)
    amounts = draw(st.lists(minor, min_size=1, max_size=6).filter(lambda held: sum(held) != 0))
    lines = tuple(
        Line(
            f"{60000 + index}", draw(st.sampled_from(["", "000000"])), Money(amount, currency), "x"
        )
        for index, amount in enumerate([*amounts, -sum(amounts)])
    )
    return Journal(DAY, "RETAIL", draw(st.text(max_size=600)), lines)


@given(journals())
def test_a_journal_on_the_wire_balances_and_reads_back_to_the_same_lines(journal: Journal) -> None:
    body = encode(journal_words.journal_body(journal, "mlcabcdefghijkl", "ACTUAL"))
    plain = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    debited = [row["DebitAmount"]["value"] for row in plain["Details"] if "DebitAmount" in row]
    credited = [row["CreditAmount"]["value"] for row in plain["Details"] if "CreditAmount" in row]
    assert sum(debited) == sum(credited) > 0
    assert all(amount > 0 for amount in (*debited, *credited))
    assert len(debited) + len(credited) == len(journal.lines)
    assert plain["Description"]["value"].endswith(" [mlcabcdefghijkl]")
    assert len(plain["Description"]["value"]) <= 512
    stored = msgspec.structs.replace(
        decode(body, wire.JournalWire), batch_nbr=sent("000123"), status=sent("Posted")
    )
    back = journal_words.journal(stored)
    assert [line.amount for line in back.lines] == [line.amount for line in journal.lines]
    assert [line.account for line in back.lines] == [line.account for line in journal.lines]
    assert {line.reference for line in back.lines} == {"mlcabcdefghijkl"}


def payment(**changes: Any) -> ArPayment:
    given: dict[str, Any] = {
        "customer_id": "GOODFOOD",
        "payment_method": "STRIPE",
        "cash_account": "10650ST",
        "branch": "",
        "day": DAY,
        "amount": Money(10000, "USD"),
        "payment_ref": "ch_1",
        "external_ref": "txn_1",
        "description": "Stripe",
        "applications": (Application(ErpRef("Invoice|000123"), Money(6000, "USD")),),
    }
    return ArPayment(**{**given, **changes})


def sent_members(record: msgspec.Struct) -> set[str]:
    return set(json.loads(encode(record)))


def test_a_field_that_the_version_lacks_is_not_sent() -> None:
    assert "ExternalRef" in sent_members(translate.payment_body(payment(), NEW))
    assert "ExternalRef" not in sent_members(translate.payment_body(payment(), OLD))


def test_what_is_empty_is_left_to_acumaticas_defaults() -> None:
    assert "Branch" not in sent_members(translate.payment_body(payment(), NEW))
    assert "Branch" in sent_members(translate.payment_body(payment(branch="RETAIL"), NEW))


def test_a_payment_is_sent_off_hold_with_its_day_and_applications() -> None:
    body = json.loads(encode(translate.payment_body(payment(), NEW)))
    assert body["Hold"] == {"value": False}
    assert body["ApplicationDate"] == {"value": "2026-01-31"}
    row = body["DocumentsToApply"][0]
    assert row == {
        "DocType": {"value": "Invoice"},
        "ReferenceNbr": {"value": "000123"},
        "AmountPaid": {"value": 60.0},
    }


def test_a_reference_that_would_be_cut_is_never_sent() -> None:
    with pytest.raises(Bug, match="too long"):
        translate.payment_body(payment(payment_ref="c" * 41), NEW)


@given(st.integers(1, 10**12), st.sampled_from(EVERY_CURRENCY))
def test_the_amount_of_a_payment_is_exact_in_every_currency(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    body = encode(translate.payment_body(payment(amount=amount, applications=()), NEW))
    plain = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    assert Money.of(plain["PaymentAmount"]["value"], currency) == amount


def payment_wire(**rows: Any) -> wire.PaymentWire:
    body = {
        "id": "g",
        "Type": {"value": "Payment"},
        "ReferenceNbr": {"value": "000078"},
        "Status": {"value": "Open"},
        "CurrencyID": {"value": "USD"},
        "PaymentAmount": {"value": 100.0000},
        "ApplicationDate": {"value": "2026-01-31T00:00:00-08:00"},
        **rows,
    }
    return decode(json.dumps(body).encode(), wire.PaymentWire)


def waiting(reference: str, amount: float) -> dict[str, Any]:
    fields = {"DocType": "Invoice", "ReferenceNbr": reference, "AmountPaid": amount}
    return {name: {"value": held} for name, held in fields.items()}


def posted(reference: str, amount: float, prefix: str = "Display") -> dict[str, Any]:
    fields = {f"{prefix}DocType": "Invoice", f"{prefix}RefNbr": reference, "AmountPaid": amount}
    return {name: {"value": held} for name, held in fields.items()}


def test_applications_are_read_whether_they_wait_or_are_posted() -> None:
    read = translate.payment(
        payment_wire(
            DocumentsToApply=[waiting("000001", 10.0)],
            ApplicationHistory=[posted("000002", 20.0), posted("000003", 30.0, "Adjusted")],
        )
    )
    assert read.day == DAY
    assert [(one.document, one.amount.minor) for one in read.applications] == [
        ("Invoice|000001", 1000),
        ("Invoice|000002", 2000),
        ("Invoice|000003", 3000),
    ]


def test_a_reversed_application_is_no_application() -> None:
    rows = [posted("000002", 20.0), posted("000002", -20.0)]
    assert translate.payment(payment_wire(ApplicationHistory=rows)).applications == ()


def test_what_is_unapplied_is_unknown_where_the_version_does_not_tell() -> None:
    assert translate.payment(payment_wire()).unapplied is None
    told = translate.payment(payment_wire(AvailableBalance={"value": 40.0}))
    assert told.unapplied == Money(4000, "USD")


def contact(email: str = "", city: str = "") -> dict[str, Any]:
    return {"Email": {"value": email}, "Address": {"City": {"value": city}}, "Phone1": {}}


@pytest.mark.parametrize(
    ("billing", "main", "own", "expected"),
    [
        (contact("b@x.example"), contact("m@x.example"), "o@x.example", "b@x.example"),
        (contact(), contact("m@x.example"), "o@x.example", "m@x.example"),
        (None, contact(), "o@x.example", "o@x.example"),
        (None, None, None, ""),
    ],
)
def test_bills_go_to_the_billing_contact_else_the_main_one_else_the_customer(
    billing: Any, main: Any, own: str | None, expected: str
) -> None:
    body = {"CustomerID": {"value": "GOODFOOD  "}, "BillingContact": billing, "MainContact": main}
    if own:
        body["Email"] = {"value": own}
    read = translate.customer(decode(json.dumps(body).encode(), wire.CustomerWire))
    assert (read.customer_id, read.email, read.currency) == ("GOODFOOD", expected, "")


def test_an_empty_billing_address_gives_way_to_the_main_one() -> None:
    body = {"BillingContact": contact(), "MainContact": contact(city="Kirkland")}
    read = translate.customer(decode(json.dumps(body).encode(), wire.CustomerWire))
    assert read.address == Address(city="Kirkland")


def invoice_body(**changes: Any) -> bytes:
    body = {
        "Type": {"value": "Invoice"},
        "ReferenceNbr": {"value": "000123"},
        "Status": {"value": "Open"},
        "Customer": {"value": "GOODFOOD"},
        "Date": {"value": "2026-01-15T00:00:00+00:00"},
        "DueDate": {},
        "Amount": {"value": 108.88},
        "Balance": {"value": 58.88},
        "TaxTotal": {"value": 8.88},
        "LinkBranch": {"value": "RETAIL"},
        "Details": [
            {
                "LineNbr": {"value": 1},
                "TransactionDescription": {"value": "Jam"},
                "Qty": {"value": 2.5},
                "UnitPrice": {"value": 40.0001},
                "ExtendedPrice": {"value": 110.0},
                "Amount": {"value": 100.0},
            }
        ],
        "TaxDetails": [
            {
                "TaxID": {"value": "NYSALES"},
                "TaxRate": {"value": 8.875},
                "TaxableAmount": {"value": 100.0},
                "TaxAmount": {"value": 8.88},
            }
        ],
        "custom": {"Document": {"CuryID": {"type": "CustomStringField", "value": "USD "}}},
        **changes,
    }
    return json.dumps(body).encode()


def test_an_invoice_is_read_with_lines_after_discount_and_exact_rates() -> None:
    read = translate.invoice(decode(invoice_body(), wire.InvoiceWire))
    assert read.ref == "Invoice|000123"
    assert (read.amount, read.balance, read.tax_total) == (
        Money(10888, "USD"),
        Money(5888, "USD"),
        Money(888, "USD"),
    )
    assert read.due_date is None
    assert read.branch == "RETAIL"
    assert read.lines[0].amount == Money(10000, "USD")
    assert read.lines[0].unit_price == Decimal("40.0001")
    assert read.taxes[0].rate == Decimal("8.875")


def test_the_sales_view_of_an_old_version_tells_no_rate_and_no_time_of_change() -> None:
    taxes = [{"TaxID": {"value": "T"}, "TaxableAmount": {"value": 40}, "TaxAmount": {"value": 3}}]
    body = invoice_body(
        Currency={"value": "EUR"},
        Customer={},
        CustomerID={"value": "CANDYY"},
        LinkBranch={},
        FinancialDetails={"Branch": {"value": "HEADOFFICE"}},
        TaxDetails=taxes,
        custom={},
    )
    read = translate.invoice(decode(body, wire.InvoiceWire))
    assert (read.customer_id, read.branch, read.amount.currency) == ("CANDYY", "HEADOFFICE", "EUR")
    assert read.taxes[0].rate == Decimal("7.5")
    assert read.modified == NEVER


def test_an_invoice_without_a_currency_is_refused_rather_than_guessed() -> None:
    with pytest.raises(Bug, match="currency"):
        translate.invoice(decode(invoice_body(custom={}), wire.InvoiceWire))


def test_an_amount_finer_than_its_currency_is_refused_rather_than_rounded() -> None:
    with pytest.raises(TooManyDecimals):
        translate.invoice(decode(invoice_body(Amount={"value": 1.005}), wire.InvoiceWire))


def test_a_payment_method_tells_whether_we_could_release_its_payments() -> None:
    body = {
        "PaymentMethodID": {"value": "STRIPE"},
        "Active": {"value": True},
        "IntegratedProcessing": {"value": False},
        "UseInAR": {"value": True},
        "AllowedCashAccounts": [
            {"CashAccount": {"value": "10650ST"}, "UseInAR": {"value": True}, "ARDefault": {}}
        ],
    }
    read = translate.payment_method(decode(json.dumps(body).encode(), wire.PaymentMethodWire))
    assert (read.id, read.active, read.integrated, read.use_in_ar) == ("STRIPE", True, False, True)
    assert [one.cash_account for one in read.cash_accounts if one.use_in_ar] == ["10650ST"]
    assert not read.cash_accounts[0].ar_default


def test_a_correction_moves_the_date_and_takes_out_what_may_not_be_settled() -> None:
    kept, gone = (
        Application(ErpRef(f"Invoice|{n}"), Money(500, "USD")) for n in ("000001", "000002")
    )
    less = payment(applications=(kept,), wanted=(kept, gone), day=date(2026, 11, 1))
    sent_body = json.loads(encode(corrections.payment_body(less, ErpRef("Payment|000078"))))
    assert sent_body["ReferenceNbr"] == {"value": "000078"}
    assert sent_body["ApplicationDate"] == {"value": "2026-11-01"}
    rows = {row["ReferenceNbr"]["value"]: row for row in sent_body["DocumentsToApply"]}
    assert rows["000002"]["delete"] is True
    assert rows["000001"]["AmountPaid"] == {"value": 5.00}
    assert "delete" not in rows["000001"]
