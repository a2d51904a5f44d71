import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import StripeId
from ml_connector.http.transport import Exchange
from ml_connector.stripe.caller import API_VERSION, mode_of
from ml_connector.stripe.client import StripeClient
from served import answer, serving
from stripe_records import CUSTOMER, INVOICE, Connect, erp_customer, plan

pytestmark = pytest.mark.anyio
KEY = "sk_test_51Habcdefghijk"


async def test_requests_carry_http_basic_the_version_and_no_telemetry(connect: Connect) -> None:
    async with serving(answer(200, CUSTOMER)) as served:
        client = connect(served.url)
        await client.customer(StripeId("cus_1"))
        await client.customer(StripeId("cus_1"))
    for seen in served.seen:
        assert (
            seen.headers["authorization"]
            == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        )
        assert seen.headers["stripe-version"] == "2026-10-28.endive" == API_VERSION
        assert "x-stripe-client-telemetry" not in seen.headers
        assert "idempotency-key" not in seen.headers
        assert not any(name.startswith("connector-") for name in seen.headers)
        assert "AIAgent" not in seen.headers["user-agent"]
        assert "ml-connector/" in seen.headers["user-agent"]
        assert set(json.loads(seen.headers["x-stripe-client-user-agent"])) == {
            "bindings_version", "lang", "httplib", "application",
        }  # fmt: skip


async def every_write(client: StripeClient) -> None:
    invoice = StripeId("in_1")
    await client.create_invoice(plan(), StripeId("cus_1"))
    await client.add_lines(invoice, plan())
    await client.finalize_invoice(invoice)
    await client.send_invoice(invoice)
    await client.void_invoice(invoice)
    await client.pay_out_of_band(invoice)


async def test_every_post_carries_its_own_key_that_a_repetition_repeats(
    connect: Connect,
) -> None:
    async with serving(answer(200, INVOICE)) as served:
        await every_write(connect(served.url))
        await every_write(connect(served.url))
        await every_write(connect(served.url, name="other"))
    keys = [seen.headers["idempotency-key"] for seen in served.seen]
    assert keys[:6] == keys[6:12]
    assert len(set(keys)) == 12
    assert all(key.startswith("main:") for key in keys[:12])
    assert all(len(key) <= 255 for key in keys)


async def test_another_payload_has_another_key(connect: Connect) -> None:
    async with serving(answer(200, CUSTOMER)) as served:
        client = connect(served.url)
        await client.create_customer(erp_customer())
        await client.create_customer(erp_customer(email="new@example.com"))
    first, second = [seen.headers["idempotency-key"] for seen in served.seen]
    assert first != second
    assert "example" not in first + second


async def test_a_customer_travels_as_a_form_without_empty_fields(connect: Connect) -> None:
    async with serving(answer(200, CUSTOMER)) as served:
        client = connect(served.url)
        await client.create_customer(erp_customer(phone=""))
        await client.update_customer(StripeId("cus_1"), erp_customer(phone=""))
    created, updated = [parse_qs(s.body.decode(), keep_blank_values=True) for s in served.seen]
    assert created["metadata[erp_customer]"] == ["C000012"]
    assert created["metadata[mlc]"] == ["main"]
    assert created["address[country]"] == ["US"]
    assert "phone" not in created
    assert updated["phone"] == [""]
    assert [seen.target for seen in served.seen] == ["/v1/customers", "/v1/customers/cus_1"]


async def test_the_record_says_what_a_call_was_for_and_never_the_key(
    connect: Connect, exchanges: list[Exchange]
) -> None:
    wrong = b'{"error": {"message": "Invalid API Key provided: %s"}}' % KEY.encode()
    async with serving(answer(200, INVOICE, Request_Id="req_7"), answer(401, wrong)) as served:
        client = connect(served.url)
        await client.create_invoice(plan(), StripeId("cus_1"))
        with pytest.raises(Misconfigured):
            await client.account()
    created, refused = exchanges
    assert created.resource == "invoice:Invoice|000123"
    assert created.request_id == "req_7"
    assert "idempotency-key: main:invoice" in created.request
    assert (created.control, refused.control) == (False, True)
    assert "51Habcdefghijk" not in "".join(map(str, exchanges))


SCRIPT = """
import asyncio, sys
from ml_connector.basics.clock import SystemClock
from ml_connector.http.pace import NoPace
from ml_connector.http.transport import Transport
from ml_connector.stripe.client import StripeClient

async def main():
    transport = Transport("stripe", pace=NoPace(), clock=SystemClock(), record=lambda e: None)
    client = StripeClient("sk_test_1", transport, connection="main", base_url=sys.argv[1])
    for _ in range(3):
        await client.account()
    await transport.aclose()

asyncio.run(main())
"""


async def test_a_fresh_process_writes_no_file_and_names_no_tool(tmp_path: Path) -> None:
    async with serving(answer(200, b'{"id": "acct_1"}', Request_Id="req_1")) as served:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, served.url,
            env=os.environ | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path),
                              "CODEX_CI": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert await process.wait() == 0
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing waits for it
    assert len(served.seen) == 3
    for seen in served.seen:
        assert "x-stripe-client-telemetry" not in seen.headers
        assert "codex" not in str(seen.headers).lower()


@pytest.mark.parametrize(
    ("key", "mode"),
    [("sk_test_1", "test"), ("rk_test_1", "test"), ("rkcs_test_1", "test"), ("sk_live_1", "live"),
     ("rk_live_1", "live")],
)  # fmt: skip
def test_the_mode_is_read_from_the_key(key: str, mode: str) -> None:
    assert mode_of(key) == mode


@pytest.mark.parametrize("key", ["", "pk_test_1", "whsec_1", "sk_1", "test", "sk_staging_1"])
def test_what_is_no_server_key_is_refused(key: str) -> None:
    with pytest.raises(Misconfigured, match="secret or restricted key"):
        mode_of(key)
