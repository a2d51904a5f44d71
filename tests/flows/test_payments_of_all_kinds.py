"""Currencies, parts, declines, refunds, disputes: what buyers and banks do, in the books."""

from decimal import Decimal

import pytest

from build.world import World

pytestmark = pytest.mark.anyio

DECLINED = "4000000000000002"
REFUND_FAILS_LATER = "4000000000005126"
REFUND_PENDING = "4000000000007726"


async def paid(world: World, price: str = "100.00", card: str = "") -> str:
    """An invoice that is paid and posted; its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref, card=card)
    await world.live()
    assert charge is not None
    return charge


async def test_a_sale_in_yen_is_booked_in_whole_yen_on_the_accounts_for_yen(world: World) -> None:
    customer = await world.a_customer("Tanaka", "JPY")
    ref = await world.an_invoice("12000", "345", customer=customer)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_due"] == 12345
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert await world.cash("10660ST") == await world.at_stripe("jpy")
    assert await world.cash("10650ST") == 0
    await world.all_posted()


async def test_an_invoice_paid_in_two_parts_gets_two_payments_and_is_then_closed(
    world: World,
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref, 3000)
    await world.live()
    assert await world.balance_due(ref) == 70
    await world.mirror()
    await world.pay(ref, 7000)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert (await world.mirrored(ref))["status"] == "paid"
    amounts = [Decimal(str(one["PaymentAmount"])) for one in await world.documents("Payment")]
    assert sorted(amounts) == [30, 70]
    await world.mirror()
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_declined_card_books_nothing_and_the_next_card_pays(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    assert await world.pay(ref, card=DECLINED) is None
    await world.live()
    assert await world.documents("Payment") == []
    assert await world.troubles() == []
    await world.pay(ref)
    await world.live()
    assert len(await world.documents("Payment")) == 1
    await world.all_posted()


@pytest.mark.parametrize(("amount", "back"), [(2500, Decimal(25)), (None, Decimal(100))])
async def test_a_refund_is_a_journal_against_refunds(
    world: World, amount: int | None, back: Decimal
) -> None:
    charge = await paid(world)
    await world.refund(charge, amount)
    await world.live()
    assert await world.ledger("40900") == back
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()


async def test_two_refunds_of_one_payment_are_two_journals(world: World) -> None:
    charge = await paid(world)
    await world.refund(charge, 1000)
    await world.refund(charge, 2000)
    await world.live()
    assert await world.ledger("40900") == 30
    await world.all_posted()


async def test_a_refund_that_fails_later_is_taken_back_by_its_reverse(world: World) -> None:
    charge = await paid(world, card=REFUND_FAILS_LATER)
    await world.refund(charge, 4000)
    await world.live()
    await world.live()
    assert await world.ledger("40900") == 0
    journals = [one for one in await world.documents("JournalTransaction") if one["Module"] == "GL"]
    assert len(journals) == 3  # the fee, the refund, its reverse
    await world.all_posted()


async def test_a_pending_refund_moves_no_money_until_it_succeeds(world: World) -> None:
    world.stripe_app.world.schedule.rescale(1000)
    charge = await paid_slowly(world)
    refund = await world.refund(charge, 4000)
    await world.live()
    assert await world.ledger("40900") == 0
    await world.stripe.tell(f"refunds/{refund}", {"outcome": "succeeded"})
    await world.live()
    assert await world.ledger("40900") == 40
    await world.all_posted()


async def paid_slowly(world: World) -> str:
    """As `paid`, where Stripe books nothing until the clock moves."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref, card=REFUND_PENDING)
    await world.pass_minutes(1)
    await world.live()
    assert charge is not None
    return charge


async def test_a_payment_that_stripe_has_not_booked_yet_is_booked_when_it_has(
    world: World,
) -> None:
    world.stripe_app.world.schedule.rescale(1000)
    ref = await world.an_invoice()
    await world.mirror()
    charge = await world.pay(ref)
    await world.look_at_charge(charge)
    assert await world.documents("Payment") == []
    await world.pass_minutes(1)
    await world.live()
    await world.wait_for_cure()
    assert len(await world.documents("Payment")) == 1
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_dispute_holds_the_money_as_an_asset_and_winning_brings_it_back(
    world: World,
) -> None:
    charge = await paid(world)
    dispute = await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    await world.sync("stripe.transactions")
    assert await world.ledger("12650") == 100
    await world.books_agree()
    await world.stripe.tell(f"disputes/{dispute['id']}", {"outcome": "won"})
    await world.live()
    await world.sync("stripe.transactions")
    assert await world.ledger("12650") == 0
    await world.all_posted()


async def test_a_payment_outside_invoicing_waits_for_a_person_and_is_named(world: World) -> None:
    answer = await world.stripe.tell("charge", {"amount": 4200, "currency": "usd"})
    await world.live()
    trouble = await world.trouble()
    assert str(answer["charge"]) in trouble.sentence
    assert trouble.remedy
    assert trouble.money is not None
    assert await world.documents("Payment") == []
    await world.books_agree()
