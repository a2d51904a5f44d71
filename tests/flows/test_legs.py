"""The mapping changes while money is away; what comes back leaves nothing on the old accounts."""

import asyncio

import pytest

from build.planning import a_plan, apply, set_modes
from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import StripeId
from ml_connector.books.postings import Journal
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.cash.movements import account_for
from ml_connector.flows.review.plan import plan
from ml_connector.flows.rows import document
from ml_connector.store import postings

pytestmark = pytest.mark.anyio

BEFORE = SANDBOX_MAPPING.read_text("utf-8")
OLD, NEW = "12650", "10500"
"""Accounts of the sandbox's chart: where a role was mapped, and where it is from now on."""


async def mapped_anew(world: World, **accounts: str) -> None:
    """A person maps roles to other accounts."""
    text = BEFORE
    for role, account in accounts.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{role} = "))
        text = text.replace(old, f'{role} = "{account}"')
    await world.change(mapping_text=text)


async def paid(world: World, price: str = "100.00") -> str:
    """An invoice that is paid by card and posted; its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return str(charge)


async def nothing_stands(world: World, *accounts: str, currency: str = "USD") -> None:
    """No rest on any of them, and nothing else is wrong."""
    assert {account: await world.ledger(account, currency) for account in accounts} == (
        dict.fromkeys(accounts, 0)
    )
    assert await world.troubles() == []
    await world.all_posted()


async def disputed(world: World, charge: str) -> str:
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    assert await world.ledger(OLD) == 100
    return str(made["id"])


async def decided(world: World, dispute: str, outcome: str) -> None:
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": outcome})
    await world.live()


@pytest.mark.parametrize("outcome", ["won", "prevented"])
async def test_a_dispute_that_is_won_leaves_nothing_on_the_account_it_was_taken_to(
    world: World, outcome: str
) -> None:
    dispute = await disputed(world, await paid(world))
    await mapped_anew(world, disputed=NEW)
    await decided(world, dispute, outcome)
    await nothing_stands(world, OLD, NEW)


async def test_a_dispute_that_is_lost_is_written_off_from_the_account_it_was_taken_to(
    world: World,
) -> None:
    dispute = await disputed(world, await paid(world))
    await mapped_anew(world, disputed=NEW, chargeback_loss="81000")
    await decided(world, dispute, "lost")
    assert await world.ledger("81000") == 100
    await nothing_stands(world, OLD, NEW)
    await mapped_anew(world, disputed="12660", chargeback_loss="83000")
    for outcome in ("appeal", "won"):
        await decided(world, dispute, outcome)
    await nothing_stands(world, OLD, NEW, "12660", "81000", "83000", "61160")


async def test_a_lost_dispute_that_reopens_its_invoice_empties_the_account_it_was_taken_to(
    world: World,
) -> None:
    dispute = await disputed(world, await paid(world))
    again = mapping_with('[mirror]\nreopened = "again"\n', dispute_lost='"reopen"')
    await world.change(mapping_text=again.replace('disputed = "12650"', f'disputed = "{NEW}"'))
    await decided(world, dispute, "lost")
    await nothing_stands(world, OLD, NEW)


async def test_a_refund_that_fails_late_goes_back_to_the_account_it_was_booked_on(
    world: World,
) -> None:
    charge = await paid(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    assert await world.ledger("40900") == 25
    await mapped_anew(world, refunds="81000")
    await world.stripe.tell(f"refunds/{refund}", {"outcome": "failed"})
    await world.live()
    await nothing_stands(world, "40900", "81000")


async def test_a_payout_that_fails_comes_back_from_the_bank_account_it_was_sent_to(
    world: World,
) -> None:
    await paid(world)
    (payout,) = await world.run_payouts()
    await world.live()
    sent = await world.ledger("10200")
    assert sent * 100 == payout["amount"]
    await world.change(mapping_text=BEFORE.replace('bank = "10200"', 'bank = "10500"'))
    await world.stripe.tell(f"payouts/{payout['id']}/fail")
    await world.live()
    await world.sync("stripe.transactions")
    await nothing_stands(world, "10200", "10500")


async def test_a_reserve_that_is_set_free_leaves_the_accounts_it_was_held_on(
    world: World,
) -> None:
    """Two holds under two mappings; both are released under a third one."""
    await paid(world)
    holds: list[str] = []
    for account in (OLD, NEW):
        await mapped_anew(world, reserve=account)
        made = await world.stripe.tell("reserves", {"amount": 2000})
        holds.append(str(made["id"]))
        await world.sync("stripe.transactions")
        assert await world.ledger(account) == 20
    await mapped_anew(world, reserve="12660")
    for hold in holds:
        await world.stripe.tell(f"reserves/{hold}/release")
        await world.sync("stripe.transactions")
    await nothing_stands(world, OLD, NEW, "12660")


async def two_holds(world: World) -> list[str]:
    """20.00 is held on the old account and 20.00 on the new one; their ids."""
    await paid(world)
    holds: list[str] = []
    for account in (OLD, NEW):
        await mapped_anew(world, reserve=account)
        made = await world.stripe.tell("reserves", {"amount": 2000})
        holds.append(str(made["id"]))
        await world.sync("stripe.transactions")
    return holds


async def test_two_releases_that_wait_for_approval_are_not_taken_off_the_same_hold(
    world: World,
) -> None:
    holds = await two_holds(world)
    await set_modes(world, other="approve")
    for hold in holds:
        await world.stripe.tell(f"reserves/{hold}/release")
    await world.sync("stripe.transactions")
    async with world.store.transaction() as tx:
        papers = [document(row) for row in await postings.before_release(tx, world.id)]
    assert {one.lines[0].account for one in papers if isinstance(one, Journal)} == {OLD, NEW}
    await apply(world, await a_plan(world))
    await world.wait_for_cure()
    await nothing_stands(world, OLD, NEW)


async def test_two_workers_do_not_take_two_releases_off_the_same_hold(world: World) -> None:
    for hold in await two_holds(world):
        await world.stripe.tell(f"reserves/{hold}/release")
    rows = world.stripe_app.world.tables["balance_transaction"]
    released = [StripeId(row["id"]) for row in rows if row["type"] == "reserve_release"]
    c = await world.connected()
    await asyncio.gather(*(account_for(c, one) for one in released))
    await nothing_stands(world, OLD, NEW)


async def test_money_set_aside_is_given_back_from_the_account_it_was_set_aside_on(
    world: World,
) -> None:
    aside = mapping_with(unmatched='"suspense"')
    await world.change(mapping_text=aside)
    made = await world.stripe.tell("charge", {"amount": 4200, "currency": "usd"})
    await world.live()
    assert await world.ledger("24400") == -42
    await world.change(mapping_text=aside.replace('suspense = "24400"', 'suspense = "24100"'))
    await world.refund(str(made["charge"]))
    await world.live()
    await nothing_stands(world, "24400", "24100")


TRANSIT = '[transit.EUR]\ncash = "10670ST"\naccount = "10670"\ncounterpart = "10500"\n'
LISTED = mapping_with(TRANSIT, fx='"list"', accounts={"fx_gain_loss": "83000"})
CLEARED = LISTED.replace('fx = "list"', 'fx = "gain_loss"')


@pytest.mark.parametrize(("then", "now"), [(LISTED, CLEARED), (CLEARED, LISTED)])
async def test_a_debit_in_euros_that_bounces_is_converted_back_as_its_payment_was(
    world: World, then: str, now: str
) -> None:
    await world.change(mapping_text=then)
    await world.stripe.tell("rates", {"settlement": ["usd", "jpy"]})
    customer = await world.a_customer("Schmidt", "EUR")
    ref = await world.an_invoice("100.00", customer=customer)
    await world.mirror()
    charge = str(await world.pay(ref, card="000123456789"))
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    await world.change(mapping_text=now)
    await world.stripe.tell(f"charges/{charge}/return")
    await world.sync("stripe.transactions")
    assert await world.balance_due(ref) == 100
    for currency in ("EUR", "USD"):
        await nothing_stands(world, "10670", "10500", "83000", currency=currency)


async def test_the_dry_run_shows_the_accounts_that_are_posted(world: World) -> None:
    dispute = await disputed(world, await paid(world))
    await mapped_anew(world, disputed=NEW)
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "won"})
    (planned,) = [one async for one in plan(await world.connected())]
    (posting,) = planned.postings
    assert isinstance(posting.document, Journal)
    assert posting.document.effect_on(OLD) == -planned.transaction.amount
    await world.live()
    await nothing_stands(world, OLD, NEW)
