"""Refunds as the customer's documents: a credit memo, and a refund that pays it out."""

from dataclasses import replace
from typing import Any

import pytest

from build.dying import Dying
from build.policies import mapping_with
from build.world import CUSTOMER, Json, World
from ml_connector.basics.ids import erp_ref
from ml_connector.books.plans import RECEIVABLE, entries_of
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.review.plan import plan

pytestmark = pytest.mark.anyio

REFUNDS = "40900"
BY_MEMO = mapping_with(refunds='"credit_memo"')
REFUND_FAILS = "4000000000005126"
OF_NEW_YORK = "HMBAKERY"


async def sold(world: World, card: str = "", customer: str = CUSTOMER) -> str:
    """An invoice of 100.00 that is paid and posted; the charge."""
    await world.change(mapping_text=BY_MEMO)
    ref = await world.an_invoice(customer=customer)
    await world.mirror()
    charge = await world.pay(ref, card=card)
    await world.live()
    assert await world.balance_due(ref) == 0
    return str(charge)


async def only(world: World, kind: str) -> Json:
    (document,) = await every(world, kind)
    return document


async def every(world: World, kind: str) -> list[Json]:
    """The documents of a type; a credit memo that is shown as a payment, too, counts once."""
    rows = await world.documents(kind)
    return [one for one in rows if kind != "Credit Memo" or "Customer" in one]


async def test_a_refund_is_a_memo_of_the_customer_that_is_paid_out(world: World) -> None:
    refund = await world.refund(await sold(world), 2500)
    await world.stripe.ask("settled")
    (planned,) = [one async for one in plan(await world.connected())]
    mapping = (await world.connected()).mapping
    sides = [one for made in planned.postings for one in entries_of(made, mapping)]
    assert [(one.account, str(one.amount)) for one in sides] == [
        (REFUNDS, "25.00 USD"), (RECEIVABLE, "-25.00 USD"),
        (RECEIVABLE, "25.00 USD"), ("10650", "-25.00 USD"),
    ]  # fmt: skip
    await world.live()
    memo, paid = await only(world, "Credit Memo"), await only(world, "Refund")
    assert (memo["Amount"], memo["Status"], memo["CustomerOrder"]) == (25, "Closed", refund)
    assert (paid["PaymentAmount"], paid["Status"], paid["PaymentRef"]) == (25, "Closed", refund)
    assert memo["Customer"] == paid["CustomerID"] == "GOODFOOD"
    assert await world.ledger(REFUNDS) == 25
    assert await world.cash() * 100 == await world.at_stripe()
    await world.deliver_again()
    await world.run_payouts()
    await world.live()
    assert len(await every(world, "Credit Memo")) == len(await every(world, "Refund")) == 1
    await world.all_posted()
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_payment(await erp.void_payment(erp_ref("Refund", str(paid["ReferenceNbr"]))))
    named = [item for one in await measure(await world.connected()) for item in one.unposted]
    (reason,) = [f"{one.amount}: {one.reason}" for one in named]
    assert reason.startswith(f"-25.00 USD: Refund {paid['ReferenceNbr']} (refund_paid:{refund})")
    assert reason.endswith("was changed in Acumatica after it was posted. It was voided.")
    await world.books_agree()


async def test_the_site_may_name_refunds_otherwise_and_take_the_memo_only_later(
    world: World,
) -> None:
    charge = await sold(world)
    await world.erp.tell("switches", {"refund_label": "Customer Refund", "apply_on_create": False})
    await world.refund(charge, 2500)
    await world.live()
    assert (await only(world, "Customer Refund"))["Status"] == "Closed"
    assert (await only(world, "Credit Memo"))["Status"] == "Closed"
    await world.all_posted()


@pytest.mark.parametrize("step", ["put_memo", "put_refund"])
async def test_a_worker_that_dies_between_memo_and_refund_leaves_one_of_each(
    world: World, step: str
) -> None:
    charge = await sold(world)
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, step, "after"))
        return replace(c, acumatica=killed[0])

    world.through = through
    await world.refund(charge, 2500)
    await world.live()
    await world.wait_for_cure()
    assert killed[0].died
    assert (await only(world, "Credit Memo"))["Status"] == "Closed"
    assert (await only(world, "Refund"))["Status"] == "Closed"
    assert await world.ledger(REFUNDS) == 25
    await world.all_posted()


async def test_a_refund_that_fails_later_leaves_the_memo_open_to_the_customer(
    world: World,
) -> None:
    await world.refund(await sold(world, REFUND_FAILS), 2500)
    await world.live()
    assert (await only(world, "Refund"))["Status"] == "Voided"
    memo = await only(world, "Credit Memo")
    assert (memo["Status"], memo["Balance"]) == ("Open", 25)
    assert await world.ledger(REFUNDS) == 25
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()


async def test_a_refund_that_overtakes_its_payment_waits_for_it(world: World) -> None:
    await world.change(mapping_text=BY_MEMO)
    ref = await world.an_invoice()
    await world.mirror()
    refund = await world.refund(await world.pay(ref), 2500)
    fault = {"kind": "status", "status": 503, "when": "before", "method": "PUT"}
    await world.erp.spoil({**fault, "path": "/Payment$", "times": 1})
    await world.live()
    assert await every(world, "Credit Memo") == []
    await world.wait_for_cure()
    assert (await only(world, "Credit Memo"))["CustomerOrder"] == refund
    await world.all_posted()


async def test_a_refund_of_nobodys_payment_comes_out_of_suspense(world: World) -> None:
    await world.change(
        mapping_text=BY_MEMO.replace(
            'refunds = "credit', 'unmatched = "suspense"\nrefunds = "credit'
        )
    )
    made = {"amount": "4200", "currency": "usd", "confirm": "true"}
    paid = await world.stripe_api("payment_intents", payment_method="pm_card_visa", **made)
    await world.live()
    await world.refund(paid["latest_charge"])
    await world.live()
    assert await every(world, "Credit Memo") == []
    assert await world.ledger(REFUNDS) == await world.ledger("24400") == 0
    await world.all_posted()


async def test_a_memo_that_acumatica_taxes_is_not_released_and_the_remedy_cures_it(
    world: World,
) -> None:
    await world.erp.tell("switches", {"default_tax_category": "TAXABLE"})
    charge = await sold(world, customer=OF_NEW_YORK)
    await world.refund(charge, 2500)
    await world.live()
    trouble = await world.trouble()
    assert "not of 25.00 USD; it is not released" in trouble.sentence
    memo = await only(world, "Credit Memo")
    assert (memo["Status"], memo["Amount"] > 25) == ("Balanced", True)
    await world.books_agree()
    exempt = {"LineNbr": 1, "TaxCategory": "EXEMPT"}
    keys = {"Type": "Credit Memo", "ReferenceNbr": memo["ReferenceNbr"]}
    await world.enter("Invoice", keys | {"Details": [exempt]})
    await world.change(mapping_text=f'refunds_tax_category = "EXEMPT"\n{BY_MEMO}')
    await world.wait_for_cure()
    await world.refund(charge, 1000)
    await world.live()
    assert [one["Status"] for one in await every(world, "Credit Memo")] == ["Closed"] * 2
    assert await world.ledger(REFUNDS) == 35
    await world.all_posted()
