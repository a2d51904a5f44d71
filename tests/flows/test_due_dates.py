"""The due date of a sent invoice follows the ERP's, and the payment link outlives it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx2
import pytest

from build.planning import a_plan, apply, keys, set_modes
from build.policies import mapping_with
from build.world import Json, World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.mirror.mirrored import INVOICE
from ml_connector.flows.mirror.write_back import write_back
from ml_connector.store import audit, links

pytestmark = pytest.mark.anyio


async def sent(world: World) -> ErpRef:
    ref = await world.an_invoice()
    await world.mirror()
    return ref


async def dated(world: World, ref: ErpRef, due: date) -> None:
    """A clerk gives a released invoice another due date."""
    kind, number = ref.split("|")
    await world.enter("Invoice", {"Type": kind, "ReferenceNbr": number, "DueDate": due})


async def at_stripe(world: World, ref: ErpRef) -> Json:
    """The one Stripe invoice of a document, as Stripe keeps it."""
    invoice = (await world.mirrored(ref))["id"]
    rows = world.stripe_app.world.tables["invoice"].rows
    return rows[invoice]


async def due_at_stripe(world: World, ref: ErpRef) -> date:
    return datetime.fromtimestamp((await at_stripe(world, ref))["due_date"], UTC).date()


def later(world: World, days: int) -> date:
    return world.clock.now().date() + timedelta(days=days)


async def done(world: World) -> list[str]:
    async with world.store.transaction() as tx:
        return [entry.action for entry in await audit.recent(tx, world.id)]


async def test_a_due_date_that_a_clerk_changes_is_changed_in_stripe_each_time_and_only_then(
    world: World,
) -> None:
    ref = await sent(world)
    for days in (60, 90, 60):
        await dated(world, ref, later(world, days))
        await world.mirror()
        assert await due_at_stripe(world, ref) == later(world, days)
    await world.stripe.reset_calls()
    await world.sync()
    assert [call for call in await world.stripe.calls() if call.startswith("POST")] == []
    assert (await done(world)).count("due date changed") == 3
    assert await world.troubles() == []
    await world.pay(ref)
    await world.live()
    await world.all_posted()


async def test_a_due_date_of_the_past_becomes_the_next_day_that_stripe_takes_once(
    world: World,
) -> None:
    ref = await sent(world)
    await world.pass_minutes(10 * 24 * 60)
    await dated(world, ref, later(world, -3))
    await world.mirror()
    assert await due_at_stripe(world, ref) == later(world, 1)
    await world.pass_minutes(3 * 24 * 60)
    await world.sync()
    assert (await done(world)).count("due date changed") == 1
    assert await world.troubles() == []


async def test_where_stripe_keeps_the_due_date_it_is_told_once_with_the_date_and_not_for_ever(
    world: World,
) -> None:
    await world.stripe.tell("switches", {"due_date_frozen": True})
    ref = await sent(world)
    before = await due_at_stripe(world, ref)
    await dated(world, ref, later(world, 60))
    await world.mirror()
    trouble = await world.trouble()
    assert str(later(world, 60)) in trouble.sentence
    assert trouble.remedy
    await world.wait_for_cure()
    assert await world.troubles() == []
    await world.sync()
    assert await world.troubles() == []
    assert await due_at_stripe(world, ref) == before
    assert (await done(world)).count("due date not taken") == 1


async def test_the_due_date_of_what_is_paid_already_is_left_alone(world: World) -> None:
    ref = await sent(world)
    await world.pay(ref)
    await dated(world, ref, later(world, 60))
    await world.mirror()
    await world.live()
    assert await world.troubles() == []
    assert "due date changed" not in await done(world)
    await world.all_posted()


async def test_where_invoices_are_approved_a_new_due_date_is_shown_and_waits(world: World) -> None:
    ref = await sent(world)
    before = await due_at_stripe(world, ref)
    await set_modes(world, invoices="approve")
    await dated(world, ref, later(world, 60))
    await world.mirror()
    assert await due_at_stripe(world, ref) == before
    plan = await a_plan(world)
    (key,) = keys(plan)
    assert key.startswith("due:")
    await apply(world, plan, only=[key])
    await world.wait_for_cure()
    assert await due_at_stripe(world, ref) == later(world, 60)
    assert await world.troubles() == []


async def opens(world: World, ref: ErpRef) -> bool:
    """Whether the payment link in the document's note shows the invoice to its buyer."""
    note = await (await world.connected()).acumatica.note(ref)
    url = note.rpartition(" ")[2]
    async with httpx2.AsyncClient(timeout=30) as buyer:
        return (await buyer.get(url)).status_code == HTTPStatus.OK


async def test_the_payment_link_on_a_document_works_as_long_as_it_is_owed_and_rests_then(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with('[mirror]\nwrite_link = "note"\n'))
    ref = await sent(world)
    await world.settle()
    for _ in range(8):
        assert await opens(world, ref)
        await world.pass_minutes(5 * 24 * 60)
        for _day in range(2):
            await world.pass_minutes(24 * 60)
            await world.sync("stripe.links")
            await world.settle()
    note = await (await world.connected()).acumatica.note(ref)
    assert note.count("Pay online") == 1
    await world.pay(ref)
    await world.live()
    await world.pass_minutes(40 * 24 * 60)
    for looks in (1, 0):
        await world.stripe.reset_calls()
        await world.sync("stripe.links")
        await world.settle()
        asked = [call for call in await world.stripe.calls() if "/invoices/" in call]
        assert len(asked) == looks
    assert await world.troubles() == []


@dataclass
class Meanwhile:
    """A client during whose `step` the ERP document's link is withdrawn by another job."""

    world: World
    ref: ErpRef
    client: Any
    step: str

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)

        async def call(*given: Any, **named: Any) -> Any:
            answer = await real(*given, **named)
            async with self.world.store.transaction() as tx:
                for link in await links.by_erp(tx, self.world.id, INVOICE, self.ref):
                    await links.remove(tx, self.world.id, INVOICE, link.stripe_id)
            return answer

        return call if name == self.step else real


@pytest.mark.parametrize(("side", "step"), [("stripe", "invoice"), ("acumatica", "write_note")])
async def test_an_invoice_that_is_withdrawn_while_its_payment_link_is_written_is_no_trouble(
    world: World, side: str, step: str
) -> None:
    ref = await sent(world)
    await world.change(mapping_text=mapping_with('[mirror]\nwrite_link = "note"\n'))
    if side == "stripe":
        await world.pass_minutes(58 * 24 * 60)  # its link ends soon, so a fresh one is asked for
    c = await world.connected()
    raced: Any = replace(c, **{side: Meanwhile(world, ref, getattr(c, side), step)})
    await write_back(raced, ref)
    async with world.store.transaction() as tx:
        assert await links.by_erp(tx, world.id, INVOICE, ref) == []


async def test_where_no_link_is_written_none_is_looked_after(world: World) -> None:
    await sent(world)
    await world.pass_minutes(60 * 24 * 60)
    await world.stripe.reset_calls()
    await world.sync("stripe.links")
    await world.settle()
    assert await world.stripe.calls() == {}
