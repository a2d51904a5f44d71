"""Payments that others had a hand in: a check beside the card, Acumatica's own plug-in, a hold."""

from datetime import timedelta
from decimal import Decimal

import pytest

from build.clerks import by_cheque, by_plug_in
from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.mirror.acknowledge import NothingPaidTwice, acknowledge
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.explain import explain
from ml_connector.flows.repair.repairs import restore
from ml_connector.flows.signals import Kind
from ml_connector.store import findings
from ml_connector.store.findings import Decision

pytestmark = pytest.mark.anyio


async def paid_outside(world: World, cents: int, **facts: str) -> str:
    """A payment by card outside invoicing, made through Stripe's API; its charge."""
    made = await world.stripe_api(
        "payment_intents", amount=str(cents), currency="usd", confirm="true",
        payment_method="pm_card_visa", **facts,
    )  # fmt: skip
    return str(made["latest_charge"])


@pytest.mark.parametrize("check", [100, 60])
async def test_money_on_an_invoice_that_a_check_has_paid_stands_on_account_and_is_told(
    world: World, check: int
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref)
    await by_cheque(world, ref, check)
    await world.live()
    (payment,) = [p for p in await world.documents("Payment") if p["PaymentMethod"] == "STRIPE"]
    assert payment["AvailableBalance"] == check
    assert await world.balance_due(ref) == 0
    trouble = await world.trouble()
    assert trouble.kind == Kind.INVOICE
    assert f"{check}.00 USD more than Acumatica" in trouble.sentence
    await world.run_payouts()
    await world.live()
    await world.all_posted()
    noted = await acknowledge(await world.connected(), ref, "a controller")
    assert str(noted) == f"{check}.00 USD"
    await world.pass_time(timedelta(hours=2))
    await world.settle()
    assert await world.troubles() == []
    with pytest.raises(NothingPaidTwice):
        await acknowledge(await world.connected(), ref, "a controller")


async def test_a_check_between_creating_and_releasing_leaves_the_card_payment_on_account(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(release="false"))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref)
    await world.live()
    await by_cheque(world, ref, 100)
    await world.change(mapping_text=mapping_with(release="true"))
    await world.pass_minutes(5)
    await world.settle()
    assert [one.kind for one in await world.troubles()] == [Kind.INVOICE]
    assert await world.states() == {"verified"}
    await world.all_posted()


async def test_a_charge_that_the_plug_in_booked_is_carried_by_its_payment(world: World) -> None:
    charge = await paid_outside(world, 4200)
    number = await by_plug_in(world, charge, "42.00")
    await world.live()
    assert len(await world.documents("Payment")) == 1
    found = await explain(world.store, world.id, charge)
    assert number in {one.erp_number for one in found.postings}
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.states() == {"verified"}
    assert await world.troubles() == []
    await world.all_posted()
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_payment(await erp.void_payment(ErpRef(f"Payment|{number}")))
    await world.books_agree()
    async with world.store.transaction() as tx:
        (finding,) = await findings.in_state(tx, world.id, Decision.OPEN)
    assert (finding.grade, str(finding.missing)) == ("breaks_tie_out", "42.00 USD")
    await restore(await world.connected(), finding.id, actor="Kim")
    await world.books_agree()
    await world.settle()
    await by_plug_in(world, charge, "42.00")
    await world.wait_for_cure()
    await world.all_posted()
    assert await world.cash() * 100 == await world.at_stripe()


async def test_a_plug_ins_payment_of_another_amount_is_told_and_counts_once_it_is_right(
    world: World,
) -> None:
    charge = await paid_outside(world, 4200)
    number = await by_plug_in(world, charge, "41.00")
    await world.live()
    trouble = await world.trouble()
    assert number in trouble.sentence
    assert "41.00 USD, not 42.00 USD" in trouble.sentence
    erp = (await world.connected()).acumatica
    await erp.release_payment(await erp.void_payment(f"Payment|{number}"))  # type: ignore[arg-type]
    await by_plug_in(world, charge, "42.00")
    await world.wait_for_cure()
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_held_charge_waits_and_then_stands_on_the_customer_that_is_named(
    world: World,
) -> None:
    charge = await paid_outside(world, 4200, **{"metadata[erp_hold]": "true"})
    await world.live()
    assert "held by its metadata" in (await world.trouble()).sentence
    (found,) = [one for one in await measure(await world.connected()) if one.unposted]
    assert "held by its metadata" in found.unposted[0].reason
    released = {"metadata[erp_hold]": "", "metadata[erp_customer]": CUSTOMER}
    await world.stripe_api(f"charges/{charge}", **released)
    await world.wait_for_cure()
    (payment,) = await world.documents("Payment")
    assert (payment["CustomerID"], payment["AvailableBalance"]) == (CUSTOMER, 42)
    await world.all_posted()


async def test_a_bank_debit_is_booked_when_it_has_succeeded_and_not_before(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    world.stripe_app.world.schedule.rescale(1000)  # a debit takes days, as in life
    charge = await world.pay(ref, card="000123456789")
    await world.look_at_charge(charge)
    await world.sync("stripe.transactions")
    assert await world.documents("Payment") == []
    await world.books_agree()
    await world.pass_minutes(10 * 24 * 60)
    world.stripe_app.world.schedule.rescale(0)
    await world.live()
    assert await world.balance_due(ref) == 0
    await world.all_posted()


async def test_a_plug_in_that_booked_our_invoices_charge_is_found_when_we_are_refused(
    world: World,
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = str(await world.pay(ref))
    settles = {"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 100}
    number = await by_plug_in(world, charge, "100.00", DocumentsToApply=[settles])
    await world.live()
    await world.wait_for_cure()
    (payment,) = await world.documents("Payment")
    assert payment["ReferenceNbr"] == number
    found = await explain(world.store, world.id, charge)
    assert number in {one.erp_number for one in found.postings}
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_plug_in_that_books_the_charge_while_ours_waits_for_its_release_is_told(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(release="false"))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = str(await world.pay(ref))
    await world.live()
    settles = {"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 100}
    await by_plug_in(world, charge, "100.00", DocumentsToApply=[settles])
    await world.change(mapping_text=mapping_with(release="true"))
    await world.pass_minutes(5)
    await world.settle()
    (trouble,) = [one for one in await world.troubles() if one.kind == Kind.CHARGE]
    assert "is not released: delete one of the two" in trouble.sentence
    assert await world.cash() == 100


async def test_a_fee_that_rides_on_a_plug_ins_payment_is_not_booked_again(world: World) -> None:
    charge = await paid_outside(world, 4200)
    fee = {"EntryTypeID": "STRIPEFEE", "Amount": Decimal("1.52")}
    await by_plug_in(world, charge, "42.00", Charges=[fee])
    await world.live()
    assert await world.ledger("61100") == Decimal("1.52")
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []
    await world.run_payouts()
    await world.live()
    await world.all_posted()


async def test_charges_on_a_plug_ins_payment_that_are_not_the_fee_are_a_persons(
    world: World,
) -> None:
    charge = await paid_outside(world, 4200)
    fee = {"EntryTypeID": "STRIPEFEE", "Amount": Decimal("1.00")}
    await by_plug_in(world, charge, "42.00", Charges=[fee])
    await world.live()
    assert "Its charges are 1.00 USD, not the fee of 1.52 USD" in (await world.trouble()).sentence
    assert await world.ledger("61100") == 1
