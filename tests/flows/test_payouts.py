"""From the balance to the bank: payouts, their proof, and what stands in its way."""

from decimal import Decimal

import pytest

from build.policies import mapping_with
from build.world import World
from ml_connector.basics.ids import StripeId
from ml_connector.books.certificate import Certificate
from ml_connector.books.proof import Verdict
from ml_connector.cli.proof_page import page_of
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.cash.payouts import try_proof
from ml_connector.flows.review.proofs import certificate, checked, signed
from ml_connector.store import payouts
from ml_connector.vault.signing import SigningKey

pytestmark = pytest.mark.anyio

WITH_GIFTS = """
[pairs]
"gift_card/gift" = "81000"
"""


async def sold(world: World, *prices: str) -> None:
    """Invoices that are paid and posted."""
    refs = [await world.an_invoice(price) for price in prices]
    await world.mirror()
    for ref in refs:
        await world.pay(ref)
    await world.live()


async def the_paper(world: World, payout: str) -> Certificate:
    """What the signed proof of a payout says."""
    paper = await certificate(await world.connected(), StripeId(payout))
    assert paper is not None
    return paper


async def is_proven(world: World, payout: str) -> bool:
    async with world.store.transaction() as tx:
        row = await payouts.get(tx, world.id, StripeId(payout))
    return row is not None and row.proven_at is not None


async def test_a_payout_moves_clearing_to_the_bank_and_is_proven_to_the_cent(
    world: World,
) -> None:
    await sold(world, "100.00", "55.55", "7.07")
    (payout,) = await world.run_payouts()
    await world.live()
    assert await world.cash() == await world.at_stripe() == 0
    assert await world.cash("10200WH") == Decimal(payout["amount"]) / 100
    assert await is_proven(world, payout["id"])
    await world.all_posted()
    key = SigningKey.generate()
    text = signed(await the_paper(world, payout["id"]), key)
    paper = checked(text)
    assert (paper.complaints, paper.key) == ((), key.public)
    assert [one["transfer"] for _, one in paper.lines if one["what"] == "clearing"] == [
        f"-{Decimal(payout['amount']) / 100:.2f} USD"
    ]
    (number,) = {one["ReferenceNbr"] for one in await world.documents("Payment")
                 if Decimal(str(one["PaymentAmount"])) == Decimal("55.55")}  # fmt: skip
    assert f"Payment {number}" in page_of(paper)
    (changed, *_) = checked(text.replace(f"Payment {number}", "Payment 999999")).complaints
    named = dict(paper.lines)[changed.line]
    assert named["acumatica"] == f"Payment {number}"


async def test_payouts_of_two_currencies_go_to_their_own_banks(world: World) -> None:
    customer = await world.a_customer("Tanaka", "JPY")
    yen = await world.an_invoice("9000", customer=customer)
    await world.mirror()
    await world.pay(yen)
    await sold(world, "100.00")
    made = {row["currency"]: row for row in await world.run_payouts()}
    await world.live()
    assert await world.cash("10230WH") == made["jpy"]["amount"]
    assert await world.cash("10200WH") * 100 == made["usd"]["amount"]
    for row in made.values():
        assert await is_proven(world, row["id"])
    await world.all_posted()


async def test_a_bill_of_stripes_own_has_no_event_yet_is_swept_posted_and_proven(
    world: World,
) -> None:
    await sold(world, "100.00")
    fees = await world.ledger("61100")
    await world.stripe.tell("fees", {"amount": 250, "currency": "usd"})
    await world.live()
    assert await world.ledger("61100") == fees
    await world.sync("stripe.transactions")
    assert await world.ledger("61100") == fees + Decimal("2.50")
    (payout,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, payout["id"])
    await world.all_posted()


@pytest.mark.parametrize("fees", ["transaction", "payout", "payment_charge"])
async def test_a_part_of_a_fee_of_an_unknown_kind_is_named_until_it_has_an_account(
    world: World, fees: str
) -> None:
    """Under any policy for fees; the sale and its payout are proven after it, whole."""
    types = '[entry_types]\nfees = "STRIPEFEE"\ninput_tax = "STRIPETAX"\n'
    await world.change(mapping_text=mapping_with(types, fees=f'"{fees}"'))
    await sold(world, "100.00")
    odd = {"type": "reserve_release", "reporting_category": "risk_reserved_funds", "amount": 1000}
    kinds = {"stripe_fee": 20, "network_levy": 30}
    await world.stripe.tell("adjust", odd | {"fee_kinds": kinds})
    await world.sync("stripe.transactions")
    assert "0.30 USD are 'network_levy'" in (await world.trouble()).sentence
    (waits,) = [one for one in await world.transactions() if one.cause != "fees.with_payout"]
    assert (waits.amount_minor, waits.state) == (1000, "unexplained")
    await world.books_agree()
    (payout,) = await world.run_payouts()
    await world.live()
    assert not await is_proven(world, payout["id"])
    more = f'{types}[fee_kinds]\nnetwork_levy = "81000"\n'
    await world.change(mapping_text=mapping_with(more, fees=f'"{fees}"'))
    await world.live()
    assert await world.ledger("81000") == Decimal("0.30")
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_a_reserve_that_stripe_shows_on_both_sides_stands_once_on_its_account(
    world: World,
) -> None:
    await world.stripe.tell("switches", {"reserve_rows_on_both_sides": True})
    await sold(world, "100.00")
    held = await world.stripe.tell("reserves", {"amount": 2000})
    await world.sync("stripe.transactions")
    assert await world.ledger("12650") == 20
    assert await world.cash() * 100 == await world.at_stripe()
    await world.all_posted()
    await world.stripe.tell(f"reserves/{held['id']}/release")
    await world.sync("stripe.transactions")
    assert await world.ledger("12650") == 0
    assert await world.troubles() == []
    (payout,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_money_of_another_balance_is_named_and_never_touches_clearing(world: World) -> None:
    await sold(world, "100.00")
    spent = {"type": "issuing_transaction", "reporting_category": "issuing_transaction"}
    await world.stripe.tell("adjust", spent | {"amount": -700, "balance_type": "issuing"})
    await world.sync("stripe.transactions")
    assert "balance 'issuing'" in (await world.trouble()).sentence
    assert await world.cash() * 100 == await world.at_stripe()
    await world.books_agree()
    by_hand = 'balances_by_hand = ["issuing"]\n' + SANDBOX_MAPPING.read_text("utf-8")
    await world.change(mapping_text=by_hand)
    await world.wait_for_cure()
    (payout,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_a_payout_that_the_bank_sends_back_is_reversed(world: World) -> None:
    await sold(world, "100.00")
    (payout,) = await world.run_payouts()
    await world.live()
    await world.stripe.tell(f"payouts/{payout['id']}/fail")
    await world.live()
    assert await world.cash("10200WH") == 0
    assert await world.cash() * 100 == await world.at_stripe() == payout["amount"]
    await world.all_posted()
    paper = await the_paper(world, payout["id"])
    assert paper.proof.verdict is Verdict.RETURNED
    assert checked(signed(paper, SigningKey.generate())).complaints == ()


async def test_a_top_up_comes_from_the_bank_and_may_be_taken_back(world: World) -> None:
    up = {"type": "topup", "reporting_category": "topup", "amount": 5000, "currency": "usd"}
    await world.stripe.tell("adjust", up)
    await world.sync("stripe.transactions")
    assert await world.cash() == 50
    assert await world.cash("10200WH") == -50
    await world.all_posted()
    back = {"type": "topup_reversal", "reporting_category": "topup_reversal", "amount": -5000}
    await world.stripe.tell("adjust", back | {"currency": "usd"})
    await world.sync("stripe.transactions")
    assert await world.cash() == await world.cash("10200WH") == 0
    await world.all_posted()


async def test_a_movement_of_an_unknown_kind_is_named_and_blocks_only_its_own_payout(
    world: World,
) -> None:
    await sold(world, "100.00")
    (first,) = await world.run_payouts()
    await world.live()
    odd = {"type": "gift_card", "reporting_category": "gift", "amount": -300, "currency": "usd"}
    row = await world.stripe.tell("adjust", odd)
    await world.sync("stripe.transactions")
    trouble = await world.trouble()
    assert "gift_card/gift" in trouble.sentence
    assert row["id"] in trouble.sentence
    assert "gift_card/gift" in trouble.remedy
    await sold(world, "80.00")
    (second,) = await world.run_payouts()
    await world.live()
    assert await is_proven(world, first["id"])
    assert not await is_proven(world, second["id"])
    proof = await try_proof(await world.connected(), StripeId(second["id"]))
    assert proof is not None
    assert [row["id"] in gap for gap in proof.gaps] == [True]
    await world.books_agree()


async def test_it_is_posted_by_itself_once_an_account_is_mapped_for_its_kind(world: World) -> None:
    await sold(world, "100.00")
    odd = {"type": "gift_card", "reporting_category": "gift", "amount": -300, "currency": "usd"}
    await world.stripe.tell("adjust", odd)
    await world.sync("stripe.transactions")
    (payout,) = await world.run_payouts()
    await world.live()
    assert not await is_proven(world, payout["id"])
    await world.change(mapping_text=SANDBOX_MAPPING.read_text("utf-8") + WITH_GIFTS)
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert await world.ledger("81000") == 3
    assert await is_proven(world, payout["id"])
    await world.all_posted()


async def test_a_manual_payout_is_posted_yet_never_called_proven(world: World) -> None:
    await sold(world, "100.00")
    await world.pass_minutes(4 * 24 * 60)
    await world.stripe_api("payouts", amount="5000", currency="usd")
    await world.live()
    assert await world.cash("10200WH") == 50
    await world.all_posted()
    payout = (await world.stripe_api("payouts", amount="1000", currency="usd"))["id"]
    await world.live()
    paper = await the_paper(world, payout)
    assert paper.proof.verdict is Verdict.TRANSFER_ONLY
    assert checked(signed(paper, SigningKey.generate())).complaints == ()
