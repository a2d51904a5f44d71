"""Documents left balanced by policy: an accountant releases, edits or deletes them."""

from datetime import date
from typing import Any

import pytest

from build.clerks import bounced, by_cheque
from build.policies import mapping_with
from build.world import Json, World
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.explain import replay
from ml_connector.store import troubles

pytestmark = pytest.mark.anyio

BY_HAND = mapping_with(release="false")
AT_ONCE = mapping_with(release="true")


async def sold(world: World, price: str = "100.00") -> str:
    """A mirrored invoice that is paid by card and taken in; its charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return str(charge)


async def left(world: World) -> dict[str, Json]:
    """The documents that wait in Acumatica, by what an accountant calls them."""
    payments = {f"Payment {p['ReferenceNbr']}": p for p in await world.documents("Payment")}
    batches = await world.documents("JournalTransaction")
    found = payments | {f"Batch {b['BatchNbr']}": b for b in batches}
    return {name: one for name, one in found.items() if one["Status"] == "Balanced"}


async def released(world: World, name: str, document: Json) -> None:
    """The accountant presses Release."""
    entity = "Payment" if name.startswith("Payment") else "JournalTransaction"
    keys = ("Type", "ReferenceNbr") if entity == "Payment" else ("Module", "BatchNbr")
    body = {key: document[key] for key in keys}
    await world.enter(entity, body, release=True)


async def deleted(world: World, document: Json) -> None:
    """The accountant deletes a batch that is not released."""
    erp: Any = world.erp_app.world
    unit = erp.unit()
    unit.drop(erp.find("JournalTransaction", document["Module"], document["BatchNbr"]))
    unit.commit()


async def named(world: World) -> str:
    """Every reason in the tie-out, which holds."""
    found = await measure(await world.connected())
    assert all(one.holds for one in found), found
    return " ".join(item.reason for one in found for item in one.unposted)


async def test_documents_wait_for_the_accountant_and_go_on_by_themselves_once_released(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    await sold(world)
    await sold(world, "60.00")
    waiting = await left(world)
    assert len(waiting) == 4
    assert await world.cash() == 0
    said = await named(world)
    assert all(name in said for name in waiting)
    async with world.store.transaction() as tx:
        (group,) = await troubles.grouped(tx, world.id)
    assert (group.count, group.filed) == (2, "ask_a_person")
    for name, document in waiting.items():
        await released(world, name, document)
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert await world.states() == {"verified"}
    await world.all_posted()


async def test_a_deleted_batch_is_said_and_made_anew_only_when_a_person_replays_it(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    charge = await sold(world)
    waiting = await left(world)
    for name, document in waiting.items():
        if name.startswith("Batch"):
            await deleted(world, document)
        else:
            await released(world, name, document)
    await world.wait_for_cure()
    for _ in range(2):
        assert "was deleted in Acumatica" in (await world.trouble()).sentence
        assert "was deleted in Acumatica" in await named(world)
        assert await left(world) == {}
        await world.look_at_charge(charge)
    await world.pass_minutes(11)
    await replay(world.store, world.id, charge, now=world.clock.now())
    await world.settle()
    ((name, document),) = (await left(world)).items()
    await released(world, name, document)
    await world.wait_for_cure()
    await world.all_posted()


async def test_a_payment_that_is_voided_right_after_its_release_is_said_and_never_written_again(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    charge = await sold(world)
    for name, document in (await left(world)).items():
        await released(world, name, document)
    (payment,) = await world.documents("Payment")
    await bounced(world, str(payment["ReferenceNbr"]))
    await world.erp.reset_calls()
    await world.wait_for_cure()
    await world.look_at_charge(charge)
    assert "was voided in Acumatica" in (await world.trouble()).sentence
    assert "was voided in Acumatica" in await named(world)
    assert not [one for one in await world.erp.calls() if "PUT" in one and "Payment" in one]
    await world.pass_minutes(11)
    await replay(world.store, world.id, charge, now=world.clock.now())
    await world.settle()
    ((name, document),) = (await left(world)).items()
    await released(world, name, document)
    await world.wait_for_cure()
    await world.all_posted()


async def test_a_document_that_the_accountant_changes_is_said_and_a_new_policy_releases_the_rest(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    charge = await sold(world)
    payment = next(one for name, one in (await left(world)).items() if name.startswith("Payment"))
    keys = {"Type": payment["Type"], "ReferenceNbr": payment["ReferenceNbr"]}
    await world.enter("Payment", keys | {"PaymentRef": "another"})
    await world.pass_minutes(1)
    await world.settle()
    assert "Its reference is another" in (await world.trouble()).sentence
    await world.enter("Payment", keys | {"PaymentRef": charge})
    await world.change(mapping_text=AT_ONCE)
    await world.wait_for_cure()
    assert await left(world) == {}
    await world.all_posted()


async def test_a_check_beside_a_payment_that_waits_for_release_lowers_what_can_be_paid(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref, 3000)
    await world.live()
    for check, rest in ((30, 4000), (40, 0)):
        await by_cheque(world, ref, check)
        await world.mirror()
        rows = await world.stripe_invoices(ref)
        assert [row["amount_remaining"] for row in rows] == [rest]
    for name, document in (await left(world)).items():
        await released(world, name, document)
    await world.wait_for_cure()
    await world.mirror()
    assert await world.balance_due(ref) == 0
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_document_that_is_released_with_another_date_is_in_the_ledger_and_named(
    world: World,
) -> None:
    await world.change(mapping_text=BY_HAND)
    await sold(world)
    payment = next(one for name, one in (await left(world)).items() if name.startswith("Payment"))
    keys = {"Type": payment["Type"], "ReferenceNbr": payment["ReferenceNbr"]}
    await world.enter("Payment", keys | {"ApplicationDate": date(2026, 10, 6)}, release=True)
    await world.wait_for_cure(at_most=3)
    assert any("Its date is 2026-10-06" in one.sentence for one in await world.troubles())
    await world.books_agree()


async def test_what_pays_a_credit_memo_out_is_made_once_the_memo_is_released(world: World) -> None:
    await world.change(mapping_text=mapping_with(refunds='"credit_memo"'))
    charge = await sold(world)
    await world.change(mapping_text=mapping_with(refunds='"credit_memo"', release="false"))
    await world.refund(charge, 2500)
    await world.live()
    (memo,) = [one for one in await world.documents("Credit Memo") if "Customer" in one]
    assert (await world.trouble()).cause == "policy.release"
    assert f"Credit Memo {memo['ReferenceNbr']} waits to be released" in await named(world)
    assert await world.documents("Refund") == []
    keys = {"Type": "Credit Memo", "ReferenceNbr": memo["ReferenceNbr"]}
    await world.enter("Invoice", keys, release=True)
    await world.pass_minutes(90)
    await world.settle()
    (paid,) = await world.documents("Refund")
    assert paid["Status"] == "Balanced"
    assert f"Refund {paid['ReferenceNbr']} waits to be released" in await named(world)
