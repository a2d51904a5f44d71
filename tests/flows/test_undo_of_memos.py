"""Undo of what is the customer's own: a credit memo, what pays it out, and others' payments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from build.clerks import a_hand_entry, by_plug_in
from build.dying import Dying
from build.policies import mapping_with
from build.world import CUSTOMER, Json, World
from ml_connector.basics.ids import ErpRef, StripeId, erp_ref
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise import drift, guardian
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.explain import explain, replay
from ml_connector.flows.repair.foresight import Choice, foresee
from ml_connector.flows.repair.repairs import restore
from ml_connector.flows.repair.undo import RefusedUndo, begin
from ml_connector.store import findings, payouts
from ml_connector.store.findings import Decision

pytestmark = pytest.mark.anyio

REFUNDS = "40900"
BY_MEMO = mapping_with(refunds='"credit_memo"')
REFUND_FAILS = "4000000000005126"


async def sold(world: World, card: str = "", policies: str = BY_MEMO) -> tuple[ErpRef, str]:
    """An invoice of 100.00 that is paid and posted; it and its charge."""
    await world.change(mapping_text=policies)
    ref = await world.an_invoice()
    await world.mirror()
    charge = await world.pay(ref, card=card)
    await world.live()
    return ref, str(charge)


async def given_back(world: World, **facts: str) -> str:
    """A sale of which 25.00 were refunded by a credit memo that is paid out; the refund."""
    _, charge = await sold(world, **facts)
    refund = await world.refund(charge, 2500)
    await world.live()
    return refund


async def every(world: World, kind: str) -> list[Json]:
    """The documents of a type; a credit memo that is shown as a payment, too, counts once."""
    rows = await world.documents(kind)
    return [one for one in rows if kind != "Credit Memo" or "Customer" in one]


async def memos(world: World) -> list[tuple[str, Decimal]]:
    """Every memo with its status and what of it is open."""
    rows = [*await every(world, "Credit Memo"), *await every(world, "Debit Memo")]
    return [(str(one["Status"]), Decimal(str(one["Balance"]))) for one in rows]


async def balances(world: World) -> dict[str, Decimal]:
    rows = (await world.erp.ask("ledger"))["rows"]
    sums: dict[str, Decimal] = {}
    for row in rows:
        name = f"{row['account']} {row['currency']}"
        sums[name] = sums.get(name, Decimal(0)) + Decimal(str(row["balance"]))
    return {name: amount for name, amount in sums.items() if amount}


async def proven(world: World, payout: str) -> bool:
    async with world.store.transaction() as tx:
        row = await payouts.get(tx, world.id, StripeId(payout))
    return row is not None and row.proven_at is not None


async def undone(world: World, number: str, **facts: Any) -> None:
    """A person has it undone, and what is due is done; the tie-out holds all the while."""
    along, others = bool(facts.pop("along", False)), bool(facts.pop("others", False))
    choice = Choice(number=number, along=along, others=others)
    await begin(await world.connected(), choice, why="a wrong policy", actor="Kim", **facts)
    await world.books_agree()
    await world.settle()
    await world.books_agree()


async def test_a_refund_by_memo_undone_leaves_the_books_of_before_and_both_memos_level(
    world: World,
) -> None:
    _, charge = await sold(world)
    before = await balances(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    once = await balances(world)
    found = await foresee(world.store, world.id, Choice(number=refund))
    assert found.refused == []
    assert [item.stands.purpose for item in found.items] == ["refund_paid", "credit_memo"]
    assert {name: str(by) for (name, _), by in found.effects.items()} == {
        "10650ST": "25.00 USD", REFUNDS: "-25.00 USD",
    }  # fmt: skip
    assert await balances(world) == once

    await undone(world, refund)
    assert await balances(world) == before
    assert await memos(world) == [("Closed", 0), ("Closed", 0)]
    (paid,) = await every(world, "Refund")
    assert paid["Status"] == "Voided"
    (debit,) = await every(world, "Debit Memo")
    assert (debit["CustomerOrder"], debit["Customer"]) == (refund, CUSTOMER)
    waiting = [row.reason for row in await world.transactions()]
    assert waiting == ["It was undone: a wrong policy"]
    await world.deliver_again()
    assert await balances(world) == before
    await guardian.look_around(await world.connected())
    async with world.store.transaction() as tx:
        assert await findings.in_state(tx, world.id, Decision.OPEN) == []
    told = await explain(world.store, world.id, refund)
    assert {f"{one.erp_type} {one.erp_number}" for one in told.postings} >= {
        f"Debit Memo {debit['ReferenceNbr']}"
    }

    assert await replay(world.store, world.id, refund, now=world.clock.now())
    await world.settle()
    await world.wait_for_cure()
    assert await balances(world) == once
    marks = sorted(str(one["CustomerOrder"]) for one in await every(world, "Credit Memo"))
    assert marks == [refund, f"{refund}~2"]
    assert await world.troubles() == []
    await world.all_posted()
    await undone(world, refund)
    assert await balances(world) == before
    assert await memos(world) == [("Closed", 0)] * 4


async def test_what_was_a_memo_is_posted_anew_as_a_journal_when_the_policy_was_the_mistake(
    world: World,
) -> None:
    refund = await given_back(world)
    once = await balances(world)
    await undone(world, refund)
    await world.change(mapping_text=mapping_with(refunds='"journal"'))
    assert await replay(world.store, world.id, refund, now=world.clock.now())
    await world.settle()
    await world.wait_for_cure()
    assert await balances(world) == once
    assert len(await every(world, "Credit Memo")) == 1
    await world.all_posted()


@pytest.mark.parametrize(
    ("step", "moment"),
    [("void_payment", "after"), ("put_memo", "before"), ("put_memo", "after"),
     ("release_memo", "after"), ("set_off", "before"), ("set_off", "after"),
     ("release_payment", "after")],
)  # fmt: skip
async def test_a_worker_that_dies_at_any_write_of_it_takes_a_memo_back_once(
    world: World, step: str, moment: str
) -> None:
    _, charge = await sold(world)
    before = await balances(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, step, moment))
        return replace(c, acumatica=killed[0])

    world.through = through
    await undone(world, refund)
    await world.wait_for_cure()
    assert killed[0].died
    await world.books_agree()
    assert await balances(world) == before
    assert await memos(world) == [("Closed", 0), ("Closed", 0)]


@dataclass
class Idle:
    """A client whose release of a credit memo's application does nothing, once."""

    client: Any
    idled: bool = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        return self._idle(real) if name == "release_payment" and not self.idled else real

    def _idle(self, real: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def call(ref: ErpRef) -> None:
            self.idled = ref.startswith("Credit Memo")
            if not self.idled:
                await real(ref)

        return call


async def test_a_debit_memo_to_which_nothing_was_applied_is_told_and_levelled_later(
    world: World,
) -> None:
    refund = await given_back(world)
    idle: list[Idle] = []

    def through(c: Connected) -> Any:
        if not idle:
            idle.append(Idle(c.acumatica))
        return replace(c, acumatica=idle[0])

    world.through = through
    await undone(world, refund)
    assert "is not applied to it" in (await world.trouble()).sentence
    assert sorted(await memos(world)) == [("Open", 25), ("Open", 25)]
    await world.wait_for_cure()
    assert await memos(world) == [("Closed", 0), ("Closed", 0)]
    await world.books_agree()


async def test_the_older_label_and_a_release_by_hand_do_not_keep_a_memo_from_being_undone(
    world: World,
) -> None:
    await world.erp.tell("switches", {"refund_label": "Customer Refund", "apply_on_create": False})
    _, charge = await sold(world)
    before = await balances(world)
    refund = await world.refund(charge, 2500)
    await world.live()
    await world.change(mapping_text=mapping_with(refunds='"credit_memo"', release="false"))
    await undone(world, refund)
    (void,) = await every(world, "Voided Refund")
    assert (await world.trouble()).sentence.startswith(f"Voided Refund {void['ReferenceNbr']} wait")
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_payment(erp_ref("Voided Refund", str(void["ReferenceNbr"])))
    await world.pass_minutes(60)
    await world.settle()
    (debit,) = await every(world, "Debit Memo")
    assert debit["Status"] == "Balanced"
    assert (await world.trouble()).sentence.startswith(f"Debit Memo {debit['ReferenceNbr']} wait")
    await erp.release_memo(erp_ref("Debit Memo", str(debit["ReferenceNbr"])))
    await world.wait_for_cure()
    assert await memos(world) == [("Closed", 0), ("Closed", 0)]
    assert await balances(world) == before
    await world.books_agree()


async def test_a_memo_that_has_paid_for_something_else_waits_by_name_and_no_debit_memo_is_made(
    world: World,
) -> None:
    refund = await given_back(world)
    other = await world.an_invoice("25.00")
    (paid,) = await every(world, "Refund")
    (credit,) = await every(world, "Credit Memo")
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_payment(await erp.void_payment(erp_ref("Refund", str(paid["ReferenceNbr"]))))
    keys = {"Type": "Credit Memo", "ReferenceNbr": credit["ReferenceNbr"]}
    rows = [{"DocType": "Invoice", "ReferenceNbr": other.partition("|")[2], "AmountPaid": 25}]
    await world.enter("Payment", keys | {"DocumentsToApply": rows}, release=True)
    await undone(world, refund)
    trouble = await world.trouble()
    assert "25.00 USD of it must be open, and 0.00 USD is" in trouble.sentence
    assert "Reverse what it was applied to" in trouble.remedy
    assert await every(world, "Debit Memo") == []


async def test_a_voided_refund_is_restored_with_its_memo(world: World) -> None:
    refund = await given_back(world)
    once = await balances(world)
    (paid,) = await every(world, "Refund")
    erp = (await world.connected()).acumatica  # now as somebody in the office
    await erp.release_payment(await erp.void_payment(erp_ref("Refund", str(paid["ReferenceNbr"]))))
    await world.books_agree()
    async with world.store.transaction() as tx:
        (finding,) = await findings.in_state(tx, world.id, Decision.OPEN)
    await restore(await world.connected(), finding.id, actor="Kim")
    await world.books_agree()
    await world.settle()
    await world.wait_for_cure()
    assert await balances(world) == once
    statuses = sorted(str(one["Status"]) for one in await every(world, "Refund"))
    assert statuses == ["Closed", "Voided"]
    assert await memos(world) == [("Closed", 0)] * 3
    assert refund in {one["PaymentRef"] for one in await every(world, "Refund")}
    await world.all_posted()


async def test_a_refund_that_failed_is_not_undone_under_its_failure(world: World) -> None:
    refund = await given_back(world, card=REFUND_FAILS)
    found = await foresee(world.store, world.id, Choice(number=f"refund_paid:{refund}"))
    assert not found.items
    assert any("taken back by the bank and is voided" in one for one in found.refused)


async def test_the_search_for_a_difference_knows_memos_that_were_undone_in_a_later_month(
    world: World,
) -> None:
    moving = mapping_with(refunds='"credit_memo"', closed_period='"next_open"')
    _, charge = await sold(world, policies=moving)
    refund = await world.refund(charge, 2500)
    await world.live()
    await world.pass_time(timedelta(days=40))
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": True})
    await undone(world, refund)
    (void,) = await every(world, "Voided Refund")
    assert str(void["ApplicationDate"]).startswith("2026-11-01")
    strange = await a_hand_entry(world, "10650", "61100", "7.00")
    c = await world.connected()
    (dollars,) = (one for one in await measure(c) if one.currency == "USD")
    found = await drift.search(c, dollars)
    assert [one.record for one in found.findings] == [f"GL {strange}"]
    assert not found.unnamed


async def test_a_payout_with_a_refund_by_memo_is_proven_again_after_it_was_undone(
    world: World,
) -> None:
    _, charge = await sold(world)
    await world.refund(charge, 2500)
    await world.live()
    (payout,) = await world.run_payouts()
    await world.live()
    once = await balances(world)
    assert await proven(world, payout["id"])
    await undone(world, payout["id"])
    assert not await proven(world, payout["id"])
    assert await world.cash() == await world.ledger(REFUNDS) == 0
    assert await replay(world.store, world.id, payout["id"], now=world.clock.now())
    await world.settle()
    await world.wait_for_cure()
    assert await proven(world, payout["id"])
    assert await balances(world) == once
    await world.all_posted()


async def test_a_payment_that_others_booked_is_voided_by_a_persons_explicit_word_alone(
    world: World,
) -> None:
    await world.erp.tell("switches", {"require_payment_ref": False})
    before = await balances(world)
    ref = await world.an_invoice("42.00")
    owed = await balances(world)
    made = await world.stripe_api(
        "payment_intents", amount="4200", currency="usd", confirm="true",
        payment_method="pm_card_visa", **{"metadata[erp_customer]": CUSTOMER},
    )  # fmt: skip
    charge, number = str(made["latest_charge"]), ref.partition("|")[2]
    rows = [{"DocType": "Invoice", "ReferenceNbr": number, "AmountPaid": 42}]
    theirs = await by_plug_in(world, charge, "42.00", PaymentRef="", DocumentsToApply=rows)
    await world.live()
    assert await world.balance_due(ref) == 0
    await world.all_posted()
    with pytest.raises(RefusedUndo, match=f"Payment {theirs} .* was booked by somebody else") as no:
        await undone(world, charge)
    assert "--others" in no.value.remedy
    found = await foresee(world.store, world.id, Choice(number=charge, others=True))
    assert found.refused == []
    await undone(world, charge, others=True)
    assert await world.balance_due(ref) == 42
    assert await balances(world) == owed != before
    kinds = {one["Type"]: one["Status"] for one in await world.documents("Payment")}
    assert kinds == {"Payment": "Voided", "Voided Payment": "Closed"}
    await guardian.look_around(await world.connected())
    async with world.store.transaction() as tx:
        assert await findings.in_state(tx, world.id, Decision.OPEN) == []
    assert await replay(world.store, world.id, charge, now=world.clock.now())
    await world.settle()
    await world.wait_for_cure()
    assert len(await world.documents("Payment")) == 3
    await world.all_posted()
    assert all(one.holds for one in await measure(await world.connected()))
