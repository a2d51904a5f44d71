"""The client against the sandbox, over TCP: whole stories and what each one costs in calls."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator, Awaitable
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from acumatica.sandbox_site import Tenant, running
from acumatica.stand_in import tokens
from ml_connector.acumatica.client import AcumaticaClient
from ml_connector.acumatica.errors import Missing
from ml_connector.acumatica.session import OAuthSession
from ml_connector.acumatica.signin import OAuthApp, authorize_url
from ml_connector.basics.errors import AskAPerson, Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money

pytestmark = pytest.mark.anyio

VERSIONS = ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"]


@pytest.fixture
async def tenant() -> AsyncGenerator[Tenant]:
    async with running() as site:
        yield site


def calls(tenant: Tenant) -> list[str]:
    return [f"{one.method} {one.status}" for one in tenant.exchanges]


async def test_a_payment_closes_its_invoice_in_four_calls(tenant: Tenant) -> None:
    tenant.app.world.switches.operation_ms = 1
    invoices = [await tenant.invoice() for _ in range(3)]
    async with tenant.client() as erp:
        for number, invoice in enumerate(invoices):
            tenant.exchanges.clear()
            made = await erp.put_payment(tenant.payment(invoice, payment_ref=f"ch_{number}"))
            await erp.release_payment(made.ref)
            read = await erp.payment(made.ref)
            assert read.status == "Closed"
            assert read.amount == Money(10000, "USD")
            assert [one.document for one in read.applications] == [invoice]
            assert read.unapplied == Money(0, "USD")
            assert read.external_ref == "txn_3QabcDEF"
            assert calls(tenant) == ["PUT 200", "POST 202", "GET 204", "GET 200"]
        assert (await erp.invoice(invoices[0])).status == "Closed"


async def test_a_journal_reaches_the_ledger_in_four_calls_with_its_mark(tenant: Tenant) -> None:
    journal = tenant.journal()
    async with tenant.client() as erp:
        made = await erp.put_journal(journal, "mlcabcdefghijkl")
        await erp.release_journal(made.ref)
        read = await erp.journal(made.ref)
        assert calls(tenant) == ["PUT 200", "POST 202", "GET 204", "GET 200"]
        assert read.status == "Posted"
        assert [(line.account, line.amount) for line in read.lines] == [
            (line.account, line.amount) for line in journal.lines
        ]
        assert {line.reference for line in read.lines} == {"mlcabcdefghijkl"}
        assert read.day == journal.day
        found = await erp.find_journals("mlcabcdefghijkl")
        assert [one.ref for one in found] == [made.ref]
        assert await erp.find_journals("mlcotherothers1") == []


async def test_an_account_changes_by_what_was_posted_on_it(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        made = await erp.put_journal(tenant.journal(), "mlcabcdefghijkl")
        await erp.release_journal(made.ref)
        period = f"{tenant.clock.now():%m%Y}"
        assert await erp.account_balance("10650", "USD", period) == Money(-320, "USD")
        assert await erp.account_balance("61100", "USD", period) == Money(320, "USD")
        assert await erp.account_balance("49300", "USD", period) == Money(0, "USD")


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_takes_a_payment_and_a_journal(tenant: Tenant, version: str) -> None:
    invoice = await tenant.invoice()
    async with tenant.client(f"Default/{version}") as erp:
        await erp.check()
        assert (await erp.customer("GOODFOOD")).email == "billing@goodfood.example"
        assert (await erp.invoice(invoice)).amount == Money(10000, "USD")
        made = await erp.put_payment(tenant.payment(invoice))
        await erp.release_payment(made.ref)
        read = await erp.payment(made.ref)
        assert read.status == "Closed"
        assert read.applications[0].amount == Money(10000, "USD")
        batch = await erp.put_journal(tenant.journal(), "mlcabcdefghijkl")
        await erp.release_journal(batch.ref)
        rows = [row async for row in erp.changed("Payment", tenant.clock.now() - timedelta(days=1))]
        assert made.ref in [row.ref for row in rows]


async def test_a_payment_is_found_again_by_its_reference_and_by_its_id(tenant: Tenant) -> None:
    invoice = await tenant.invoice()
    async with tenant.client() as erp:
        made = await erp.put_payment(tenant.payment(invoice))
        found = await erp.find_payments("ch_3QabcDEFghiJKLmnoPQRstu")
        assert found == [made]
        assert await erp.find_payments("CH_3QABCDEFGHIJKLMNOPQRSTU") == []
        assert (await erp.payment(made.id)).ref == made.ref
        waiting = (await erp.payment(made.ref)).applications
        assert [one.document for one in waiting] == [invoice]


async def test_a_part_payment_leaves_the_rest_owed(tenant: Tenant) -> None:
    invoice = await tenant.invoice("100.00")
    async with tenant.client() as erp:
        made = await erp.put_payment(tenant.payment(invoice, 4001))
        await erp.release_payment(made.ref)
        assert (await erp.payment(made.ref)).status == "Closed"
        read = await erp.invoice(invoice)
        assert (read.status, read.balance) == ("Open", Money(5999, "USD"))


async def test_releasing_twice_is_fine(tenant: Tenant) -> None:
    invoice = await tenant.invoice()
    async with tenant.client() as erp:
        made = await erp.put_payment(tenant.payment(invoice))
        await erp.release_payment(made.ref)
        await erp.release_payment(made.ref)
        assert (await erp.payment(made.ref)).status == "Closed"


async def test_a_voided_payment_reopens_the_invoice(tenant: Tenant) -> None:
    invoice = await tenant.invoice()
    async with tenant.client() as erp:
        made = await erp.put_payment(tenant.payment(invoice))
        await erp.release_payment(made.ref)
        await erp.release_payment(await erp.void_payment(made.ref))
        assert (await erp.payment(made.ref)).status == "Voided"
        assert (await erp.payment(made.ref)).applications == ()
        assert (await erp.invoice(invoice)).balance == Money(10000, "USD")


async def test_payments_at_the_same_time_do_not_get_into_each_others_way(tenant: Tenant) -> None:
    invoices = [await tenant.invoice() for _ in range(8)]
    async with tenant.client() as erp:

        async def pay(number: int, invoice: ErpRef) -> str:
            made = await erp.put_payment(tenant.payment(invoice, payment_ref=f"ch_{number}"))
            await erp.release_payment(made.ref)
            return (await erp.payment(made.ref)).status

        paid = await asyncio.gather(*(pay(*pair) for pair in enumerate(invoices)))
        assert paid == ["Closed"] * 8
        assert {one.status for one in tenant.exchanges} <= {200, 202, 204}


async def test_both_views_tell_the_same_of_an_invoice(tenant: Tenant) -> None:
    invoice = await tenant.invoice("80.00", "HMBAKERY")
    async with tenant.client() as erp:
        read = await erp.invoice(invoice)
        assert len(tenant.exchanges) == 1
        assert (read.customer_id, read.status, read.finalized) == ("HMBAKERY", "Open", True)
        assert read.issued == tenant.clock.now().date()
        assert read.lines[0].amount == Money(8000, "USD")
        assert read.amount == Money(8000, "USD") + read.tax_total


async def test_changed_records_are_listed_from_an_instant_on(tenant: Tenant) -> None:
    first = await tenant.invoice()
    tenant.clock.advance(timedelta(hours=1))
    since = tenant.clock.now()
    later = [await tenant.invoice() for _ in range(7)]
    async with tenant.client() as erp:
        rows = [row async for row in erp.changed("Invoice", since, top=3)]
        assert sorted(row.ref for row in rows) == sorted(later)
        assert {(row.type, row.status) for row in rows} == {("Invoice", "Open")}
        assert all(row.modified >= since.replace(microsecond=0) for row in rows)
        every = [row.ref async for row in erp.changed("Invoice", since - timedelta(hours=2))]
        assert first in every
        customers = [row.ref async for row in erp.changed("Customer", since - timedelta(days=9999))]
        assert "GOODFOOD" in customers


async def test_changes_are_complete_even_where_the_site_keeps_no_order(tenant: Tenant) -> None:
    tenant.app.world.switches.orderby_honoured = False
    tenant.app.world.switches.shuffle_lists = True
    since = tenant.clock.now()
    made = [await tenant.invoice() for _ in range(9)]
    async with tenant.client() as erp:
        rows = [row.ref async for row in erp.changed("Invoice", since, top=3)]
        assert sorted(rows) == sorted(made)


async def test_a_customer_that_acumatica_lacks_is_missing(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        with pytest.raises(Missing):
            await erp.customer("NOBODY")


async def test_refusals_name_what_a_person_must_mend(tenant: Tenant) -> None:
    invoice = await tenant.invoice("50.00")
    async with tenant.client() as erp:

        async def refused(attempt: Awaitable[object]) -> str:
            with pytest.raises(AskAPerson) as caught:
                await attempt
            return caught.value.cause

        payment = tenant.payment(invoice, 5000, customer_id="NOBODY", applications=())
        assert await refused(erp.put_payment(payment)) == "acumatica.not_found:Customer:NOBODY"
        too_much = tenant.payment(invoice, 6000)
        assert await refused(erp.put_payment(too_much)) == "acumatica.above_balance:000001"
        on_control = tenant.journal("61100", "11000")
        cause = await refused(erp.put_journal(on_control, "mlcabcdefghijkl"))
        assert cause == "acumatica.control_account:11000"
        unknown = tenant.journal("99999", "10650")
        cause = await refused(erp.put_journal(unknown, "mlcabcdefghijkl"))
        assert cause == "acumatica.not_found:Account:99999"
        inactive = tenant.app.world.tables["Account"].find("61100")
        assert inactive is not None
        inactive.set(Active=False)
        cause = await refused(erp.put_journal(tenant.journal(), "mlcabcdefghijkl"))
        assert cause == "acumatica.account_inactive:61100"


async def test_a_period_that_does_not_exist_is_named(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        journal = tenant.journal(day=date(2031, 10, 15))
        with pytest.raises(AskAPerson) as caught:
            await erp.put_journal(journal, "mlcabcdefghijkl")
        assert caught.value.cause.startswith("acumatica.period_")


async def close_period(tenant: Tenant, module: str) -> str:
    origin = tenant.url.removesuffix("/AcumaticaERP")
    period = f"{tenant.clock.now():%m%Y}"
    body = {"period": period, "module": module, "closed": True}
    async with httpx2.AsyncClient(verify=False) as http:
        (await http.post(f"{origin}/_sandbox/periods", json=body)).raise_for_status()
    return period


async def test_a_closed_period_is_named_when_a_journal_is_written(tenant: Tenant) -> None:
    period = await close_period(tenant, "GL")
    async with tenant.client() as erp:
        with pytest.raises(AskAPerson) as caught:
            await erp.put_journal(tenant.journal(), "mlcabcdefghijkl")
        assert caught.value.cause == f"acumatica.period_closed:{period}"


async def test_a_period_closed_between_writing_and_releasing_leaves_the_payment_balanced(
    tenant: Tenant,
) -> None:
    invoice = await tenant.invoice()
    async with tenant.client() as erp:
        made = await erp.put_payment(tenant.payment(invoice))
        period = await close_period(tenant, "AR")
        with pytest.raises(AskAPerson) as caught:
            await erp.release_payment(made.ref)
        assert caught.value.cause == f"acumatica.period_closed:{period}"
        assert (await erp.payment(made.ref)).status == "Balanced"


async def test_another_worker_in_the_same_server_session_is_told_to_try_again(
    tenant: Tenant,
) -> None:
    """One grant is one server session: a release by one worker keeps the form from the other."""
    tenant.app.world.switches.operation_ms = 200
    invoice = await tenant.invoice()
    async with tenant.client() as one, tenant.client() as other:
        made = await one.put_payment(tenant.payment(invoice))
        release = asyncio.create_task(one.release_payment(made.ref))
        await asyncio.sleep(0.05)
        with pytest.raises(TryAgain) as caught:
            await other.put_payment(tenant.payment(invoice, payment_ref="ch_other"))
        assert not isinstance(caught.value, OutcomeUnknown)
        await release
        assert await other.find_payments("ch_other") == []


async def test_a_person_signs_in_with_a_code_and_pkce(tenant: Tenant) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    here = "https://connector.example/acumatica/back"
    known = tenant.app.credentials()
    app = OAuthApp(tenant.url, known["client_id"], known["client_secret"])
    url = authorize_url(app, redirect_uri=here, state="s1", challenge=challenge)
    async with httpx2.AsyncClient(verify=False) as http:
        back = (await http.get(url)).headers["location"]
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == ["s1"]
    transport = tenant.transport()
    session = OAuthSession(app, tokens=tenant.tokens, transport=transport, clock=tenant.clock)
    await session.sign_in(query["code"][0], redirect_uri=here, verifier=verifier)
    erp = AcumaticaClient(tenant.url, known["endpoint"], session)
    assert (await erp.customer("GOODFOOD")).status == "Active"
    await transport.aclose()


async def test_set_up_is_read_as_the_site_holds_it(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        method = await erp.payment_method("STRIPE")
        assert (method.integrated, method.use_in_ar) == (False, True)
        assert "10650ST" in [one.cash_account for one in method.cash_accounts]
        assert (await erp.payment_method("VISA")).integrated
        clearing = await erp.account("10650")
        assert (clearing.active, clearing.cash_account) == (True, True)
        assert not (await erp.account("61100")).cash_account
        assert await erp.ledger_currency() == "USD"


async def test_a_version_that_is_not_offered_is_named_with_those_that_are(tenant: Tenant) -> None:
    tenant.app.world.switches.hidden_versions = "24.200.001,25.200.001"
    async with tenant.client() as erp:
        with pytest.raises(Misconfigured, match=r"offers .*Default/23\.200\.001"):
            await erp.check()
        with pytest.raises(Misconfigured, match=r"offers .*Default/23\.200\.001"):
            await erp.customer("GOODFOOD")


async def test_an_expired_sign_in_is_renewed_once_for_all_calls(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        await erp.customer("GOODFOOD")
        tenant.clock.advance(timedelta(hours=2))
        tenant.sign_ins.clear()
        await asyncio.gather(*(erp.customer("GOODFOOD") for _ in range(20)))
        assert len(tenant.sign_ins) == 1


async def test_a_consent_that_has_run_out_is_replaced_by_the_password(tenant: Tenant) -> None:
    async with tenant.client() as erp:
        await erp.customer("GOODFOOD")
        tenant.clock.advance(timedelta(days=31))
        tenant.sign_ins.clear()
        assert (await erp.customer("GOODFOOD")).customer_id == "GOODFOOD"
        assert [one.status for one in tenant.sign_ins] == [400, 200]


async def test_a_foreign_refresh_token_is_not_a_reason_to_lose_the_connection(
    tenant: Tenant,
) -> None:
    tenant.tokens.stored = tokens(expires_in=-(10**9))
    async with tenant.client() as erp:
        assert (await erp.customer("GOODFOOD")).status == "Active"


async def test_a_cookie_session_posts_a_payment_and_signs_out(tenant: Tenant) -> None:
    invoice = await tenant.invoice()
    async with tenant.client(by_cookie=True) as erp:
        made = await erp.put_payment(tenant.payment(invoice))
        await erp.release_payment(made.ref)
        assert (await erp.payment(made.ref)).status == "Closed"
        assert len(tenant.app.site.sessions.open) == 1
        tenant.app.site.sessions.open.clear()
        assert (await erp.payment(made.ref)).status == "Closed"
    assert tenant.app.site.sessions.open == {}
    assert len(tenant.sign_ins) == 3
