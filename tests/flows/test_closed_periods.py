"""Closed periods: what waits for them, and what is dated on the next open day instead."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from build.planning import a_plan, apply, set_modes
from build.policies import mapping_with
from build.world import World, a_world
from ml_connector.books.plans import Plan
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.late import late_arrivals, totals_by_month
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio

NEXT_OPEN = mapping_with(closed_period='"next_open"')


async def sold(world: World, price: str = "100.00") -> str:
    """A mirrored invoice that is paid by card and not taken in yet; its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    return str(await world.pay(ref))


async def period(world: World, code: str, *, closed: bool, module: str = "GL") -> None:
    await world.erp.tell("periods", {"period": code, "module": module, "closed": closed})


async def into_november(world: World) -> None:
    """The month ends before the connector looks."""
    await world.pass_time(datetime(2026, 11, 2, 9, tzinfo=UTC) - world.clock.now())


async def test_money_of_a_closed_month_waits_and_goes_on_when_it_is_reopened(
    world: World,
) -> None:
    await sold(world)
    await sold(world, "60.00")
    await into_november(world)
    await period(world, "102026", closed=True)
    await world.live()
    found = await world.troubles()
    assert {one.cause for one in found} == {"acumatica.period_closed:102026"}
    assert "Open the period" in found[0].remedy
    await world.books_agree()
    await period(world, "102026", closed=False)
    await world.wait_for_cure()
    await world.all_posted()


async def test_late_money_is_dated_on_the_next_open_day_and_listed_with_its_true_one(
    world: World,
) -> None:
    await world.change(mapping_text=NEXT_OPEN)
    charge = await sold(world)
    await into_november(world)
    await period(world, "102026", closed=True, module="AR")
    await world.live()
    (payment,) = await world.documents("Payment")
    assert str(payment["ApplicationDate"])[:10] == "2026-11-01"
    assert payment["Description"].endswith("of 2026-10-05")
    late = await late_arrivals(world.store, world.id)
    assert [(one.key, one.true_day, one.day) for one in late] == [
        (f"payment:{charge}", date(2026, 10, 5), date(2026, 11, 1))
    ]
    (total,) = totals_by_month(late)
    assert (total.true_month, total.month, str(total.money)) == ("2026-10", "2026-11", "100.00 USD")
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_month_that_closes_between_creating_and_releasing_moves_what_was_made(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(release="false"))
    await sold(world)
    await world.live()
    await into_november(world)
    await period(world, "102026", closed=True)
    await world.change(mapping_text=NEXT_OPEN)
    await world.wait_for_cure()
    late = await late_arrivals(world.store, world.id)
    assert [one.day for one in late] == [date(2026, 11, 1)] * 2
    numbers = {one["ReferenceNbr"] for one in await world.documents("Payment")}
    assert len(numbers) == 1
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_payment_refused_for_its_closed_month_is_written_late_once_that_is_approved(
    world: World,
) -> None:
    await set_modes(world, {"closed_period": '"next_open"'}, payments="approve")
    charge = await sold(world)
    await world.live()
    payment = f"payment:{charge}"
    await into_november(world)
    await period(world, "102026", closed=True)
    plan = await a_plan(world)
    assert day_of(plan, payment) == "2026-10-05"
    await apply(world, plan, only=[payment])
    assert await world.documents("Payment") == []
    assert "not any more as controller approved it" in (await world.trouble()).sentence
    await world.deliver_again()
    assert await world.documents("Payment") == []
    plan = await a_plan(world)
    assert day_of(plan, payment) == "2026-11-01"
    await apply(world, plan, only=[payment])
    (written,) = await world.documents("Payment")
    assert (written["Status"], str(written["ApplicationDate"])[:10]) == ("Closed", "2026-11-01")
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_payment_made_before_its_month_closed_stays_balanced_until_another_day_is_approved(
    world: World,
) -> None:
    await set_modes(world, {"release": "false"}, payments="approve")
    charge = await sold(world)
    await world.live()
    payment = f"payment:{charge}"
    await apply(world, await a_plan(world), only=[payment])
    await into_november(world)
    await period(world, "102026", closed=True)
    await set_modes(world, {"closed_period": '"next_open"'}, payments="approve")
    await world.wait_for_cure()
    await world.deliver_again()
    (made,) = await world.documents("Payment")
    assert (made["Status"], str(made["ApplicationDate"])[:10]) == ("Balanced", "2026-10-05")
    (trouble,) = [one for one in await world.troubles() if payment in one.sentence]
    assert "not any more as controller approved it" in trouble.sentence
    plan = await a_plan(world)
    assert day_of(plan, payment) == "2026-11-01"
    await apply(world, plan, only=[payment])
    (written,) = await world.documents("Payment")
    assert written["ReferenceNbr"] == made["ReferenceNbr"]
    assert (written["Status"], str(written["ApplicationDate"])[:10]) == ("Closed", "2026-11-01")
    assert await world.troubles() == []
    await world.all_posted()


def day_of(plan: Plan, key: str) -> object:
    """The day on which a plan shows a document."""
    return next(one.body["day"] for one in plan.documents if one.key == key)


async def test_where_no_later_day_is_open_late_money_waits(world: World) -> None:
    await world.change(mapping_text=NEXT_OPEN)
    await sold(world)
    for code in [f"{n}2026" for n in (10, 11, 12)] + [f"{n:02d}2027" for n in range(1, 13)]:
        await period(world, code, closed=True)
    await world.live()
    assert (await world.trouble()).cause == "acumatica.period_closed:102026"
    await world.books_agree()


@asynccontextmanager
async def a_world_at_the_end_of_the_calendar(store: Store) -> AsyncGenerator[World]:
    async with a_world(store, at=datetime(2027, 12, 28, 12, tzinfo=UTC)) as made:
        yield made


async def test_a_payout_that_arrives_in_a_year_not_generated_yet_waits_and_then_goes_on(
    store: Store,
) -> None:
    async with a_world_at_the_end_of_the_calendar(store) as world:
        await sold(world)
        await world.live()
        await world.pass_time(timedelta(days=3, hours=-1))
        (payout,) = (await world.stripe.tell("payouts/run"))["payouts"]
        await world.live()
        trouble = await world.trouble()
        assert trouble.cause == "acumatica.period_missing:012028"
        assert "Generate and open the period" in trouble.remedy
        await world.books_agree()
        await world.erp.tell("calendar", {"generate": True})
        await world.wait_for_cure()
        assert await world.cash("10200WH") * 100 == payout["amount"]
        await world.all_posted()


@pytest.mark.parametrize("end", ["inclusive", "exclusive"])
async def test_the_tie_out_asks_for_the_period_of_the_tenants_own_calendar(
    world: World, end: str
) -> None:
    await world.erp.tell("calendar", {"first_month": 7})
    await world.erp.tell("switches", {"period_end": end})
    await sold(world)
    await world.live()
    (found, *_) = [one for one in await measure(await world.connected()) if one.clearing]
    assert found.clearing.decimal == await world.cash() > Decimal(0)
    await world.all_posted()
