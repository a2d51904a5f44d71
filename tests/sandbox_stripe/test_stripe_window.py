"""The window: pages of everything, free of foreign assets, and forms that act."""

from html.parser import HTMLParser

import httpx2
import pytest

from sandbox_stripe.stripe_life import everything
from sandbox_stripe.stripe_running import Running

PLACES = (
    "", "customers", "invoices", "payments", "refunds", "disputes", "payouts", "ledger", "events",
    "endpoints", "switches",
)  # fmt: skip
VOID = {"input", "br", "meta", "link"}


class Reader(HTMLParser):
    """Collects what a page says and whether its markup is sound."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.foreign: list[str] = []
        self.handlers: list[str] = []
        self.labelled = 0
        self.inputs = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.handlers += [name for name in given if name.startswith("on")]
        self.foreign += [str(given[name]) for name in ("src", "srcset", "style") if name in given]
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag in {"input", "select"} and given.get("type") != "hidden":
            self.inputs += 1
            self.labelled += "label" in self.open

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: httpx2.Response) -> Reader:
    reader = Reader()
    reader.feed(page.text)
    assert reader.open == []
    return reader


@pytest.fixture
def full(sandbox: Running) -> Running:
    everything(sandbox)
    return sandbox


def look(sandbox: Running, place: str) -> httpx2.Response:
    page = sandbox.http.get(f"/_window/{place}".rstrip("/"))
    assert page.status_code == 200, place
    return page


def test_every_place_and_every_object_it_links_to_has_a_sound_page(full: Running) -> None:
    todo, seen = [f"/_window/{place}".rstrip("/") for place in PLACES], set[str]()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        page = full.http.get(path)
        assert page.status_code == 200, path
        found = read(page)
        assert (found.foreign, found.handlers) == ([], []), path
        assert found.inputs == found.labelled, path
        todo += [link for link in found.links if link.startswith("/_window")]
    for place in PLACES[1:-3]:
        assert place == "ledger" or any(path.startswith(f"/_window/{place}/") for path in seen)


def test_the_policy_allows_nothing_from_elsewhere(full: Running) -> None:
    page = look(full, "")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http://" not in page.text.replace(full.url, "")
    assert "https://" not in page.text


def test_the_ledger_runs_up_to_the_balance(full: Running) -> None:
    total = full.look("books")["currencies"]["usd"]["total"]
    page = look(full, "ledger").text
    assert page.index("<td") < page.index(f"{total / 100:,.2f}")


def act(sandbox: Running, name: str, back: str, /, **form: str) -> httpx2.Response:
    given = {"back": back, **form}
    return sandbox.http.post(f"/_window/act/{name}", data=given, follow_redirects=True)


def test_an_invoice_is_paid_in_part_and_then_whole_by_hand(sandbox: Running) -> None:
    invoice = sandbox.open_invoice(10000)
    back, card = f"invoices/{invoice['id']}", "4000000000000077"
    common = {"invoice": invoice["id"], "currency": "usd", "card": card}
    assert "Done." in act(sandbox, "pay", back, amount="40.00", **common).text
    assert sandbox.get(f"/v1/invoices/{invoice['id']}")["amount_remaining"] == 6000
    declined = act(sandbox, "pay", back, **(common | {"card": "4000000000000002"}), amount="60")
    assert "Your card was declined." in declined.text
    act(sandbox, "pay", back, amount="60.00", **common)
    assert sandbox.get(f"/v1/invoices/{invoice['id']}")["status"] == "paid"
    assert "more decimals" in act(sandbox, "pay", back, amount="1.005", **common).text


def test_a_charge_is_refunded_disputed_and_the_dispute_decided(sandbox: Running) -> None:
    charge = sandbox.charged(10000)
    back = f"payments/{charge['id']}"
    act(sandbox, "refund", back, charge=charge["id"], currency="usd", amount="10.50")
    assert sandbox.get(f"/v1/charges/{charge['id']}")["amount_refunded"] == 1050
    act(
        sandbox, "dispute", back, charge=charge["id"], currency="usd", amount="20", reason="general"
    )
    dispute = sandbox.get("/v1/disputes")["data"][0]
    assert (dispute["amount"], dispute["status"]) == (2000, "needs_response")
    act(sandbox, "decide", f"disputes/{dispute['id']}", id=dispute["id"], outcome="won")
    assert sandbox.get("/v1/disputes")["data"][0]["status"] == "won"


def test_payouts_run_and_fail_and_a_product_fee_is_billed(sandbox: Running) -> None:
    sandbox.charged(10000)
    act(sandbox, "fee", "", amount="4.30", currency="usd", description="Invoicing")
    act(sandbox, "payouts", "payouts", instant="true", currency="")
    payout = sandbox.get("/v1/payouts")["data"][0]
    assert (payout["amount"], payout["status"]) == (9250, "paid")
    act(sandbox, "fail_payout", "payouts", id=payout["id"], failure_code="no_account")
    assert sandbox.get("/v1/payouts")["data"][0]["failure_code"] == "no_account"


def test_clock_mischief_switches_and_thin_bodies_are_set_by_hand(sandbox: Running) -> None:
    before = sandbox.post("/v1/customers")["created"]
    act(sandbox, "clock", "", advance_seconds="86400")
    assert sandbox.post("/v1/customers")["created"] >= before + 86_400
    act(sandbox, "clock", "", now="2030-01-15T12:00")
    assert "15 January 2030" in look(sandbox, "").text
    act(sandbox, "mischief", "endpoints", duplicate="0.5", shuffle="true", delay_scale="0.02")
    settings = sandbox.control("webhooks")
    assert (settings["duplicate"], settings["shuffle"], settings["drop"]) == (0.5, True, 0.0)
    act(sandbox, "switch", "switches", name="dispute_fee", value="2000")
    act(sandbox, "switch", "switches", name="rate_limit", value="true")
    act(sandbox, "switch", "switches", name="rate_limit")
    shown = sandbox.look("switches")
    assert (shown["dispute_fee"]["value"], shown["rate_limit"]["value"]) == (2000, False)
    refused = act(sandbox, "switch", "switches", name="dispute_fee", value="much")
    assert "could not be read" in refused.text


def test_texts_are_escaped_and_forms_of_other_sites_refused(sandbox: Running) -> None:
    made = sandbox.post("/v1/customers", {"name": "<script>alert(1)</script>"})
    page = look(sandbox, f"customers/{made['id']}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    headers = {"Origin": "http://elsewhere.example"}
    answer = sandbox.http.post("/_window/act/clock", data={"advance_seconds": "9"}, headers=headers)
    assert answer.status_code == 400
    assert sandbox.http.get("/_window/nothing").status_code == 404
    assert sandbox.http.get("/_window/customers/cus_none").status_code == 404
    assert sandbox.look("calls")["calls"] == {"POST /v1/customers": 1}
