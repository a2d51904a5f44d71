"""Undo and what comes back: a first leg is not taken from under its return."""

from typing import Any

import pytest

from build.clerks import reversed_by_hand
from build.policies import mapping_with
from build.world import World
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.repair import repairs
from ml_connector.flows.repair.foresight import Choice, foresee
from ml_connector.flows.repair.undo import RefusedUndo, begin
from ml_connector.store import findings
from ml_connector.store.findings import Decision

pytestmark = pytest.mark.anyio

TEXT = SANDBOX_MAPPING.read_text("utf-8")


async def mapped(world: World, role: str, account: str, text: str = TEXT) -> None:
    """A person maps a role to another account."""
    old = next(line for line in text.splitlines() if line.startswith(f"{role} = "))
    await world.change(mapping_text=text.replace(old, f'{role} = "{account}"'))


async def paid(world: World) -> str:
    """An invoice that is paid by card and posted; its charge."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return str(charge)


async def undone(world: World, *, along: bool, **named: Any) -> None:
    """A person has it undone and posted again, and what is due is done."""
    choice = Choice(along=along, **named)
    c = await world.connected()
    await begin(c, choice, why="a wrong account", actor="Kim", repost=True)
    await world.settle()
    await world.wait_for_cure()


async def stands_alone_or_along(world: World, rests: str, *accounts: str, **named: Any) -> None:
    """Alone it is refused by the name of what rests on it; along with that, nothing is left."""
    with pytest.raises(RefusedUndo, match=f"{rests}.* rests on it"):
        await undone(world, along=False, **named)
    await nothing_stands(world, *accounts)
    await undone(world, along=True, **named)
    await nothing_stands(world, *accounts)


async def nothing_stands(world: World, *accounts: str) -> None:
    """No rest on any of them, and nothing else is wrong."""
    assert {account: await world.ledger(account) for account in accounts} == (
        dict.fromkeys(accounts, 0)
    )
    assert await world.troubles() == []
    await world.all_posted()


async def version(world: World) -> int:
    return (await world.connected()).mapping.version


async def a_failed_payout(world: World) -> tuple[str, int]:
    """Sent to 10500 by a wrong mapping and failed under the right one; it and that version."""
    await paid(world)
    await mapped(world, "bank", "10500")
    wrong = await version(world)
    (payout,) = await world.run_payouts()
    await world.live()
    assert await world.ledger("10500") > 0
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"payouts/{payout['id']}/fail")
    await world.live()
    await world.sync("stripe.transactions")
    return str(payout["id"]), wrong


async def test_a_payout_that_failed_is_undone_with_its_return_or_not_at_all(world: World) -> None:
    payout, wrong = await a_failed_payout(world)
    rests = f"payout_reversal:{payout}"
    await stands_alone_or_along(world, rests, "10200", "10500", mapping_version=wrong)


async def test_a_dispute_that_was_won_is_undone_with_what_came_back_or_not_at_all(
    world: World,
) -> None:
    charge = await paid(world)
    await mapped(world, "disputed", "10500")
    wrong = await version(world)
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"disputes/{made['id']}", {"outcome": "won"})
    await world.live()
    await stands_alone_or_along(world, "dispute:txn_", "12650", "10500", mapping_version=wrong)


async def test_a_refund_that_failed_is_undone_with_its_failure_or_not_at_all(world: World) -> None:
    charge = await paid(world)
    await mapped(world, "refunds", "81000")
    wrong = await version(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"refunds/{refund}", {"outcome": "failed"})
    await world.live()
    rests = f"refund_failure:{refund}"
    await stands_alone_or_along(world, rests, "40900", "81000", mapping_version=wrong)


async def test_money_set_aside_is_undone_with_its_refund_or_not_at_all(world: World) -> None:
    aside = mapping_with(unmatched='"suspense"')
    await mapped(world, "suspense", "24100", aside)
    made = await world.stripe.tell("charge", {"amount": 4200, "currency": "usd"})
    await world.live()
    assert await world.ledger("24100") == -42
    await world.change(mapping_text=aside)
    await world.refund(str(made["charge"]))
    await world.live()
    await stands_alone_or_along(
        world, "suspense:txn_", "24400", "24100", number=str(made["charge"])
    )


async def test_a_hold_is_undone_with_the_release_that_was_taken_off_it_or_not_at_all(
    world: World,
) -> None:
    await paid(world)
    await mapped(world, "reserve", "10500")
    wrong = await version(world)
    made = await world.stripe.tell("reserves", {"amount": 2000})
    await world.sync("stripe.transactions")
    assert await world.ledger("10500") == 20
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"reserves/{made['id']}/release")
    await world.sync("stripe.transactions")
    await stands_alone_or_along(world, "reserve:txn_", "12650", "10500", mapping_version=wrong)


async def test_what_came_back_is_undone_alone_as_nothing_rests_on_it(world: World) -> None:
    payout, _ = await a_failed_payout(world)
    found = await foresee(world.store, world.id, Choice(number=f"payout_reversal:{payout}"))
    assert found.refused == []
    await undone(world, along=False, number=f"payout_reversal:{payout}")
    await nothing_stands(world, "10200", "10500")


async def reversed_and_restored(world: World, words: str) -> None:
    """A clerk reverses the oldest journal with these words; a person has it restored."""
    journals = await world.documents("JournalTransaction")
    batches = sorted(str(one["BatchNbr"]) for one in journals if words in str(one["Description"]))
    await world.pass_minutes(1)
    await reversed_by_hand(world, batches[0])
    await world.sync("acumatica.documents")
    async with world.store.transaction() as tx:
        (finding,) = await findings.in_state(tx, world.id, Decision.OPEN)
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    await world.wait_for_cure()


async def level(world: World, *accounts: str) -> None:
    """No rest on any account, nothing waits, and the tie-out holds."""
    assert {account: await world.ledger(account) for account in accounts} == (
        dict.fromkeys(accounts, 0)
    )
    assert await world.troubles() == []
    assert await world.states() == {"verified"}
    for found in await measure(await world.connected()):
        assert found.holds
        assert not found.unposted


async def test_a_payout_is_restored_on_the_bank_account_that_its_return_was_booked_on(
    world: World,
) -> None:
    await a_failed_payout(world)
    await reversed_and_restored(world, "Stripe payout po_")
    await level(world, "10200", "10500")


async def test_disputed_money_is_restored_on_the_account_that_it_came_back_from(
    world: World,
) -> None:
    charge = await paid(world)
    await mapped(world, "disputed", "10500")
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"disputes/{made['id']}", {"outcome": "won"})
    await world.live()
    await reversed_and_restored(world, "Stripe dispute")
    await level(world, "12650", "10500")


@pytest.mark.parametrize("policy", ['"journal"', '"credit_memo"'])
async def test_a_refund_is_restored_as_the_journal_that_its_failure_took_back(
    world: World, policy: str
) -> None:
    charge = await paid(world)
    await mapped(world, "refunds", "81000")
    refund = await world.refund(charge, 2500)
    await world.live()
    await world.change(mapping_text=mapping_with(refunds=policy))
    await world.stripe.tell(f"refunds/{refund}", {"outcome": "failed"})
    await world.live()
    await reversed_and_restored(world, f"Stripe refund {refund}")
    await level(world, "40900", "81000", "11000")


async def test_money_set_aside_is_restored_on_the_account_that_it_was_given_back_from(
    world: World,
) -> None:
    aside = mapping_with(unmatched='"suspense"')
    await mapped(world, "suspense", "24100", aside)
    made = await world.stripe.tell("charge", {"amount": 4200, "currency": "usd"})
    await world.live()
    await world.change(mapping_text=aside)
    await world.refund(str(made["charge"]))
    await world.live()
    await reversed_and_restored(world, f"Stripe suspense {made['charge']}")
    await level(world, "24400", "24100")


async def test_a_hold_is_restored_on_the_account_that_its_release_was_taken_off(
    world: World,
) -> None:
    await paid(world)
    await mapped(world, "reserve", "10500")
    made = await world.stripe.tell("reserves", {"amount": 2000})
    await world.sync("stripe.transactions")
    await world.change(mapping_text=TEXT)
    await world.stripe.tell(f"reserves/{made['id']}/release")
    await world.sync("stripe.transactions")
    await reversed_and_restored(world, "Stripe reserve")
    await level(world, "12650", "10500")
