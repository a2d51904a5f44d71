"""Money back that was on no invoice: no sale is touched, and nothing is left of it anywhere."""

import pytest

from build.clerks import by_cheque
from build.policies import mapping_with
from build.world import CUSTOMER, Json, World
from ml_connector.flows.promise.tie_out import measure

pytestmark = pytest.mark.anyio

REFUNDS = "40900"
RECEIVABLE = "11000"
SUSPENSE = "24400"
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


async def of_nobody(world: World, card: str = "pm_card_visa") -> str:
    """A payment of 42.00 that names no invoice and no customer; its charge."""
    made = {"amount": "4200", "currency": "usd", "confirm": "true", "payment_method": card}
    charge = str((await world.stripe_api("payment_intents", **made))["latest_charge"])
    await world.live()
    return charge


async def the_waiting(world: World) -> list[str]:
    """The net of each movement that the tie-out names."""
    found = await measure(await world.connected())
    return sorted(str(one.amount) for each in found for one in each.unposted)


async def test_what_goes_back_of_held_money_waits_with_it_and_both_are_named(world: World) -> None:
    charge = await of_nobody(world)
    refund = await world.refund(charge)
    await world.live()
    assert await world.ledger(REFUNDS) == 0
    assert {one.cause for one in await world.troubles()} == {"payment.no_invoice"}
    (told,) = [one for one in await world.troubles() if one.resource == refund]
    assert f"gives back the payment {charge}, which waits itself" in told.sentence
    assert "erp_customer" in told.remedy
    assert await the_waiting(world) == ["-42.00 USD", "40.48 USD"]
    await world.books_agree()
    await world.mirror()
    await world.stripe_api(f"charges/{charge}", **{"metadata[erp_customer]": CUSTOMER})
    await world.wait_for_cure()
    assert await world.ledger(REFUNDS) == await world.ledger(RECEIVABLE) == 0
    await world.all_posted()


async def test_held_money_that_went_back_whole_cancels_out_in_suspense(world: World) -> None:
    await world.refund(await of_nobody(world))
    await world.live()
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    await world.wait_for_cure()
    assert await world.ledger(REFUNDS) == await world.ledger(SUSPENSE) == 0
    await world.all_posted()


async def test_a_refund_out_of_suspense_that_fails_is_in_suspense_again(world: World) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    await world.refund(await of_nobody(world, "pm_card_refundFail"))
    await world.live()
    assert await world.ledger(REFUNDS) == 0
    assert await world.ledger(SUSPENSE) == -42
    await world.all_posted()


async def test_a_debit_that_came_back_while_it_was_held_waits_with_it(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref, card="000123456789")
    await world.stripe_api(f"charges/{charge}", **{"metadata[erp_hold]": "true"})
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    await world.stripe.tell(f"charges/{charge}/return")
    await world.live()
    await world.sync("stripe.transactions")
    assert {one.cause for one in await world.troubles()} == {"payment.erp_hold"}
    assert len(await world.troubles()) == 2
    await world.books_agree()
    await world.stripe_api(f"charges/{charge}", **{"metadata[erp_hold]": ""})
    await world.wait_for_cure()
    assert await world.balance_due(ref) == 100
    await world.all_posted()
