"""Money that comes back at another exchange rate: the difference is gain or loss, nothing stays."""

from decimal import Decimal

import pytest

from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.questions.exchange import exchange_list, sums
from ml_connector.store import reports

pytestmark = pytest.mark.anyio

TRANSIT = """
[transit.EUR]
cash = "10670ST"
account = "10670"
counterpart = "10500"
"""
GAIN_LOSS, DISPUTED, LOSSES, COUNTERPART = "83000", "12650", "61160", "10500"
UNMAPPED = mapping_with(TRANSIT, fx='"list"')
LISTED = mapping_with(TRANSIT, fx='"list"', accounts={"fx_gain_loss": GAIN_LOSS})
CLEARED = mapping_with(TRANSIT, fx='"gain_loss"', accounts={"fx_gain_loss": GAIN_LOSS})
BANK_DEBIT = "000123456789"


async def paid_in_euros(world: World, mapping: str, card: str = "") -> tuple[ErpRef, str]:
    """100.00 EUR that settle as 108.50 USD; what comes back is converted at its own day's rate."""
    await world.change(mapping_text=mapping)
    await world.stripe.tell("switches", {"returns_at_todays_rate": True})
    await world.stripe.tell("rates", {"settlement": ["usd", "jpy"]})
    customer = await world.a_customer("Schmidt", "EUR")
    ref = await world.an_invoice("100.00", customer=customer)
    await world.mirror()
    charge = str(await world.pay(ref, card=card))
    if card:
        await world.pass_minutes(10 * 24 * 60)
    await world.live()
    return ref, charge


async def the_euro_is(world: World, dollars: str) -> None:
    await world.stripe.tell("rates", {"rates": {"eur": dollars}})


async def disputed(world: World, charge: str) -> str:
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    return str(made["id"])


async def decided(world: World, dispute: str, outcome: str) -> None:
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": outcome})
    await world.live()


async def asked_for(world: World) -> list[str]:
    """The disputes that are looked at again every day."""
    async with world.store.transaction() as tx:
        return list(await reports.open_disputes(tx, world.id))


@pytest.mark.parametrize(("rate", "lost"), [("1.06", "2.50"), ("1.12", "-3.50")])
@pytest.mark.parametrize("outcome", ["won", "prevented"])
async def test_a_dispute_that_is_won_at_another_rate_leaves_no_rest_and_is_asked_for_no_more(
    world: World, rate: str, lost: str, outcome: str
) -> None:
    _, charge = await paid_in_euros(world, LISTED)
    dispute = await disputed(world, charge)
    assert await world.ledger(DISPUTED) == Decimal("108.50")
    await the_euro_is(world, rate)
    await decided(world, dispute, outcome)
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(GAIN_LOSS) == Decimal(lost)
    assert await asked_for(world) == []
    for again in (world.deliver_again, world.sync):
        await again()
    assert await world.ledger(GAIN_LOSS) == Decimal(lost)
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_difference_without_an_account_is_asked_for_once_and_then_booked(
    world: World,
) -> None:
    _, charge = await paid_in_euros(world, UNMAPPED)
    dispute = await disputed(world, charge)
    await the_euro_is(world, "1.06")
    await decided(world, dispute, "won")
    told = await world.trouble()
    assert "another exchange rate than it went at, and differs by 2.50 USD" in told.sentence
    assert "'fx_gain_loss'" in told.sentence
    assert await world.ledger(DISPUTED) == Decimal("2.50")
    assert await asked_for(world) == [dispute]
    await world.all_posted()
    await world.change(mapping_text=LISTED)
    await world.wait_for_cure()
    assert await world.ledger(DISPUTED) == 0
    assert await world.troubles() == []
    assert await asked_for(world) == []
    await world.all_posted()


async def test_a_dispute_that_was_won_at_another_rate_and_then_lost_is_a_loss_of_what_was_away(
    world: World,
) -> None:
    """108.50 away, 106.00 back, 106.00 away again: 2.50 are exchange difference, 106.00 a loss."""
    _, charge = await paid_in_euros(world, LISTED)
    dispute = await disputed(world, charge)
    await the_euro_is(world, "1.06")
    for outcome in ("won", "appeal"):
        await decided(world, dispute, outcome)
    assert await world.ledger(DISPUTED) == 106
    assert await asked_for(world) == [dispute]
    await decided(world, dispute, "lost")
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(GAIN_LOSS) == Decimal("2.50")
    assert await world.ledger(LOSSES) == 106
    assert await asked_for(world) == []
    await world.all_posted()


async def test_a_loss_that_is_won_after_all_at_another_rate_leaves_the_difference_alone(
    world: World,
) -> None:
    _, charge = await paid_in_euros(world, LISTED)
    dispute = await disputed(world, charge)
    await decided(world, dispute, "lost")
    assert await world.ledger(LOSSES) == Decimal("108.50")
    await the_euro_is(world, "1.06")
    for outcome in ("appeal", "won"):
        await decided(world, dispute, outcome)
    assert await world.ledger(LOSSES) == await world.ledger(DISPUTED) == 0
    assert await world.ledger(GAIN_LOSS) == Decimal("2.50")
    assert await world.troubles() == []
    await world.all_posted()


@pytest.mark.parametrize("mapping", [LISTED, CLEARED])
@pytest.mark.parametrize(("rate", "lost"), [("1.12", "3.50"), ("1.06", "-2.50")])
async def test_a_debit_that_bounces_at_another_rate_is_undone_and_the_difference_is_booked(
    world: World, mapping: str, rate: str, lost: str
) -> None:
    """Under either policy what is left is on gain and loss, and nothing waits for a person."""
    ref, charge = await paid_in_euros(world, mapping, BANK_DEBIT)
    await the_euro_is(world, rate)
    await world.stripe.tell(f"charges/{charge}/return")
    await world.sync("stripe.transactions")
    assert await world.balance_due(ref) == 100
    assert await world.cash("10670ST") == 0
    assert await world.ledger(COUNTERPART) == 0
    assert await world.ledger(GAIN_LOSS) == Decimal(lost)
    assert await world.ledger(GAIN_LOSS, "EUR") == 0
    assert await world.troubles() == []
    await world.all_posted()
    (added,) = sums(await exchange_list(world.store, world.id))
    left = "0.00 USD" if mapping == LISTED else f"{-Decimal(lost)} USD"
    assert (str(added.paid), str(added.settled)) == ("0.00 EUR", left)
