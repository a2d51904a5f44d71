"""Undo: what was posted is taken back by documents, waits by name, and is posted again."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from build.dying import Dying
from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.flows.connected import Connected
from ml_connector.flows.questions.explain import replay
from ml_connector.flows.repair.foresight import Choice, NothingToUndo, foresee
from ml_connector.flows.repair.undo import RefusedUndo, begin
from ml_connector.store import audit, payouts

pytestmark = pytest.mark.anyio

ACCOUNTS = ("10650", "61100", "40900", "11000", "10200")


async def paid(world: World, price: str = "100.00") -> tuple[ErpRef, str]:
    """An invoice that is paid by card and posted; it and its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return ref, str(charge)


async def balances(world: World) -> dict[str, Decimal]:
    rows = (await world.erp.ask("ledger"))["rows"]
    sums: dict[str, Decimal] = {}
    for row in rows:
        name = f"{row['account']} {row['currency']}"
        sums[name] = sums.get(name, Decimal(0)) + Decimal(str(row["balance"]))
    return {name: amount for name, amount in sums.items() if amount}


async def undone(world: World, number: str, **facts: Any) -> None:
    """A person has it undone, and what is due is done."""
    choice = Choice(number=number, along=bool(facts.pop("along", False)))
    await begin(await world.connected(), choice, why="a wrong mapping", actor="Kim", **facts)
    await world.books_agree()
    await world.settle()
    await world.books_agree()


async def post_again(world: World, number: str) -> None:
    assert await replay(world.store, world.id, number, now=world.clock.now())
    await world.settle()


async def trail(world: World, subject: str) -> list[str]:
    async with world.store.transaction() as tx:
        return [one.action for one in await audit.show(tx, world.id, subject)]


async def proven(world: World, payout: str) -> bool:
    async with world.store.transaction() as tx:
        row = await payouts.get(tx, world.id, StripeId(payout))
    return row is not None and row.proven_at is not None


async def test_a_payout_undone_and_posted_again_leaves_the_ledger_of_a_single_posting(
    world: World,
) -> None:
    ref, charge = await paid(world)
    await world.refund(charge, 2500)
    await world.live()
    (payout,) = await world.run_payouts()
    await world.live()
    once = await balances(world)
    assert await proven(world, payout["id"])

    found = await foresee(world.store, world.id, Choice(number=payout["id"]))
    assert found.refused == []
    assert found.unproven == [payout["id"]]
    first, *_, last = [item.stands.purpose for item in found.items]
    assert (first, last) == ("payout", "payment")
    assert found.effects["61100", "USD"].minor < 0
    assert await balances(world) == once

    await undone(world, payout["id"])
    assert await world.cash() == 0
    assert await world.balance_due(ref) == 100
    assert not await proven(world, payout["id"])
    waiting = [row.reason for row in await world.transactions()]
    assert waiting == ["It was undone: a wrong mapping"] * 3
    await world.deliver_again()
    assert await world.cash() == 0

    await post_again(world, payout["id"])
    await world.wait_for_cure()
    await world.all_posted()
    assert await balances(world) == once
    assert await world.balance_due(ref) == 0
    assert await proven(world, payout["id"])
    assert await world.states() == {"verified"}
    assert await world.troubles() == []
    for key in (f"payment:{charge}", f"undo:payment:{charge}", f"payment:{charge}~2"):
        assert (await trail(world, key))[-1] == "posting"
    proofs = [one for one in await trail(world, payout["id"]) if "proof" in one or "proven" in one]
    assert proofs == ["payout proven", "payout proof lost", "payout proven"]
    with pytest.raises(NothingToUndo):
        await foresee(world.store, world.id, Choice(number="ch_of_nobody"))


async def test_a_payment_is_not_undone_under_its_refund_and_dispute_but_along_with_them(
    world: World,
) -> None:
    _, charge = await paid(world)
    await world.refund(charge, 2500)
    await world.stripe.tell("disputes", {"charge": charge, "amount": 7500})
    await world.live()
    once = await balances(world)
    with pytest.raises(RefusedUndo, match=r"dispute:txn_.* refund:re_.* rests on it"):
        await undone(world, charge)
    assert await balances(world) == once
    await undone(world, charge, along=True, repost=True)
    await world.wait_for_cure()
    assert await balances(world) == once
    await world.all_posted()
    edition_two = f"payment:{charge}~2"
    assert "posting" in await trail(world, edition_two)


@pytest.mark.parametrize(
    ("step", "moment"),
    [("void_payment", "after"), ("put_journal", "after")],
)
async def test_a_worker_that_dies_while_undoing_undoes_everything_once(
    world: World, step: str, moment: str
) -> None:
    ref, charge = await paid(world)
    once = await balances(world)
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, step, moment))
        return replace(c, acumatica=killed[0])

    world.through = through
    await undone(world, charge, repost=True)
    await world.wait_for_cure()
    assert killed[0].died
    assert await balances(world) == once
    assert await world.balance_due(ref) == 0
    assert len(await world.documents("Payment")) == 3  # the first, its voiding, and the second
    await world.all_posted()


async def test_a_voiding_that_acumatica_puts_on_hold_is_taken_off_and_released(
    world: World,
) -> None:
    await world.erp.tell("switches", {"void_status": "On Hold"})
    ref, charge = await paid(world)
    await undone(world, charge)
    assert await world.balance_due(ref) == 100
    assert await world.cash() == 0
    assert await world.troubles() == []


async def test_a_payout_takes_the_journal_of_its_fees_along_and_each_fee_is_posted_once(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(fees='"payout"'))
    _, charge = await paid(world)
    await paid(world, "55.55")
    (payout,) = await world.run_payouts()
    await world.live()
    once, journal = await balances(world), f"fees_of_payout:{payout['id']}"
    assert await proven(world, payout["id"])
    with pytest.raises(RefusedUndo, match=f"undo {journal}"):
        await undone(world, charge)
    assert await balances(world) == once

    await undone(world, payout["id"])
    assert await world.cash() == await world.ledger("61100") == 0
    assert (await trail(world, f"undo:{journal}"))[-1] == "posting"
    await world.deliver_again()
    assert await world.cash() == await world.ledger("61100") == 0
    await post_again(world, payout["id"])
    await world.wait_for_cure()
    await world.all_posted()
    assert await balances(world) == once
    assert await proven(world, payout["id"])
    assert await world.troubles() == []
