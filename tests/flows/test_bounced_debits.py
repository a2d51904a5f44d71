"""Bank debits that come back days later: the payment is undone, the invoice is owed again."""

from dataclasses import replace
from typing import Any

import pytest

from build.dying import Dying
from build.policies import mapping_with
from build.troubled import stuck
from build.world import Json, World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.connected import Connected
from ml_connector.flows.questions.explain import explain

pytestmark = pytest.mark.anyio

BANK_DEBIT = "000123456789"
AGAIN = mapping_with('[mirror]\nreopened = "again"\n')


async def debited(world: World, price: str = "100.00") -> tuple[ErpRef, str]:
    """An invoice paid by bank debit and posted; it and the charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await debit(world, ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    return ref, charge


async def debit(world: World, ref: ErpRef) -> str:
    charge = await world.pay(ref, card=BANK_DEBIT)
    assert charge is not None
    await world.pass_minutes(10 * 24 * 60)  # a debit takes days until it has succeeded
    return charge


async def returned(world: World, charge: str) -> None:
    """The bank sends it back, and the sweep finds the money gone."""
    await world.stripe.tell(f"charges/{charge}/return")
    await world.live()
    await world.sync("stripe.transactions")


async def the_debit_is_undone(world: World, ref: ErpRef, owed: int = 100) -> None:
    assert await world.balance_due(ref) == owed
    found = await world.documents("Payment")
    stands = {str(one["Type"]): one["Status"] for one in found}
    assert len(found) == 2
    assert stands == {"Payment": "Voided", "Voided Payment": "Closed"}
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []
    assert await world.states() == {"verified"}
    await world.all_posted()


async def test_a_returned_debit_voids_the_payment_and_opens_the_invoice(world: World) -> None:
    ref, charge = await debited(world)
    await returned(world, charge)
    await the_debit_is_undone(world, ref)
    fee = await world.ledger("61100")
    assert fee > 0  # Stripe keeps its fee
    await world.mirror()
    found = await stuck(world, "100.00 USD again", "asks for 0.00 USD", ref.partition("|")[2])
    assert [one.cause for one in found] == [f"invoice.reopened:{ref}"]
    assert 'reopened = "again"' in found[0].remedy
    await world.change(mapping_text=AGAIN)
    await world.wait_for_cure()
    await world.deliver_again()
    await the_debit_is_undone(world, ref)


async def test_by_policy_a_buyer_whose_debit_came_back_is_asked_again_and_pays_once(
    world: World,
) -> None:
    await world.change(mapping_text=AGAIN)
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref, 3000)
    await world.live()
    (first,) = await world.stripe_invoices(ref)
    body: Json = {"invoice": first["id"], "amount": 6000, "card": BANK_DEBIT}
    charge = (await world.stripe.tell("pay", body))["charge"]
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    assert await world.balance_due(ref) == 10
    await returned(world, charge)
    await world.mirror()
    rows = await world.stripe_invoices(ref)
    left = {row["id"]: (row["status"], row["amount_remaining"]) for row in rows}
    assert left.pop(first["id"]) == ("paid", 0)
    ((number, what),) = left.items()
    assert what == ("open", 7000)
    assert await world.troubles() == []
    chain = await explain(world.store, world.id, ref)
    kinds = {link.stripe_id: link.kind for link in chain.links}
    assert (kinds[first["id"]], kinds[number]) == ("former", "invoice")
    await world.stripe.tell("pay", {"invoice": number})
    await world.live()
    await world.mirror()
    assert await world.balance_due(ref) == 0
    assert {row["amount_remaining"] for row in await world.stripe_invoices(ref)} == {0}
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_debit_that_came_back_before_we_looked_is_booked_and_undone(world: World) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    charge = await debit(world, ref)
    await world.stripe.tell(f"charges/{charge}/return")
    await world.sync("stripe.transactions")
    await world.wait_for_cure()
    await the_debit_is_undone(world, ref)


@pytest.mark.parametrize("step", ["void_payment", "release_payment", "payment"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_dies_while_undoing_leaves_the_same_books(
    world: World, step: str, moment: str
) -> None:
    ref, charge = await debited(world)
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, step, moment))
        return replace(c, acumatica=killed[0])

    world.through = through
    await returned(world, charge)
    await world.wait_for_cure()
    assert killed[0].died
    await the_debit_is_undone(world, ref)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset", "when": "before"},
        {"kind": "reset", "when": "after"},
        {"kind": "status", "when": "after", "status": 503},
    ],
)
@pytest.mark.parametrize("path", ["/VoidPayment$", "/ReleasePayment$"])
async def test_a_line_that_breaks_while_undoing_leaves_the_same_books(
    world: World, fault: Json, path: str
) -> None:
    ref, charge = await debited(world)
    await world.erp.spoil({**fault, "method": "POST", "path": path, "times": 1})
    await returned(world, charge)
    await world.wait_for_cure()
    assert await world.erp.faults() == 1
    await the_debit_is_undone(world, ref)


async def test_a_fee_that_comes_back_with_the_debit_is_a_journal(world: World) -> None:
    ref, charge = await debited(world)
    fee = await world.ledger("61100")
    row = {"type": "payment_failure_refund", "reporting_category": "charge_failure",
           "amount": -10000, "fee": -50, "currency": "usd", "source": charge}  # fmt: skip
    await world.stripe.tell("adjust", row)
    await world.sync("stripe.transactions")
    assert float(fee - await world.ledger("61100")) == 0.5
    await the_debit_is_undone(world, ref)


async def test_a_part_that_comes_back_is_named_and_waits(world: World) -> None:
    ref, charge = await debited(world)
    row = {"type": "payment_failure_refund", "reporting_category": "charge_failure",
           "amount": -4000, "currency": "usd", "source": charge}  # fmt: skip
    await world.stripe.tell("adjust", row)
    await world.sync("stripe.transactions")
    assert "40.00 USD" in (await world.trouble()).sentence
    assert await world.balance_due(ref) == 0
    await world.books_agree()


async def test_what_was_set_aside_comes_back_from_there(world: World) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    await world.stripe.tell("charge", {"amount": 4200, "currency": "usd", "card": BANK_DEBIT})
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    assert await world.ledger("24400") == -42
    charge = list(world.stripe_app.world.tables["charge"])[-1]["id"]
    await returned(world, charge)
    assert await world.ledger("24400") == 0
    await world.all_posted()
