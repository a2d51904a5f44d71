"""Testing a set-up, the dry run, asking about any number, doing it again, and the audit trail."""

from dataclasses import replace
from typing import Any

import pytest

from build.world import CUSTOMER, World
from ml_connector.books.plans import entries_of
from ml_connector.cli.explained import facts_of
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.connections.checkup import Check, Verdict, checks
from ml_connector.flows.questions.explain import explain, replay
from ml_connector.flows.questions.lineage import lineage
from ml_connector.flows.review.plan import Planned, plan
from ml_connector.store import audit
from ml_connector.store.connections import Secrets, open_secrets

pytestmark = pytest.mark.anyio


async def checkup(world: World) -> dict[str, Check]:
    """Every check of the connection, by name."""
    c = await world.connected()
    secret = open_secrets(c.record, world.place.keyring)
    return {one.name: one async for one in checks(c, secret)}


async def failing(world: World) -> dict[str, Check]:
    """The checks that fail, each with a sentence and a remedy."""
    found = {k: one for k, one in (await checkup(world)).items() if one.verdict is Verdict.FAIL}
    assert all(one.sentence and one.remedy for one in found.values()), found
    return found


async def written(world: World) -> tuple[int, int, int]:
    """How many documents and objects stand on both sides."""
    counts = (await world.stripe.ask("books"))["counts"]
    documents = [await world.documents(kind) for kind in ("Payment", "JournalTransaction")]
    return sum(counts.values()), len(documents[0]), len(documents[1])


async def test_a_good_set_up_passes_every_check_and_the_checks_write_nothing(
    world: World,
) -> None:
    before = await written(world)
    found = await checkup(world)
    assert {one.verdict for one in found.values()} == {Verdict.PASS}
    assert len(found) > 12
    assert await written(world) == before
    calls = [*await world.stripe.calls(), *await world.erp.calls()]
    other = [route for route in calls if "token" not in route and not route.startswith("GET ")]
    assert [route.rpartition("/")[2] for route in other] == ["CompaniesStructure"]


async def test_a_revoked_stripe_key_fails_every_check_of_stripe_and_none_of_the_erp(
    world: World,
) -> None:
    key = world.new.secrets.stripe_key
    await world.stripe.tell("keys", {"key": key, "revoked": True})
    found = await failing(world)
    assert "Stripe key" in found
    assert all(name.startswith("Stripe") for name in found)


async def test_a_restricted_key_fails_only_what_it_may_not_read_and_names_the_right(
    world: World,
) -> None:
    key = world.new.secrets.stripe_key
    rights = dict.fromkeys(
        ["customers", "invoices", "payment_intents", "charges", "balance", "payouts", "events",
         "account"], "read",
    )  # fmt: skip
    await world.stripe.tell("keys", {"key": key, "permissions": rights})
    found = await failing(world)
    assert list(found) == ["Stripe: read disputes"]
    assert "disputes" in found["Stripe: read disputes"].sentence


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"version": "99.100.001"}, ["99.100.001", "24.200.001"]),
    ({"url": "http://127.0.0.1:1/AcumaticaERP"}, ["Acumatica"]),
    ({"user": "nobody"}, ["sign"]),
]


@pytest.mark.parametrize(("wrong", "named"), WRONG)
async def test_a_wrong_erp_side_fails_its_check_with_the_sentence_that_helps(
    world: World, wrong: dict[str, Any], named: list[str]
) -> None:
    await world.change(acumatica=replace(world.new.acumatica, **wrong))
    found = await failing(world)
    sentence = found["Acumatica: address, version, sign-in"].sentence
    assert all(word.lower() in sentence.lower() for word in named), sentence


async def test_what_does_not_fit_the_tenant_fails_by_its_key_in_the_mapping(
    world: World,
) -> None:
    await world.erp.tell("accounts/40900", {"active": False})
    text = SANDBOX_MAPPING.read_text("utf-8")
    for right, wrong in (
        ('fees = "61100"', 'fees = "99999"'),
        ('bank = "10200"', 'bank = "10240"'),
        ('payment_method = "STRIPE"', 'payment_method = "VISA"'),
    ):
        text = text.replace(right, wrong, 1)
    await world.change(mapping_text=text)
    found = await failing(world)
    sentences = {
        "accounts.refunds": "40900",
        "accounts.fees": "99999",
        "currencies.USD.bank": "EUR",
        "currencies.JPY.clearing_cash": "10660ST",
        "payment_method": "card processing",
    }
    assert set(found) == {f"Mapping: {key}" for key in sentences}
    for key, words in sentences.items():
        assert words in found[f"Mapping: {key}"].sentence


async def test_without_a_signing_secret_the_check_warns_that_payments_are_only_polled(
    world: World,
) -> None:
    c = await world.connected()
    found = [one async for one in checks(c, Secrets()) if one.verdict is not Verdict.PASS]
    assert [(one.name, one.verdict) for one in found] == [("Stripe webhooks", Verdict.WARN)]
    assert "polling" in found[0].sentence


async def planned(world: World) -> list[Planned]:
    return [one async for one in plan(await world.connected())]


async def test_the_dry_run_tells_what_would_be_posted_and_writes_nothing(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref)
    await world.stripe.tell("charge", {"amount": 700, "currency": "usd"})
    await world.stripe.ask("settled")
    before = await written(world)
    sale, unknown = await planned(world)
    assert sale.transaction.source == charge
    mapping = (await world.connected()).mapping
    moved = {one.account: str(one.amount) for one in entries_of(sale.postings[0], mapping)}
    assert moved == {"10650": "100.00 USD", "accounts receivable": "-100.00 USD"}
    assert unknown.postings == ()
    assert "7.00 USD" in unknown.why_not
    assert unknown.remedy
    assert await written(world) == before
    assert list(await world.transactions()) == []
    assert await world.states() == set()


async def test_after_the_work_is_done_the_dry_run_has_nothing_to_tell(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await world.pay(ref)
    await world.live()
    assert await planned(world) == []


async def a_whole_chain(world: World) -> dict[str, str]:
    """A sale with a refund and a payout, done; every number that somebody may ask about."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref)
    await world.live()
    refund = await world.refund(charge, 1000)
    await world.live()
    (payout,) = await world.run_payouts()
    await world.live()
    (payment,) = await world.documents("Payment")
    sent = await world.mirrored(ref)
    return {
        "invoice": ref.partition("|")[2], "reference": ref, "stripe invoice": sent["id"],
        "charge": str(charge), "refund": refund, "payout": payout["id"],
        "payment": payment["ReferenceNbr"], "customer": CUSTOMER,
    }  # fmt: skip


async def test_every_number_of_a_chain_leads_to_both_of_its_ends(world: World) -> None:
    chain = await a_whole_chain(world)
    for what, number in chain.items():
        found = await explain(world.store, world.id, number)
        assert {one.erp_ref for one in found.links} >= {chain["reference"], CUSTOMER}, what
        sources = {row.source for row in found.transactions}
        assert sources == {chain["charge"], chain["refund"], chain["payout"]}, what
        assert chain["payout"] in {row.id for row in found.payouts}, what
        assert any(one.key == f"payment:{chain['charge']}" for one in found.postings), what
        assert any(one.key == f"payout:{chain['payout']}" for one in found.postings), what
    story = await lineage(await world.connected(), chain["charge"])
    told: Any = facts_of(story)
    acted = {(act.actor, act.action) for act in story.acts}
    assert {("connector", "posting"), ("connector", "invoice sent")} <= acted
    assert story.unmatched == []
    assert {row["at_stripe"] for row in told["transactions"]} == {"available"}
    assert {row["mapping_version"] for row in told["postings"]} == {1}
    assert {row["in_acumatica"] for row in told["postings"]} == {"Closed", "Posted"}


async def test_a_number_that_nobody_knows_is_said_to_be_unknown(world: World) -> None:
    await a_whole_chain(world)
    assert (await explain(world.store, world.id, "ch_of_nobody")).empty
    assert await replay(world.store, world.id, "ch_of_nobody", now=world.clock.now()) == []


async def test_doing_it_again_changes_nothing_where_nothing_is_owed(world: World) -> None:
    chain = await a_whole_chain(world)
    before = await written(world)
    for number in chain.values():
        assert await replay(world.store, world.id, number, now=world.clock.now())
        await world.settle()
    assert await written(world) == before
    assert await world.troubles() == []
    await world.all_posted()


async def test_doing_it_again_is_how_a_person_moves_what_rests(world_of_today: World) -> None:
    world = world_of_today
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = str(await world.pay(ref))
    await world.erp.tell("accounts/61100", {"active": False})
    await world.live()
    assert await world.troubles()
    await world.erp.tell("accounts/61100", {"active": True})
    assert await replay(world.store, world.id, charge, now=world.clock.now())
    await world.settle()
    assert await world.troubles() == []
    await world.all_posted()


async def test_the_audit_trail_of_a_whole_chain_is_unbroken_and_names_its_steps(
    world: World,
) -> None:
    await a_whole_chain(world)
    async with world.store.transaction() as tx:
        assert await audit.verify(tx) is None
        done = {entry.action for entry in await audit.recent(tx, world.id)}
    assert done >= {"connection set up", "customer mirrored", "invoice sent", "posting",
                    "payout proven"}  # fmt: skip
