"""A closed period and each kind of document: a story of real money for every one of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from build.dying import Dying
from build.policies import mapping_with
from build.world import Json, World
from ml_connector.basics.ids import ErpRef, erp_ref
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import post, propose
from ml_connector.flows.questions.late import late_arrivals, totals_by_month
from ml_connector.flows.repair.foresight import Choice
from ml_connector.flows.repair.undo import begin

pytestmark = pytest.mark.anyio

FIRST = date(2026, 11, 1)
BANK_DEBIT = "000123456789"


def mapping(policy: str, release: str = "true") -> str:
    return mapping_with(closed_period=f'"{policy}"', refunds='"credit_memo"', release=release)


async def sold(world: World, card: str = "") -> tuple[ErpRef, str]:
    """An invoice of 100.00 that is paid in October and not taken in yet."""
    ref = await world.an_invoice()
    await world.mirror()
    return ref, str(await world.pay(ref, card=card))


async def posted(world: World) -> str:
    _, charge = await sold(world)
    await world.live()
    return charge


async def october(world: World, *, closed: bool, module: str = "AR") -> None:
    await world.erp.tell("periods", {"period": "102026", "module": module, "closed": closed})


async def november(world: World) -> None:
    """The month ends, and is closed, before the connector looks."""
    await world.pass_time(datetime(2026, 11, 2, 9, tzinfo=UTC) - world.clock.now())
    await october(world, closed=True)


async def undo(world: World, number: str, **facts: bool) -> None:
    choice = Choice(number=number, along=bool(facts.get("along")))
    await begin(await world.connected(), choice, why="a mistake", actor="Kim")
    await world.books_agree()
    await world.settle()


async def a_payment(world: World) -> None:
    await sold(world)
    await november(world)
    await world.live()


async def a_refund_by_memo(world: World) -> None:
    await world.refund(await posted(world), 2500)
    await november(world)
    await world.live()


async def a_voided_payment(world: World) -> None:
    charge = await posted(world)
    await november(world)
    await undo(world, charge)


async def a_returned_debit(world: World) -> None:
    _, charge = await sold(world, card=BANK_DEBIT)
    await world.pass_time(timedelta(days=10))  # a debit takes days until it has succeeded
    await world.live()
    await world.stripe.tell(f"charges/{charge}/return")
    await november(world)
    await world.live()
    await world.sync("stripe.transactions")


async def a_memo_undone(world: World) -> None:
    refund = await world.refund(await posted(world), 2500)
    await world.live()
    await november(world)
    await undo(world, refund)


async def a_fee_undone(world: World) -> None:
    charge = await posted(world)
    await november(world)
    await october(world, closed=True, module="GL")
    await undo(world, charge)


async def a_lost_dispute(world: World) -> None:
    charge = await posted(world)
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    await october(world, closed=True, module="GL")
    await world.stripe.tell(f"disputes/{made['id']}", {"outcome": "lost"})
    await world.live()


async def an_opening(world: World) -> None:
    await world.stripe_api(
        "payment_intents", amount="30000", currency="usd", confirm="true",
        payment_method="pm_card_bypassPending",
    )  # fmt: skip
    await world.pass_time(timedelta(days=1))
    await world.change(start_date=world.clock.now().date())
    await november(world)
    await october(world, closed=True, module="GL")
    c = await world.connected()
    (found,) = await propose(c, "24400")
    await post(c, found, "Kim")


Story = Callable[[World], Awaitable[Any]]
MOVED: list[tuple[Story, list[str]]] = [
    (a_payment, ["payment"]),
    (a_returned_debit, ["void"]),
    (a_refund_by_memo, ["credit_memo", "refund_paid"]),
    (a_voided_payment, ["undo"]),
    (a_memo_undone, ["undo", "undo"]),
    (a_fee_undone, ["undo", "undo"]),
    (a_lost_dispute, ["dispute_loss"]),
    (an_opening, ["opening"]),
]


@pytest.mark.parametrize(("story", "purposes"), MOVED, ids=[one.__name__ for one, _ in MOVED])
async def test_by_policy_it_is_booked_on_the_next_open_day_and_listed_with_its_true_one(
    world: World, story: Story, purposes: list[str]
) -> None:
    await world.change(mapping_text=mapping("next_open"))
    await story(world)
    late = await late_arrivals(world.store, world.id)
    assert sorted(one.key.partition(":")[0] for one in late) == purposes
    assert {one.day for one in late} == {FIRST}
    assert {one.true_day.month for one in late} == {10}
    assert all(one.description.endswith(f" of {one.true_day}") for one in late)
    assert await world.troubles() == []
    await world.books_agree()
    assert await world.states() == {"verified"}


WAITING = [one for one, _ in MOVED if one is not an_opening]


@pytest.mark.parametrize("story", WAITING, ids=[one.__name__ for one in WAITING])
async def test_otherwise_it_waits_named_until_the_period_is_open_again(
    world: World, story: Story
) -> None:
    await world.change(mapping_text=mapping("hold"))
    await story(world)
    assert {one.cause for one in await world.troubles()} == {"acumatica.period_closed:102026"}
    await world.books_agree()
    for module in ("AR", "GL"):
        await october(world, closed=False, module=module)
    await world.wait_for_cure()
    assert await late_arrivals(world.store, world.id) == []
    await world.books_agree()
    assert await world.states() == {"verified"}


async def test_a_late_refund_by_memo_is_one_sum_of_money(world: World) -> None:
    await world.change(mapping_text=mapping("next_open"))
    await a_refund_by_memo(world)
    (memo,), (paid,) = await memos(world, "Credit Memo"), await world.documents("Refund")
    assert str(memo["Date"])[:10] == str(paid["ApplicationDate"])[:10] == str(FIRST)
    late = await late_arrivals(world.store, world.id)
    assert [str(one.money) for one in late] == ["-25.00 USD", "-25.00 USD"]
    (total,) = totals_by_month(late)
    assert (total.true_month, total.month, str(total.money)) == ("2026-10", "2026-11", "-25.00 USD")
    await world.all_posted()


async def memos(world: World, kind: str) -> list[Json]:
    return [one for one in await world.documents(kind) if "Customer" in one]


async def test_a_memo_and_a_refund_that_stand_when_their_month_closes_are_moved_as_they_are(
    world: World,
) -> None:
    await world.change(mapping_text=mapping("next_open"))
    charge = await posted(world)
    await world.change(mapping_text=mapping("next_open", release="false"))
    await world.refund(charge, 2500)
    await world.live()
    (memo,) = await memos(world, "Credit Memo")
    assert memo["Status"] == "Balanced"
    await november(world)
    await october(world, closed=False)
    await october(world, closed=True, module="CA")
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_memo(erp_ref("Credit Memo", str(memo["ReferenceNbr"])))
    await world.pass_minutes(60)
    await world.settle()
    (paid,) = await world.documents("Refund")
    await world.change(mapping_text=mapping("next_open"))
    await world.wait_for_cure()
    late = await late_arrivals(world.store, world.id)
    assert [(one.document, one.day) for one in late] == [(f"Refund|{paid['ReferenceNbr']}", FIRST)]
    assert len(await memos(world, "Credit Memo")) == 1
    await world.all_posted()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_dies_while_it_dates_a_voiding_leaves_one_on_the_open_day(
    world: World, moment: str
) -> None:
    await world.change(mapping_text=mapping("next_open"))
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, "date_voiding", moment))
        return replace(c, acumatica=killed[0])

    world.through = through
    await a_voided_payment(world)
    await world.wait_for_cure()
    assert killed[0].died
    voided = [one for one in await world.documents("Payment") if one["Type"] == "Voided Payment"]
    assert [str(one["ApplicationDate"])[:10] for one in voided] == [str(FIRST)]
    assert await world.states() == {"verified"}
    await world.books_agree()


@dataclass
class Closing:
    """A client during whose first `set_off` somebody closes the month."""

    client: Any
    close: Callable[[], Awaitable[None]]
    closed: bool = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        return self._late(real) if name == "set_off" and not self.closed else real

    def _late(self, real: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def call(*given: Any, **named: Any) -> None:
            self.closed = True
            await self.close()
            await real(*given, **named)

        return call


async def test_a_month_that_closes_between_a_debit_memo_and_its_application_moves_that_alone(
    world: World,
) -> None:
    await world.change(mapping_text=mapping("next_open"))
    refund = await world.refund(await posted(world), 2500)
    await world.live()
    closing: list[Closing] = []

    def through(c: Connected) -> Any:
        if not closing:
            closing.append(Closing(c.acumatica, lambda: october(world, closed=True)))
        return replace(c, acumatica=closing[0])

    world.through = through
    await undo(world, refund)
    assert closing[0].closed
    (debit,) = await world.documents("Debit Memo")
    assert (str(debit["Date"])[:10], debit["Status"]) == ("2026-10-05", "Closed")
    assert await late_arrivals(world.store, world.id) == []
    assert await world.troubles() == []
    await world.books_agree()


async def test_where_acumatica_keeps_the_day_of_a_voiding_it_waits_and_says_why(
    world: World,
) -> None:
    await world.erp.tell("switches", {"void_date": "kept"})
    await world.change(mapping_text=mapping("next_open"))
    await a_voided_payment(world)
    trouble = await world.trouble()
    assert trouble.cause == "acumatica.period_closed:102026"
    assert "Acumatica keeps the payment's day for its voiding" in trouble.sentence
    assert "date and release the voiding document yourself" in trouble.remedy
    await world.books_agree()
    await october(world, closed=False)
    await world.wait_for_cure()
    late = [one.key for one in await late_arrivals(world.store, world.id)]
    assert not [key for key in late if key.startswith("undo:payment")]
    voided = [one for one in await world.documents("Payment") if one["Type"] == "Voided Payment"]
    assert str(voided[0]["ApplicationDate"]).startswith("2026-10-05")
    assert await world.states() == {"verified"}
    await world.books_agree()


async def test_what_was_late_and_is_undone_is_no_late_arrival_any_more(world: World) -> None:
    await world.change(mapping_text=mapping("next_open"))
    await a_refund_by_memo(world)
    assert len(await late_arrivals(world.store, world.id)) == 2
    (paid,) = await world.documents("Refund")
    await undo(world, str(paid["PaymentRef"]))
    assert await late_arrivals(world.store, world.id) == []
    assert await world.ledger("40900") == 0
    await world.books_agree()
