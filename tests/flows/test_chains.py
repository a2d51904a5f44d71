"""From any number to both ends of its chain: what hangs together, and nothing else."""

import json
from typing import Any

import pytest

from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.cli import explained, show
from ml_connector.cli.explained import facts_of, show_explanation
from ml_connector.flows.questions.explain import Explanation, explain, replay
from ml_connector.flows.questions.lineage import lineage

pytestmark = pytest.mark.anyio

FEES_BY_PAYOUT = mapping_with(fees='"payout"')


async def a_sale(world: World, price: str = "100.00") -> dict[str, str]:
    """An invoice that is paid and posted; its numbers on both sides."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = str(await world.pay(ref))
    await world.live()
    return {"invoice": ref, "charge": charge}


async def asked(world: World, number: str) -> Explanation:
    return await explain(world.store, world.id, number)


def sources(found: Explanation) -> set[str | None]:
    return {row.source for row in found.transactions}


def invoices(found: Explanation) -> set[str]:
    return {link.erp_ref for link in found.links if link.kind == "invoice"}


async def test_a_dispute_and_a_refund_lead_to_their_payment_and_it_leads_to_them(
    world: World,
) -> None:
    sale, other = await a_sale(world), await a_sale(world, "30.00")
    refund = await world.refund(sale["charge"], 1000)
    dispute = (await world.stripe.tell("disputes", {"charge": sale["charge"], "amount": 2000}))[
        "id"
    ]
    await world.live()
    for number in (refund, dispute, sale["charge"], sale["invoice"]):
        found = await asked(world, number)
        assert sources(found) == {sale["charge"], refund, dispute}, number
        assert invoices(found) == {sale["invoice"]}, number
    (of_refund,) = (
        row for row in (await asked(world, refund)).transactions if row.source == refund
    )
    assert of_refund.charge == sale["charge"]
    assert sources(await asked(world, other["charge"])) == {other["charge"]}


async def test_a_batch_of_fees_and_its_payout_lead_to_their_payments_and_to_nothing_later(
    world: World,
) -> None:
    await world.change(mapping_text=FEES_BY_PAYOUT)
    first, second = await a_sale(world), await a_sale(world, "60.00")
    (payout,) = await world.run_payouts()
    await world.live()
    later = await a_sale(world, "20.00")
    (batch,) = (
        row for row in (await asked(world, payout["id"])).postings
        if row.key.startswith("fees_of_payout:")
    )  # fmt: skip
    for number in (payout["id"], batch.key, batch.tag):
        found = await asked(world, number)
        assert {first["charge"], second["charge"]} <= sources(found), number
        assert invoices(found) == {first["invoice"], second["invoice"]}, number
        assert {row.id for row in found.payouts} == {payout["id"]}, number
    of_one = await asked(world, first["charge"])
    assert batch.key in {row.key for row in of_one.postings}
    assert sources(of_one) == {first["charge"], payout["id"]}
    assert invoices(await asked(world, later["charge"])) == {later["invoice"]}


async def test_a_customer_leads_to_all_its_invoices_and_what_was_paid_of_them(
    world: World,
) -> None:
    first, second = await a_sale(world), await a_sale(world, "60.00")
    found = await asked(world, CUSTOMER)
    assert invoices(found) == {first["invoice"], second["invoice"]}
    assert sources(found) == {first["charge"], second["charge"]}
    of_one = await asked(world, first["invoice"])
    assert {link.erp_ref for link in of_one.links} == {CUSTOMER, first["invoice"]}


async def test_doing_a_payout_again_looks_at_it_and_not_at_all_that_hangs_together(
    world: World,
) -> None:
    sale = await a_sale(world)
    (payout,) = await world.run_payouts()
    await world.live()
    looks = await replay(world.store, world.id, payout["id"], now=world.clock.now())
    assert {one.resource for one in looks} == {payout["id"]}
    looks = await replay(world.store, world.id, sale["charge"], now=world.clock.now())
    assert CUSTOMER not in {one.resource for one in looks}


async def test_a_payout_of_many_payments_is_shown_cut_with_their_number_and_whole_in_json(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explained, "SHOWN", 3)
    ref = await world.an_invoice("100.00")
    await world.mirror()
    for _ in range(5):
        await world.pay(ref, 400)
    await world.live()
    (payout,) = await world.run_payouts()
    await world.live()
    story = await lineage(await world.connected(), payout["id"])
    assert len(story.chain.transactions) == 6
    show_explanation(story)
    said = capsys.readouterr().out.splitlines()
    money = [line for line in said if line.startswith("money")]
    assert len(money) == 3 + 1
    assert payout["id"] in money[0]
    assert money[-1].endswith("... and 3 more: --json lists all")
    show.as_json(facts_of(story))
    told: Any = json.loads(capsys.readouterr().out)
    assert len(told["transactions"]) == 6
