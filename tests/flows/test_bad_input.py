"""What people get wrong: each ends as a sentence that names it, and goes on once it is cured."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from build.troubled import cured, sold, stuck
from build.world import World
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.signals import Kind
from ml_connector.store.connections import Secrets

pytestmark = pytest.mark.anyio


WRONG_SECRETS: list[tuple[str, str, str]] = [
    ("stripe_key", "sk_live_of_nobody", "Stripe key"),
    ("acumatica_client_secret", "wrong", "Acumatica"),
    ("acumatica_password", "wrong", "Acumatica"),
]


@pytest.mark.parametrize(("name", "value", "named"), WRONG_SECRETS)
async def test_a_wrong_secret_is_named_and_the_right_one_lets_everything_go_on(
    world: World, name: str, value: str, named: str
) -> None:
    right = world.new.secrets
    ref = await world.an_invoice()
    await world.change(secrets=replace(Secrets(), **{name: value}))
    await world.mirror()
    found = await stuck(world, named)
    assert not any(value in f"{one.sentence}{one.remedy}" for one in found)
    await world.change(secrets=right)
    await cured(world, ref, paid=False)


WRONG_SIDES: list[tuple[dict[str, Any], list[str]]] = [
    ({"version": "99.100.001"}, ["99.100.001", "24.200.001"]),
    ({"endpoint": "Nonsense"}, ["Nonsense", "24.200.001"]),
    ({"url": "http://127.0.0.1:1/AcumaticaERP"}, ["Acumatica"]),
    ({"user": "nobody"}, ["Acumatica"]),
    ({"client_id": "nobody"}, ["Acumatica"]),
]


@pytest.mark.parametrize(("wrong", "named"), WRONG_SIDES)
async def test_a_wrong_entry_of_the_erp_side_is_named_and_cured_by_the_right_one(
    world: World, wrong: dict[str, Any], named: list[str]
) -> None:
    right = world.new.acumatica
    ref = await world.an_invoice()
    await world.change(acumatica=replace(right, **wrong))
    await world.mirror()
    await stuck(world, *named)
    await world.change(acumatica=right)
    await cured(world, ref, paid=False)


async def test_the_address_of_another_folder_of_the_site_is_named(world: World) -> None:
    right = world.new.acumatica
    ref = await world.an_invoice()
    await world.change(acumatica=replace(right, url=right.url.replace("AcumaticaERP", "Other")))
    await world.mirror()
    await stuck(world, "Acumatica")
    await world.change(acumatica=right)
    await cured(world, ref, paid=False)


async def test_a_wrong_tenant_is_named_by_a_cookie_sign_in(world: World) -> None:
    right = world.new.acumatica
    ref = await world.an_invoice()
    cookie = replace(right, sign_in="cookie")
    await world.change(acumatica=replace(cookie, tenant="Nowhere"))
    await world.mirror()
    await stuck(world, "Acumatica")
    await world.change(acumatica=cookie)
    await cured(world, ref, paid=False)


async def test_a_role_without_an_account_is_named_and_posted_once_it_is_mapped(
    world: World,
) -> None:
    whole = SANDBOX_MAPPING.read_text("utf-8")
    await world.change(mapping_text=whole.replace('fees = "61100"', "", 1))
    ref = await sold(world)
    await world.live()
    await stuck(world, "fees")
    await world.books_agree()
    await world.change(mapping_text=whole)
    await cured(world, ref)


async def test_a_currency_without_accounts_is_named_and_posted_once_it_is_mapped(
    world: World,
) -> None:
    whole = SANDBOX_MAPPING.read_text("utf-8")
    before, yen = whole.split("[currencies.JPY]")
    await world.change(mapping_text=before + "[accounts]" + yen.split("[accounts]")[1])
    customer = await world.a_customer("Tanaka", "JPY")
    ref = await world.an_invoice("9000", customer=customer)
    await world.mirror()
    await world.pay(ref)
    await world.live()
    await stuck(world, "JPY")
    await world.change(mapping_text=whole)
    await cured(world, ref)


async def test_an_inactive_account_is_named_and_its_journal_goes_on_when_it_is_active(
    world: World,
) -> None:
    ref = await sold(world)
    await world.erp.tell("accounts/61100", {"active": False})
    await world.live()
    found = await stuck(world, "61100")
    assert "61100" in found[0].cause
    await world.books_agree()
    await world.erp.tell("accounts/61100", {"active": True})
    await cured(world, ref)


async def test_an_account_that_does_not_exist_is_named_and_the_right_one_is_used_then(
    world: World,
) -> None:
    whole = SANDBOX_MAPPING.read_text("utf-8")
    await world.change(mapping_text=whole.replace('fees = "61100"', 'fees = "99999"', 1))
    ref = await sold(world)
    await world.live()
    await stuck(world, "99999")
    await world.books_agree()
    await world.change(mapping_text=whole)
    await cured(world, ref)


@pytest.mark.parametrize("module", ["AR", "GL"])
async def test_a_closed_period_is_named_and_everything_goes_on_when_it_is_open(
    world: World, module: str
) -> None:
    ref = await sold(world)
    period = {"period": "102026", "module": module}
    await world.erp.tell("periods", period | {"closed": True})
    await world.live()
    found = await stuck(world, "period")
    assert "102026" in found[0].cause
    await world.books_agree()
    await world.erp.tell("periods", period | {"closed": False})
    await cured(world, ref)


async def test_payments_stopped_by_one_cause_are_one_group_and_all_go_on(
    world: World,
) -> None:
    refs = [await world.an_invoice(f"{n}.00") for n in range(10, 16)]
    await world.mirror()
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": True})
    for ref in refs:
        await world.pay(ref)
    await world.live()
    found = await world.troubles()
    assert len(found) == len(refs)
    assert len({one.cause for one in found}) == 1
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": False})
    first = min(one.next_try for one in found if one.next_try)
    await world.pass_time(first - world.clock.now())
    await world.settle()
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_cause_that_lasts_is_probed_within_the_hour_and_its_end_frees_all(
    world: World,
) -> None:
    refs = [await world.an_invoice(f"{n}.00") for n in range(10, 14)]
    await world.mirror()
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": True})
    for ref in refs:
        await world.pay(ref)
    await world.live()
    for _ in range(18):
        await world.pass_time(timedelta(minutes=10))
        await world.settle()
    assert len(await world.troubles()) == len(refs)
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": False})
    await world.pass_time(timedelta(hours=1))
    await world.settle()
    assert await world.troubles() == []
    await world.all_posted()


async def test_one_cause_behind_another_holds_nobody_back_for_long(world: World) -> None:
    refs = [await world.an_invoice(f"{n}.00") for n in range(10, 14)]
    await world.mirror()
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": True})
    for ref in refs:
        await world.pay(ref)
    await world.live()
    await world.erp.tell("accounts/61100", {"active": False})
    await world.erp.tell("periods", {"period": "102026", "module": "AR", "closed": False})
    await world.pass_time(timedelta(minutes=1))
    await world.settle()
    causes = {one.cause for one in await world.troubles()}
    assert len(causes) == 1
    assert "61100" in causes.pop()
    await world.erp.tell("accounts/61100", {"active": True})
    await world.pass_time(timedelta(hours=1))
    await world.settle()
    assert await world.troubles() == []
    await world.all_posted()


async def test_an_inactive_customer_is_named_when_its_payment_is_refused(world: World) -> None:
    ref = await sold(world)
    await world.erp.tell("customers/GOODFOOD", {"status": "Inactive"})
    await world.live()
    await stuck(world, "ustomer")
    await world.erp.tell("customers/GOODFOOD", {"status": "Active"})
    await cured(world, ref)


async def test_an_invoice_of_a_customer_on_hold_waits_with_a_sentence_until_it_is_active(
    world: World,
) -> None:
    customer = await world.a_customer("Holdit", "USD")
    ref = await world.an_invoice(customer=customer)
    await world.erp.tell(f"customers/{customer}", {"status": "On Hold"})
    await world.mirror()
    found = await stuck(world, customer)
    assert "Active" in found[0].remedy
    await world.erp.tell(f"customers/{customer}", {"status": "Active"})
    await cured(world, ref, paid=False)


@pytest.mark.parametrize("knob", [{"expire": "access"}, {"revoke": True}])
async def test_a_token_that_is_expired_or_revoked_is_renewed_without_anybody(
    world: World, knob: dict[str, object]
) -> None:
    ref = await sold(world)
    await world.erp.tell("tokens", knob)
    await world.live()
    assert await world.troubles() == []
    await cured(world, ref)


async def test_a_record_that_is_not_there_is_named(world: World) -> None:
    await world.look(Kind.INVOICE, "Invoice|999999")
    await stuck(world, "999999")


async def test_an_erp_that_is_down_for_an_hour_costs_nothing_but_the_hour(world: World) -> None:
    ref = await sold(world)
    await world.erp.spoil({"kind": "status", "status": 503})
    await world.live()
    for _ in range(6):
        await world.pass_time(timedelta(minutes=10))
        await world.settle()
    await stuck(world)
    await world.erp.mend()
    await cured(world, ref)
