"""When a movement reaches the books, by policy: on its day, or with its payout; never a trouble."""

from datetime import timedelta

import pytest

from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import StripeId
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.review.plan import plan
from ml_connector.store import payouts

pytestmark = pytest.mark.anyio


async def sold(world: World, price: str = "100.00") -> str:
    """A mirrored invoice that is paid by card; its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return str(charge)


async def reasons(world: World) -> list[str]:
    """What the tie-out says beside each movement that is not in the ledger."""
    found = await measure(await world.connected())
    assert all(one.holds for one in found), found
    return [item.reason for one in found for item in one.unposted]


async def payments(world: World) -> int:
    return len(await world.documents("Payment"))


async def is_proven(world: World, payout: str) -> bool:
    async with world.store.transaction() as tx:
        row = await payouts.get(tx, world.id, StripeId(payout))
    return row is not None and row.proven_at is not None


async def test_money_is_booked_on_the_day_it_becomes_available_and_named_until_then(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(post_when='"available"'))
    await sold(world)
    (reason,) = await reasons(world)
    (row,) = await world.transactions()
    assert reason == f"Waits until {row.available_on:%Y-%m-%d}, by policy."
    (dry,) = [one async for one in plan(await world.connected())]
    assert dry.why_not == reason
    await world.pass_time(timedelta(days=1))
    await world.live()
    assert await payments(world) == 0
    await world.pass_time(row.available_on - world.clock.now())
    await world.settle()
    assert await payments(world) == 1
    assert await world.troubles() == []
    await world.all_posted()


async def test_money_is_booked_when_its_payout_is_done_and_the_transfer_is_not_delayed(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(post_when='"paid_out"'))
    await sold(world)
    await world.pass_time(timedelta(days=4))
    (payout,) = (await world.stripe.tell("payouts/run", {"instant": False}))["payouts"]
    await world.live()
    await world.sync()
    assert payout["status"] == "pending"
    assert await world.cash("10200WH") * 100 == payout["amount"]
    assert await payments(world) == 0
    assert all("until its payout is done" in reason for reason in await reasons(world))
    await world.pass_time(timedelta(days=5))
    await world.live()
    assert await payments(world) == 1
    assert await is_proven(world, payout["id"])
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_manual_payout_lets_in_what_was_available_before_it_and_nothing_later(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(post_when='"paid_out"'))
    await sold(world)
    await world.pass_time(timedelta(days=4))
    await sold(world, "30.00")
    await world.stripe_api("payouts", amount="5000", currency="usd")
    await world.pass_time(timedelta(days=5))
    await world.live()
    assert await payments(world) == 1
    assert len(await reasons(world)) == 1
    await world.change(mapping_text=mapping_with(post_when='"captured"'))
    await world.sync("stripe.transactions")
    assert await payments(world) == 2
    await world.all_posted()


async def test_a_refund_waits_with_its_payment_and_becomes_a_memo_when_that_is_booked(
    world: World,
) -> None:
    text = mapping_with(post_when='"available"', refunds='"credit_memo"')
    await world.change(mapping_text=text)
    charge = await sold(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    assert await world.troubles() == []
    assert f"Waits until the payment {charge} is booked, by policy." in await reasons(world)
    rows = await world.transactions()
    await world.pass_time(max(row.available_on for row in rows) - world.clock.now())
    await world.settle()
    await world.sync("stripe.transactions")
    (paid,) = await world.documents("Refund")
    assert (paid["PaymentRef"], paid["Status"]) == (refund, "Closed")
    assert await world.troubles() == []
    await world.all_posted()


async def test_the_fees_of_a_payout_wait_with_its_members_until_it_is_done(world: World) -> None:
    text = mapping_with(post_when='"paid_out"', fees='"payout"')
    await world.change(mapping_text=text)
    await sold(world)
    await world.pass_time(timedelta(days=4))
    made = (await world.stripe.tell("payouts/run", {"instant": False}))["payouts"]
    await world.live()
    assert await world.ledger("61100") == 0
    await reasons(world)
    await world.pass_time(timedelta(days=7))
    await world.live()
    assert len(made) == 1
    assert await world.ledger("61100") > 0
    await world.all_posted()
