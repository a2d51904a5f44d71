"""A person sees what would be written, and exactly that is written, or nothing at all."""

from decimal import Decimal

import pytest

from build.clerks import by_cheque
from build.planning import a_plan, a_sent_invoice, acts, apply, keys, set_modes, waiting
from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.basics.ids import ErpRef, PostingKey
from ml_connector.basics.money import Money
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.standing import standing
from ml_connector.flows.review import apply as applying
from ml_connector.flows.review.apply import PlanMoved, PlanRefused
from ml_connector.flows.signals import Kind
from ml_connector.flows.writing.gate import posting_hash
from ml_connector.store import approvals, postings

pytestmark = pytest.mark.anyio

ALL = ("customers", "invoices", "payments", "fees", "refunds", "disputes", "payouts", "other")


async def named(world: World) -> dict[str, Decimal]:
    """What the tie-out names, by its reason; the equation holds."""
    (usd,) = [one for one in await measure(await world.connected()) if one.currency == "USD"]
    assert usd.holds
    return {item.reason: item.amount.decimal for item in usd.unposted}


async def test_where_a_person_approves_nothing_is_written_before_and_exactly_the_plan_after(
    world: World,
) -> None:
    await set_modes(world, **dict.fromkeys(ALL, "approve"))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    assert list(world.stripe_app.world.tables["customer"]) == []
    assert await world.stripe_invoices(ref) == []
    sale = await a_plan(world)
    mine = [f"customer:{CUSTOMER}", f"invoice:{ref}"]
    await apply(world, sale, only=mine)
    await world.wait_for_cure(at_most=2)
    assert len(list(world.stripe_app.world.tables["customer"])) == 1
    charge = await world.pay(ref)
    await world.live()
    assert await world.documents("Payment") == []
    assert await world.states() == {"planned"}
    (reason,) = await named(world)
    assert "waits for approval" in reason
    (group,) = [
        one
        for one in (await standing(world.store, world.id)).troubles
        if one.cause == "mode.approve:payments"
    ]
    assert (group.count, [str(one) for one in group.money]) == (1, ["96.80 USD"])
    await world.sync()
    assert await world.documents("Payment") == []
    plan = await a_plan(world)
    payment, fee = f"payment:{charge}", next(k for k in keys(plan) if k.startswith("fee:"))
    shown = await apply(world, plan, only=[payment, fee])
    async with world.store.transaction() as tx:
        rows = [await postings.get(tx, world.id, PostingKey(one.key)) for one in shown]
    sent = [posting_hash(row.key, row.kind, row.body) for row in rows if row]
    assert sent == [one.body_hash for one in shown]
    assert await world.states() == {"verified"}
    assert (await acts(world, payment))[0] == "controller approved"
    await world.all_posted()


async def test_a_plan_that_the_truth_has_left_behind_is_refused_whole(world: World) -> None:
    await set_modes(world, payments="approve", fees="approve")
    changed, left = await a_sent_invoice(world), await a_sent_invoice(world, "50.00")
    charges = [await world.pay(ErpRef(ref)) for ref in (changed, left)]
    await world.live()
    plan = await a_plan(world)
    assert len(plan.documents) == 4
    await by_cheque(world, ErpRef(changed), 60)
    c = await world.connected()
    with pytest.raises(PlanMoved) as stale:
        await applying.apply(c, plan, plan.documents, "controller")
    assert "was Open, 100.00 USD owed and is Open, 40.00 USD owed" in stale.value.sentence
    async with world.store.transaction() as tx:
        assert await approvals.every(tx, world.id) == []
    await world.settle()
    assert {one["PaymentMethod"] for one in await world.documents("Payment")} == {"CHECK"}
    done = await apply(world, plan, only=[f"payment:{charges[1]}"])
    with pytest.raises(PlanMoved, match="posted meanwhile as Payment"):
        await applying.apply(await world.connected(), plan, done, "controller")
    fee = next(one for one in plan.documents if one.key.startswith("fee:"))
    await set_modes(world, payments="approve", fees="approve")
    with pytest.raises(PlanMoved, match="mapping was version 2 and is version 3"):
        await applying.apply(await world.connected(), plan, [fee], "controller")


async def test_a_payment_goes_by_itself_while_its_fee_waits_is_declined_and_taken_up_again(
    world: World,
) -> None:
    await set_modes(world, fees="approve")
    await world.pay(ErpRef(await a_sent_invoice(world)))
    await world.live()
    (payment,) = await world.documents("Payment")
    assert payment["Status"] == "Closed"
    ((reason, amount),) = (await named(world)).items()
    assert amount == Decimal("-3.20")
    assert reason.startswith("fee:")
    assert "waits for approval" in reason
    (fee,) = keys(await a_plan(world))
    c = await world.connected()
    await applying.decline(c, [fee], "the bank's bill is booked by hand", "controller")
    await world.settle()
    ((reason, amount),) = (await named(world)).items()
    assert amount == Decimal("-3.20")
    assert "declined by controller: the bank's bill is booked by hand" in reason
    plan = await a_plan(world)
    assert applying.chosen(plan) == ()
    await apply(world, plan, only=[fee])
    assert await acts(world, fee) == [
        "controller declined",
        "controller approved",
        *["connector posting"] * 4,
    ]
    await world.all_posted()


async def test_what_is_approved_and_then_planned_otherwise_is_not_sent(world: World) -> None:
    await set_modes(world, fees="approve")
    ref = await a_sent_invoice(world)
    await world.erp.tell("accounts/61100", {"active": False})
    await world.pay(ErpRef(ref))
    await world.live()
    await apply(world, await a_plan(world))
    assert "inactive" in (await world.trouble()).sentence.lower()
    text = mapping_with('[modes]\nfees = "approve"').replace('fees = "61100"', 'fees = "61160"')
    await world.change(mapping_text=text)
    await world.wait_for_cure(at_most=2)
    assert "not any more as controller approved it" in (await world.trouble()).sentence
    await apply(world, await a_plan(world))
    assert await world.ledger("61160") == Decimal("3.20")
    await world.all_posted()


async def test_levelling_waits_for_approval_too_and_never_happens_in_shadow(world: World) -> None:
    ref = ErpRef(await a_sent_invoice(world))
    await set_modes(world, invoices="shadow")
    await by_cheque(world, ref, 60)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_remaining"] == 10000
    (trouble,) = await waiting(world, Kind.INVOICE)
    assert "shadow mode" in trouble.sentence
    plan = await a_plan(world)
    with pytest.raises(PlanRefused, match="shadow mode nothing is written"):
        applying.chosen(plan, only=keys(plan))
    await set_modes(world, invoices="approve")
    (level,) = (await a_plan(world)).documents
    assert level.title.endswith("credit note 60.00 USD")
    await apply(world, await a_plan(world))
    assert (await world.mirrored(ref))["amount_remaining"] == 4000
    assert await waiting(world, Kind.INVOICE) == []


async def test_a_loss_that_waits_is_forgotten_when_the_dispute_is_won_after_all(
    world: World,
) -> None:
    charge = await world.pay(ErpRef(await a_sent_invoice(world)))
    await world.live()
    await set_modes(world, disputes="approve")
    dispute = (await world.stripe.tell("disputes", {"charge": charge}))["id"]
    await world.live()
    assert {one.decimal for one in await unposted(world)} == {Decimal(-100)}  # the fee is posted
    await apply(world, await a_plan(world))
    assert await world.ledger("12650") == 100
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "lost"})
    await world.live()
    assert keys(await a_plan(world)) == [f"dispute_loss:{dispute}"]
    assert await world.ledger("61160") == 0
    (row,) = list(world.stripe_app.world.tables["dispute"])
    row["status"] = "under_review"  # the bank takes it up again
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "won"})
    await world.live()
    (given_back,) = keys(await a_plan(world))
    assert given_back.startswith("dispute:txn_")
    await apply(world, await a_plan(world))
    assert (await world.ledger("12650"), await world.ledger("61160")) == (0, 0)
    await world.all_posted()


async def unposted(world: World) -> list[Money]:
    """The amounts that the tie-out names."""
    return [item.amount for one in await measure(await world.connected()) for item in one.unposted]


async def test_a_payout_is_proven_when_the_last_of_its_members_is_approved(world: World) -> None:
    await set_modes(world, payouts="approve", refunds="approve")
    charge = await world.pay(ErpRef(await a_sent_invoice(world)))
    await world.live()
    refund = await world.refund(charge, 1000)
    (payout,) = await world.run_payouts()
    await world.live()
    plan = await a_plan(world)
    assert keys(plan) == [f"payout:{payout['id']}", f"refund:{refund}"]
    await apply(world, plan, without=[f"refund:{refund}"])
    assert (await standing(world.store, world.id)).payouts_proven == 0
    await apply(world, await a_plan(world))
    assert (await standing(world.store, world.id)).payouts_proven == 1
    await world.all_posted()


async def test_the_fees_of_a_payout_wait_for_approval_and_keep_nothing_else_waiting(
    world: World,
) -> None:
    policies = {"fees": '"payout"', "post_when": '"paid_out"'}
    await set_modes(world, policies, fees="approve")
    await world.pay(ErpRef(await a_sent_invoice(world)))
    await world.live()
    (payout,) = await world.run_payouts()
    await world.live()
    (payment,) = await world.documents("Payment")
    assert payment["Status"] == "Closed"  # what waited for the payout was woken all the same
    (trouble,) = await waiting(world, Kind.PAYOUT)
    assert "waits for approval" in trouble.sentence
    plan = await a_plan(world)
    fees = f"fees_of_payout:{payout['id']}"
    assert keys(plan) == [fees]
    c = await world.connected()
    await applying.decline(c, [fees], "the bank's bill is booked by hand", "controller")
    await world.settle()
    (trouble,) = await waiting(world, Kind.PAYOUT)
    assert "declined by controller" in trouble.sentence
    assert (await standing(world.store, world.id)).payouts_proven == 0
    await apply(world, await a_plan(world), only=[fees])
    assert await world.ledger("61100") == Decimal("3.20")
    assert await world.troubles() == []
    assert (await standing(world.store, world.id)).payouts_proven == 1
    assert keys(await a_plan(world)) == []
    await world.all_posted()


@pytest.mark.parametrize("made", ["not made yet", "made and balanced"])
async def test_a_payment_that_settles_less_after_a_cheque_is_written_once_that_is_approved(
    world: World, made: str
) -> None:
    """The cheque comes before the payment is sent, or before it is released."""
    ref = ErpRef(await a_sent_invoice(world))
    charge = await world.pay(ref)
    payment = f"payment:{charge}"
    await set_modes(world, {"release": "false"}, payments="approve")
    await world.live()
    if made == "made and balanced":
        await apply(world, await a_plan(world), only=[payment])
        assert await by_stripe(world) == [("Balanced", 100)]
    await by_cheque(world, ref, 60)
    await set_modes(world, payments="approve")
    if made == "not made yet":
        await apply(world, await a_plan(world), only=[payment])
    await world.wait_for_cure(at_most=3)
    await world.deliver_again()
    assert await by_stripe(world) == ([] if made == "not made yet" else [("Balanced", 100)])
    (trouble,) = [one for one in await world.troubles() if payment in one.sentence]
    assert "not any more as controller approved it" in trouble.sentence
    await world.books_agree()
    plan = await a_plan(world)
    (shown,) = [one for one in plan.documents if one.key == payment]
    assert [one for one in shown.facts.values() if "owed" in one] == ["Open, 40.00 USD owed"]
    await apply(world, plan, only=[payment])
    assert await by_stripe(world) == [("Open", 40)]
    assert await world.balance_due(ref) == 0
    assert payment not in keys(await a_plan(world))
    await world.all_posted()


async def by_stripe(world: World) -> list[tuple[str, Decimal]]:
    """The payments that are not by cheque: their status, and what they settle."""
    c = await world.connected()
    found = [one for one in await world.documents("Payment") if one["PaymentMethod"] != "CHECK"]
    read = [await c.acumatica.payment(ErpRef(f"Payment|{one['ReferenceNbr']}")) for one in found]
    return [
        (one.status, sum((a.amount.decimal for a in one.applications), Decimal(0))) for one in read
    ]
