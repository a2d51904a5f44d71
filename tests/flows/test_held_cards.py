"""Money that is held on a card first: nothing to book until it is captured, or ever."""

import pytest

from build.policies import mapping_with
from build.troubled import stuck
from build.world import World
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio


async def held(world: World, ref: ErpRef) -> str:
    """The buyer's card is charged by hand for an invoice: 100.00 is held; the intent."""
    made = await world.stripe_api(
        "payment_intents", amount="10000", currency="usd", confirm="true",
        payment_method="pm_card_visa", capture_method="manual",
        **{"metadata[erp_invoice]": ref.partition("|")[2]},
    )  # fmt: skip
    await world.live()
    await world.pass_minutes(1)
    await world.settle()
    return str(made["id"])


async def sent(world: World) -> ErpRef:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    return ref


async def test_a_hold_is_no_trouble_and_is_booked_once_it_is_captured(world: World) -> None:
    ref = await sent(world)
    intent = await held(world, ref)
    assert await world.troubles() == []
    assert await world.documents("Payment") == []
    await world.stripe_api(f"payment_intents/{intent}/capture")
    await world.live()
    await world.pass_minutes(1)
    await world.live()
    assert await world.balance_due(ref) == 0
    await world.all_posted()


async def test_a_hold_that_is_let_go_leaves_nothing_open(world: World) -> None:
    ref = await sent(world)
    intent = await held(world, ref)
    await world.stripe_api(f"payment_intents/{intent}/cancel")
    await world.live()
    await world.pass_minutes(30)
    await world.live()
    assert await world.troubles() == []
    assert await world.documents("Payment") == []
    assert await world.balance_due(ref) == 100


async def test_a_part_that_is_captured_is_the_payment_and_the_rest_goes_in_and_out(
    world: World,
) -> None:
    ref = await sent(world)
    intent = await held(world, ref)
    await world.stripe_api(f"payment_intents/{intent}/capture", amount_to_capture="6000")
    await world.live()
    await world.pass_minutes(1)
    await world.live()
    await stuck(world, "100.00 USD were held", "60.00 USD were captured")
    assert await world.documents("Payment") == []
    pair = '[pairs]\n"refund/partial_capture_reversal" = "24400"\n'
    await world.change(mapping_text=mapping_with(pair))
    await world.wait_for_cure()
    (payment,) = await world.documents("Payment")
    assert payment["PaymentAmount"] == 60
    assert (await world.balance_due(ref), await world.ledger("24400")) == (40, 0)
    await world.mirror()
    assert await world.troubles() == []
    await world.all_posted()
    await world.run_payouts()
    await world.live()
    await world.sync()
    assert await world.troubles() == []
