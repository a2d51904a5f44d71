"""What each question costs in calls, what is sent, and what odd answers lead to."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from acumatica.stand_in import (
    Handler,
    accepted,
    client,
    http_error,
    payment_record,
    scripted,
    sites,
    value,
)
from ml_connector.acumatica.documents import ErpDocument
from ml_connector.acumatica.errors import Missing
from ml_connector.basics.errors import AskAPerson, Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application, ArPayment, Journal, Line

pytestmark = pytest.mark.anyio

HTML = "<!DOCTYPE html><html><body>down</body></html>"
USD = "USD"

PAYMENT = ArPayment(
    customer_id="GOODFOOD",
    payment_method="STRIPE",
    cash_account="10650ST",
    branch="RETAIL",
    day=date(2026, 1, 31),
    amount=Money(10000, USD),
    payment_ref="ch_3QabcDEF",
    external_ref="txn_1",
    description="Stripe in_1Q",
    applications=(Application(ErpRef("Invoice|INV000046"), Money(10000, USD)),),
)
JOURNAL = Journal(
    day=date(2026, 1, 31),
    branch="RETAIL",
    description="Stripe fee txn_1",
    lines=(
        Line("61100", "000000", Money(320, USD), "fee"),
        Line("10650", "000000", Money(-320, USD), "clearing"),
    ),
)


async def test_a_payment_is_four_calls() -> None:
    erp, site = client(
        scripted(
            httpx2.Response(200, json=payment_record("Balanced")),
            accepted(),
            httpx2.Response(204),
            httpx2.Response(200, json=payment_record("Closed")),
        )
    )
    made = await erp.put_payment(PAYMENT)
    await erp.release_payment(made.ref)
    read = await erp.payment(made.ref)
    assert made == ErpDocument("guid-1", ErpRef("Payment|000078"), "Balanced")
    assert (read.status, read.amount) == ("Closed", Money(10000, USD))
    assert read.applications == PAYMENT.applications
    assert site.calls() == [
        "PUT 24.200.001/Payment",
        "POST 24.200.001/Payment/ReleasePayment",
        "GET 24.200.001/Payment/ReleasePayment/status/5f0c",
        "GET 24.200.001/Payment/Payment/000078",
    ]


async def test_a_journal_is_four_calls() -> None:
    record = {
        "id": "guid-2",
        **value(
            Module="GL",
            BatchNbr="000123",
            Status="Posted",
            CurrencyID="USD",
            TransactionDate="2026-01-31T00:00:00",
            Description="Stripe fee txn_1 [mlcabc]",
        ),
        "Details": [
            value(Account="61100", DebitAmount=3.20, CreditAmount=0.0),
            value(Account="10650", DebitAmount=0.0, CreditAmount=3.20),
        ],
    }
    answer = httpx2.Response(200, json=record)
    again = httpx2.Response(200, json=record)
    erp, site = client(scripted(answer, accepted(), httpx2.Response(204), again))
    made = await erp.put_journal(JOURNAL, "mlcabc")
    await erp.release_journal(made.ref)
    read = await erp.journal(made.ref)
    assert read.effect_on("10650") == Money(-320, USD)
    assert [line.amount for line in read.lines] == [line.amount for line in JOURNAL.lines]
    assert len(site.seen) == 4
    assert site.seen[1].body == {"entity": value(Module="GL", BatchNbr="000123")}
    assert site.seen[3].query == {"$expand": "Details"}


async def test_amounts_leave_with_every_digit_as_numbers() -> None:
    erp, site = client(scripted(httpx2.Response(200, json=payment_record("Balanced"))))
    await erp.put_payment(PAYMENT)
    assert b'"PaymentAmount":{"value":100.00}' in site.seen[0].raw
    assert b'"AmountPaid":{"value":100.00}' in site.seen[0].raw


async def test_an_invoice_is_one_call_that_asks_for_its_currency() -> None:
    record = {
        "id": "guid-3",
        **value(Type="Invoice", ReferenceNbr="000123", Customer="GOODFOOD", Status="Open"),
        **value(Date="2026-01-15T00:00:00+00:00", Amount=100.0, Balance=60.0),
        "custom": {"Document": {"CuryID": {"type": "CustomStringField", "value": "USD"}}},
    }
    erp, site = client(scripted(httpx2.Response(200, json=record)))
    invoice = await erp.invoice(ErpRef("Invoice|000123"))
    assert invoice.balance == Money(6000, USD)
    assert site.calls() == ["GET 24.200.001/Invoice/Invoice/000123"]
    assert site.seen[0].query == {
        "$expand": "Details,TaxDetails,DiscountDetails,ApplicationsDefault",
        "$custom": "Document.CuryID",
    }


async def test_a_key_with_a_slash_is_found_by_its_id() -> None:
    rows = httpx2.Response(200, json=[{"id": "guid-9"}])
    erp, site = client(scripted(rows, httpx2.Response(200, json=value(AccountCD="10/20"))))
    await erp.account("10/20")
    assert site.seen[0].query["$filter"] == "AccountCD eq '10/20'"
    assert site.calls()[1] == "GET 24.200.001/Account/guid-9"


async def test_a_key_with_a_slash_that_nobody_has_is_missing() -> None:
    erp, _ = client(scripted(httpx2.Response(200, json=[])))
    with pytest.raises(Missing):
        await erp.account("10/20")


async def test_a_search_counts_only_the_exact_reference() -> None:
    """The database may take ch_a and ch_A for the same; Stripe does not."""
    rows = [
        {"id": "1", **value(Type="Payment", ReferenceNbr="1", PaymentRef="ch_a", Status="Open")},
        {"id": "2", **value(Type="Payment", ReferenceNbr="2", PaymentRef="ch_A", Status="Open")},
    ]
    erp, site = client(scripted(httpx2.Response(200, json=rows)))
    assert [found.id for found in await erp.find_payments("ch_A")] == ["2"]
    assert site.seen[0].query["$filter"] == "PaymentRef eq 'ch_A'"


async def test_a_quote_in_a_searched_value_cannot_end_the_literal() -> None:
    erp, site = client(scripted(httpx2.Response(200, json=[])))
    await erp.find_journals("it's")
    assert "substringof('it''s',Description)" in site.seen[0].query["$filter"]


async def test_a_put_without_an_answer_has_an_unknown_outcome_and_is_not_repeated() -> None:
    erp, site = client(lambda _: httpx2.ReadTimeout("late"))
    with pytest.raises(OutcomeUnknown):
        await erp.put_payment(PAYMENT)
    assert len(site.seen) == 1


async def test_a_put_answered_by_a_gateways_page_has_an_unknown_outcome() -> None:
    erp, site = client(lambda _: httpx2.Response(503, html=HTML))
    with pytest.raises(OutcomeUnknown):
        await erp.put_payment(PAYMENT)
    assert len(site.seen) == 1


async def test_a_put_answered_with_something_unreadable_has_an_unknown_outcome() -> None:
    erp, _ = client(lambda _: httpx2.Response(200, json={"id": "x", "Type": "not wrapped"}))
    with pytest.raises(OutcomeUnknown, match="could not be read"):
        await erp.put_payment(PAYMENT)


async def test_a_put_whose_answer_tells_no_number_has_an_unknown_outcome() -> None:
    """The document exists then; a plain error would let it be written a second time."""
    erp, _ = client(lambda _: httpx2.Response(200, json={"id": "x", **value(Type="Payment")}))
    with pytest.raises(OutcomeUnknown, match="did not tell its number"):
        await erp.put_payment(PAYMENT)


async def test_a_refused_payment_tells_the_field_and_the_value() -> None:
    echo = {"CustomerID": {"value": "NONE", "error": "'Customer' cannot be found in the system."}}
    erp, _ = client(lambda _: httpx2.Response(422, json=echo))
    with pytest.raises(AskAPerson) as caught:
        await erp.put_payment(PAYMENT)
    assert caught.value.cause == "acumatica.not_found:Customer:NONE"


def _with_sites(answer: httpx2.Response, *versions: str) -> Handler:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/Erp/entity":
            return httpx2.Response(200, json=sites(*versions))
        return answer

    return handler


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(404),
        httpx2.Response(302, headers={"Location": "/ui/error"}),
        httpx2.Response(200, html=HTML),
    ],
    ids=["404", "redirect", "page"],
)
async def test_a_version_that_the_site_does_not_have_is_named_with_those_it_has(
    answer: httpx2.Response,
) -> None:
    erp, site = client(_with_sites(answer, "20.200.001", "22.200.001"))
    with pytest.raises(Misconfigured) as caught:
        await erp.customer("GOODFOOD")
    assert "Default/24.200.001" in caught.value.sentence
    assert "Default/20.200.001, Default/22.200.001" in caught.value.sentence
    assert len(site.seen) == 2


async def test_a_page_while_the_version_is_offered_passes_by_itself() -> None:
    page = httpx2.Response(302, headers={"Location": "/ui/error"})
    erp, _ = client(_with_sites(page, "24.200.001"))
    with pytest.raises(TryAgain) as caught:
        await erp.customer("GOODFOOD")
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_the_check_reads_one_row_of_each_form_and_names_the_one_without_rights() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/Erp/entity":
            return httpx2.Response(200, json=sites("24.200.001"))
        if request.url.path.endswith("/JournalTransaction"):
            return httpx2.Response(403, json=http_error("Insufficient rights."))
        return httpx2.Response(200, json=[])

    erp, site = client(handler)
    with pytest.raises(Misconfigured, match="GL301000"):
        await erp.check()
    assert len(site.seen) == 5
    assert site.seen[1].query == {"$select": "CustomerID", "$top": "1"}


async def test_an_old_site_that_lists_its_endpoints_without_a_wrapper_is_understood() -> None:
    bare = sites("20.200.001", "22.200.001")["endpoints"]
    erp, _ = client(lambda _: httpx2.Response(200, json=bare))
    site = await erp.endpoints()
    assert [str(one) for one in site.endpoints] == ["Default/20.200.001", "Default/22.200.001"]


async def test_changes_ask_for_keys_only_from_an_instant_in_utc() -> None:
    row = value(
        Type="Invoice",
        ReferenceNbr="000123",
        Status="Open",
        Balance=60.5,
        LastModifiedDateTime="2026-01-31T15:16:23.1+03:00",
    )
    erp, site = client(lambda _: httpx2.Response(200, content=json.dumps([row])))
    since = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    rows = [row async for row in erp.changed("Invoice", since, top=10)]
    assert [(row.ref, row.status, row.type, row.balance) for row in rows] == [
        ("Invoice|000123", "Open", "Invoice", Decimal("60.5"))
    ]
    assert rows[0].modified == datetime(2026, 1, 31, 12, 16, 23, 100_000, UTC)
    query = site.seen[0].query
    assert query["$select"] == "Type,ReferenceNbr,Status,Balance,DueDate,LastModifiedDateTime"
    literal = "datetimeoffset'2026-01-31T12:00:00.000+00:00'"
    assert query["$filter"] == f"LastModifiedDateTime ge {literal}"
    assert len(site.seen) == 1


async def test_a_list_of_payments_asks_for_no_field_that_payments_lack() -> None:
    row = value(Type="Payment", ReferenceNbr="000078", Status="Open")
    erp, site = client(lambda _: httpx2.Response(200, json=[row]))
    since = datetime(2026, 1, 31, tzinfo=UTC)
    assert [row.balance async for row in erp.changed("Payment", since)] == [None]
    assert site.seen[0].query["$select"] == "Type,ReferenceNbr,Status,LastModifiedDateTime"


def balances(ledger_currency: str) -> Handler:
    results = [
        value(Account="10650", CurrencyID="EUR", CurrencyEndingBalance=50.0, EndingBalance=55.0),
        value(Account="10650", CurrencyID="USD", CurrencyEndingBalance=70.25, EndingBalance=70.25),
        value(Account="10650", EndingBalance=1.5),
        value(Account="40000", EndingBalance=9.0),
    ]

    def handler(request: httpx2.Request) -> httpx2.Response:
        ledger = request.url.path.endswith("/Ledger/ACTUAL")
        body = value(Currency=ledger_currency) if ledger else {"Results": results}
        return httpx2.Response(200, json=body)

    return handler


async def test_an_accounts_balance_counts_the_rows_of_its_currency() -> None:
    erp, site = client(balances("USD"))
    assert await erp.account_balance("10650", "USD", "01-2026") == Money(7175, USD)
    assert await erp.account_balance("10650", "USD", "01-2026") == Money(7175, USD)
    assert site.seen[0].body == value(Ledger="ACTUAL", Period="012026")
    assert [one.method for one in site.seen] == ["PUT", "GET", "PUT"]


async def test_a_balance_in_the_ledgers_currency_is_not_taken_for_another() -> None:
    erp, _ = client(balances("USD"))
    with pytest.raises(AskAPerson, match="not kept in EUR"):
        await erp.account_balance("10650", "EUR", "012026")
