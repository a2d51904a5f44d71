"""What a controller expects of anything that is wrong: a sentence, a remedy, and a way on."""

from build.world import World
from ml_connector.basics.ids import ErpRef
from ml_connector.store.troubles import Trouble


async def stuck(world: World, *named: str) -> list[Trouble]:
    """The open troubles; each has a remedy, and one at least names everything asked for."""
    found = await world.troubles()
    assert found
    for one in found:
        assert one.sentence.endswith(".") or one.sentence.endswith(")"), one
        assert one.remedy, one
    assert any(all(word in one.sentence for word in named) for one in found), found
    return found


async def cured(world: World, ref: ErpRef, *, paid: bool = True) -> None:
    """Time passes, nobody does anything, and all is well."""
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert len([r for r in await world.stripe_invoices(ref) if r["status"] != "void"]) == 1
    if paid:
        assert await world.balance_due(ref) == 0
    await world.all_posted()


async def sold(world: World, price: str = "100.00") -> ErpRef:
    """A mirrored invoice that is paid at Stripe and not posted yet."""
    ref = await world.an_invoice(price)
    await world.mirror()
    await world.pay(ref)
    return ref
