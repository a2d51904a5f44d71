"""Disputes from the first letter to the last: what moves money is booked, nothing else is."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from build.dying import Died, Dying
from build.policies import mapping_with
from build.world import Json, World
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.flows.cash.disputes import follow
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import post, propose

pytestmark = pytest.mark.anyio

DISPUTED, LOSSES, FEES = "12650", "61160", "61100"
REOPEN = mapping_with('[mirror]\nreopened = "again"\n', dispute_lost='"reopen"')


async def paid(world: World, price: str = "100.00") -> tuple[ErpRef, str]:
    """An invoice that is paid by card and posted; it and its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return ref, str(charge)


async def disputed(world: World, charge: str, **facts: object) -> str:
    """The cardholder complains; events arrive and nothing else is looked at."""
    made = await world.stripe.tell("disputes", {"charge": charge, **facts})
    await world.live()
    return str(made["id"])


async def decided(world: World, dispute: str, outcome: str) -> None:
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": outcome})
    await world.live()


async def all_is_well(world: World) -> None:
    """And stays so when everything is told and looked at once more."""
    for again in (world.live, world.deliver_again, world.sync):
        await again()
        assert await world.troubles() == []
        assert await world.cash() * 100 == await world.at_stripe()
        assert await world.states() == {"verified"}
    await world.all_posted()


async def test_an_opened_dispute_holds_the_money_as_an_asset_by_its_events_alone(
    world: World,
) -> None:
    _, charge = await paid(world)
    fees = await world.ledger(FEES)
    await disputed(world, charge)
    assert await world.ledger(DISPUTED) == 100
    assert await world.ledger(FEES) - fees == 15
    await all_is_well(world)


@pytest.mark.parametrize("fee_comes_back", [False, True])
async def test_a_won_dispute_brings_the_money_back_with_or_without_its_fee(
    world: World, fee_comes_back: bool
) -> None:
    await world.stripe.tell("switches", {"dispute_win_returns_fee": fee_comes_back})
    ref, charge = await paid(world)
    fees = await world.ledger(FEES)
    await decided(world, await disputed(world, charge), "won")
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(FEES) - fees == (0 if fee_comes_back else 15)
    assert await world.balance_due(ref) == 0
    await all_is_well(world)


async def test_the_fee_for_countering_is_an_expense_of_its_own(world: World) -> None:
    await world.stripe.tell("switches", {"countered_fee": 1500})
    _, charge = await paid(world)
    fees = await world.ledger(FEES)
    dispute = await disputed(world, charge)
    evidence = {"evidence[uncategorized_text]": "a receipt", "submit": "true"}
    await world.stripe_api(f"disputes/{dispute}", **evidence)
    await world.sync("stripe.transactions")
    assert await world.ledger(FEES) - fees == 30
    await all_is_well(world)


async def test_a_lost_dispute_is_a_loss_and_the_invoice_stays_paid(world: World) -> None:
    ref, charge = await paid(world)
    await decided(world, await disputed(world, charge), "lost")
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(LOSSES) == 100
    assert await world.balance_due(ref) == 0
    await all_is_well(world)


async def test_a_loss_that_no_event_tells_is_found_by_looking(world: World) -> None:
    dispute = await disputed(world, (await paid(world))[1])
    await world.stripe.tell("webhooks", {"never_generated": 1.0})
    await decided(world, dispute, "lost")
    assert (await world.ledger(DISPUTED), await world.ledger(LOSSES)) == (100, 0)
    await world.sync("stripe.payouts")
    assert (await world.ledger(DISPUTED), await world.ledger(LOSSES)) == (0, 100)
    await world.all_posted()


async def test_a_lost_dispute_reopens_the_invoice_where_policy_says_so(world: World) -> None:
    await world.change(mapping_text=REOPEN)
    ref, charge = await paid(world)
    await decided(world, await disputed(world, charge), "lost")
    assert await world.ledger(DISPUTED) == await world.ledger(LOSSES) == 0
    assert await world.balance_due(ref) == 100
    await all_is_well(world)
    asked = {row["status"]: row["amount_remaining"] for row in await world.stripe_invoices(ref)}
    assert asked == {"paid": 0, "open": 10000}


@pytest.mark.parametrize("partial", ["disputed", "refunded"])
async def test_a_payment_that_is_not_whole_cannot_be_reopened_and_waits(
    world: World, partial: str
) -> None:
    await world.change(mapping_text=REOPEN)
    ref, charge = await paid(world)
    part: Json = {}
    if partial == "disputed":
        part = {"amount": 3000}
    else:
        await world.refund(charge, 3000)
    await decided(world, await disputed(world, charge, **part), "lost")
    assert "cannot reopen" in (await world.trouble()).sentence
    assert await world.balance_due(ref) == 0
    await world.books_agree()
    await world.change(mapping_text=mapping_with(dispute_lost='"loss"'))
    await world.wait_for_cure()
    assert await world.ledger(LOSSES) == (30 if partial == "disputed" else 100)
    await all_is_well(world)


async def test_a_part_of_a_payment_is_disputed_and_lost(world: World) -> None:
    _, charge = await paid(world)
    await decided(world, await disputed(world, charge, amount=3000), "lost")
    assert await world.ledger(LOSSES) == 30
    assert await world.ledger(DISPUTED) == 0
    await all_is_well(world)


async def test_a_dispute_after_a_refund_is_booked_beside_it(world: World) -> None:
    _, charge = await paid(world)
    await world.refund(charge, 2500)
    await disputed(world, charge, amount=7500)
    assert await world.ledger(DISPUTED) == 75
    assert await world.ledger("40900") == 25
    await all_is_well(world)


async def test_an_inquiry_moves_nothing_until_it_becomes_a_dispute(world: World) -> None:
    _, charge = await paid(world)
    before = await world.documents("JournalTransaction")
    dispute = await disputed(world, charge, inquiry=True)
    assert await world.documents("JournalTransaction") == before
    await decided(world, dispute, "escalate")
    assert await world.ledger(DISPUTED) == 100
    await all_is_well(world)


async def test_an_inquiry_that_is_closed_has_moved_nothing(world: World) -> None:
    _, charge = await paid(world)
    before = await world.documents("JournalTransaction")
    await decided(world, await disputed(world, charge, inquiry=True), "lost")
    assert await world.documents("JournalTransaction") == before
    await all_is_well(world)


async def test_a_prevented_dispute_leaves_nothing_behind(world: World) -> None:
    _, charge = await paid(world)
    fees = await world.ledger(FEES)
    await decided(world, await disputed(world, charge), "prevented")
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(FEES) == fees
    await all_is_well(world)


async def test_a_won_dispute_that_the_bank_appeals_and_wins_is_a_loss(world: World) -> None:
    _, charge = await paid(world)
    dispute = await disputed(world, charge)
    await decided(world, dispute, "won")
    await decided(world, dispute, "appeal")
    assert await world.ledger(DISPUTED) == 100
    await decided(world, dispute, "lost")
    assert await world.ledger(DISPUTED) == 0
    assert await world.ledger(LOSSES) == 100
    await all_is_well(world)


async def test_events_that_come_late_and_backwards_make_the_same_books(world: World) -> None:
    ref, charge = await paid(world)
    made = await world.stripe.tell("disputes", {"charge": charge})
    await world.stripe.tell(f"disputes/{made['id']}", {"outcome": "lost"})
    await world.deliver(times=3, backwards=True)
    await world.settle()
    assert await world.ledger(LOSSES) == 100
    assert await world.balance_due(ref) == 0
    await all_is_well(world)


@pytest.mark.parametrize("step", ["put_journal", "release_journal", "void_payment"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_dies_while_reopening_leaves_the_same_books(
    world: World, step: str, moment: str
) -> None:
    await world.change(mapping_text=REOPEN)
    ref, charge = await paid(world)
    dispute = await disputed(world, charge)
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, step, moment))
        return replace(c, acumatica=killed[0])

    world.through = through
    await decided(world, dispute, "lost")
    await world.wait_for_cure()
    assert killed[0].died
    assert await world.balance_due(ref) == 100
    assert await world.ledger(DISPUTED) == 0
    await all_is_well(world)


async def test_a_payout_with_a_lost_dispute_inside_is_proven(world: World) -> None:
    ref, charge = await paid(world, "300.00")
    await world.change(mapping_text=REOPEN)
    await decided(world, await disputed(world, charge), "lost")
    other, _ = await paid(world, "500.00")
    (payout,) = await world.run_payouts()
    await world.live()
    await world.sync()
    assert await world.cash("10200WH") == Decimal(payout["amount"]) / 100
    assert await world.balance_due(ref) == 300
    assert await world.balance_due(other) == 0
    await all_is_well(world)


async def test_a_dispute_won_after_its_invoice_was_reopened_tells_a_person_what_to_enter(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(dispute_lost='"reopen"'))
    ref, charge = await paid(world)
    dispute = await disputed(world, charge)
    for outcome in ("lost", "appeal", "won"):
        await decided(world, dispute, outcome)
    (told,) = [one for one in await world.troubles() if one.resource == dispute]
    assert "100.00 USD" in told.remedy
    assert charge in told.remedy
    await world.books_agree()
    lines = [
        {"Account": "12650", "Subaccount": "000000", "DebitAmount": 100},
        {"Account": "10650", "Subaccount": "000000", "CreditAmount": 100},
    ]
    await world.enter("JournalTransaction", {"Hold": False, "Details": lines}, release=True)
    settles = {"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 100}
    body: Json = {
        "Type": "Payment", "CustomerID": "GOODFOOD", "PaymentMethod": "STRIPE", "Hold": False,
        "CashAccount": "10650ST", "PaymentRef": charge, "PaymentAmount": 100,
        "DocumentsToApply": [settles],
    }  # fmt: skip
    await world.enter("Payment", body, release=True)
    await world.wait_for_cure()
    assert not [one for one in await world.troubles() if one.resource == dispute]
    assert await world.ledger(DISPUTED) == 0
    assert await world.balance_due(ref) == 0
    assert await world.cash() * 100 == await world.at_stripe()


async def test_a_loss_that_was_booked_is_taken_back_whole_when_the_dispute_is_won(
    world: World,
) -> None:
    _, charge = await paid(world)
    dispute = await disputed(world, charge)
    for outcome in ("lost", "appeal", "won"):
        await decided(world, dispute, outcome)
    assert await world.ledger(LOSSES) == await world.ledger(DISPUTED) == 0
    await all_is_well(world)


async def disputed_before_our_books(world: World) -> str:
    """A payment disputed before the cut-over, whose opening position is posted; the dispute."""
    paid_then = await world.stripe_api(
        "payment_intents", amount="10000", currency="usd", confirm="true",
        payment_method="pm_card_bypassPending",
    )  # fmt: skip
    made = await world.stripe.tell("disputes", {"charge": paid_then["latest_charge"]})
    await world.pass_time(timedelta(days=1))
    await world.change(start_date=world.clock.now().date())
    c = await world.connected()
    await post(c, (await propose(c, "24400"))[0], "Kim")
    return str(made["id"])


@pytest.mark.parametrize("step", ["put_journal", "release_journal"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("of_before", [False, True])
async def test_a_loss_that_a_worker_died_over_is_taken_back_when_the_dispute_is_won_meanwhile(
    world: World, step: str, moment: str, of_before: bool
) -> None:
    if of_before:
        dispute = await disputed_before_our_books(world)
    else:
        dispute = await disputed(world, (await paid(world))[1])
    assert await world.ledger(DISPUTED) == 100
    c = await world.connected()
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "lost"})
    with pytest.raises(Died):
        await follow(replace(c, acumatica=Dying(c.acumatica, step, moment)), StripeId(dispute))
    for outcome in ("appeal", "won"):
        await world.stripe.tell(f"disputes/{dispute}", {"outcome": outcome})
    await world.live()
    await world.wait_for_cure()
    assert await world.ledger(LOSSES) == await world.ledger(DISPUTED) == 0
    await all_is_well(world)


async def test_disputed_money_that_comes_back_in_part_is_told_until_the_rest_is_there(
    world: World,
) -> None:
    _, charge = await paid(world)
    dispute = await disputed(world, charge)
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "won", "returned": 6000})
    await world.live()
    told = await world.trouble()
    assert told.cause == f"dispute.partly_back:{dispute}"
    assert f"40.00 USD stay on account {DISPUTED}" in told.sentence
    assert "Ask Stripe for the rest" in told.remedy
    assert await world.ledger(DISPUTED) == 40
    await world.books_agree()
    rest: Json = {
        "type": "adjustment", "reporting_category": "dispute_reversal", "amount": 4000,
        "source": dispute,
    }  # fmt: skip
    await world.stripe.tell("adjust", rest)
    await world.sync("stripe.transactions")
    await world.wait_for_cure()
    assert await world.ledger(DISPUTED) == 0
    await all_is_well(world)
