"""A mapping changed as text: checked against the tenant, versioned, and tried on paper before."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from build.clerks import a_hand_entry, bounced
from build.policies import mapping_with
from build.world import World
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.books.finding import Finding, Severity
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.mapping.lint import lint
from ml_connector.flows.mapping.mapping_change import propose, put_in_force, version_of
from ml_connector.flows.mapping.mapping_edit import drop, put
from ml_connector.flows.promise.opening import post
from ml_connector.flows.promise.opening import propose as openings
from ml_connector.flows.questions.what_if import WhatIf, what_if
from ml_connector.store import audit, mapping

pytestmark = pytest.mark.anyio

WHOLE = SANDBOX_MAPPING.read_text("utf-8")


async def linted(world: World, text: str) -> list[Finding]:
    """What the lint finds in a text that is not in force."""
    proposal = await propose(world.store, world.id, text)
    return await lint(await world.board.trying(world.id, proposal.mapping))


async def failing(world: World, text: str) -> dict[str, str]:
    """The keys that fail, with their sentences."""
    found = [one for one in await linted(world, text) if one.severity is Severity.FAIL]
    assert all(one.remedy for one in found)
    return {one.key: one.sentence for one in found}


async def tried(world: World, text: str) -> WhatIf:
    """What the last days would be under a text."""
    proposal = await propose(world.store, world.id, text)
    return await what_if(await world.connected(), proposal.mapping, 90)


async def in_force(world: World, text: str, note: str = "") -> int:
    """A person puts a text in force."""
    proposal = await propose(world.store, world.id, text)
    return await put_in_force(
        world.store, world.place.clock, proposal, author="controller", note=note
    )


async def test_the_tenants_own_lists_show_every_gap_in_eight_calls(world: World) -> None:
    before = sum((await world.erp.calls()).values())
    clean = await linted(world, WHOLE)
    assert sum((await world.erp.calls()).values()) - before <= 9  # one of them signs in
    assert [one.key for one in clean if not one.unchecked] == []
    assert "does not show cash accounts" in clean[0].sentence
    wrong = WHOLE
    for key, value in {
        "branch": "RETAIL", "subaccount": "000-0", "accounts.fees": "11000",
        "accounts.refunds": "40901", "currencies.USD.bank": "10240",
        "currencies.JPY.clearing_cash": "10245EU",
    }.items():  # fmt: skip
        wrong = put(wrong, key, value)
    await world.erp.tell("accounts/12650", {"active": False})
    await world.erp.tell("periods", {"period": "10-2026", "module": "AR", "closed": True})
    found = await failing(world, wrong)
    assert "control account of AR" in found["accounts.fees"]
    assert "no account '40901'" in found["accounts.refunds"]
    assert "inactive" in found["accounts.disputed"]
    assert "kept in EUR" in found["currencies.USD.bank"]
    assert "does not allow" in found["currencies.JPY.clearing_cash"]
    assert "belongs to the branch HEADOFFICE" in found["currencies.USD.clearing_cash"]
    assert "4 characters; the tenant's have 6" in found["subaccount"]
    assert "not open in AR" in found["period"]


async def test_the_tax_category_of_refunds_is_looked_up_in_the_tenant(world: World) -> None:
    memos = put(WHOLE, "policies.refunds", "credit_memo")
    assert await failing(world, put(memos, "refunds_tax_category", "EXEMPT")) == {}
    found = await failing(world, put(memos, "refunds_tax_category", "NOTAX"))
    assert list(found) == ["refunds_tax_category"]
    assert "'NOTAX'" in found["refunds_tax_category"]
    await world.erp.tell("switches", {"forbidden_entities": "TaxCategory"})
    told = await linted(world, put(memos, "refunds_tax_category", "NOTAX"))
    assert [one.unchecked for one in told if one.key == "refunds_tax_category"] == [True]


async def test_an_entry_type_is_not_known_to_exist_until_a_payment_of_ours_has_borne_it(
    world: World,
) -> None:
    text = put(WHOLE, "entry_types.fees", "STRIPEFEE")
    text = put(text, "entry_types.input_tax", "STRIPETAX")
    text = put(text, "policies.fees", "payment_charge")
    told = [one for one in await linted(world, text) if "entry_types" in one.key]
    assert [(one.key, one.unchecked) for one in told] == [
        ("entry_types.fees", True), ("entry_types.input_tax", True),
    ]  # fmt: skip
    assert "'STRIPEFEE'" in told[0].sentence
    await in_force(world, text)
    await paid(world, "100.00")
    left = [one.key for one in await linted(world, text) if "entry_types" in one.key]
    assert left == ["entry_types.input_tax"]
    apart = put(text, "policies.fees", "transaction")
    other = put(apart, "entry_types.fees", "NOBODYS")
    assert [one for one in await linted(world, other) if "entry_types" in one.key] == []


async def test_what_a_site_does_not_show_is_said_not_to_be_checked(world: World) -> None:
    hidden = "CompaniesStructure,Subaccount,FinancialPeriod,Ledger"
    switches = {"forbidden_entities": hidden, "custom_in_lists": False}
    await world.erp.tell("switches", switches)
    found = await linted(world, WHOLE)
    assert {one.severity for one in found} == {Severity.WARN}
    assert all(one.unchecked for one in found)
    assert {one.key for one in found} == {
        "currencies", "accounts", "branch", "subaccount", "period", "ledger",
    }  # fmt: skip


async def paid(world: World, amount: str) -> str:
    """An invoice, mirrored, paid and booked; its charge."""
    ref = await world.an_invoice(amount)
    await world.mirror()
    charge = str(await world.pay(ref))
    await world.live()
    return charge


async def test_each_version_tells_what_was_posted_under_it_and_a_late_save_is_refused(
    world: World,
) -> None:
    await paid(world, "100.00")
    assert (await propose(world.store, world.id, WHOLE)).same
    late = await propose(world.store, world.id, put(WHOLE, "accounts.refunds", "81000"))
    assert await in_force(world, put(WHOLE, "accounts.fees", "81000"), "Fees apart") == 2
    charge = await paid(world, "50.00")
    async with world.store.transaction() as tx:
        made = await mapping.made_under(tx, world.id)
        act = (await audit.show(tx, world.id, world.id))[-1]
        steps = await audit.show(tx, world.id, f"payment:{charge}")
    assert [(one.version, one.count) for one in made] == [(1, 2), (2, 2)]
    assert sum(one.clearing.decimal for one in made) == await world.cash()
    assert await world.ledger("81000") == Decimal("1.75")
    assert (act.actor, act.detail["note"]) == ("controller", "Fees apart")
    assert act.detail["changed"] == {"accounts.fees": ["61100", "81000"]}
    assert {step.detail["mapping_version"] for step in steps} == {2}
    first = await version_of(world.store, world.id, 1)
    edited = await propose(world.store, world.id, late.text, first)
    for proposal in (late, edited):
        with pytest.raises(AskAPerson, match="Version 2 of the mapping came in force meanwhile"):
            await put_in_force(world.store, world.place.clock, proposal, author="another")
    assert (await version_of(world.store, world.id)).note == "Fees apart"
    with pytest.raises(Misconfigured, match="no version 3"):
        await version_of(world.store, world.id, 3)
    await world.all_posted()


async def test_a_clearing_account_is_not_left_before_stripe_has_paid_everything_out(
    world: World,
) -> None:
    await paid(world, "100.00")
    other = put(put(WHOLE, "currencies.USD.clearing", "10690"), "currencies.USD.bank", "10500")
    found = await failing(world, other)
    stands = f"{await world.cash():.2f} USD"
    assert f"by our books {stands} still stand on 10650" in found["currencies.USD.clearing"]
    with pytest.raises(Misconfigured, match=f"by our books {stands} still stand on 10650"):
        await world.change(mapping_text=other)
    assert (await version_of(world.store, world.id)).version == 1
    dropped = drop(WHOLE, "currencies.USD")
    assert stands in (await failing(world, dropped))["currencies.USD"]
    assert "currencies.USD" not in await failing(world, put(WHOLE, "currencies.USD.bank", "10500"))
    await world.run_payouts()
    await world.live()
    assert await world.cash() == 0
    assert "currencies.USD" not in await failing(world, dropped)
    await world.change(mapping_text=dropped)
    assert (await version_of(world.store, world.id)).version == 2
    await world.change(mapping_text=WHOLE)
    await world.all_posted()


@pytest.mark.parametrize("held", ["0.00", "90.00", "all"])
async def test_what_the_ledger_held_before_our_books_counts_in_what_stands_on_a_clearing_account(
    world: World, held: str
) -> None:
    """All of it came with the opening entry, a part of it, or nothing: the entry was not needed."""
    await world.stripe_api(
        "payment_intents", amount="10000", currency="usd", confirm="true",
        payment_method="pm_card_bypassPending",
    )  # fmt: skip
    await world.pass_time(timedelta(days=1))
    await world.change(start_date=world.clock.now().date())
    at_stripe = Decimal(await world.at_stripe()) / 100
    there = at_stripe if held == "all" else Decimal(held)
    if there:
        await a_hand_entry(world, "10650", "24400", str(there))
    c = await world.connected()
    await post(c, (await openings(c, "24400"))[0], "Kim")
    assert await world.cash() == at_stripe
    other = put(WHOLE, "currencies.USD.clearing", "10690")
    found = await failing(world, other)
    assert f"{at_stripe:.2f} USD still stand" in found["currencies.USD.clearing"]
    with pytest.raises(Misconfigured, match=f"{at_stripe:.2f} USD still stand on 10650"):
        await world.change(mapping_text=other)
    await world.run_payouts()
    await world.live()
    assert await world.cash() == 0
    dropped = drop(WHOLE, "currencies.USD")
    assert "currencies.USD" not in await failing(world, dropped)
    await world.change(mapping_text=dropped)
    await world.change(mapping_text=WHOLE)
    await world.all_posted()


async def test_what_an_accountant_has_deleted_or_voided_does_not_stand_on_a_clearing_account(
    world: World,
) -> None:
    await world.change(mapping_text=put(WHOLE, "policies.release", "false"))
    await paid(world, "100.00")
    dropped = drop(WHOLE, "currencies.USD")
    assert "96.80 USD still stand" in (await failing(world, dropped))["currencies.USD"]
    erp: Any = world.erp_app.world
    unit = erp.unit()
    for batch in await world.documents("JournalTransaction"):
        unit.drop(erp.find("JournalTransaction", batch["Module"], batch["BatchNbr"]))
    unit.commit()
    for payment in await world.documents("Payment"):
        keys = {key: payment[key] for key in ("Type", "ReferenceNbr")}
        await world.enter("Payment", keys, release=True)
        await bounced(world, str(payment["ReferenceNbr"]))
    await world.wait_for_cure()
    assert await world.states() == {"failed"}
    assert "currencies.USD" not in await failing(world, dropped)


TRANSIT = """
[transit.EUR]
cash = "10670ST"
account = "10670"
counterpart = "10500"
"""


@pytest.mark.parametrize("fx", ["list", "gain_loss"])
async def test_a_transit_is_not_left_while_payments_stand_in_it(world: World, fx: str) -> None:
    """Listed, they stand there until somebody clears them; by policy it is empty at once."""
    books = mapping_with(TRANSIT, fx=f'"{fx}"', accounts={"fx_gain_loss": "83000"})
    await world.change(mapping_text=books)
    await world.stripe.tell("rates", {"settlement": ["usd", "jpy"]})
    customer = await world.a_customer("Schmidt", "EUR")
    refs = [await world.an_invoice("100.00", customer=customer) for _ in range(2)]
    await world.mirror()
    charges = [await world.pay(ref, card="000123456789") for ref in refs]
    await world.pass_minutes(10 * 24 * 60)
    await world.live()
    for left, charge in zip(["200.00 EUR", "100.00 EUR", ""], [*charges, None], strict=True):
        found = await failing(world, drop(books, "transit.EUR"))
        if fx == "gain_loss" or not left:
            assert "transit.EUR" not in found
        else:
            told = f"by our books {left} still stand on 10670ST and 10670"
            assert told in found["transit.EUR"]
        if charge:
            await world.stripe.tell(f"charges/{charge}/return")
            await world.sync("stripe.transactions")
    await world.all_posted()


async def test_another_mapping_is_tried_on_what_was_booked_and_on_what_waits(
    world: World,
) -> None:
    charge = await paid(world, "100.00")
    await world.refund(charge, 1000)
    await world.stripe.tell("charge", {"amount": 4200, "currency": "usd"})
    await world.live()
    await world.run_payouts()
    await world.live()
    before = await world.erp.calls()
    assert (await tried(world, WHOLE)).differing == []
    other = mapping_with(unmatched='"suspense"')
    for key, value in {"accounts.fees": "81000", "currencies.USD.bank": "10500"}.items():
        other = put(other, key, value)
    found = await tried(world, other)
    shifts = {one.place.account: (one.after - one.before).decimal for one in found.shifts}
    fees = next(one.before.decimal for one in found.shifts if one.place.account == "61100")
    more = Decimal("1.52")  # the fee of what waits
    assert fees == Decimal("3.20")
    assert shifts["81000"] == fees + more
    assert shifts["61100"] == -fees
    assert (shifts["24400"], shifts["10650"]) == (-42, 42 - more)
    assert shifts["10200"] == -shifts["10500"]
    assert "40900" not in shifts
    waited = [one.before.waits for one in found.differing if one.before.waits]
    assert len(waited) == 1
    assert "no mirrored invoice" in waited[0]
    assert found.not_known == []
    assert await world.erp.calls() == before
