"""What people do in Stripe itself to a mirrored invoice or customer: levelled, or told."""

import pytest

from build.clerks import by_cheque, credit_memo
from build.troubled import cured, stuck
from build.world import World
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio


async def sent(world: World) -> tuple[ErpRef, str]:
    """A mirrored invoice, and its id at Stripe."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.live()
    return ref, str((await world.mirrored(ref))["id"])


def twins(world: World, customer: str = "GOODFOOD") -> list[str]:
    """The living Stripe customers of an ERP customer."""
    rows = world.stripe_app.world.tables["customer"]
    alive = [row for row in rows if not row.get("deleted")]
    return [str(row["id"]) for row in alive if row["metadata"].get("erp_customer") == customer]


async def nothing_was_booked(world: World) -> None:
    assert await world.documents("Payment") == []
    await world.all_posted()


async def test_an_invoice_voided_in_stripe_is_told_until_it_is_cancelled_in_the_erp(
    world: World,
) -> None:
    ref, there = await sent(world)
    await world.stripe_api(f"invoices/{there}/void")
    await world.live()
    await stuck(world, ref.partition("|")[2], "100.00 USD", "voided in Stripe")
    await nothing_was_booked(world)
    await credit_memo(world, ref, 100)
    await world.wait_for_cure()
    assert await world.troubles() == []


async def test_an_invoice_marked_as_paid_in_stripe_is_told_and_never_booked_as_cash(
    world: World,
) -> None:
    ref, there = await sent(world)
    await world.stripe_api(f"invoices/{there}/pay", paid_out_of_band="true")
    await world.live()
    await stuck(world, ref.partition("|")[2], "100.00 USD")
    await nothing_was_booked(world)
    await by_cheque(world, ref, 100)
    await world.wait_for_cure()
    assert await world.troubles() == []


async def test_an_invoice_given_up_in_stripe_is_closed_there_when_the_erp_writes_it_off(
    world: World,
) -> None:
    ref, there = await sent(world)
    await world.stripe_api(f"invoices/{there}/mark_uncollectible")
    await world.live()
    await stuck(world, ref.partition("|")[2], "uncollectible")
    await credit_memo(world, ref, 100)
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert [one["status"] for one in await world.stripe_invoices(ref)] == ["void"]


async def test_a_credit_note_written_in_stripe_alone_is_told(world: World) -> None:
    ref, there = await sent(world)
    await world.stripe_api("credit_notes", invoice=there, amount="2500")
    await world.live()
    await stuck(world, "100.00 USD", "75.00 USD", ref.partition("|")[2])
    await credit_memo(world, ref, 25)
    await world.wait_for_cure()
    assert await world.troubles() == []
    await world.pay(ref)
    await world.live()
    await cured(world, ref)


async def test_a_credit_note_that_a_person_takes_back_is_given_again(world: World) -> None:
    ref, _ = await sent(world)
    await by_cheque(world, ref, 60)
    await world.mirror()
    note = next(iter(world.stripe_app.world.tables["credit_note"]))
    await world.live()
    await world.stripe_api(f"credit_notes/{note['id']}/void")
    assert (await world.mirrored(ref))["amount_remaining"] == 10000
    await world.live()
    assert (await world.mirrored(ref))["amount_remaining"] == 4000
    assert await world.troubles() == []


async def test_a_payment_in_stripe_is_no_news_to_the_mirror(world: World) -> None:
    ref, _ = await sent(world)
    await world.erp.tell("calls/reset")
    await world.pay(ref)
    await world.live()
    await cured(world, ref)
    calls = (await world.erp.ask("calls"))["calls"]
    assert not [call for call in calls if "/Invoice" in call]
    assert any("/Payment" in call for call in calls)


async def test_a_deleted_stripe_customer_is_made_anew_and_the_next_invoice_goes_to_it(
    world: World,
) -> None:
    await world.mirror()
    (gone,) = twins(world)
    await world.stripe.delete(f"/v1/customers/{gone}", world.new.secrets.stripe_key)
    await world.live()
    (made,) = twins(world)
    assert made != gone
    await world.an_invoice()
    await world.mirror()
    assert [one["customer"] for one in world.stripe_app.world.tables["invoice"]] == [made]
    assert await world.troubles() == []


async def test_a_deleted_customer_whose_event_got_lost_is_found_by_its_next_invoice(
    world: World,
) -> None:
    await world.mirror()
    (gone,) = twins(world)
    await world.stripe.delete(f"/v1/customers/{gone}", world.new.secrets.stripe_key)
    await world.an_invoice()
    await world.mirror()
    await world.wait_for_cure()
    (made,) = twins(world)
    assert [one["customer"] for one in world.stripe_app.world.tables["invoice"]] == [made]
    assert await world.troubles() == []


async def test_invoices_that_people_make_in_stripe_are_left_alone(world: World) -> None:
    await world.mirror()
    (customer,) = twins(world)
    made = await world.stripe_api("invoices", customer=customer, collection_method="send_invoice",
                                  days_until_due="30")  # fmt: skip
    await world.stripe_api("invoiceitems", customer=customer, invoice=made["id"], amount="500",
                           currency="usd")  # fmt: skip
    await world.stripe_api(f"invoices/{made['id']}/finalize")
    await world.stripe_api(f"invoices/{made['id']}/void")
    await world.live()
    assert await world.troubles() == []
    await nothing_was_booked(world)
