"""The three places of a fee: a journal of its own, its payout's journal, the payment itself."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from build.dying import Dying
from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.flows.cash.payouts import try_proof
from ml_connector.flows.connected import Connected
from ml_connector.flows.connections.checkup import Verdict, checks
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.repair import repairs
from ml_connector.flows.signals import Kind
from ml_connector.store import findings
from ml_connector.store.connections import Secrets
from ml_connector.store.findings import Decision

pytestmark = pytest.mark.anyio

FEES, INPUT_TAX = "61100", "61150"
BANK_DEBIT = "000123456789"
ENTRY_TYPES = """
[entry_types]
fees = "STRIPEFEE"
input_tax = "STRIPETAX"
"""


def posting_fees(where: str) -> str:
    """The mapping with a policy for fees, and the entry types that one of them needs."""
    text = mapping_with(ENTRY_TYPES, fees=f'"{where}"', unmatched='"hold"')
    return text.replace('input_tax = "17000"', f'input_tax = "{INPUT_TAX}"')


async def sold(world: World, price: str = "100.00", card: str = "") -> tuple[ErpRef, str]:
    """An invoice that is paid and posted; it and the charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref, card=card)
    assert charge is not None
    if card == BANK_DEBIT:
        await world.pass_minutes(10 * 24 * 60)
    await world.live()
    return ref, charge


async def kept(world: World) -> Decimal:
    """What Stripe has kept inside its balance transactions, by Stripe's own books."""
    rows = world.stripe_app.world.tables["balance_transaction"]
    return Decimal(sum(row["fee"] for row in rows)) / 100


async def in_the_books(world: World) -> Decimal:
    return await world.ledger(FEES) + await world.ledger(INPUT_TAX)


async def journals(world: World) -> list[str]:
    """The descriptions of our own batches."""
    rows = await world.documents("JournalTransaction")
    return [str(one["Description"]) for one in rows if one["Module"] == "GL"]


async def waiting_fees(world: World) -> dict[str, str]:
    """What the tie-out of dollars names, by balance transaction; it holds in any case."""
    (found,) = [one for one in await measure(await world.connected()) if one.currency == "USD"]
    assert found.holds, found
    return {one.transaction: f"{one.amount}: {one.reason}" for one in found.unposted}


async def is_proven(world: World, payout: str) -> bool:
    proof = await try_proof(await world.connected(), StripeId(payout))
    assert proof is not None
    assert not proof.gaps, proof.gaps
    return proof.proven


async def test_the_fees_of_a_payout_are_one_journal_and_each_is_named_until_then(
    world: World,
) -> None:
    await world.stripe.tell("switches", {"vat_percent_on_fees": "19"})
    await world.change(mapping_text=posting_fees("payout"))
    for price in ("100.00", "55.55"):
        await sold(world, price)
    _, charge = await sold(world, "70.00")
    await world.stripe.tell("disputes", {"charge": charge})
    await world.live()
    named = await waiting_fees(world)
    assert len(named) == 4
    assert {one.partition(": ")[2] for one in named.values()} == {
        "Its fee is posted with its payout."
    }
    assert await in_the_books(world) == 0
    assert await world.states() == {"verified"}
    (payout,) = await world.run_payouts()
    await world.live()
    (fees,) = [one for one in await journals(world) if "fees" in one]
    assert f"fees of payout {payout['id']} (4 balance transactions)" in fees
    assert await in_the_books(world) == await kept(world)
    assert await world.ledger(INPUT_TAX) > 0
    assert await is_proven(world, payout["id"])
    await world.deliver_again()
    assert len([one for one in await journals(world) if "fees" in one]) == 1
    await world.all_posted()


async def test_a_change_of_policy_neither_doubles_nor_drops_a_fee(world: World) -> None:
    for where in ("payout", "transaction", "payment_charge", "payout"):
        await world.change(mapping_text=posting_fees(where))
        await sold(world)
    assert len(await waiting_fees(world)) == 2
    await world.erp.tell(f"accounts/{FEES}", {"active": False})
    (payout,) = await world.run_payouts()
    await world.live()
    assert await world.troubles()
    await world.change(mapping_text=posting_fees("transaction"))
    await world.erp.tell(f"accounts/{FEES}", {"active": True})
    await world.wait_for_cure()
    assert len([one for one in await journals(world) if "fees of payout" in one]) == 1
    assert await in_the_books(world) == await kept(world)
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_what_is_booked_after_its_payout_leaves_the_fee_where_the_payout_put_it(
    world: World,
) -> None:
    await world.change(mapping_text=posting_fees("payout"))
    ref = await world.an_invoice()
    await world.mirror()
    await world.pay(ref)
    made = {"amount": "4200", "currency": "usd", "confirm": "true"}
    await world.stripe_api("payment_intents", payment_method="pm_card_visa", **made)
    (payout,) = await world.run_payouts()
    await world.look(Kind.PAYOUT, payout["id"])
    assert "no mirrored invoice" in (await world.trouble()).sentence
    assert await in_the_books(world) == await kept(world)
    assert len(await waiting_fees(world)) == 1
    text = posting_fees("transaction").replace('"hold"', '"suspense"')
    await world.change(mapping_text=text)
    await world.wait_for_cure()
    assert await in_the_books(world) == await kept(world)
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_a_voided_payment_is_restored_while_its_fee_stays_in_the_journal_of_its_payout(
    world: World,
) -> None:
    await world.change(mapping_text=posting_fees("payout"))
    (_, charge), _ = await sold(world), await sold(world, "60.00")
    (payout,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, payout["id"])
    before, documents = await in_the_books(world), await journals(world)
    paid = next(one for one in await world.documents("Payment") if one["PaymentRef"] == charge)
    erp = (await world.connected()).acumatica
    await world.pass_minutes(1)
    await erp.release_payment(await erp.void_payment(ErpRef(f"Payment|{paid['ReferenceNbr']}")))
    await world.sync("acumatica.documents")
    async with world.store.transaction() as tx:
        (finding,) = await findings.in_state(tx, world.id, Decision.OPEN)
    await repairs.restore(await world.connected(), finding.id, actor="Kim")
    await world.settle()
    await world.all_posted()
    await world.books_agree()
    assert await in_the_books(world) == before == await kept(world)
    assert await journals(world) == documents, "the journal of the fees was left alone"
    assert await is_proven(world, payout["id"])


async def test_a_payout_whose_members_nobody_names_takes_the_fees_of_what_was_available(
    world: World,
) -> None:
    await world.change(mapping_text=posting_fees("payout"))
    await sold(world)
    await world.pass_minutes(4 * 24 * 60)
    await sold(world, "33.00")
    made = await world.stripe_api("payouts", amount="5000", currency="usd")
    await world.live()
    assert await world.cash("10200WH") == 50
    assert len(await waiting_fees(world)) == 1
    assert 0 < await in_the_books(world) < await kept(world)
    await world.pass_minutes(4 * 24 * 60)
    (payout,) = (await world.stripe.tell("payouts/run"))["payouts"]
    await world.live()
    assert await in_the_books(world) == await kept(world)
    assert await is_proven(world, payout["id"])
    proof = await try_proof(await world.connected(), StripeId(made["id"]))
    assert proof is not None
    assert not proof.proven
    await world.all_posted()


async def test_a_fee_rides_on_its_payment_without_a_call_or_a_journal(world: World) -> None:
    await world.stripe.tell("switches", {"vat_percent_on_fees": "19"})
    await world.change(mapping_text=posting_fees("payment_charge"))
    ref, _ = await sold(world)
    assert await world.balance_due(ref) == 0
    assert await journals(world) == []
    assert await in_the_books(world) == await kept(world)
    assert await world.ledger(INPUT_TAX) > 0
    assert await world.cash() * 100 == await world.at_stripe()
    (payout,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, payout["id"])
    await world.deliver_again()
    await world.all_posted()


async def test_a_returned_debit_leaves_the_fee_that_stripe_keeps_in_the_books(
    world: World,
) -> None:
    await world.change(mapping_text=posting_fees("payment_charge"))
    killed: list[Dying] = []

    def through(c: Connected) -> Any:
        if not killed:
            killed.append(Dying(c.acumatica, "void_payment", "after"))
        return replace(c, acumatica=killed[0])

    world.through = through
    ref, charge = await sold(world, card=BANK_DEBIT)
    await world.stripe.tell(f"charges/{charge}/return")
    await world.live()
    await world.sync("stripe.transactions")
    await world.wait_for_cure()
    assert killed[0].died
    assert await world.balance_due(ref) == 100
    assert ["fee kept" in one for one in await journals(world)] == [True]
    assert await in_the_books(world) == await kept(world) > 0
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()


async def test_an_endpoint_without_charges_gets_a_journal_for_each_fee(world: World) -> None:
    older = replace(world.new.acumatica, version="22.200.001")
    await world.change(acumatica=older, mapping_text=posting_fees("payment_charge"))
    warned = [one async for one in checks(await world.connected(), Secrets())]
    assert [one.verdict for one in warned if one.name == "Fees on payments"] == [Verdict.WARN]
    await sold(world)
    assert ["fee of" in one for one in await journals(world)] == [True]
    assert await in_the_books(world) == await kept(world)
    await world.all_posted()
