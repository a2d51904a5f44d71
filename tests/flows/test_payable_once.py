"""Nobody can pay twice what is owed once, however long a payment of ours waits for the ledger."""

import pytest

from build.clerks import by_cheque
from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.questions.explain import replay
from ml_connector.flows.repair.foresight import Choice
from ml_connector.flows.repair.undo import begin

pytestmark = pytest.mark.anyio

BY_HAND = mapping_with(release="false")
LATER = mapping_with(post_when='"available"')


async def sent(world: World) -> ErpRef:
    """An invoice of 100.00 that its buyer has in Stripe."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    return ref


async def payable(world: World, ref: ErpRef) -> int:
    """What a buyer can still pay, in cents, over every Stripe invoice of the document."""
    rows = await world.stripe_invoices(ref)
    return sum(
        one["amount_remaining"] for one in rows if one["status"] in {"open", "uncollectible"}
    )


async def paid_besides(
    world: World, ref: ErpRef, cents: int = 10000, by: str = "pm_card_visa"
) -> None:
    """A payment outside its Stripe invoice, whose metadata names the invoice."""
    await world.stripe_api(
        "payment_intents", amount=str(cents), currency="usd", confirm="true", payment_method=by,
        **{"metadata[erp_invoice]": ref.partition("|")[2]},
    )  # fmt: skip
    await world.pass_minutes(0 if "card" in by else 10 * 24 * 60)  # a debit takes its days
    await world.live()


async def released(world: World) -> None:
    """The accountant releases every payment and batch that waits."""
    for entity, keys in (
        ("Payment", ("Type", "ReferenceNbr")), ("JournalTransaction", ("Module", "BatchNbr")),
    ):  # fmt: skip
        for one in await world.documents(entity):
            if one["Status"] == "Balanced":
                await world.enter(entity, {key: one[key] for key in keys}, release=True)


async def about(world: World, ref: ErpRef) -> list[str]:
    """What is wrong with the invoice itself."""
    return [one.sentence for one in await world.troubles() if one.resource == ref]


async def ends_level(world: World, ref: ErpRef) -> None:
    """Once all is released nothing is wrong, and nothing is owed or payable."""
    await released(world)
    await world.wait_for_cure()
    await world.mirror()
    assert await world.troubles() == []
    assert (await payable(world, ref), await world.balance_due(ref)) == (0, 0)
    await world.all_posted()


async def test_a_cheque_closes_what_a_card_payment_that_waits_for_its_release_has_left(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    ref = await sent(world)
    await world.pay(ref, 6000)
    await world.live()
    await by_cheque(world, ref, 40)
    await world.mirror()
    assert await payable(world, ref) == 0
    assert await about(world, ref) == []
    await ends_level(world, ref)


async def test_a_cheque_of_the_same_amount_is_not_taken_for_the_payment_that_waits(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    ref = await sent(world)
    await world.pay(ref, 6000)
    await world.live()
    await by_cheque(world, ref, 60)
    await world.mirror()
    assert await payable(world, ref) == 0
    (told,) = await about(world, ref)
    assert "20.00 USD more" in told


async def test_a_payment_that_was_released_meanwhile_counts_as_in_the_ledger(world: World) -> None:
    await world.change(mapping_text=BY_HAND)
    ref = await sent(world)
    await world.pay(ref, 6000)
    await world.live()
    await released(world)
    await by_cheque(world, ref, 30)
    await world.mirror()
    assert await payable(world, ref) == 1000
    assert await about(world, ref) == []
    await world.pay(ref)
    await world.live()
    await ends_level(world, ref)


async def test_a_payment_besides_the_stripe_invoice_lowers_it_though_it_is_not_released(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    ref = await sent(world)
    await paid_besides(world, ref, 7000)
    assert await payable(world, ref) == 3000
    await world.pay(ref)
    await world.live()
    assert await about(world, ref) == []
    await ends_level(world, ref)


async def test_a_payment_besides_the_stripe_invoice_lowers_it_though_its_period_is_closed(
    world: World,
) -> None:
    ref = await sent(world)
    for closed in (True, False):
        await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": closed})
        if closed:
            await paid_besides(world, ref)
            assert await payable(world, ref) == 0
            assert await world.balance_due(ref) == 100
    await ends_level(world, ref)


async def test_a_payment_besides_the_stripe_invoice_lowers_it_though_it_is_booked_later(
    world: World,
) -> None:
    await world.change(mapping_text=LATER)
    ref = await sent(world)
    await paid_besides(world, ref)
    assert await payable(world, ref) == 0
    assert await world.documents("Payment") == []
    await world.run_payouts()
    await world.live()
    await world.sync()
    await ends_level(world, ref)


async def undone(world: World) -> str:
    """A controller takes the only payment of ours back by reversing documents; its charge."""
    (paid,) = [one for one in await world.documents("Payment") if one["Type"] == "Payment"]
    charge = str(paid["PaymentRef"])
    c = await world.connected()
    await begin(c, Choice(number=charge, along=True), why="a wrong account", actor="Kim")
    await world.settle()
    return charge


async def posted_again(world: World, charge: str) -> None:
    assert await replay(world.store, world.id, charge, now=world.clock.now())
    await world.settle()


@pytest.mark.parametrize("reopened", ["ask", "again"])
async def test_the_buyer_is_not_asked_again_for_a_payment_that_a_controller_has_undone(
    world: World, reopened: str
) -> None:
    await world.change(mapping_text=mapping_with(f'[mirror]\nreopened = "{reopened}"'))
    ref = await sent(world)
    await world.pay(ref)
    await world.live()
    charge = await undone(world)
    await world.mirror()
    assert (await payable(world, ref), await world.balance_due(ref)) == (0, 100)
    assert len(await world.stripe_invoices(ref)) == 1
    assert await about(world, ref) == [], "the money is at Stripe, and the undo says what waits"
    await posted_again(world, charge)
    await ends_level(world, ref)


async def test_what_was_paid_besides_stays_off_the_stripe_invoice_while_it_is_undone(
    world: World,
) -> None:
    ref = await sent(world)
    await paid_besides(world, ref, 7000)
    charge = await undone(world)
    await world.mirror()
    assert (await payable(world, ref), await world.balance_due(ref)) == (3000, 100)
    assert await about(world, ref) == []
    await posted_again(world, charge)
    await world.pay(ref)
    await world.live()
    await ends_level(world, ref)


async def test_an_undone_payment_that_is_matched_to_another_invoice_lets_go_of_the_first(
    world: World,
) -> None:
    first, other = await sent(world), await sent(world)
    await paid_besides(world, first)
    assert await payable(world, first) == 0
    charge = await undone(world)
    (intent,) = [one["id"] for one in world.stripe_app.world.tables["payment_intent"]
                 if one["latest_charge"] == charge]  # fmt: skip
    said = {"metadata[erp_invoice]": other.partition("|")[2]}
    await world.stripe_api(f"payment_intents/{intent}", **said)
    await world.stripe_api(f"charges/{charge}", **said)
    await posted_again(world, charge)
    await world.mirror()
    assert (await world.balance_due(first), await world.balance_due(other)) == (100, 0)
    (told,) = await about(world, first)
    assert "asks for 0.00 USD only" in told, "its Stripe invoice was closed by mistake"
    await by_cheque(world, first, 100)
    await world.mirror()
    assert await about(world, first) == [], "nobody is told of a payment that was another's"
    await ends_level(world, other)


async def test_a_debit_that_bounces_after_it_was_undone_and_posted_again_claims_nothing(
    world: World,
) -> None:
    ref = await sent(world)
    await paid_besides(world, ref, by="pm_usBankAccount_success")
    charge = await undone(world)
    await posted_again(world, charge)
    await world.stripe.tell(f"charges/{charge}/return", {})
    await world.live()
    await world.sync("stripe.transactions")
    await world.mirror()
    assert await world.balance_due(ref) == 100
    assert await about(world, ref) != [], "the invoice is owed again, and that is told"
