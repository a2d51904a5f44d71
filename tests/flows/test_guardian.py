"""What people change on our documents in the ERP: found, graded, named, and mended by a word."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from build.clerks import reversed_by_hand
from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.basics.errors import Misconfigured, TryAgain
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.sealed import Paper
from ml_connector.cli.proof_page import page_of
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.explain import explain
from ml_connector.flows.repair import repairs
from ml_connector.flows.repair.repairs import NotForUs, NotItsPlace
from ml_connector.flows.review.proofs import certificate, checked, signed
from ml_connector.store import findings, payouts, postings
from ml_connector.store.findings import Decision, Finding
from ml_connector.vault.signing import SigningKey

pytestmark = pytest.mark.anyio


async def paid(world: World, price: str = "100.00") -> tuple[ErpRef, str]:
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    return ref, str(charge)


async def voided(world: World, number: str) -> None:
    """A clerk voids a payment of ours."""
    erp = (await world.connected()).acumatica
    await world.pass_time(timedelta(minutes=1))
    await erp.release_payment(await erp.void_payment(ErpRef(f"Payment|{number}")))


async def the_payment(world: World) -> dict[str, Any]:
    (payment,) = [one for one in await world.documents("Payment") if one["Type"] == "Payment"]
    return payment


async def found(world: World, state: Decision = Decision.OPEN) -> Sequence[Finding]:
    """What the guardian's poll finds."""
    await world.sync("acumatica.documents")
    async with world.store.transaction() as tx:
        return await findings.in_state(tx, world.id, state)


async def reasons(world: World) -> list[str]:
    """Why the tie-out says that money is not in the ledger."""
    found = await measure(await world.connected())
    assert all(one.holds for one in found), found
    return [item.reason for one in found for item in one.unposted]


async def test_a_payment_voided_by_hand_is_found_named_accepted_and_restored(world: World) -> None:
    ref, charge = await paid(world)
    assert await found(world) == []
    await voided(world, (await the_payment(world))["ReferenceNbr"])
    (finding,) = await found(world)
    assert (finding.grade, str(finding.missing)) == ("breaks_tie_out", "100.00 USD")
    assert "It was voided." in finding.sentence
    assert "It was voided." in (await reasons(world))[0]
    shown = await explain(world.store, world.id, charge)
    assert [one.id for one in shown.findings] == [finding.id]

    c = await world.connected()
    with pytest.raises(Misconfigured, match="needs a reason"):
        await repairs.accept(c, finding.id, why=" ", actor="Kim")
    await repairs.accept(c, finding.id, why="paid by cheque", actor="Kim")
    assert await found(world) == []
    assert "Accepted by Kim: paid by cheque" in (await reasons(world))[0]

    await repairs.restore(c, finding.id, actor="Kim")
    await world.books_agree()
    await world.settle()
    await world.all_posted()
    assert await world.balance_due(ref) == 0
    assert await world.cash() * 100 == await world.at_stripe()
    assert await found(world) == []
    with pytest.raises(Misconfigured, match="decided already"):
        await repairs.restore(c, finding.id, actor="Kim")


@pytest.mark.parametrize("refunds", ["journal", "credit_memo"])
async def test_a_payment_voided_after_its_refund_is_restored_and_the_refund_left_alone(
    world: World, refunds: str
) -> None:
    await world.change(mapping_text=mapping_with(refunds=f'"{refunds}"'))
    ref, charge = await paid(world)
    await world.refund(charge, 3_000)
    await world.live()
    before = [one["ReferenceNbr"] for one in await world.documents("Payment")]
    sales = await world.ledger("40900")
    number = next(
        one["ReferenceNbr"] for one in await world.documents("Payment") if one["Type"] == "Payment"
    )
    await voided(world, number)
    (finding,) = await found(world)
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    await world.all_posted()
    await world.books_agree()
    assert await world.balance_due(ref) == 0
    assert await world.ledger("40900") == sales
    assert len(await world.documents("Payment")) == len(before) + 2, "a void, and one payment anew"
    assert await found(world) == []


async def test_what_is_said_of_the_invoice_ends_as_soon_as_its_voided_payment_is_restored(
    world: World,
) -> None:
    ref, _ = await paid(world)
    await voided(world, (await the_payment(world))["ReferenceNbr"])
    (finding,) = await found(world)
    await world.sync("acumatica.invoices")
    assert [one.resource for one in await world.troubles()] == [ref]
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    await world.sync("acumatica.invoices")
    assert await world.troubles() == []


async def test_a_payment_entered_again_by_hand_is_explained_and_relinked(world: World) -> None:
    ref, charge = await paid(world)
    old = await the_payment(world)
    await voided(world, old["ReferenceNbr"])
    again = await entered_again(world, ref, old)
    (finding,) = await found(world)
    assert (finding.grade, finding.missing_minor) == ("explained", 0)
    assert finding.other == f"Payment|{again}"
    await world.books_agree()
    c = await world.connected()
    with pytest.raises(NotItsPlace, match="Voided"):
        await repairs.relink(c, finding.id, to=old["ReferenceNbr"], actor="Kim")
    await repairs.relink(c, finding.id, actor="Kim")
    assert await found(world) == []
    await world.all_posted()
    shown = await explain(world.store, world.id, charge)
    payment = next(one for one in shown.postings if one.purpose == "payment")
    assert payment.erp_number == again


async def entered_again(world: World, ref: ErpRef, old: dict[str, Any]) -> str:
    """A clerk enters a voided payment anew, on the same invoice; its number."""
    rows = [{"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 100}]
    body = {name: old[name] for name in ("PaymentMethod", "CashAccount", "PaymentRef")}
    body |= {"Type": "Payment", "CustomerID": CUSTOMER, "PaymentAmount": 100, "Hold": False}
    made = await world.enter("Payment", body | {"DocumentsToApply": rows}, release=True)
    return str(made["ReferenceNbr"])


async def test_a_payment_entered_again_proves_nothing_until_it_is_relinked(world: World) -> None:
    """Accepting it is not enough: the paper would name a voided document."""
    ref, _ = await paid(world)
    (payout,) = await world.run_payouts()
    await world.live()
    old = await the_payment(world)
    await voided(world, old["ReferenceNbr"])
    again = await entered_again(world, ref, old)
    (finding,) = await found(world)
    await world.settle()
    assert not await proven(world, payout["id"])
    c = await world.connected()
    await repairs.accept(c, finding.id, why="by Kim", actor="Kim")
    paper = await the_paper(world, payout["id"])
    assert paper.complaints == ()
    rows = [facts for _, facts in paper.lines]
    (changed,) = (one for one in rows if one["what"] == "changed")
    assert (changed["decision"], changed["stands"]) == ("accepted", False)
    assert f"Payment {again}" in str(changed["sentence"])
    assert rows[0]["verdict"] == "not proven"

    await repairs.relink(c, finding.id, actor="Kim")
    await world.settle()
    assert await proven(world, payout["id"])
    paper = await the_paper(world, payout["id"])
    assert paper.complaints == ()
    assert "changed" not in {facts["what"] for _, facts in paper.lines}
    assert f"Payment {again}" in {facts.get("acumatica") for _, facts in paper.lines}


async def test_the_proof_of_a_payout_says_what_people_moved_although_clearing_is_right(
    world: World,
) -> None:
    """A clerk moves the fee to another expense, by a batch with the mark of ours."""
    await paid(world)
    (payout,) = await world.run_payouts()
    await world.live()
    journals = await world.documents("JournalTransaction")
    text = next(one["Description"] for one in journals if "Stripe fee" in str(one["Description"]))
    lines = [{"Account": "61160", "DebitAmount": Decimal("3.20")},
             {"Account": "61100", "CreditAmount": Decimal("3.20")}]  # fmt: skip
    body = {"Module": "GL", "Description": text, "Hold": False, "Details": lines}
    await world.enter("JournalTransaction", body, release=True)
    await world.sync("acumatica.documents")
    (finding,) = await found(world)
    assert (finding.edits, finding.missing_minor) == (("corrected",), 0)
    assert await proven(world, payout["id"])
    paper = await the_paper(world, payout["id"])
    assert paper.complaints == ()
    (line,) = (facts for _, facts in paper.lines if facts["what"] == "changed")
    assert (line["document"], line["stands"]) == (finding.key, True)
    assert "changes accounts, too" in page_of(paper)


async def test_a_transfer_reversed_by_hand_takes_the_proof_of_its_payout_away(
    world: World,
) -> None:
    await paid(world)
    (payout,) = await world.run_payouts()
    await world.live()
    assert await proven(world, payout["id"])
    await reversed_journal(world, "Stripe payout")
    (finding,) = await found(world)
    await world.settle()
    assert not await proven(world, payout["id"])
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    assert await proven(world, payout["id"])


async def proven(world: World, payout: str) -> bool:
    async with world.store.transaction() as tx:
        row = await payouts.get(tx, world.id, StripeId(payout))
    return row is not None and row.proven_at is not None


async def the_paper(world: World, payout: str) -> Paper:
    """The signed proof of a payout, as an auditor checks it."""
    found = await certificate(await world.connected(), StripeId(payout))
    assert found is not None
    return checked(signed(found, SigningKey.generate()))


async def test_two_postings_are_never_relinked_to_one_payment(world: World) -> None:
    await paid(world)
    await paid(world)
    ours = [one for one in await world.documents("Payment") if one["Type"] == "Payment"]
    for one in ours:
        await voided(world, one["ReferenceNbr"])
    body = {name: ours[0][name] for name in ("PaymentMethod", "CashAccount")}
    body |= {"Type": "Payment", "CustomerID": CUSTOMER, "PaymentAmount": 100, "Hold": False}
    again = await world.enter("Payment", body | {"PaymentRef": "by hand"}, release=True)
    first, second = await found(world)
    c, to = await world.connected(), again["ReferenceNbr"]
    ends = await asyncio.gather(
        *(repairs.relink(c, one.id, to=to, actor="Kim") for one in (first, second)),
        return_exceptions=True,
    )
    (refused,) = [one for one in ends if isinstance(one, Exception)]
    assert isinstance(refused, NotItsPlace)
    assert "stands for another posting" in str(refused)
    async with world.store.transaction() as tx:
        assert len(await postings.by_erp(tx, world.id, "Payment", to)) == 1
        assert len(await findings.in_state(tx, world.id, Decision.OPEN)) == 1


async def reversed_journal(world: World, words: str) -> str:
    """A clerk reverses the journal with these words; the reversal's number."""
    journals = await world.documents("JournalTransaction")
    batch = next(one for one in journals if words in str(one["Description"]))
    return await reversed_by_hand(world, str(batch["BatchNbr"]))


async def test_a_journal_reversed_by_hand_takes_the_proof_away_until_it_is_restored(
    world: World,
) -> None:
    await paid(world)
    (payout,) = await world.run_payouts()
    await world.live()
    fees = await world.ledger("61100")
    batch = await reversed_journal(world, "Stripe fee")
    assert batch in (await reasons(world))[0]  # the tie-out looks by itself
    (finding,) = await found(world)
    assert (finding.grade, finding.edits) == ("breaks_tie_out", ("reversed",))

    assert not await proven(world, payout["id"])
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    assert await reasons(world) == []
    assert await world.states() == {"verified"}
    assert await proven(world, payout["id"])
    assert await world.ledger("61100") == fees
    assert await found(world) == []


async def test_a_rest_applied_by_a_clerk_is_noted_and_asks_for_nothing(world: World) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"unapplied"'))
    await world.mirror()
    rows = world.stripe_app.world.tables["customer"]
    payer = next(r["id"] for r in rows if r["metadata"].get("erp_customer") == CUSTOMER)
    await world.stripe_api(
        "payment_intents", amount="4200", currency="usd", confirm="true",
        payment_method="pm_card_visa", customer=payer,
    )  # fmt: skip
    await world.live()
    payment = await the_payment(world)
    ref = await world.an_invoice("42.00")
    await world.pass_time(timedelta(minutes=1))
    applied = {"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 42}
    keys = {"Type": "Payment", "ReferenceNbr": payment["ReferenceNbr"]}
    await world.enter("Payment", keys | {"DocumentsToApply": [applied]}, release=True)
    assert await world.balance_due(ref) == Decimal(0)
    assert await found(world) == []
    (noted,) = await found(world, Decision.NOTED)
    assert (noted.grade, noted.edits) == ("harmless", ("applied_more",))
    await world.all_posted()
    with pytest.raises(NotForUs):
        await repairs.restore(await world.connected(), noted.id, actor="Kim")


async def test_a_change_that_could_not_be_looked_at_is_not_passed_over_for_ever(
    world: World,
) -> None:
    await paid(world)
    number = (await the_payment(world))["ReferenceNbr"]
    assert await found(world) == []
    await voided(world, number)
    await world.pass_time(timedelta(hours=1))
    await paid(world, "70.00")
    path = rf"/Payment/Payment/{number}$"
    await world.erp.spoil({"kind": "status", "status": 503, "method": "GET", "path": path})
    with pytest.raises(TryAgain):
        await measure(await world.connected())
    assert await world.erp.faults() > 0
    await world.erp.mend()
    (reason,) = await reasons(world)
    assert "It was voided." in reason
