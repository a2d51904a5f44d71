"""Payments in one currency that Stripe settles in another: both amounts stand, none is guessed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from build.clerks import credit_memo
from build.policies import mapping_with
from build.troubled import stuck
from build.world import World
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.basics.money import Money
from ml_connector.flows.questions.exchange import Converted, exchange_list, sums

pytestmark = pytest.mark.anyio

TRANSIT = """
[transit.EUR]
cash = "10670ST"
account = "10670"
counterpart = "10500"
"""
LISTED = mapping_with(TRANSIT, fx='"list"')
CLEARED = mapping_with(TRANSIT, fx='"gain_loss"', accounts={"fx_gain_loss": "83000"})
BANK_DEBIT = "000123456789"
AT_STRIPE = Decimal("108.50")
"""100.00 euros at the rate of the sandbox."""


async def an_invoice_in_euros(world: World) -> ErpRef:
    """Released and mirrored, where Stripe settles euros in dollars."""
    await world.stripe.tell("rates", {"settlement": ["usd", "jpy"]})
    customer = await world.a_customer("Schmidt", "EUR")
    ref = await world.an_invoice("100.00", customer=customer)
    await world.mirror()
    return ref


async def test_without_transit_accounts_it_is_held_and_shown(world: World) -> None:
    ref = await an_invoice_in_euros(world)
    await world.pay(ref)
    await world.live()
    trouble = await world.trouble()
    assert "100.00 EUR settled as 108.50 USD" in trouble.sentence
    assert await world.documents("Payment") == []
    await world.books_agree()
    await world.change(mapping_text=LISTED)
    await world.wait_for_cure()
    assert await world.balance_due(ref) == 0
    await world.all_posted()


async def test_the_difference_stands_between_transit_and_counterpart_until_it_is_cleared(
    world: World,
) -> None:
    await world.change(mapping_text=LISTED)
    ref = await an_invoice_in_euros(world)
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert await world.cash("10670ST") == 100
    assert await world.ledger("10500") == -AT_STRIPE
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.states() == {"verified"}
    await world.deliver_again()
    await world.all_posted()


@pytest.mark.parametrize(("mapping", "cleared"), [(LISTED, False), (CLEARED, True)])
async def test_each_conversion_is_listed_with_its_own_rate_until_the_bank_takes_it_back(
    world: World, mapping: str, cleared: bool
) -> None:
    """Paid 100.00 EUR at 1.085, then taken back: two rows that add up to nothing."""
    await world.change(mapping_text=mapping)
    ref = await an_invoice_in_euros(world)
    charge = await world.pay(ref, card=BANK_DEBIT)
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    (one,) = await exchange_list(world.store, world.id)
    assert (one.charge, str(one.paid), str(one.settled)) == (charge, "100.00 EUR", "108.50 USD")
    assert (one.rate, one.cleared) == (Decimal("1.085"), cleared)
    await world.stripe.tell(f"charges/{charge}/return")
    await world.sync("stripe.transactions")
    found = await exchange_list(world.store, world.id)
    assert [str(row.paid) for row in found] == ["100.00 EUR", "-100.00 EUR"]
    (added,) = sums(found)
    assert (added.count, added.cleared) == (2, cleared)
    assert [str(added.paid), str(added.settled)] == ["0.00 EUR", "0.00 USD"]


def test_a_rate_is_that_of_the_two_amounts_whatever_the_decimals_of_their_currencies() -> None:
    paid, settled = Money(1000, "JPY"), Money(649, "USD")
    one = Converted(StripeId("txn_1"), date(2026, 10, 5), "ch_1", paid, settled, cleared=False)
    assert one.rate == Decimal("0.00649")
    assert replace(one, paid=Money(3, "JPY")).rate == Decimal("2.16333333")


async def test_by_policy_the_transit_is_emptied_and_the_difference_is_gain_or_loss(
    world: World,
) -> None:
    await world.change(mapping_text=CLEARED)
    ref = await an_invoice_in_euros(world)
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert await world.cash("10670ST") == 0
    assert await world.ledger("83000", "EUR") == 100
    assert await world.ledger("83000") == -AT_STRIPE
    assert await world.ledger("10500") == 0
    await world.all_posted()


async def test_a_refund_in_euros_is_booked_at_what_it_took_in_dollars(world: World) -> None:
    """By a journal under any policy: a credit memo would need a rate."""
    await world.change(mapping_text=CLEARED.replace("fx =", 'refunds = "credit_memo"\nfx ='))
    ref = await an_invoice_in_euros(world)
    charge = await world.pay(ref)
    await world.live()
    await world.stripe.tell("rates", {"rates": {"eur": "1.2"}})
    await world.refund(charge, 5000)
    await world.live()
    assert await world.ledger("40900") == 60
    assert await world.documents("Credit Memo") == []
    assert await world.cash("10670ST") == 0
    await world.all_posted()


@pytest.mark.parametrize("mapping", [LISTED, CLEARED])
async def test_a_debit_in_euros_that_comes_back_leaves_nothing_in_transit(
    world: World, mapping: str
) -> None:
    await world.change(mapping_text=mapping)
    ref = await an_invoice_in_euros(world)
    charge = await world.pay(ref, card=BANK_DEBIT)
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    await world.stripe.tell(f"charges/{charge}/return")
    await world.sync("stripe.transactions")
    assert await world.balance_due(ref) == 100
    assert await world.cash("10670ST") == 0
    for account in ("10500", "83000"):
        assert await world.ledger(account) == await world.ledger(account, "EUR") == 0
    await world.all_posted()


async def a_tiny_invoice(world: World, price: str) -> ErpRef:
    """Released, in Canadian dollars that Stripe settles in US dollars."""
    await world.stripe.tell("rates", {"settlement": ["usd"]})
    customer = await world.a_customer("Maple", "CAD")
    ref = await world.an_invoice(price, customer=customer)
    await world.mirror()
    return ref


async def test_what_may_be_below_the_minimum_of_the_settlement_currency_is_not_sent(
    world: World,
) -> None:
    transit = TRANSIT.replace("EUR", "CAD").replace("10670", "10680")
    await world.change(mapping_text=mapping_with(transit))
    ref = await a_tiny_invoice(world, "0.60")
    await stuck(world, ref.partition("|")[2], "settles in another currency", "5.00 CAD")
    assert await world.stripe_invoices(ref) == []


async def test_a_debt_that_stripe_put_onto_the_customers_balance_does_not_reach_the_next_invoice(
    world: World,
) -> None:
    ref = await a_tiny_invoice(world, "0.60")
    await world.wait_for_cure(at_most=3)
    await stuck(world, ref.partition("|")[2], "0.60 CAD")
    (paid,) = world.stripe_app.world.tables["invoice"]
    assert (paid["status"], paid["amount_paid"]) == ("paid", 0)
    customer = next(
        r for r in world.stripe_app.world.tables["customer"] if r["id"] == paid["customer"]
    )
    assert customer["balance"] == 0
    after = await world.an_invoice("80.00", customer=customer["metadata"]["erp_customer"])
    await world.mirror()
    assert (await world.mirrored(after))["amount_due"] == 8000


async def test_a_rest_below_what_the_settling_currency_may_take_is_told(world: World) -> None:
    """The euro's own minimum is 0.50; that of the currency it settles in, at its rate, counts."""
    await world.change(mapping_text=LISTED)
    ref = await an_invoice_in_euros(world)
    (invoice,) = await world.documents("Invoice")
    await credit_memo(world, ref, 96, customer=str(invoice["Customer"]))
    await world.mirror()
    assert await world.balance_due(ref) == 4
    trouble = await world.trouble()
    assert trouble.cause == f"invoice.rest_below_minimum:{ref}"
    assert "4.00 EUR is left" in trouble.sentence
    assert "5.00 EUR" in trouble.sentence
