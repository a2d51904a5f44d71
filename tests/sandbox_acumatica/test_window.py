"""The window: pages a person reads, and forms by which they act as a clerk would."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from sandbox_acumatica.conftest import Served, Tenant

PAGES = (
    "",
    "/customers",
    "/customers/GOODFOOD",
    "/invoices",
    "/invoices?status=Open",
    "/invoices/Invoice/000001",
    "/payments",
    "/payments/Payment/000001",
    "/journals",
    "/journals/AR/000001",
    "/accounts",
    "/accounts/11000",
    "/periods",
    "/push",
    "/calls",
    "/switches",
)


class Person:
    """Somebody at a browser."""

    def __init__(self, root: str) -> None:
        self.http = httpx2.Client(base_url=root, verify=False)

    def sees(self, place: str) -> str:
        answer = self.http.get(f"/_window{place}")
        assert answer.status_code == 200, place
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text

    def sends(self, place: str, **fields: str) -> str:
        """Sends a form; what the page then says."""
        answer = self.http.post(f"/_window{place}", data=fields)
        assert answer.status_code == 303, answer.text
        target = answer.headers["location"]
        assert self.http.get(target).status_code == 200
        [said] = [
            value
            for name, values in parse_qs(urlsplit(target).query).items()
            if name in {"said", "problem"}
            for value in values
        ]
        return said

    def writes_an_invoice(self, **more: str) -> str:
        given = {"customer": "GOODFOOD", "text": "Work", "amount": "100.00", **more}
        return self.sends("/invoices", **given)


@pytest.fixture
def person(served: Served) -> Iterator[Person]:
    one = Person(served.root)
    yield one
    one.http.close()


def test_every_page_is_whole_and_loads_nothing_from_elsewhere(
    person: Person, tenant: Tenant
) -> None:
    tenant.pay("60", tenant.invoice())
    for place in PAGES:
        text = person.sees(place)
        assert text.startswith("<!doctype html>")
        assert text.endswith("</html>")
        assert not re.search(r"<(script|link|img|iframe)|url\(|@import", text), place
        assert text.count("<table") == text.count("</table>")
    missing = person.http.get("/_window/invoices/Invoice/999999")
    assert missing.status_code == 404
    assert person.http.delete("/_window").status_code == 405


def test_looking_is_neither_counted_nor_signed_in(person: Person, tenant: Tenant) -> None:
    before = tenant.control("calls")["total"]
    person.sees("/invoices")
    assert tenant.control("calls")["total"] == before
    assert person.http.cookies == {}


def test_the_overview_says_that_the_books_balance(person: Person) -> None:
    person.writes_an_invoice()
    text = person.sees("")
    assert "Balanced" in text
    assert "Agrees" in text
    assert "Stripe Clearing USD" in text


def test_an_invoice_is_written_paid_by_check_and_the_check_is_voided(
    person: Person, tenant: Tenant
) -> None:
    assert person.writes_an_invoice() == "Invoice 000001 is written and released."
    said = person.sends("/invoices/Invoice/000001/check", reference="4711", amount="60")
    assert said == "Payment 000001 of 60.00 USD is recorded."
    assert tenant.values("Invoice/Invoice/000001")["Balance"] == 40
    page = person.sees("/payments/Payment/000001")
    assert "4711" in page
    assert "/_window/invoices/Invoice/000001" in page
    said = person.sends("/payments/Payment/000001/button", action="void")
    assert said == "Payment 000001 is voided."
    assert tenant.values("Invoice/Invoice/000001")["Balance"] == 100
    assert tenant.values("Payment/Payment/000001")["Status"] == "Voided"
    tenant.books_are_straight()


def test_a_credit_memo_is_applied_to_its_invoice(person: Person, tenant: Tenant) -> None:
    person.writes_an_invoice()
    said = person.sends("/invoices/Invoice/000001/memo", text="Goodwill", amount="25")
    assert said == "Credit memo 000002 is released and applied."
    assert tenant.values("Invoice/Invoice/000001")["Balance"] == 75
    assert "Goodwill" in person.sees("/invoices/Credit Memo/000002")
    tenant.books_are_straight()


def test_a_draft_waits_for_its_release(person: Person, tenant: Tenant) -> None:
    assert person.writes_an_invoice(only="1") == "Invoice 000001 is written."
    assert tenant.values("Invoice/Invoice/000001")["Status"] == "Balanced"
    person.sends("/invoices/Invoice/000001/button", action="release")
    assert tenant.values("Invoice/Invoice/000001")["Status"] == "Open"


def test_what_the_site_refuses_is_said_on_the_page(person: Person) -> None:
    assert person.sends("/customers/GOODFOOD/status", status="On Hold") == "GOODFOOD is On Hold."
    assert "The customer status is 'On Hold'" in person.writes_an_invoice()
    assert person.writes_an_invoice(amount="lots") == "“lots” is not an amount."
    lost = person.http.post("/_window/invoices/Invoice/000009/check", data={"amount": "1"})
    assert "There%20is%20no%20Invoice%20000009" in lost.headers["location"]
    person.sends("/periods", period="112026", module="AR", closed="1")
    refused = person.writes_an_invoice(customer="FRUITICO", date="2026-11-05")
    assert "11-2026 financial period is closed" in refused
    person.sends("/periods", period="112026", module="AR", closed="0")
    done = person.writes_an_invoice(customer="FRUITICO", date="2026-11-05")
    assert done.endswith("released.")


def test_accounts_tokens_switches_and_the_clock_are_changed(person: Person, tenant: Tenant) -> None:
    assert person.sends("/accounts/61100/active", active="0") == "Account 61100 is inactive."
    assert tenant.read("Account/61100")["Active"]["value"] is False
    assert person.sends("/tokens", what="expire") == "0 access tokens have expired."
    assert person.sends("/switches", auto_post="no") == "auto_post is False."
    assert person.sends("/switches", void_answer="204") == "void_answer is 204."
    person.sends("/clock", now="2026-12-24T18:00")
    assert tenant.control("clock")["now"].startswith("2026-12-24T18:00")
    person.sends("/clock", seconds="86400")
    assert tenant.control("clock")["now"].startswith("2026-12-25")


def test_the_ledger_card_runs_a_balance(person: Person) -> None:
    person.writes_an_invoice(amount="100")
    person.writes_an_invoice(amount="50")
    card = person.sees("/accounts/11000")
    balances = re.findall(r"([\d,.]+) USD</td></tr>", card)
    assert balances == ["150.00", "100.00"]


def test_text_from_records_is_never_markup(person: Person) -> None:
    person.writes_an_invoice(text="<script>alert(1)</script>")
    page = person.sees("/invoices/Invoice/000001")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_second_tenant_has_its_own_window(person: Person, tenant: Tenant) -> None:
    person.sends("/invoices?tenant=U200", customer="GOODFOOD", text="Work", amount="9")
    assert "Acumatica · U200" in person.sees("/invoices/Invoice/000001?tenant=U200")
    assert tenant.get("Invoice").json() == []
    assert "tenant=U200" in person.sees("?tenant=U200")


def test_long_lists_come_page_by_page(person: Person) -> None:
    for _ in range(51):
        person.http.post(
            "/_window/invoices", data={"customer": "GOODFOOD", "text": "Work", "amount": "1"}
        )
    first, second = person.sees("/invoices"), person.sees("/invoices?page=2")
    assert "1 to 50 of 51" in first
    assert "Older" in first
    assert "000001" not in first
    assert "51 to 51 of 51" in second
    assert "000001" in second
