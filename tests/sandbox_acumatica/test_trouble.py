"""Checklist 16 and 18: shuffled pushes, lost answers, error pages; and a stranger's whole tour."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from easy_acumatica import AcumaticaClient

from ml_sandbox.acumatica.app import AcumaticaSandbox
from ml_sandbox.clock import SandboxClock
from ml_sandbox.faults import Faults
from sandbox_acumatica.conftest import Served, Tenant, journal_body, wrap
from sandbox_acumatica.test_service import Receiver, push_to


class Spoiled(AcumaticaSandbox):
    """A sandbox with the fault layer in front, as it is really served."""

    def __init__(self, clock: SandboxClock) -> None:
        super().__init__(clock, site="/AcumaticaERP", seed=0)
        self.asgi = Faults(self.asgi)


@pytest.fixture
def shaky() -> Iterator[Tenant]:
    server = Served(Spoiled(SandboxClock()))
    one = Tenant(server.root)
    one.login()
    yield one
    one.http.close()
    server.stop()


def order(tenant: Tenant, **rule: object) -> None:
    answer = tenant.http.post("/_sandbox/faults", json=[rule])
    assert answer.status_code == 200, answer.text


def test_18_an_answer_can_be_lost_after_the_save(shaky: Tenant) -> None:
    order(shaky, kind="status", when="after", method="PUT", path="/Invoice", times=1, status=504)
    assert shaky.put("Invoice", wrap(Customer="GOODFOOD")).status_code == 504
    assert len(shaky.get("Invoice").json()) == 1


def test_18_a_restarting_site_answers_pages_and_redirects(shaky: Tenant) -> None:
    order(shaky, kind="status", path="/Customer", times=1, status=503)
    down = shaky.get("Customer")
    assert down.status_code == 503
    assert down.text.startswith("<html>")
    order(shaky, kind="redirect", path="/Customer", times=1)
    moved = shaky.get("Customer")
    assert moved.status_code == 302
    assert moved.headers["location"].endswith("/ui/error")
    assert shaky.get("Customer").status_code == 200


def test_18_a_reply_can_be_slow(shaky: Tenant) -> None:
    order(shaky, kind="delay", path="/Customer", times=1, seconds=5)
    with pytest.raises(httpx2.ReadTimeout):
        shaky.http.get(f"{shaky.ep}/Customer", timeout=0.2)


def test_16_shuffled_notifications_all_arrive_and_can_be_ordered(tenant: Tenant) -> None:
    receiver = Receiver(failures=1)
    try:
        tenant.switch(hold_on_entry=False)
        push_to(tenant, receiver, entities=["Invoice"], shuffle=True, retry_seconds=1)
        # While the first one is tried again, the others gather and lose their order.
        for _ in range(20):
            tenant.put("Invoice", wrap(Customer="GOODFOOD"))
        receiver.wait(21)
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
    sent = [body["Inserted"][0]["ReferenceNbr"] for _, body in receiver.received[1:]]
    assert sent != sorted(sent)
    assert sorted(sent) == [f"{number:06d}" for number in range(1, 21)]
    by_time = sorted(receiver.received[1:], key=lambda each: each[1]["TimeStamp"])
    assert [body["Inserted"][0]["ReferenceNbr"] for _, body in by_time] == sorted(sent)


def wait_for(reached: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.fixture
def stranger(tenant: Tenant, tmp_path: Path) -> Iterator[AcumaticaClient]:
    client = AcumaticaClient(
        base_url=f"{tenant.root}/AcumaticaERP",
        username="admin",
        password="123",
        tenant="U100",
        endpoint_version="24.200.001",
        rate_limit_calls_per_second=500,
        cache_dir=tmp_path,
    )
    yield client
    client.close()


SERVICES = (
    "account bill cash_sale cash_transaction company_financial_period currency customer"
    " customer_class customer_location customer_payment_method financial_period invoice"
    " journal_transaction ledger non_stock_item payment payment_method sales_invoice stock_item"
    " subaccount tax tax_category tax_zone vendor"
).split()


def test_a_strangers_client_lists_every_entity(tenant: Tenant, stranger: AcumaticaClient) -> None:
    tenant.pay("10", tenant.invoice())
    for name in SERVICES:
        listed = getattr(stranger, f"{name}s" if hasattr(stranger, f"{name}s") else name).get_list()
        assert isinstance(listed, list), name
    assert stranger.payment.get_list()[0]["PaymentAmount"]["value"] == 10
    assert {row["LedgerID"]["value"] for row in stranger.ledger.get_list()} == {
        "ACTUAL",
        "ACTUALEU",
    }


def test_a_strangers_client_pays_refunds_and_journals(
    tenant: Tenant, stranger: AcumaticaClient
) -> None:
    models = stranger.models
    invoice = tenant.invoice(amount="80")
    row = models.PaymentDetail(DocType="Invoice", ReferenceNbr=invoice, AmountPaid=80)
    fee = models.PaymentCharge(EntryTypeID="STRIPEFEE", Amount=2.5)
    payment = models.Payment(
        Type="Payment",
        CustomerID="GOODFOOD",
        PaymentMethod="STRIPE",
        CashAccount="10650ST",
        PaymentAmount=80,
        PaymentRef="ch_80",
        Hold=False,
        DocumentsToApply=[row],
        Charges=[fee],
    )
    number = stranger.payment.put_entity(payment)["ReferenceNbr"]["value"]
    key = models.Payment(Type="Payment", ReferenceNbr=number)
    stranger.payment.invoke_action_release_payment(models.ReleasePayment(entity=key))
    wait_for(lambda: tenant.values(f"Payment/Payment/{number}")["Status"] == "Closed")
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Closed"
    stranger.payment.invoke_action_void_payment(models.VoidPayment(entity=key))
    place = f"Payment/Voided Payment/{number}"
    wait_for(lambda: tenant.get(place).status_code == 200)
    batch = models.JournalTransaction(
        Module="GL",
        Description="Fee",
        Hold=False,
        Details=[
            models.JournalTransactionDetail(Account="61100", Subaccount="000000", DebitAmount=3),
            models.JournalTransactionDetail(Account="81000", Subaccount="000000", CreditAmount=3),
        ],
    )
    made = stranger.journal_transaction.put_entity(batch)
    assert made["Status"]["value"] == "Balanced"
    same = tenant.put("JournalTransaction", journal_body(("61100", "3", "0"), ("81000", "0", "3")))
    assert set(made) == set(same.json())
