"""A sale, from the released invoice to the payout on the bank: each call and each cent counted."""

from decimal import Decimal

import pytest

from build.world import World

pytestmark = pytest.mark.anyio

WRITES_OF_AN_INVOICE = {
    "POST /v1/invoices": 1,
    "POST /v1/invoices/{invoice}/add_lines": 1,
    "POST /v1/invoices/{invoice}/finalize": 1,
}


@pytest.mark.parametrize("lines", [1, 40, 250])
async def test_an_invoice_costs_three_stripe_calls_whatever_the_number_of_its_lines(
    world: World, lines: int
) -> None:
    await world.mirror()
    await world.stripe.reset_calls()
    ref = await world.an_invoice(*["19.99"] * lines)
    await world.mirror()
    assert await world.stripe.calls() == WRITES_OF_AN_INVOICE
    sent = await world.mirrored(ref)
    assert sent["status"] == "open"
    assert Decimal(sent["amount_due"]) / 100 == await world.balance_due(ref) == lines * Decimal("19.99")
    assert await world.troubles() == []


async def test_a_payment_is_booked_applied_released_and_its_fee_written_off(world: World) -> None:
    ref = await world.an_invoice("100.00", "23.45")
    await world.mirror()
    charge = await world.pay(ref)
    await world.erp.reset_calls()
    await world.stripe.reset_calls()
    await world.live()
    assert await world.balance_due(ref) == 0
    (payment,) = await world.documents("Payment")
    assert (payment["PaymentRef"], payment["Status"]) == (charge, "Closed")
    assert Decimal(str(payment["PaymentAmount"])) == Decimal("123.45")
    assert await world.cash() * 100 == await world.at_stripe()
    print(await world.erp.calls(), await world.stripe.calls())
    await world.all_posted()
