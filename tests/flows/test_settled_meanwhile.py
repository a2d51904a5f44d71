"""A payment that names an invoice which somebody else has settled meanwhile: a person is told."""

import pytest

from build.clerks import by_cheque
from build.policies import mapping_with
from build.troubled import stuck
from build.world import CUSTOMER, World
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio

SUSPENSE = "24400"


async def sent(world: World) -> ErpRef:
    """An invoice of 100.00 that its buyer has in Stripe."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    return ref


async def paid_naming(world: World, ref: ErpRef, **facts: str) -> str:
    """A payment of 100.00 by card outside its Stripe invoice, whose metadata names the invoice."""
    made = await world.stripe_api(
        "payment_intents", amount="10000", currency="usd", confirm="true",
        payment_method="pm_card_visa", **{"metadata[erp_invoice]": ref.partition("|")[2]}, **facts,
    )  # fmt: skip
    await world.live()
    return str(made["latest_charge"])


@pytest.mark.parametrize("known", [True, False])
async def test_money_for_an_invoice_that_a_cheque_has_closed_waits_and_is_listed(
    world: World, *, known: bool
) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 100)
    if known:
        await world.mirror()
    await paid_naming(world, ref)
    await world.mirror()
    await stuck(world, "100.00 USD", ref.partition("|")[2], "nothing is owed")
    assert [one["PaymentMethod"] for one in await world.documents("Payment")] == ["CHECK"]
    await world.books_agree()


@pytest.mark.parametrize("known", [True, False])
async def test_the_policy_decides_where_money_for_a_closed_invoice_goes(
    world: World, *, known: bool
) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    ref = await sent(world)
    await by_cheque(world, ref, 100)
    if known:
        await world.mirror()
    await paid_naming(world, ref)
    await world.mirror()
    assert await world.ledger(SUSPENSE) == -100
    assert await world.troubles() == []
    await world.all_posted()


async def test_who_names_its_customer_has_decided_that_it_stands_on_account(world: World) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 100)
    await paid_naming(world, ref, **{"metadata[erp_customer]": CUSTOMER})
    await world.mirror()
    (payment,) = [p for p in await world.documents("Payment") if p["PaymentMethod"] != "CHECK"]
    assert payment["AvailableBalance"] == 100
    assert await world.troubles() == []
    await world.all_posted()


@pytest.mark.parametrize("known", [True, False])
async def test_what_a_named_invoice_did_not_owe_any_more_is_told(
    world: World, *, known: bool
) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 30)
    if known:
        await world.mirror()
    charge = await paid_naming(world, ref)
    await world.mirror()
    found = await stuck(world, "30.00 USD more", ref.partition("|")[2])
    assert [one.cause for one in found] == [f"invoice.paid_twice:{ref}"]
    assert (await world.mirrored(ref))["amount_remaining"] == 0
    await world.refund(charge, 3000)
    await world.live()
    await world.wait_for_cure()
    assert await world.troubles() == []
    await world.all_posted()
