"""A worker that dies, and a line that breaks, at every arrow: the same books, nothing twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from build.dying import Dying
from build.world import Json, World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.connected import Connected

pytestmark = pytest.mark.anyio

Side = Literal["stripe", "acumatica"]

STEPS: list[tuple[Side, str]] = [
    ("acumatica", "put_payment"),
    ("acumatica", "release_payment"),
    ("acumatica", "payment"),
    ("acumatica", "put_journal"),
    ("acumatica", "release_journal"),
    ("acumatica", "journal"),
    ("stripe", "create_customer"),
    ("stripe", "create_invoice"),
    ("stripe", "add_lines"),
    ("stripe", "finalize_invoice"),
    ("stripe", "charge"),
]

WRITES: list[tuple[Side, str, str]] = [
    ("acumatica", "PUT", "/Payment$"),
    ("acumatica", "POST", "/ReleasePayment$"),
    ("acumatica", "PUT", "/JournalTransaction$"),
    ("acumatica", "POST", "/ReleaseJournalTransaction$"),
    ("stripe", "POST", "/v1/customers$"),
    ("stripe", "POST", "/v1/invoices$"),
    ("stripe", "POST", "/add_lines$"),
    ("stripe", "POST", "/finalize$"),
]

EVERYWHERE: list[Json] = [
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "cut"},
    {"kind": "status", "when": "after", "status": 503},
    {"kind": "status", "when": "after", "status": 500},
    {"kind": "status", "when": "after", "status": 200, "body": "<html>sign in</html>"},
]
"""What may happen after the other side has acted is tried at every write."""
IN_TURN: list[Json] = [
    {"kind": "status", "when": "before", "status": 503},
    {"kind": "status", "when": "before", "status": 500},
    {"kind": "status", "when": "before", "status": 429, "body": ""},
    {"kind": "redirect", "when": "before"},
    {"kind": "delay", "seconds": 0.05},
]
"""What certainly did nothing, or only took its time, is tried at one write after the other."""


async def sale_by(world: World, name: str, cents: int) -> tuple[ErpRef, str | None]:
    """A new customer buys and pays, whatever goes wrong meanwhile; the invoice and the charge."""
    customer = await world.a_customer(name, "USD")
    ref = await world.an_invoice(f"{cents / 100:.2f}", customer=customer)
    await world.mirror()
    await world.wait_for_cure()
    charge = await world.pay(ref)
    await world.live()
    await world.wait_for_cure()
    return ref, charge


async def nothing_twice(world: World, sales: list[ErpRef]) -> None:
    """Each sale has one live Stripe invoice, paid; one customer; one payment and one fee."""
    for ref in sales:
        assert len(await world.stripe_invoices(ref)) == 1
        assert (await world.mirrored(ref))["status"] == "paid"
        assert await world.balance_due(ref) == 0
    assert await world.troubles() == []
    assert len(await world.documents("Payment")) == len(sales)
    journals = await world.documents("JournalTransaction")
    assert len([one for one in journals if one["Module"] == "GL"]) == len(sales)
    named = [row["metadata"]["erp_customer"] for row in world.stripe_app.world.tables["customer"]]
    assert len(named) == len(set(named)) == len(sales) + 4  # those whom the tenant starts with
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()


@pytest.mark.parametrize(("side", "step"), STEPS)
async def test_a_worker_that_dies_at_a_step_leaves_the_same_books(
    world: World, side: Side, step: str
) -> None:
    sales: list[ErpRef] = []
    for cents, moment in ((1000, "before"), (2000, "after")):
        killed: list[Dying] = []

        def through(c: Connected, moment: str = moment, killed: list[Dying] = killed) -> Any:
            if not killed:
                killed.append(Dying(getattr(c, side), step, moment))
            return replace(c, **{side: killed[0]})

        world.through = through
        sales.append((await sale_by(world, moment, cents))[0])
        assert killed[0].died
        await world.live()
        await world.wait_for_cure()
    await nothing_twice(world, sales)


@pytest.mark.parametrize(("side", "method", "path"), WRITES)
async def test_a_write_that_fails_in_any_way_leaves_the_same_books(
    world: World, side: Side, method: str, path: str
) -> None:
    sandbox = world.stripe if side == "stripe" else world.erp
    await world.mirror()
    sales: list[ErpRef] = []
    its_turn = IN_TURN[WRITES.index((side, method, path)) % len(IN_TURN)]
    for number, trouble in enumerate([*EVERYWHERE, its_turn], start=1):
        await sandbox.spoil({**trouble, "method": method, "path": path, "times": 1})
        sales.append((await sale_by(world, f"Buyer{number}", 1000 + number))[0])
        assert await sandbox.faults() == 1, trouble
        await sandbox.mend()
    await nothing_twice(world, sales)


async def test_stripes_memory_of_its_own_failure_does_not_stop_an_invoice_for_a_day(
    world: World,
) -> None:
    await world.mirror()
    sales: list[ErpRef] = []
    for number, switch in enumerate(("fail_before_commit", "fail_after_commit", "lock_timeouts")):
        ref = await world.an_invoice(f"{10 + number}.00")
        await world.stripe.tell("switches", {switch: 2})
        await world.mirror()
        await world.wait_for_cure()
        sales.append(ref)
    for ref in sales:
        assert (await world.mirrored(ref))["status"] == "open"
        assert len(await world.stripe_invoices(ref)) == 1
    assert await world.troubles() == []


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_dies_at_withdrawing_an_invoice_sends_one_good_one_later(
    world: World, moment: str
) -> None:
    await world.mirror()
    customer = next(
        row for row in world.stripe_app.world.tables["customer"]
        if row["metadata"].get("erp_customer") == "GOODFOOD"
    )  # fmt: skip
    path = f"customers/{customer['id']}/balance_transactions"
    await world.stripe_api(path, amount="-500", currency="usd")
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.stripe, "void_invoice", moment))
        return replace(c, stripe=killed[0])

    world.through = through
    ref = await world.an_invoice()
    await world.mirror()
    assert killed[0].died
    if customer["balance"]:
        await world.stripe_api(path, amount=str(-customer["balance"]), currency="usd")
    await world.wait_for_cure()
    assert await world.troubles() == []
    sent = await world.mirrored(ref)
    assert (sent["status"], sent["amount_due"]) == ("open", 10000)
    assert {one["status"] for one in await world.stripe_invoices(ref)} == {"open", "void"}


async def test_a_draft_that_somebody_deletes_meanwhile_is_made_anew(world: World) -> None:
    await world.mirror()
    fault = {"kind": "status", "status": 503, "path": "/add_lines$"}
    await world.stripe.spoil(fault)
    ref = await world.an_invoice()
    await world.mirror()
    (draft,) = await world.stripe_invoices(ref)
    assert draft["status"] == "draft"
    await world.stripe.delete(f"/v1/invoices/{draft['id']}", world.new.secrets.stripe_key)
    await world.stripe.mend()
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert (await world.mirrored(ref))["amount_due"] == 10000


async def test_nothing_is_sent_again_before_the_quiet_time_is_over(world: World) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    await world.pay(ref)
    fault = {"kind": "reset", "when": "before", "method": "PUT", "path": "/Payment$", "times": 1}
    await world.erp.spoil(fault)
    await world.live()
    await world.erp.reset_calls()
    for _ in range(9):
        await world.pass_time(timedelta(seconds=60))
        await world.settle()
    assert not any(route.startswith("PUT") for route in await world.erp.calls())
    await world.pass_time(timedelta(seconds=61))
    await world.settle()
    assert len(await world.documents("Payment")) == 1
    await world.all_posted()


async def test_a_document_that_stands_twice_stops_the_posting_and_is_named(world: World) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    charge = await world.pay(ref)
    fault = {"kind": "reset", "when": "before", "method": "PUT", "path": "/Payment$", "times": 1}
    await world.erp.spoil(fault)
    await world.live()
    by_hand = {
        "Type": "Payment", "CustomerID": "GOODFOOD", "PaymentMethod": "STRIPE",
        "CashAccount": "10650ST", "PaymentRef": charge, "PaymentAmount": 100, "Hold": False,
    }  # fmt: skip
    made = [await world.enter("Payment", by_hand) for _ in range(2)]
    await world.wait_for_cure(at_most=3)
    trouble = await world.trouble()
    assert all(one["ReferenceNbr"] in trouble.sentence for one in made)
    assert len(await world.documents("Payment")) == 2
