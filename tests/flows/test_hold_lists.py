"""Hold lists of the mapping: what a person keeps waiting, named, until it is taken off again."""

import pytest

from build.clerks import by_cheque
from build.world import CUSTOMER, SANDBOX_MAPPING, World
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio


async def hold(world: World, **lists: str) -> None:
    """A person puts one thing on each list; on none, all are empty."""
    said = "".join(f'{of} = ["{one}"]\n' for of, one in lists.items())
    await world.change(mapping_text=f"{SANDBOX_MAPPING.read_text('utf-8')}\n[hold]\n{said}")
    await world.live()


async def named(world: World, of: str, one: str) -> str:
    """The sentence of what waits, which says how to set it free."""
    waits = await world.trouble()
    assert waits.cause == f"hold.{of}:{one}"
    assert f"Take {one} off {of} in the table [hold]" in waits.remedy
    return waits.sentence


def number(ref: ErpRef) -> str:
    return ref.partition("|")[2]


async def test_a_charge_on_the_list_waits_with_its_refund_and_is_booked_when_taken_off(
    world: World,
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = str(await world.pay(ref))
    await hold(world, charges=charge)
    await world.refund(charge, 3000)
    await world.live()
    await world.sync("stripe.transactions")
    waits = await world.troubles()
    assert {one.cause for one in waits} == {f"hold.charges:{charge}"}
    assert len(waits) == 2
    assert await world.documents("Payment") == []
    assert await world.ledger("40900") == 0
    await world.books_agree()
    await hold(world)
    assert await world.troubles() == []
    assert await world.ledger("40900") == 30
    await world.all_posted()


@pytest.mark.parametrize("of", ["customers", "invoices"])
async def test_a_payment_of_what_is_on_the_list_waits_and_its_invoice_is_not_levelled(
    world: World, of: str
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    one = CUSTOMER if of == "customers" else number(ref)
    await hold(world, **{of: one})
    await world.pay(ref, 4000)
    await world.live()
    assert "of 40.00 USD waits" in await named(world, of, one)
    assert await world.documents("Payment") == []
    await world.books_agree()
    await by_cheque(world, ref, 25)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_remaining"] == 6000
    await hold(world)
    await world.wait_for_cure()
    await world.mirror()
    assert (await world.mirrored(ref))["amount_remaining"] == 3500
    await world.all_posted()


async def test_a_customer_on_the_list_is_not_mirrored_nor_is_its_invoice(world: World) -> None:
    customer = await world.a_customer("Waiter", "USD")
    await hold(world, customers=customer)
    ref = await world.an_invoice("100.00", customer=customer)
    await world.mirror()
    sentences = {one.sentence for one in await world.troubles()}
    end = f"waits: {customer} is on the hold list."
    assert sentences == {f"Customer {customer} {end}", f"Invoice {number(ref)} {end}"}
    assert await world.stripe_invoices(ref) == []
    await hold(world)
    await world.wait_for_cure()
    assert (await world.mirrored(ref))["amount_due"] == 10000
    assert await world.troubles() == []
