"""Checklist 15 and 16, the control plane, strangers' clients, and the ledger's own guard."""

import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from easy_acumatica import AcumaticaClient
from easy_acumatica.odata import QueryOptions

from ml_sandbox.acumatica.ledger import Batch, Ledger, LedgerBrokenError, Line
from sandbox_acumatica.conftest import Tenant, wrap


def test_15_from_half_of_the_limit_on_requests_are_delayed(tenant: Tenant) -> None:
    tenant.switch(requests_per_minute=2000)
    began = time.monotonic()
    for _ in range(20):
        assert tenant.get("Currency/USD").status_code == 200
    quick = time.monotonic() - began
    tenant.switch(requests_per_minute=38)
    began = time.monotonic()
    with pytest.raises(Exception, match="timed out"):
        tenant.http.get(f"{tenant.ep}/Currency/USD", timeout=0.5)
    assert time.monotonic() - began > quick / 20


def test_15_beyond_the_queue_requests_are_declined_without_a_hint(tenant: Tenant) -> None:
    tenant.switch(concurrent_requests=1, queue_length=2, requests_per_minute=80)
    for _ in range(125):
        answer = tenant.get("Currency/USD")
        assert answer.status_code == 200
        if answer.elapsed.total_seconds() > 0.1:
            break
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tenant.get("Currency/USD"), range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 200, 200, 429, 429, 429, 429, 429]
    declined = next(answer for answer in answers if answer.status_code == 429)
    assert "retry-after" not in declined.headers


class Receiver:
    """A webhook that fails a number of times before it accepts."""

    def __init__(self, failures: int = 0) -> None:
        self.received: list[tuple[str | None, dict[str, Any]]] = []
        outer = self
        left = [failures]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.received.append((self.headers.get("X-Secret"), body))
                left[0] -= 1
                self.send_response(500 if left[0] >= 0 else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/push"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int) -> None:
        limit = time.monotonic() + 5
        while len(self.received) < count and time.monotonic() < limit:
            time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


def push_to(tenant: Tenant, receiver: Receiver, **more: object) -> None:
    facts = {"url": receiver.url, "header_name": "X-Secret", "header_value": "s3", **more}
    tenant.control("push", facts)


def test_16_changes_are_pushed_with_the_shared_secret(tenant: Tenant, receiver: Receiver) -> None:
    push_to(tenant, receiver, entities=["Customer"])
    tenant.put("Customer", wrap(CustomerID="GOODFOOD", CreditLimit=5))
    receiver.wait(1)
    secret, body = receiver.received[0]
    assert secret == "s3"
    assert body["Inserted"][0]["CustomerID"] == body["Deleted"][0]["CustomerID"] == "GOODFOOD"
    assert (body["CompanyId"], body["Query"]) == ("U100", "ML-Customers")
    assert body["TimeStamp"] > 638_000_000_000_000_000


def test_16_duplicates_carry_the_same_id(tenant: Tenant, receiver: Receiver) -> None:
    push_to(tenant, receiver, entities=["Invoice"], duplicates=True)
    tenant.put("Invoice", wrap(Customer="GOODFOOD"))
    receiver.wait(2)
    assert len({body["Id"] for _, body in receiver.received}) == 1


def test_16_a_receiver_that_fails_is_tried_five_times(tenant: Tenant) -> None:
    stubborn = Receiver(failures=99)
    try:
        push_to(tenant, stubborn, entities=["Customer"], retry_seconds=0.01)
        tenant.put("Customer", wrap(CustomerID="GOODFOOD", CreditLimit=6))
        stubborn.wait(5)
        limit = time.monotonic() + 3
        while tenant.control("push")["given_up"] == 0 and time.monotonic() < limit:
            time.sleep(0.01)
        state = tenant.control("push")
        assert (state["attempts"], state["given_up"], state["delivered"]) == (5, 1, 0)
    finally:
        stubborn.server.shutdown()
        stubborn.server.server_close()


def test_the_control_plane_is_not_counted_and_calls_are(tenant: Tenant) -> None:
    tenant.control("calls/reset", {})
    number = tenant.invoice()
    tenant.read(f"Invoice/Invoice/{number}")
    calls = tenant.control("calls")["calls"]
    head = "/entity/Default/24.200.001/Invoice"
    assert calls[f"PUT {head}"] == 1
    assert calls[f"POST {head}/ReleaseInvoice"] == 1
    assert calls[f"GET {head}/{{keys}}"] == 1
    assert calls[f"GET {head}/ReleaseInvoice/status/{{id}}"] >= 1
    assert not [name for name in calls if "_sandbox" in name]


def test_a_clerk_enters_and_releases_in_one_uncounted_step(tenant: Tenant) -> None:
    tenant.control("calls/reset", {})
    line = wrap(InventoryID="ADVERT", Qty=1)
    body = {**wrap(Customer="FRUITICO", Hold=False), "Details": [line]}
    shown = tenant.control("write", {"entity": "Invoice", "body": body, "release": True})
    assert shown["Status"]["value"] == "Open"
    assert tenant.control("calls")["total"] == 0
    refused = tenant.http.post("/_sandbox/write", json={"entity": "Invoice", "body": {}})
    assert refused.status_code == 422
    documents = tenant.control("documents?type=Invoice")
    assert [each["ReferenceNbr"]["value"] for each in documents] == ["000001"]


def test_every_served_entity_can_be_listed_and_described(tenant: Tenant) -> None:
    swagger = tenant.http.get(f"{tenant.ep}/swagger.json?company=U100").json()
    assert swagger["info"] == {"title": "Default/24.200.001", "version": "4"}
    tags = {path.split("/")[1] for path in swagger["paths"]}
    assert len(tags) == 28
    for entity in tags:
        assert tenant.get(f"{entity}/$adHocSchema").status_code == 200
        if "Inquiry" not in entity and entity != "CompaniesStructure":
            assert tenant.get(entity).status_code == 200
    method = tenant.read("PaymentMethod/STRIPE", expand="AllowedCashAccounts")
    cash = [row["CashAccount"]["value"] for row in method["AllowedCashAccounts"]]
    assert cash == ["10650ST", "10660ST", "10670ST", "10680ST", "10690ST"]
    branches = tenant.put("CompaniesStructure", {}, expand="Results").json()["Results"]
    assert [row["BranchID"]["value"] for row in branches] == ["HEADOFFICE", "RETAIL", "EUROPE"]
    assert [row["BaseCurrencyID"]["value"] for row in branches] == ["USD", "USD", "EUR"]


def test_a_strangers_client_can_work_with_it(tenant: Tenant, tmp_path: Path) -> None:
    client = AcumaticaClient(
        base_url=f"{tenant.root}/AcumaticaERP",
        username="admin",
        password="123",
        tenant="U100",
        endpoint_version="24.200.001",
        rate_limit_calls_per_second=500,
        cache_dir=tmp_path,
    )
    try:
        made = client.customer.put_entity(client.models.Customer(CustomerName="Stranger & Co"))
        assert made["CustomerID"]["value"] == "C000001"
        line = client.models.InvoiceDetail(
            TransactionDescription="Work", Account="40000", Qty=1, UnitPrice=25
        )
        invoice = client.models.Invoice(
            Type="Invoice", Customer="C000001", Date="2026-10-15", Hold=False, Details=[line]
        )
        number = client.invoice.put_entity(invoice)["ReferenceNbr"]["value"]
        release = client.models.ReleaseInvoice(
            entity=client.models.Invoice(Type="Invoice", ReferenceNbr=number)
        )
        client.invoice.invoke_action_release_invoice(release)
        limit = time.monotonic() + 3
        while tenant.values(f"Invoice/Invoice/{number}")["Status"] != "Open":
            assert time.monotonic() < limit
        options = QueryOptions(filter="Customer eq 'C000001'", select=["ReferenceNbr", "Balance"])
        listed = client.invoice.get_list(options=options)
        assert [row["Balance"]["value"] for row in listed] == [25.0]
        one = client.invoice.get_by_keys(Type="Invoice", ReferenceNbr=number)
        assert one["Status"]["value"] == "Open"
        assert client.invoice.get_by_id(one["id"])["ReferenceNbr"]["value"] == number
    finally:
        client.close()


def test_files_are_attached_and_listed(tenant: Tenant) -> None:
    own = tenant.read("Customer/GOODFOOD")["_links"]["files:put"]
    place = own.replace("{filename}", "note.txt")
    assert tenant.http.put(place, content=b"hello").status_code == 204
    files = tenant.read("Customer/GOODFOOD", expand="files")["files"]
    assert files[0]["filename"].endswith("note.txt")
    assert tenant.http.get(files[0]["href"]).content == b"hello"


def test_an_unbalanced_batch_is_never_kept() -> None:
    ledger = Ledger()
    lines = [
        Line("10650", "HEADOFFICE", Decimal(10), Decimal(10)),
        Line("40000", "HEADOFFICE", Decimal(-10), Decimal("-9.99")),
    ]
    batch = Batch("GL", "000001", date(2026, 10, 31), "102026", "USD", "HEADOFFICE", "", lines)
    with pytest.raises(LedgerBrokenError, match=r"0\.01 in base"):
        ledger.enter(batch)
    assert list(ledger.places()) == []


def test_any_mixture_of_documents_keeps_the_books_straight(tenant: Tenant) -> None:
    chance = random.Random(7)
    tenant.switch(operation_ms=0)
    clearing = {"USD": "10650ST", "EUR": "10670ST", "JPY": "10660ST"}
    payments: list[str] = []
    for step in range(40):
        currency = chance.choice(list(clearing))
        amount = str(chance.randint(1, 90_000)) + ("" if currency == "JPY" else ".37")
        day = f"2026-{chance.choice(['10', '11'])}-{chance.randint(1, 20):02d}"
        custom = {"Document": {"CuryID": {"value": currency}}}
        invoice = tenant.invoice(amount=amount, Date=day, custom=custom)
        body = tenant.payment_body(
            str(chance.randint(1, 90_000)),
            invoice,
            CashAccount=clearing[chance.choice(list(clearing))],
            PaymentRef=f"ch_{step}",
            ApplicationDate=f"2026-11-{chance.randint(1, 20):02d}",
        )
        number = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
        keys = {"Type": "Payment", "ReferenceNbr": number}
        assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
        payments.append(number)
        if chance.random() < 0.4:
            gone = payments.pop(chance.randrange(len(payments)))
            tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=gone)
            keys = {"Type": "Voided Payment", "ReferenceNbr": gone}
            assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
        tenant.books_are_straight()


def test_the_chart_lists_control_modules_beside_the_contract_where_lists_may(
    tenant: Tenant,
) -> None:
    query = {"select": "AccountCD", "custom": "AccountRecords.ControlAccountModule"}
    rows = tenant.get("Account", **query).json()
    beside = {row["AccountCD"]["value"]: row["custom"]["AccountRecords"] for row in rows}
    modules = {code: one["ControlAccountModule"].get("value") for code, one in beside.items()}
    assert (modules["11000"], modules["20000"], modules["61100"]) == ("AR", "AP", None)
    tenant.switch(custom_in_lists=False)
    refused = tenant.get("Account", **query)
    assert refused.status_code == 500
    assert "Optimization cannot be performed" in refused.text
    assert tenant.get("Account", select="AccountCD").status_code == 200


def test_the_calendar_shows_in_which_modules_a_period_is_closed(tenant: Tenant) -> None:
    for module in ("AR", "GL"):
        tenant.control("periods", {"period": "102026", "module": module, "closed": True})
    years = tenant.get("FinancialPeriod", expand="Details").json()
    (row,) = [
        row for year in years for row in year["Details"]
        if row["FinancialPeriodID"]["value"] == "102026"
    ]  # fmt: skip
    told = ("Status", "ClosedInAR", "ClosedInCA", "AdjustmentPeriod")
    assert [row[name]["value"] for name in told] == ["Closed", True, False, False]
    assert row["StartDate"]["value"].startswith("2026-10-01")
