"""A sale, from the released invoice to the ledger: each call and each cent counted."""

from decimal import Decimal

import pytest

from build.world import World
from ml_connector.flows.promise.tie_out import measure

pytestmark = pytest.mark.anyio

CALLS_OF_AN_INVOICE = {
    "POST /v1/invoices": 1,
    "POST /v1/invoices/{invoice}/add_lines": 1,
    "POST /v1/invoices/{invoice}/finalize": 1,
}


def to_entity(calls: dict[str, int], entity: str) -> int:
    """How many calls went to one entity's form."""
    return sum(count for route, count in calls.items() if f"/{entity}" in route)


@pytest.mark.parametrize("lines", [1, 40, 250])
async def test_an_invoice_costs_three_stripe_calls_whatever_the_number_of_its_lines(
    world: World, lines: int
) -> None:
    await world.mirror()
    await world.stripe.reset_calls()
    ref = await world.an_invoice(*["19.99"] * lines)
    await world.mirror()
    assert await world.stripe.calls() == CALLS_OF_AN_INVOICE
    sent = await world.mirrored(ref)
    assert sent["status"] == "open"
    total = lines * Decimal("19.99")
    assert Decimal(sent["amount_due"]) / 100 == await world.balance_due(ref) == total
    assert await world.troubles() == []


async def test_a_payment_is_booked_applied_released_and_read_back(world: World) -> None:
    ref = await world.an_invoice("100.00", "23.45")
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    (payment,) = await world.documents("Payment")
    assert (payment["PaymentRef"], payment["Status"]) == (charge, "Closed")
    assert Decimal(str(payment["PaymentAmount"])) == Decimal("123.45")
    assert await world.states() == {"verified"}
    await world.all_posted()


async def test_the_fee_is_an_expense_and_clearing_equals_the_balance_at_stripe(
    world: World,
) -> None:
    ref = await world.an_invoice("123.45")
    await world.mirror()
    await world.pay(ref)
    await world.live()
    fee = Decimal(12345 - await world.at_stripe()) / 100
    assert fee > 0
    assert await world.ledger("61100") == fee
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()


async def test_a_payment_costs_four_erp_calls_its_fee_four_and_stripe_one(world: World) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    await world.pay(ref)
    await world.erp.reset_calls()
    await world.stripe.reset_calls()
    await world.live()
    calls = await world.erp.calls()
    assert (to_entity(calls, "Payment"), to_entity(calls, "JournalTransaction")) == (4, 4)
    assert sum(calls.values()) == 8
    assert await world.stripe.calls() == {"GET /v1/charges/{charge}": 1}


async def test_looking_again_at_what_is_done_costs_nothing_and_changes_nothing(
    world: World,
) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    await world.pay(ref)
    await world.live()
    before = await world.documents("Payment"), await world.documents("JournalTransaction")
    await world.stripe.reset_calls()
    await world.deliver_again()
    await world.mirror()
    calls = await world.stripe.calls()
    assert {route for route in calls if route.startswith("POST")} == set()
    assert before == (await world.documents("Payment"), await world.documents("JournalTransaction"))


async def test_money_that_stripe_moved_and_nobody_has_posted_is_named_in_the_tie_out(
    world: World,
) -> None:
    ref = await world.an_invoice("50.00")
    await world.mirror()
    charge = await world.pay(ref)
    await world.erp.spoil({"kind": "status", "status": 503, "method": "PUT", "path": "/Payment"})
    await world.live()
    await world.erp.mend()
    (found,) = [one for one in await measure(await world.connected()) if one.currency == "USD"]
    assert found.holds
    assert [one.amount.minor for one in found.unposted] == [await world.at_stripe()]
    (transaction,) = await world.transactions()
    assert transaction.source == charge
    assert transaction.reason


async def test_a_draft_and_a_credit_memo_and_an_older_invoice_are_not_mirrored(
    world: World,
) -> None:
    before_the_start = (world.new.start_date.replace(day=1)).replace(month=9)
    draft = await world.an_invoice(release=False)
    memo = await world.an_invoice(Type="Credit Memo")
    old = await world.an_invoice(Date=before_the_start)
    await world.mirror()
    for ref in (draft, memo, old):
        assert await world.stripe_invoices(ref) == []
    assert await world.troubles() == []
