"""The promise is watched by the clock, and a difference is searched down to its records."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete

from build.clerks import a_hand_entry, bounced, by_plug_in
from build.world import World
from ml_connector.basics.money import Money
from ml_connector.books.drift import Drift, Kind
from ml_connector.flows.promise import drift
from ml_connector.flows.promise.tie_out import measure, since
from ml_connector.flows.rounds.catch_up import sweep
from ml_connector.store.tables import balance_transactions

pytestmark = pytest.mark.anyio


async def searched(world: World) -> Drift:
    """What the search finds of the dollars."""
    c = await world.connected()
    await sweep(c)
    (dollars,) = (one for one in await measure(c) if one.currency == "USD")
    return await drift.search(c, dollars)


async def test_a_difference_is_a_trouble_with_money_until_its_record_is_found_and_mended(
    world: World,
) -> None:
    first, second = await world.an_invoice("100.00"), await world.an_invoice("40.00")
    await world.mirror()
    await world.pay(first)
    await world.pay(second)
    await world.live()
    await world.sync("tieout")
    assert await world.idle()
    assert await since(await world.connected(), "USD") is None

    await world.pass_time(timedelta(days=40))
    strange = await a_hand_entry(world, "10650", "61100", "7.00")
    await world.sync("tieout")
    assert await world.troubles() == []
    await world.pass_minutes(3)
    await world.settle()
    trouble = await world.trouble()
    assert trouble.money == Money(700, "USD")
    assert "7.00 USD more" in trouble.sentence

    found = await searched(world)
    assert [(one.kind, one.record) for one in found.findings] == [(Kind.NOT_OURS, f"GL {strange}")]
    assert found.first_day == world.clock.now().date()
    assert not found.unnamed
    assert "Correction" in found.findings[0].sentence

    await a_hand_entry(world, "61100", "10650", "7.00")
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert await since(await world.connected(), "USD") is None


async def test_a_voided_payment_and_money_that_was_never_seen_are_named_by_their_records(
    world: World,
) -> None:
    first, second = await world.an_invoice("100.00"), await world.an_invoice("40.00")
    await world.mirror()
    charge = await world.pay(first)
    await world.live()
    odd = {"type": "gift_card", "reporting_category": "gift", "amount": -300, "currency": "usd"}
    gift = await world.stripe.tell("adjust", odd)
    await world.pass_time(timedelta(days=40))
    await world.pay(second)
    await world.live()
    await world.sync("stripe.transactions")
    async with world.store.transaction() as tx:
        await tx.execute(
            delete(balance_transactions).where(balance_transactions.c.id == gift["id"])
        )
    (payment,) = (one["ReferenceNbr"] for one in await world.documents("Payment")
                  if one["PaymentRef"] == charge)  # fmt: skip
    await bounced(world, payment)

    found = await searched(world)
    undone, unseen = found.findings
    assert (undone.kind, str(undone.effect)) == (Kind.UNDONE, "-100.00 USD")
    assert payment in undone.record
    assert f"payment:{charge}" in undone.sentence
    assert (unseen.kind, unseen.record, str(unseen.effect)) == (
        Kind.UNSEEN, gift["id"], "3.00 USD",
    )  # fmt: skip
    assert found.first_day == undone.day
    assert not found.unnamed


@pytest.mark.parametrize(
    ("zone", "ours"),
    [
        pytest.param("Asia/Tokyo", True, id="its day begins at 15:00 UTC on the 5th"),
        pytest.param("America/Los_Angeles", False, id="its day begins at 07:00 UTC on the 6th"),
    ],
)
async def test_the_search_begins_where_the_books_begin_in_the_connections_zone(
    world: World, zone: str, ours: bool
) -> None:
    await world.change(time_zone=zone, start_date=date(2026, 10, 6))
    await world.pass_time(timedelta(hours=4 if ours else 14))
    odd = {"type": "gift_card", "reporting_category": "gift", "amount": -300, "currency": "usd"}
    gift = await world.stripe.tell("adjust", odd)
    await world.pass_time(timedelta(days=2))
    c = await world.connected()
    (dollars,) = (one for one in await measure(c) if one.currency == "USD")
    found = await drift.search(c, dollars)
    assert [one.record for one in found.findings] == ([gift["id"]] if ours else [])


async def test_a_payment_that_others_booked_is_known_by_its_own_day(world: World) -> None:
    await world.pass_time(timedelta(days=40))
    paid = await world.stripe_api(
        "payment_intents", amount="4200", currency="usd", confirm="true",
        payment_method="pm_card_visa",
    )  # fmt: skip
    await by_plug_in(world, str(paid["latest_charge"]), "42.00")
    await world.live()
    await world.all_posted()
    strange = await a_hand_entry(world, "10650", "61100", "7.00")
    found = await searched(world)
    assert [one.record for one in found.findings] == [f"GL {strange}"]


@pytest.mark.parametrize("first_month", [7, 11])
async def test_where_the_financial_year_begins_elsewhere_the_right_periods_are_searched(
    world: World, first_month: int
) -> None:
    await world.erp.tell("calendar", {"first_month": first_month})
    first, second = await world.an_invoice("100.00"), await world.an_invoice("40.00")
    await world.mirror()
    charge = await world.pay(first)
    await world.live()
    await world.pass_time(timedelta(days=40))
    await world.pay(second)
    await world.live()
    await world.pass_time(timedelta(days=40))
    strange = await a_hand_entry(world, "10650", "61100", "7.00")
    (payment,) = (one["ReferenceNbr"] for one in await world.documents("Payment")
                  if one["PaymentRef"] == charge)  # fmt: skip
    await bounced(world, payment)

    found = await searched(world)
    assert [(one.kind, str(one.effect)) for one in found.findings] == [
        (Kind.UNDONE, "-100.00 USD"), (Kind.NOT_OURS, "7.00 USD")
    ]  # fmt: skip
    assert strange in found.findings[1].record
    assert not found.unnamed
