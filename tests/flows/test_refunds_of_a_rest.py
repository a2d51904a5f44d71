"""Money back that was on no invoice: no sale is touched, and the customer's account is level."""

import pytest

from build.clerks import by_cheque
from build.policies import mapping_with
from build.world import CUSTOMER, Json, World

pytestmark = pytest.mark.anyio

REFUNDS = "40900"
RECEIVABLE = "11000"
REFUND_FAILS = "4000000000005126"


async def paid_twice(world: World, policy: str, card: str = "") -> str:
    """An invoice of 100.00 paid by card, 20.00 of it by a check at the same time; the charge."""
    await world.change(mapping_text=mapping_with(refunds=f'"{policy}"'))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref, card=card)
    await by_cheque(world, ref, 20)
    await world.live()
    assert (await the_payment(world))["AvailableBalance"] == 20
    return str(charge)


async def the_payment(world: World) -> Json:
    rows = [one for one in await world.documents("Payment") if one["PaymentMethod"] == "STRIPE"]
    (found,) = [one for one in rows if one["Type"] == "Payment"]
    return found


@pytest.mark.parametrize("policy", ["journal", "credit_memo"])
async def test_what_was_paid_twice_goes_back_from_the_customers_account_and_not_from_sales(
    world: World, policy: str
) -> None:
    charge = await paid_twice(world, policy)
    refund = await world.refund(charge, 2000)
    await world.live()
    (paid,) = await world.documents("Refund")
    assert (paid["PaymentRef"], paid["CustomerID"], paid["Status"]) == (refund, CUSTOMER, "Closed")
    payment = await the_payment(world)
    assert (payment["Status"], payment["AvailableBalance"]) == ("Closed", 0)
    assert await world.ledger(REFUNDS) == 0
    assert await world.ledger(RECEIVABLE) == 0
    assert await world.cash() * 100 == await world.at_stripe()
    await world.deliver_again()
    await world.run_payouts()
    await world.live()
    assert len(await world.documents("Refund")) == 1
    await world.all_posted()


async def test_more_than_the_rest_of_a_payment_is_a_refund_as_any_other(world: World) -> None:
    await world.refund(await paid_twice(world, "journal"), 2500)
    await world.live()
    assert await world.documents("Refund") == []
    assert await world.ledger(REFUNDS) == 25
    await world.all_posted()


async def test_a_refund_of_a_rest_that_fails_is_voided_and_the_rest_is_the_customers_again(
    world: World,
) -> None:
    await world.refund(await paid_twice(world, "journal", REFUND_FAILS), 2000)
    await world.live()
    (paid,) = await world.documents("Refund")
    assert paid["Status"] == "Voided"
    payment = await the_payment(world)
    assert (payment["Status"], payment["AvailableBalance"]) == ("Open", 20)
    assert await world.ledger(REFUNDS) == 0
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()
