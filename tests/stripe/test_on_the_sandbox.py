import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import uvicorn

from ml_connector.basics.errors import (
    AskAPerson,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.mirror import InvoicePlan, PlannedLine
from ml_connector.books.records import StripeInvoice
from ml_connector.http.transport import Exchange
from ml_connector.stripe.client import RESOURCES, StripeClient
from ml_connector.stripe.errors import Missing, NoPermission, NumberTaken
from ml_connector.stripe.webhooks import hint, verify
from ml_sandbox.clock import SandboxClock
from ml_sandbox.stripe.app import StripeSandbox, create_app
from stripe_records import Connect, erp_customer, plan, usd

pytestmark = pytest.mark.anyio


@dataclass
class Sandbox:
    """A Stripe sandbox on TCP, with the client of one connection."""

    url: str
    app: StripeSandbox
    clock: SandboxClock
    client: StripeClient
    control: httpx2.AsyncClient
    customers: list[StripeId] = field(default_factory=list[StripeId])

    async def act(self, path: str, **given: Any) -> Any:
        answer = await self.control.post(f"{self.url}/_sandbox/{path}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def calls(self) -> dict[str, int]:
        answer = await self.control.get(f"{self.url}/_sandbox/calls")
        return answer.json()["calls"]

    async def later(self, **span: float) -> None:
        await self.act("clock", advance_seconds=timedelta(**span).total_seconds())

    async def invoiced(self, wanted: InvoicePlan | None = None) -> StripeInvoice:
        wanted = wanted or plan()
        if not self.customers:
            self.customers.append((await self.client.create_customer(erp_customer())).id)
        draft = await self.client.create_invoice(wanted, self.customers[0])
        await self.client.add_lines(draft.id, wanted)
        return await self.client.finalize_invoice(draft.id)

    async def paid(self) -> tuple[StripeInvoice, StripeId]:
        """An invoice paid by card a minute ago, and its charge."""
        made = await self.invoiced()
        await self.act("pay", invoice=made.id)
        await self.later(minutes=1)
        assert made.payment_intent is not None
        return made, (await self.client.charges_of_intent(made.payment_intent))[0].id


@asynccontextmanager
async def on_tcp(app: StripeSandbox) -> AsyncGenerator[str]:
    config = uvicorn.Config(app.asgi, port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server offers nothing to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def sandbox(connect: Connect) -> AsyncGenerator[Sandbox]:
    clock = SandboxClock(datetime(2026, 11, 2, 9, tzinfo=UTC))
    app = create_app(clock)
    async with on_tcp(app) as url, httpx2.AsyncClient(verify=False) as control:
        client = connect(url, key=app.credentials()["key"])
        yield Sandbox(url, app, clock, client, control)


async def test_an_invoice_of_250_lines_is_three_calls(sandbox: Sandbox) -> None:
    await sandbox.invoiced()
    await sandbox.act("calls/reset")
    wanted = plan(number="000250", count=250)
    made = await sandbox.invoiced(wanted)
    assert sum((await sandbox.calls()).values()) == 3
    assert made.status == "open"
    assert made.total == made.amount_due == wanted.total == usd("25008.25")
    assert made.tax == usd("8.25")
    assert made.number == "000250"
    assert made.hosted_url.startswith("http")
    assert made.payment_intent is not None
    assert made.metadata["erp_ref"] == "Invoice|000250"


async def test_a_finalized_invoice_reads_back_the_same(sandbox: Sandbox) -> None:
    made = await sandbox.invoiced()
    assert await sandbox.client.invoice(made.id) == made
    assert (await sandbox.client.invoice(made.id, with_payments=False)).payment_intent is None
    assert made.starting_balance == usd("0")


async def test_the_same_invoice_is_created_once_even_when_asked_twice(sandbox: Sandbox) -> None:
    first, second = await sandbox.invoiced(), await sandbox.invoiced()
    assert first.id == second.id
    assert (await sandbox.client.invoice(first.id)).total == usd("108.25")


async def test_a_deleted_draft_can_be_made_again_on_the_same_day(sandbox: Sandbox) -> None:
    customer = (await sandbox.client.create_customer(erp_customer())).id
    first = await sandbox.client.create_invoice(plan(), customer)
    await sandbox.client.delete_draft(first.id)
    with pytest.raises(Missing):
        await sandbox.client.invoice(first.id)
    second = await sandbox.client.create_invoice(plan(), customer)
    again = await sandbox.client.create_invoice(plan(), customer)
    assert first.id != second.id == again.id


async def test_a_finalize_that_was_refused_works_once_it_is_cured(sandbox: Sandbox) -> None:
    customer = (await sandbox.client.create_customer(erp_customer())).id
    draft = await sandbox.client.create_invoice(plan(), customer)
    for _ in range(2):
        with pytest.raises(AskAPerson, match="finalize"):
            await sandbox.client.finalize_invoice(draft.id)
    await sandbox.client.add_lines(draft.id, plan())
    assert (await sandbox.client.finalize_invoice(draft.id)).status == "open"


async def test_a_voided_invoice_keeps_its_number(sandbox: Sandbox) -> None:
    made = await sandbox.invoiced()
    await sandbox.client.void_invoice(made.id)
    assert await sandbox.client.find_invoices(made.customer, ErpRef("Invoice|000123")) == []
    with pytest.raises(NumberTaken):
        await sandbox.client.create_invoice(plan(), made.customer)
    other = replace(plan(), number="000123-2")
    assert (await sandbox.client.create_invoice(other, made.customer)).status == "draft"


async def test_an_invoice_can_be_found_by_its_erp_reference(sandbox: Sandbox) -> None:
    made = await sandbox.invoiced()
    ref = ErpRef("Invoice|000123")
    at_once = await sandbox.client.find_invoices(made.customer, ref)
    assert [found.id for found in at_once] == [made.id]
    assert at_once[0].payment_intent == made.payment_intent
    await sandbox.later(minutes=5)
    assert [found.id for found in await sandbox.client.find_invoices(None, ref)] == [made.id]
    assert await sandbox.client.find_invoices(made.customer, ErpRef("Invoice|000124")) == []


async def test_another_connections_invoice_is_not_found(sandbox: Sandbox, connect: Connect) -> None:
    made = await sandbox.invoiced()
    key = sandbox.app.credentials()["key"]
    other = connect(sandbox.url, key=key, name="other")
    assert await other.find_invoices(made.customer, ErpRef("Invoice|000123")) == []


async def test_voiding_sending_and_paying_elsewhere(sandbox: Sandbox) -> None:
    one, two = await sandbox.invoiced(), await sandbox.invoiced(plan(number="000124"))
    assert (await sandbox.client.send_invoice(one.id)).status == "open"
    assert (await sandbox.client.void_invoice(one.id)).status == "void"
    paid = await sandbox.client.pay_out_of_band(two.id)
    assert (paid.status, paid.amount_remaining) == ("paid", usd("0"))
    with pytest.raises(Refused):
        await sandbox.client.delete_draft(two.id)


async def test_a_customer_mirrors_its_erp_twin(sandbox: Sandbox) -> None:
    made = await sandbox.client.create_customer(erp_customer())
    again = await sandbox.client.create_customer(erp_customer())
    assert made.id == again.id
    assert made.metadata == {"erp_customer": "C000012", "mlc": "main"}
    updated = await sandbox.client.update_customer(made.id, erp_customer(name="Ace", email=""))
    assert (updated.name, updated.email) == ("Ace", "")
    await sandbox.later(minutes=5)
    assert [c.id for c in await sandbox.client.find_customers("C000012")] == [made.id]
    assert await sandbox.client.find_customers("C000013") == []


async def test_a_customer_of_another_erp_record_is_not_adopted_by_its_address(
    sandbox: Sandbox,
) -> None:
    await sandbox.client.create_customer(erp_customer())
    assert await sandbox.client.find_customers("C000099", email="pay@ace.example") == []


async def test_a_deleted_customer_is_seen_as_such(sandbox: Sandbox) -> None:
    made = await sandbox.client.create_customer(erp_customer())
    key = sandbox.app.credentials()["key"]
    await sandbox.control.delete(f"{sandbox.url}/v1/customers/{made.id}", auth=(key, ""))
    assert (await sandbox.client.customer(made.id)).deleted
    anew = await sandbox.client.create_customer(erp_customer())
    assert anew.id != made.id
    assert not anew.deleted


async def test_a_payment_leads_from_charge_to_invoice_and_fee(sandbox: Sandbox) -> None:
    invoice, charge_id = await sandbox.paid()
    charge = await sandbox.client.charge(charge_id)
    assert charge.status == "succeeded"
    assert charge.amount == usd("108.25")
    assert charge.transaction is not None
    assert charge.transaction.fee == usd("3.44")
    assert charge.transaction.net == usd("104.81")
    assert [part.kind for part in charge.transaction.fee_parts] == ["stripe_fee"]
    assert charge.transaction.source == charge_id
    assert charge.payment_intent is not None
    payment = await sandbox.client.invoice_payment_of_intent(charge.payment_intent)
    assert payment is not None
    assert (payment.invoice, payment.status, payment.amount_paid) == (
        invoice.id, "paid", usd("108.25"),
    )  # fmt: skip
    assert await sandbox.client.transaction(charge.transaction.id) == charge.transaction
    check_paid = await sandbox.client.invoice(invoice.id)
    assert (check_paid.status, check_paid.amount_paid) == ("paid", usd("108.25"))


async def test_a_charge_has_no_transaction_at_first(sandbox: Sandbox) -> None:
    made = await sandbox.invoiced()
    await sandbox.act("pay", invoice=made.id)
    assert made.payment_intent is not None
    (charge,) = await sandbox.client.charges_of_intent(made.payment_intent)
    assert (charge.status, charge.transaction) == ("succeeded", None)


async def test_a_declined_attempt_is_listed_beside_the_one_that_worked(sandbox: Sandbox) -> None:
    made = await sandbox.invoiced()
    with pytest.raises(AssertionError):
        await sandbox.act("pay", invoice=made.id, card="4000000000000002")
    await sandbox.act("pay", invoice=made.id)
    assert made.payment_intent is not None
    charges = await sandbox.client.charges_of_intent(made.payment_intent)
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


async def test_a_payment_outside_invoicing_has_no_invoice_payment(sandbox: Sandbox) -> None:
    done = await sandbox.act("charge", amount=5000, description="Counter sale")
    assert await sandbox.client.invoice_payment_of_intent(done["payment_intent"]) is None
    assert (await sandbox.client.charge(done["charge"])).description == "Counter sale"


async def test_a_refund_carries_its_transactions(sandbox: Sandbox) -> None:
    _, charge_id = await sandbox.paid()
    key = sandbox.app.credentials()["key"]
    data = {"charge": charge_id, "amount": "2000", "reason": "duplicate"}
    made = await sandbox.control.post(f"{sandbox.url}/v1/refunds", data=data, auth=(key, ""))
    refund_id = StripeId(made.json()["id"])
    refund = await sandbox.client.refund(refund_id)
    assert (refund.amount, refund.reason, refund.charge) == (usd("20"), "duplicate", charge_id)
    assert refund.transaction is not None
    assert refund.transaction.net == -usd("20")
    assert refund.failure_transaction is None
    assert await sandbox.client.refunds_of_charge(charge_id) == [refund]
    await sandbox.act(f"refunds/{refund_id}", outcome="failed")
    failed = await sandbox.client.refund(refund_id)
    assert failed.status == "failed"
    assert failed.failure_transaction is not None
    assert failed.failure_transaction.net == usd("20")


async def test_a_payout_is_the_sum_of_its_members(sandbox: Sandbox) -> None:
    await sandbox.paid()
    since = sandbox.clock.now() - timedelta(days=1)
    await sandbox.later(days=6)
    await sandbox.act("payouts/run")
    await sandbox.later(days=4)
    payouts = [row async for row in sandbox.client.payouts(since)]
    assert len(payouts) == 1
    payout = await sandbox.client.payout(payouts[0].id)
    assert payout == payouts[0]
    assert (payout.status, payout.composed) == ("paid", True)
    members = await sandbox.client.members(payout.id)
    assert payout.transaction not in {member.id for member in members}
    assert total((member.net for member in members), "USD") == payout.amount == usd("104.81")
    assert (await sandbox.client.balance()) == {"USD": usd("0")}


async def test_the_balance_is_the_sum_of_all_transactions(sandbox: Sandbox) -> None:
    await sandbox.paid()
    await sandbox.act("charge", amount=5000)
    await sandbox.later(minutes=1)
    rows = [
        row async for row in sandbox.client.transactions(sandbox.clock.now() - timedelta(days=1))
    ]
    balance = await sandbox.client.balance()
    assert balance == {"USD": total((row.net for row in rows), "USD")}
    split = await sandbox.client.balance_split()
    assert split.pending == balance
    assert split.available == {"USD": Money.zero("USD")}


async def test_transactions_are_read_over_pages_within_bounds(sandbox: Sandbox) -> None:
    start = sandbox.clock.now()
    for n in range(120):
        await sandbox.act("fees", amount=100 + n)
    await sandbox.later(hours=1)
    middle = sandbox.clock.now()
    await sandbox.act("fees", amount=5)
    before = [row async for row in sandbox.client.transactions(start, middle)]
    assert len({row.id for row in before}) == 120
    assert {row.type for row in before} == {"stripe_fee"}
    assert before[0].source is None
    after = [row async for row in sandbox.client.transactions(middle)]
    assert [row.amount for row in after] == [-usd("0.05")]


async def test_events_hint_at_objects_newest_first(sandbox: Sandbox) -> None:
    invoice, charge_id = await sandbox.paid()
    since = sandbox.clock.now() - timedelta(hours=1)
    hints = [hint async for hint in sandbox.client.events(since)]
    assert {"invoice.paid", "charge.succeeded", "charge.updated"} <= {h.type for h in hints}
    assert [h.created for h in hints] == sorted((h.created for h in hints), reverse=True)
    paid = [h async for h in sandbox.client.events(since, types=["invoice.paid"])]
    assert [(h.object_id, h.object_type, h.livemode) for h in paid] == [
        (invoice.id, "invoice", False)
    ]
    assert charge_id in {h.object_id for h in hints}


async def test_a_registered_endpoint_gets_events_that_verify(sandbox: Sandbox) -> None:
    received: list[tuple[bytes, str]] = []
    done = asyncio.Event()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        received.append((body, headers["stripe-signature"]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        done.set()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/hook"
    endpoint, secret = await sandbox.client.create_webhook_endpoint(url, ["customer.created"])
    again = await sandbox.client.create_webhook_endpoint(url, ["customer.created"])
    assert again == (endpoint, secret)
    made = await sandbox.client.create_customer(erp_customer())
    await asyncio.wait_for(done.wait(), 20)
    server.close()
    body, header = received[0]
    assert verify(body, header, [secret], datetime.now(UTC))
    assert (hint(body).object_id, hint(body).type) == (made.id, "customer.created")
    assert json.loads(body)["api_version"] == "2026-10-28.endive"


async def test_a_restricted_key_is_told_which_right_it_lacks(
    sandbox: Sandbox, connect: Connect
) -> None:
    for resource in RESOURCES:
        await sandbox.client.probe(resource)
    await sandbox.act("keys", key="rk_test_1", permissions={"customers": "write"})
    restricted = connect(sandbox.url, key="rk_test_1")
    assert await restricted.account() is None
    await restricted.probe("customers")
    with pytest.raises(NoPermission, match="rak_payouts_read"):
        await restricted.probe("payouts")
    assert (await sandbox.client.account() or "").startswith("acct_")


async def test_a_revoked_key_is_misconfigured(sandbox: Sandbox, connect: Connect) -> None:
    await sandbox.act("keys", key="sk_test_old", revoked=True)
    with pytest.raises(Misconfigured, match="expired"):
        await connect(sandbox.url, key="sk_test_old").account()


async def test_an_unknown_id_is_missing(sandbox: Sandbox) -> None:
    client = sandbox.client
    reads = (client.charge, client.refund, client.payout, client.invoice, client.customer)
    for read in (*reads, client.transaction):
        with pytest.raises(Missing) as raised:
            await read(StripeId("xx_1"))
        assert raised.value.cause == "stripe.missing:xx_1"


async def test_a_locked_object_is_tried_again(sandbox: Sandbox) -> None:
    await sandbox.act("switches", lock_timeouts=1)
    made = await sandbox.client.create_customer(erp_customer())
    assert made.id.startswith("cus_")


async def test_a_failure_after_commit_is_unknown_and_found_again(sandbox: Sandbox) -> None:
    customer = (await sandbox.client.create_customer(erp_customer())).id
    await sandbox.act("switches", fail_after_commit=1)
    with pytest.raises(OutcomeUnknown):
        await sandbox.client.create_invoice(plan(), customer)
    (found,) = await sandbox.client.find_invoices(customer, ErpRef("Invoice|000123"))
    await sandbox.client.add_lines(found.id, plan())
    assert (await sandbox.client.finalize_invoice(found.id)).total == plan().total


async def test_a_key_in_use_is_tried_again_later(sandbox: Sandbox) -> None:
    await sandbox.act("switches", execution_seconds=0.5)
    create = sandbox.client.create_customer
    outcomes = await asyncio.gather(
        create(erp_customer()), create(erp_customer()), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["StripeCustomer", "TryAgain"]
    (conflict,) = [outcome for outcome in outcomes if isinstance(outcome, TryAgain)]
    assert not isinstance(conflict, OutcomeUnknown)


async def test_a_duplicate_number_asks_a_person(sandbox: Sandbox) -> None:
    await sandbox.invoiced()
    other = await sandbox.client.create_customer(erp_customer(customer_id="C000099"))
    with pytest.raises(NumberTaken) as raised:
        await sandbox.client.create_invoice(plan(), other.id)
    assert raised.value.cause == "stripe.number_taken"


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1080), ("KWD", 10_820), ("EUR", 10_825)])
async def test_amounts_of_any_exponent_arrive_as_they_left(
    sandbox: Sandbox, currency: str, minor: int
) -> None:
    amount = Money(minor, currency)
    wanted = replace(plan(), total=amount, lines=(PlannedLine("All", amount, ()),))
    made = await sandbox.invoiced(wanted)
    assert (made.total, made.amount_due, made.tax) == (amount, amount, Money.zero(currency))


async def test_every_exchange_is_recorded_without_the_key(
    sandbox: Sandbox, exchanges: list[Exchange]
) -> None:
    await sandbox.invoiced()
    assert [exchange.status for exchange in exchanges] == [200, 200, 200, 200]
    assert all(exchange.request_id.startswith("req_") for exchange in exchanges)
    key = sandbox.app.credentials()["key"]
    assert key.removeprefix("sk_test_") not in "".join(map(str, exchanges))
