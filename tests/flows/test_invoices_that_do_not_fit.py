"""Invoices that the two sides do not agree on: never sent wrong, never paid twice, always named."""

from decimal import Decimal

import pytest

from build.clerks import by_cheque
from build.troubled import cured, stuck
from build.world import World

pytestmark = pytest.mark.anyio


async def test_a_customer_with_a_balance_at_stripe_stops_its_invoice_until_it_is_zero(
    world: World,
) -> None:
    await world.mirror()
    customer = next(
        row["id"] for row in world.stripe_app.world.tables["customer"]
        if row["metadata"].get("erp_customer") == "GOODFOOD"
    )  # fmt: skip
    path = f"customers/{customer}/balance_transactions"
    await world.stripe_api(path, amount="-500", currency="usd")
    ref = await world.an_invoice()
    await world.mirror()
    found = await stuck(world, "balance of -5.00 USD", ref.partition("|")[2])
    assert customer in found[0].cause
    assert {row["status"] for row in await world.stripe_invoices(ref)} == {"void"}
    await world.stripe.reset_calls()
    await world.pass_minutes(60)
    await world.settle()
    assert set(await world.stripe.calls()) == {"GET /v1/customers/{customer}"}
    left = next(r for r in world.stripe_app.world.tables["customer"] if r["id"] == customer)
    if left["balance"]:
        await world.stripe_api(path, amount=str(-left["balance"]), currency="usd")
    await cured(world, ref, paid=False)
    sent = await world.mirrored(ref)
    assert sent["amount_due"] == 10000


async def test_a_tiny_invoice_is_never_sent_and_says_why(world: World) -> None:
    ref = await world.an_invoice("0.30")
    await world.mirror()
    await stuck(world, ref.partition("|")[2], "minimum")
    assert await world.stripe_invoices(ref) == []


async def test_an_invoice_partly_paid_before_it_is_mirrored_asks_for_the_rest(
    world: World,
) -> None:
    ref = await world.an_invoice("70.00", "30.00")
    await by_cheque(world, ref, 25)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_due"] == 7500
    await world.pay(ref)
    await world.live()
    await cured(world, ref)


async def test_an_overpayment_settles_what_is_owed_and_stays_on_account_with_its_rest(
    world: World,
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref, 3000)
    await world.live()
    await world.pay(ref, 10000)
    await world.live()
    await cured(world, ref)
    statuses = {
        str(one["PaymentAmount"]): one["Status"] for one in await world.documents("Payment")
    }
    assert {Decimal(amount): status for amount, status in statuses.items()} == {
        Decimal(30): "Closed", Decimal(100): "Open",
    }  # fmt: skip
    books = await world.erp.ask("books")
    assert Decimal(str(books["receivables_open"]["USD"])) == -30
