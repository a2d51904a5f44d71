"""A sent invoice follows the ERP's: nobody is asked for what is settled elsewhere already."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from build.clerks import bounced, by_cheque, credit_memo
from build.dying import Dying
from build.troubled import stuck
from build.world import World
from ml_connector.basics.errors import TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.connected import Connected

pytestmark = pytest.mark.anyio
PAYABLE = frozenset({"open", "uncollectible"})


async def sent(world: World, price: str = "100.00") -> ErpRef:
    ref = await world.an_invoice(price)
    await world.mirror()
    return ref


async def asked(world: World, ref: ErpRef) -> int:
    """What a buyer can still pay, in cents, over every Stripe invoice of the document."""
    rows = await world.stripe_invoices(ref)
    return sum(
        row["amount_remaining"] for row in rows if row["status"] in {"open", "uncollectible"}
    )


async def notes(world: World) -> int:
    return len(list(world.stripe_app.world.tables["credit_note"]))


async def level(world: World) -> None:
    """Nothing is wrong, and looking again changes nothing."""
    before = (await notes(world), len(list(world.stripe_app.world.tables["invoice"])))
    await world.live()
    await world.mirror()
    await world.sync()
    assert await world.troubles() == []
    assert (await notes(world), len(list(world.stripe_app.world.tables["invoice"]))) == before
    await world.all_posted()


async def test_a_part_paid_by_cheque_is_taken_off_what_the_buyer_is_asked_for(
    world: World,
) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 60)
    await world.mirror()
    assert await asked(world, ref) == 4000
    await level(world)
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert await world.at_stripe() > 0
    await level(world)
    assert await notes(world) == 1


async def test_an_invoice_closed_by_cheque_is_marked_as_paid_elsewhere(world: World) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 100)
    await world.mirror()
    assert (await world.mirrored(ref))["status"] == "paid"
    assert await asked(world, ref) == 0
    await level(world)
    assert await world.at_stripe() == 0
    payments = await world.documents("Payment")
    assert [one["PaymentMethod"] for one in payments] == ["CHECK"]


async def test_two_cheques_one_after_the_other_are_two_credits(world: World) -> None:
    ref = await sent(world)
    for left in (7000, 4000):
        await by_cheque(world, ref, 30)
        await world.mirror()
        assert await asked(world, ref) == left
    await level(world)
    await by_cheque(world, ref, 40)
    await world.mirror()
    assert await asked(world, ref) == 0
    await level(world)


async def test_a_credit_memo_for_a_part_is_a_credit_note(world: World) -> None:
    ref = await sent(world)
    await credit_memo(world, ref, 25)
    await world.mirror()
    assert await asked(world, ref) == 7500
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    await level(world)


async def test_a_cancelled_invoice_is_voided(world: World) -> None:
    ref = await sent(world)
    await credit_memo(world, ref, 100)
    await world.mirror()
    assert [one["status"] for one in await world.stripe_invoices(ref)] == ["void"]
    await level(world)


async def test_a_cancelled_invoice_that_is_partly_paid_is_credited(world: World) -> None:
    ref = await sent(world)
    await world.pay(ref, 3000)
    await world.live()
    await credit_memo(world, ref, 70)
    await world.mirror()
    assert (await world.mirrored(ref))["status"] == "paid"
    assert await asked(world, ref) == 0
    await level(world)


async def test_a_cheque_beside_a_part_payment_that_is_not_posted_yet(world: World) -> None:
    ref = await sent(world)
    await world.pay(ref, 3000)
    await by_cheque(world, ref, 50)
    await world.mirror()
    assert await asked(world, ref) == 2000
    await world.live()
    await level(world)
    assert await world.balance_due(ref) == 20


async def test_an_invoice_paid_on_both_sides_names_what_to_give_back(world: World) -> None:
    ref = await sent(world)
    await world.pay(ref)
    await by_cheque(world, ref, 60)
    await world.mirror()
    found = await stuck(world, "60.00 USD", ref.partition("|")[2])
    assert any("Refund 60.00 USD" in one.remedy for one in found)
    assert await asked(world, ref) == 0


async def test_a_cheque_that_bounces_is_told_because_stripe_cannot_ask_again(
    world: World,
) -> None:
    ref = await sent(world)
    cheque = await by_cheque(world, ref, 60)
    await world.mirror()
    await bounced(world, cheque)
    await world.mirror()
    await stuck(world, "100.00 USD", "40.00 USD", ref.partition("|")[2])
    assert await asked(world, ref) == 4000
    await by_cheque(world, ref, 60)
    await world.wait_for_cure()
    assert await world.troubles() == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("step", "memo", "amount"),
    [("credit_note", False, 60), ("pay_out_of_band", False, 100), ("void_invoice", True, 100)],
)
async def test_a_worker_that_dies_at_levelling_levels_once(
    world: World, step: str, moment: str, memo: bool, amount: int
) -> None:
    ref = await sent(world)
    await (credit_memo if memo else by_cheque)(world, ref, amount)
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.stripe, step, moment))
        return replace(c, stripe=killed[0])

    world.through = through
    await world.mirror()
    assert killed[0].died
    await world.live()
    await world.wait_for_cure()
    assert await asked(world, ref) == 10000 - 100 * amount
    assert await notes(world) == (1 if step == "credit_note" else 0)
    await level(world)


@pytest.mark.parametrize("kind", ["reset", "cut", "status"])
async def test_a_credit_without_an_answer_is_given_once(world: World, kind: str) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 30)
    spoilt: dict[str, Any] = {"kind": kind, "method": "POST", "path": "/credit_notes$", "times": 1}
    if kind != "cut":
        spoilt["when"] = "after"
    if kind == "status":
        spoilt["status"] = 500
    await world.stripe.spoil(spoilt)
    await world.mirror()
    await world.wait_for_cure()
    await world.stripe.mend()
    assert await asked(world, ref) == 7000
    assert await notes(world) == 1
    await level(world)


async def test_a_buyer_who_pays_while_it_is_levelled_is_never_asked_twice(world: World) -> None:
    ref = await sent(world)
    await by_cheque(world, ref, 60)
    raced: list[str] = []

    class Racing:
        def __init__(self, client: Any) -> None:
            self.client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

        async def credit_note(self, *given: Any, **named: Any) -> Any:
            if not raced:
                raced.append(str(await world.pay(ref)))
            return await self.client.credit_note(*given, **named)

    def through(c: Connected) -> Any:
        stripe: Any = Racing(c.stripe)
        return replace(c, stripe=stripe)

    world.through = through
    await world.mirror()
    assert raced
    await world.live()
    assert await asked(world, ref) == 0
    assert await notes(world) == 0
    await stuck(world, "60.00 USD", ref.partition("|")[2])


@pytest.mark.parametrize("step", ["create_invoice", "finalize_invoice"])
async def test_an_invoice_paid_by_cheque_while_it_is_sent_leaves_nothing_to_pay(
    world: World, step: str
) -> None:
    await world.mirror()
    ref = await world.an_invoice("100.00")
    cut: list[str] = []

    class CutOff:
        def __init__(self, client: Any) -> None:
            self.client = client

        def __getattr__(self, name: str) -> Any:
            real = getattr(self.client, name)
            if name != step or cut:
                return real

            async def call(*given: Any, **named: Any) -> Any:
                cut.append(name)
                await real(*given, **named)
                await by_cheque(world, ref, 100)
                raise TryAgain("The line broke.", remedy="Wait.")

            return call

    def through(c: Connected) -> Any:
        stripe: Any = CutOff(c.stripe)
        return replace(c, stripe=stripe)

    world.through = through
    await world.mirror()
    await world.wait_for_cure()
    assert cut
    assert await asked(world, ref) == 0
    assert "open" not in {one["status"] for one in await world.stripe_invoices(ref)}
    await level(world)


async def test_a_rest_that_stripe_cannot_charge_is_told_until_it_is_settled(world: World) -> None:
    ref = await sent(world, "10.30")
    await by_cheque(world, ref, 10)
    await world.mirror()
    found = await stuck(world, "0.30 USD is left", "minimum charge", ref.partition("|")[2])
    assert [one.cause for one in found] == [f"invoice.rest_below_minimum:{ref}"]
    await world.wait_for_cure()
    assert [one.cause for one in await world.troubles()] == [one.cause for one in found]
    await credit_memo(world, ref, Decimal("0.30"))
    await world.mirror()
    await world.wait_for_cure()
    assert await asked(world, ref) == 0
    await level(world)


async def test_a_rest_that_a_buyers_part_payment_leaves_is_told_though_all_is_level(
    world: World,
) -> None:
    ref = await sent(world, "10.30")
    await world.pay(ref, 1000)
    await world.live()
    await world.mirror()
    await stuck(world, "0.30 USD is left", "minimum charge", ref.partition("|")[2])


async def test_what_was_paid_twice_is_told_no_more_than_was_not_given_back_yet(
    world: World,
) -> None:
    ref = await sent(world)
    charge = await world.pay(ref)
    await by_cheque(world, ref, 60)
    await world.live()
    await world.mirror()
    await stuck(world, "60.00 USD", ref.partition("|")[2])
    await world.refund(charge, 2000)
    await world.live()
    await world.pass_minutes(1)
    await world.settle()
    await stuck(world, "40.00 USD more", ref.partition("|")[2])
    await world.refund(charge, 4000)
    await world.live()
    await world.wait_for_cure()
    assert await world.troubles() == []
    await level(world)
