"""Tenants where releasing does not post: what waits in batches is named, and how to post it."""

from datetime import timedelta

import pytest

from build.clerks import a_hand_entry, bounced, reversed_by_hand
from build.world import World
from ml_connector.basics.errors import AskAPerson
from ml_connector.books.drift import Kind
from ml_connector.books.tieout import TieOut
from ml_connector.flows.promise import drift
from ml_connector.flows.promise.opening import propose
from ml_connector.flows.promise.tie_out import measure

pytestmark = pytest.mark.anyio


@pytest.fixture
async def by_hand(world: World) -> World:
    """A tenant in which somebody posts batches, now and then."""
    await world.erp.tell("switches", {"auto_post": False})
    return world


async def sold(world: World, price: str = "100.00") -> str:
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return str(charge)


async def dollars(world: World) -> TieOut:
    (found,) = [one for one in await measure(await world.connected()) if one.currency == "USD"]
    return found


async def test_what_is_released_and_not_posted_is_named_with_the_way_to_post_it(
    by_hand: World,
) -> None:
    charge = await sold(by_hand)
    assert await by_hand.states() == {"verified"}
    assert await by_hand.ledger("10650") == 0
    found = await dollars(by_hand)
    assert found.holds
    assert not found.clearing
    assert sorted(str(one.amount) for one in found.unposted) == ["-3.20 USD", "100.00 USD"]
    (payment,) = (one.reason for one in found.unposted if one.amount.minor > 0)
    assert f"for payment:{charge} is released and its batch AR" in payment
    assert "Post Transactions (GL502000)" in payment
    assert await by_hand.troubles() == []
    await by_hand.sync("tieout")
    await by_hand.pass_minutes(3)
    await by_hand.settle()
    assert await by_hand.troubles() == []

    await by_hand.erp.tell("post")
    assert await by_hand.ledger("10650") * 100 == await by_hand.at_stripe()
    await by_hand.all_posted()


async def test_only_what_waits_since_the_last_posting_is_named_through_the_months(
    by_hand: World,
) -> None:
    await by_hand.erp.tell("calendar", {"first_month": 7})
    await sold(by_hand)
    await by_hand.erp.tell("post")
    await by_hand.pass_time(timedelta(days=40))
    late = await sold(by_hand, "40.00")
    await by_hand.pass_time(timedelta(days=40))
    latest = await sold(by_hand, "70.00")
    found = await dollars(by_hand)
    assert found.holds
    reasons = " ".join(one.reason for one in found.unposted if one.amount.minor > 0)
    assert f"payment:{late}" in reasons
    assert f"payment:{latest}" in reasons
    assert len(found.unposted) == 4


async def test_a_payment_voided_while_its_batch_waits_is_named_once(by_hand: World) -> None:
    await sold(by_hand)
    (payment,) = await by_hand.documents("Payment")
    await by_hand.pass_time(timedelta(minutes=1))
    await bounced(by_hand, payment["ReferenceNbr"])
    assert (await dollars(by_hand)).holds
    await by_hand.erp.tell("post")
    found = await dollars(by_hand)
    assert found.holds
    assert ["It was voided." in one.reason for one in found.unposted] == [True]


async def test_a_reversal_of_a_journal_of_ours_that_waits_is_not_in_the_ledger_yet(
    by_hand: World,
) -> None:
    await sold(by_hand)
    await by_hand.erp.tell("post")
    journals = await by_hand.documents("JournalTransaction")
    fee = next(one for one in journals if "Stripe fee" in str(one["Description"]))
    await by_hand.pass_time(timedelta(minutes=1))
    reversal = await reversed_by_hand(by_hand, str(fee["BatchNbr"]))
    await by_hand.sync("acumatica.documents")
    found = await dollars(by_hand)
    assert found.holds, "the ledger shows the fee, and not what took it back"
    assert sorted(str(one.amount) for one in found.unposted) == ["-3.20 USD", "3.20 USD"]
    assert f"GL {reversal}" in " ".join(one.reason for one in found.unposted)
    await a_hand_entry(by_hand, "10650", "61100", "7.00")
    await by_hand.erp.tell("post")
    searched = await drift.search(await by_hand.connected(), await dollars(by_hand))
    assert not searched.unnamed
    assert "7.00 USD" in {str(one.effect) for one in searched.findings}


async def test_the_search_tells_what_waits_to_be_posted_from_what_is_wrong(by_hand: World) -> None:
    await sold(by_hand)
    await by_hand.pass_time(timedelta(days=40))
    await sold(by_hand, "40.00")
    strange = await a_hand_entry(by_hand, "10650", "61100", "7.00")
    await by_hand.erp.tell("post")
    charge = await sold(by_hand, "70.00")
    found = await dollars(by_hand)
    assert not found.holds
    assert str(found.difference) == "7.00 USD"
    searched = await drift.search(await by_hand.connected(), found)
    kinds = sorted((one.kind, str(one.effect)) for one in searched.findings)
    assert kinds == [(Kind.NOT_OURS, "7.00 USD"), (Kind.NOT_POSTED, "-70.00 USD"),
                     (Kind.NOT_POSTED, "2.33 USD")]  # fmt: skip
    assert not searched.unnamed
    told = " ".join(one.sentence for one in searched.findings)
    assert strange in told
    assert f"for payment:{charge} is released" in told


async def test_the_opening_position_waits_until_everything_on_its_accounts_is_posted(
    by_hand: World,
) -> None:
    """Else the one entry would bring in again what people have entered already."""
    await by_hand.stripe_api(
        "payment_intents", amount="20000", currency="usd", confirm="true",
        payment_method="pm_card_bypassPending",
    )  # fmt: skip
    await by_hand.pass_time(timedelta(days=1))
    await by_hand.change(start_date=by_hand.clock.now().date())
    entered = await a_hand_entry(by_hand, "10650", "24400", "50.00")
    c = await by_hand.connected()
    with pytest.raises(AskAPerson, match=f"GL {entered}") as why:
        await propose(c, "24400")
    assert "GL502000" in why.value.remedy
    await by_hand.erp.tell("post")
    (found,) = await propose(c, "24400")
    assert str(found.holds["10650"]) == "50.00 USD"
