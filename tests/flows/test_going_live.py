"""Going live in the middle of a firm's life: the opening position, and what comes after it."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from build.clerks import a_hand_entry, reversed_by_hand
from build.planning import a_plan, apply, keys
from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.basics.clock import start_of_day
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.opening import opening_key
from ml_connector.books.sealed import Paper
from ml_connector.cli import opening_page
from ml_connector.flows.promise.opening import opened, post, propose
from ml_connector.flows.repair.foresight import Choice, foresee
from ml_connector.flows.review.openings import opening_paper, signed_opening
from ml_connector.flows.review.proofs import certificate, checked, signed
from ml_connector.flows.rounds import backfill
from ml_connector.store import audit, payouts, transactions
from ml_connector.store.transactions import TransactionState
from ml_connector.vault.signing import SigningKey

pytestmark = pytest.mark.anyio

SUSPENSE = "24400"
BANK_DEBIT = "000123456789"
UTC_ZONE = ZoneInfo("UTC")
DISPUTED, TRANSIT = "12650", "10500"
WITH_TRANSIT = mapping_with(accounts={"in_transit": TRANSIT})


async def paid_by_others(world: World, cents: int, **facts: str) -> str:
    """A payment of the time before, which no invoice of ours explains; its charge."""
    made = await world.stripe_api(
        "payment_intents", amount=str(cents), currency="usd", confirm="true",
        payment_method="pm_card_bypassPending", **facts,
    )  # fmt: skip
    return str(made["latest_charge"])


async def disputed(world: World, charge: str) -> str:
    """A bank takes the money of a charge back for now; the dispute."""
    made = await world.stripe.tell("disputes", {"charge": charge})
    return str(made["id"])


async def test_what_was_under_way_leaves_the_accounts_that_the_opening_put_it_on(
    world: World,
) -> None:
    """The mapping changes after the opening: a dispute is won, one lost, a reserve set free."""
    disputes = [await disputed(world, await paid_by_others(world, 5000)) for _ in range(2)]
    held = await world.stripe.tell("reserves", {"amount": 2000})
    await paid_by_others(world, 30000)
    (under_way,) = await world.run_payouts()
    await paid_by_others(world, 12345)
    await world.pass_time(timedelta(days=1))
    then = WITH_TRANSIT.replace('reserve = "12650"', 'reserve = "12660"')
    await world.change(start_date=world.clock.now().date(), mapping_text=then)
    c = await world.connected()
    await post(c, (await propose(c, SUSPENSE))[0], "Kim")
    opening = {account: await world.ledger(account) for account in (DISPUTED, "12660", TRANSIT)}
    assert opening == {
        DISPUTED: 100, "12660": 20, TRANSIT: Decimal(under_way["amount"]) / 100,
    }  # fmt: skip
    now = then.replace(DISPUTED, "81000").replace("12660", "17000").replace(TRANSIT, "61150")
    await world.change(mapping_text=now)
    for dispute, outcome in zip(disputes, ["won", "lost"], strict=True):
        await world.stripe.tell(f"disputes/{dispute}", {"outcome": outcome})
    await world.stripe.tell(f"reserves/{held['id']}/release")
    await world.pass_time(timedelta(days=3))
    await world.live()
    await world.sync("stripe.transactions", "stripe.payouts")
    accounts = (*opening, "81000", "17000", "61150")
    assert {account: await world.ledger(account) for account in accounts} == (
        dict.fromkeys(accounts, 0)
    )
    assert await world.ledger("61160") == 50
    assert await world.troubles() == []
    await world.all_posted()


async def goes_live(world: World, day: date) -> None:
    await world.change(start_date=day, mapping_text=WITH_TRANSIT)


async def test_after_the_opening_entry_nothing_of_before_needs_a_journal_by_hand(
    world: World,
) -> None:
    """A dispute, a payout under way and a free balance stand at the cut-over."""
    held = await paid_by_others(world, 5000)
    await paid_by_others(world, 30000)
    dispute = await disputed(world, held)
    (under_way,) = await world.run_payouts()
    await paid_by_others(world, 12345)
    refundable = await paid_by_others(world, 2000)
    await world.pass_time(timedelta(days=1))
    live = world.clock.now().date()
    await goes_live(world, live)
    c = await world.connected()
    before = await world.at_stripe()

    (proposal,) = await propose(c, SUSPENSE)
    assert proposal.position.balance == Money(before, "USD")
    assert [part.subject for part in proposal.position.disputed] == [dispute]
    assert [part.subject for part in proposal.position.in_transit] == [under_way["id"]]
    await post(c, proposal, "Kim")
    async with world.store.statement() as tx:
        acts = await audit.show(tx, world.id, opening_key("USD"))
    assert [one.actor for one in acts if one.action == "opening kept"] == ["Kim"]
    assert await world.cash() * 100 == before
    assert await world.ledger(DISPUTED) == 50
    assert await world.ledger(TRANSIT) * 100 == under_way["amount"]

    await world.refund(refundable, 500)
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "lost"})
    await world.pass_time(timedelta(days=3))
    await world.live()
    await world.sync("stripe.transactions")
    await world.run_payouts()
    await world.live()
    assert await world.ledger(DISPUTED) == await world.ledger(TRANSIT) == 0
    assert await world.ledger("61160") == 50
    assert await world.cash() * 100 == await world.at_stripe()
    for number in ("opening:USD", under_way["id"]):
        kept = await foresee(world.store, world.id, Choice(number=number))
        assert [one for one in kept.refused if "opening position" in one] == list(kept.refused)
        assert kept.refused
        assert not kept.items
    assert await world.troubles() == []
    async with world.store.transaction() as tx:
        rows = await payouts.every(tx, world.id, limit=9)
    assert [row.id for row in rows if row.proven_at is None] == []
    assert len(rows) == 2

    again = await post(await world.connected(), (await propose(c, SUSPENSE))[0], "Kim")
    assert again == await opened(c, "USD")
    assert await world.cash() * 100 == await world.at_stripe()


async def the_paper(world: World, payout: str) -> Paper:
    """The signed proof of a payout, as an auditor checks it."""
    found = await certificate(await world.connected(), StripeId(payout))
    assert found is not None
    return checked(signed(found, SigningKey.generate()))


@pytest.mark.parametrize("held", ["0.00", "40.00", "all"])
async def test_the_first_payouts_paper_says_what_of_the_opening_belongs_to_others(
    world: World, held: str
) -> None:
    """The ledger held nothing of it, a part, or all, so that no entry was needed."""
    for cents in (20000, 10000):
        await paid_by_others(world, cents)
    await world.pass_time(timedelta(days=1))
    await goes_live(world, world.clock.now().date())
    before = Decimal(await world.at_stripe()) / 100
    there = before if held == "all" else Decimal(held)
    if there:
        await a_hand_entry(world, "10650", SUSPENSE, str(there))
    c = await world.connected()
    (kept,) = await propose(c, SUSPENSE)
    assert (kept.entry is None) is (held == "all")
    await post(c, kept, "Kim")
    (payout,) = await world.run_payouts()
    await world.live()
    paper = await the_paper(world, payout["id"])
    assert paper.complaints == ()
    rows = [facts for _, facts in paper.lines]
    assert rows[0]["verdict"] == "proven"
    (line,) = (one for one in rows if one.get("key") == "opening:USD")
    # The payout takes all that stood there; what is not of the entry was in the ledger before.
    assert (line["effect"], line["for_others"]) == (
        f"{before - there:.2f} USD",
        f"{-there:.2f} USD",
    )
    await world.all_posted()


async def opening_of(world: World) -> Paper:
    """The signed paper of the dollars, as an auditor checks it."""
    found = await opening_paper(await world.connected(), "USD")
    assert found is not None
    return checked(signed_opening(found, SigningKey.generate()))


async def test_the_opening_position_has_a_signed_paper_until_somebody_reverses_its_entry(
    world: World,
) -> None:
    held = await paid_by_others(world, 5000)
    await paid_by_others(world, 30000)
    dispute = await disputed(world, held)
    (under_way,) = await world.run_payouts()
    await paid_by_others(world, 12345)
    await world.pass_time(timedelta(days=1))
    await goes_live(world, world.clock.now().date())
    c = await world.connected()
    assert await opening_paper(c, "USD") is None
    await post(c, (await propose(c, SUSPENSE))[0], "Kim")

    paper = await opening_of(world)
    assert paper.complaints == ()
    rows = [facts for _, facts in paper.lines]
    assert rows[0]["verdict"] == "in the ledger"
    assert rows[0]["balance"] == f"{Decimal(await world.at_stripe()) / 100:.2f} USD"
    holds = {one["account"]: one["holds"] for one in rows if one["what"] == "account"}
    assert holds["10650"] == f"{await world.cash():.2f} USD"
    assert (holds[DISPUTED], holds[TRANSIT]) == (
        "50.00 USD",
        f"{under_way['amount'] / 100:.2f} USD",
    )
    numbers = {one.get("dispute") or one.get("payout") for one in rows} - {None}
    assert numbers == {dispute, under_way["id"]}
    page = opening_page.page_of(paper)
    assert all(words in page for words in (dispute, "What Stripe held", "The entry in Acumatica"))

    (batch,) = (one for one in await world.documents("JournalTransaction")
                if "opening position" in str(one["Description"]))  # fmt: skip
    await reversed_by_hand(world, str(batch["BatchNbr"]))
    await world.sync("acumatica.documents")
    paper = await opening_of(world)
    assert paper.complaints == ()
    assert paper.lines[0][1]["verdict"] == "not in the ledger"
    (line,) = (facts for _, facts in paper.lines if facts["what"] == "changed")
    assert "It was reversed by" in str(line["sentence"])
    assert "not in force" in opening_page.page_of(paper)


async def test_an_opening_that_needed_no_entry_says_so_on_its_paper(world: World) -> None:
    await paid_by_others(world, 20000)
    await world.pass_time(timedelta(days=1))
    await goes_live(world, world.clock.now().date())
    await a_hand_entry(world, "10650", SUSPENSE, str(Decimal(await world.at_stripe()) / 100))
    c = await world.connected()
    await post(c, (await propose(c, SUSPENSE))[0], "Kim")
    paper = await opening_of(world)
    assert paper.complaints == ()
    assert paper.lines[0][1]["verdict"] == "held before"


async def test_what_was_under_way_at_the_cut_over_can_be_approved_when_it_ends(
    world: World,
) -> None:
    held = await paid_by_others(world, 5000)
    await paid_by_others(world, 30000)
    dispute = await disputed(world, held)
    (under_way,) = await world.run_payouts()
    await world.pass_time(timedelta(days=1))
    asked = mapping_with(
        '[modes]\npayouts = "approve"\ndisputes = "approve"', accounts={"in_transit": TRANSIT}
    )
    await world.change(start_date=world.clock.now().date(), mapping_text=asked)
    c = await world.connected()
    await post(c, (await propose(c, SUSPENSE))[0], "Kim")
    await world.stripe.tell(f"disputes/{dispute}", {"outcome": "lost"})
    await world.pass_time(timedelta(days=3))
    await world.live()
    assert await world.ledger(DISPUTED) == 50
    assert await world.ledger(TRANSIT) * 100 == under_way["amount"]
    await world.books_agree()
    plan = await a_plan(world)
    ends = [f"arrival:{under_way['id']}", f"dispute_loss:{dispute}"]
    assert keys(plan) == ends
    await world.pass_time(timedelta(days=1))
    await apply(world, plan, only=ends)
    assert await world.ledger(DISPUTED) == await world.ledger(TRANSIT) == 0
    assert await world.ledger("61160") == 50
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []
    assert keys(await a_plan(world)) == []


async def an_old_debit(world: World) -> str:
    """A bank debit of before the cut-over, with the payment that people booked for it."""
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = str(await world.pay(ref, card=BANK_DEBIT))
    await world.pass_minutes(10 * 24 * 60)
    body = {
        "Type": "Payment", "CustomerID": CUSTOMER, "PaymentMethod": "STRIPE",
        "CashAccount": "10650ST", "PaymentAmount": 100, "PaymentRef": charge, "Hold": False,
        "DocumentsToApply": [
            {"DocType": "Invoice", "ReferenceNbr": ref.partition("|")[2], "AmountPaid": 100}
        ],
    }  # fmt: skip
    await world.enter("Payment", body, release=True)
    assert await world.balance_due(ref) == 0
    return charge


async def test_an_old_debit_that_comes_back_undoes_the_payment_that_people_had_booked(
    world: World,
) -> None:
    charge = await an_old_debit(world)
    live = world.clock.now().date() + timedelta(days=1)
    await world.pass_time(timedelta(days=1))
    await goes_live(world, live)
    c = await world.connected()
    await post(c, (await propose(c, SUSPENSE))[0], "Kim")
    assert await world.cash() * 100 == await world.at_stripe()
    await world.stripe.tell(f"charges/{charge}/return")
    await world.live()
    await world.sync("stripe.transactions")
    found = {str(one["Type"]): one["Status"] for one in await world.documents("Payment")}
    assert found == {"Payment": "Voided", "Voided Payment": "Closed"}
    assert await world.cash() * 100 == await world.at_stripe()
    assert await world.troubles() == []


async def states_since(world: World, day: date) -> list[TransactionState]:
    """How each movement stands, oldest first."""
    start = start_of_day(day, UTC_ZONE)
    async with world.store.transaction() as tx:
        found = await transactions.created_between(tx, world.id, start, world.clock.now())
    return [row.state for row in found]


async def test_history_is_loaded_in_windows_goes_on_after_an_end_and_agrees_with_stripe(
    world: World,
) -> None:
    begin = world.clock.now().date()
    await world.change(start_date=begin + timedelta(days=2), mapping_text=mapping_with(
        unmatched='"suspense"'))  # fmt: skip
    for cents in (1000, 2000, 4000):
        await paid_by_others(world, cents)
        await world.pass_time(timedelta(days=1))
    end = begin + timedelta(days=2)
    c = await world.connected()
    async for progress in backfill.backfill(c, begin, end, days=1):
        assert not progress.whole
        break  # killed after its first day
    loaded = [one async for one in backfill.backfill(c, begin, end, days=1)]
    assert [one.done_until for one in loaded[-1:]] == [end + timedelta(days=1)]
    await world.settle()
    found = await backfill.reckon(c, begin, end)
    sums = found.sums["USD"]
    assert (sums.stored_count, sums.stored, found.unposted) == (3, sums.listed, [])
    assert found.whole
    opening, posted = TransactionState.OPENING, TransactionState.POSTED
    assert await states_since(world, begin) == [opening, opening, posted]
    await backfill.move_start(c, begin, "Kim")
    c = await world.connected()
    loaded = [one async for one in backfill.backfill(c, begin, end, days=7)]
    await world.settle()
    assert await states_since(world, begin) == [posted] * 3
    assert await world.cash() * 100 == await world.at_stripe()


async def test_a_page_that_stripe_left_out_is_found_by_listing_anew_and_loaded_the_next_time(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    begin = world.clock.now().date()
    for cents in (1000, 2000, 4000):
        await paid_by_others(world, cents)
    c, listed = await world.connected(), world.stripe_app.world.tables["balance_transaction"]
    lost = next(iter(listed))
    listed.remove(lost["id"])
    assert [one async for one in backfill.backfill(c, begin, begin, days=1)]
    listed.rows[lost["id"]] = lost
    found = await backfill.reckon(c, begin, begin)
    net = Money(lost["net"], "USD")
    assert found.astray == [backfill.Astray(lost["id"], begin, net, None)]
    sums = found.sums["USD"]
    assert (sums.listed - sums.stored, sums.listed_count - sums.stored_count) == (net, 1)
    assert [one async for one in backfill.backfill(c, begin, begin, days=1)]
    assert (await backfill.reckon(c, begin, begin)).whole


async def test_a_stored_movement_that_stripe_does_not_list_or_lists_otherwise_is_named(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    begin = world.clock.now().date()
    await paid_by_others(world, 1000)
    await paid_by_others(world, 2000)
    c, listed = await world.connected(), world.stripe_app.world.tables["balance_transaction"]
    assert [one async for one in backfill.backfill(c, begin, begin, days=1)]
    other, gone = listed
    other["net"] += 1
    listed.remove(gone["id"])
    found = {one.id: one for one in (await backfill.reckon(c, begin, begin)).astray}
    assert set(found) == {other["id"], gone["id"]}
    assert (found[gone["id"]].listed, found[gone["id"]].stored) == (None, Money(gone["net"], "USD"))
    assert found[other["id"]].listed == Money(other["net"], "USD") != found[other["id"]].stored
