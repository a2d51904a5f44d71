import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ml_connector.basics.clock import ManualClock
from ml_connector.basics.errors import Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.http.pace import NoPace
from ml_connector.http.retry import RetryPolicy
from ml_connector.http.transport import Exchange, Request, Timeouts, Transport
from served import SILENCE, Served, answer, cut, serving

pytestmark = pytest.mark.anyio
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@dataclass
class Bench:
    """A transport whose waits are noted instead of waited for, and whose record is a list."""

    transport: Transport
    exchanges: list[Exchange]
    waits: list[float] = field(default_factory=list[float])


@pytest.fixture
async def bench() -> AsyncGenerator[Bench]:
    exchanges: list[Exchange] = []
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    transport = Transport(
        "acumatica",
        pace=NoPace(),
        clock=ManualClock(NOON),
        record=exchanges.append,
        timeouts=Timeouts(connect=5, read=0.3, write=5, pool=5),
        retries=RetryPolicy(attempts=3, sleep=noted, chance=lambda: 0.5),
    )
    yield Bench(transport, exchanges, waits)
    await transport.aclose()


def read(served: Served, path: str = "/x") -> Request:
    return Request("GET", served.url + path, {}, None, repeatable=True)


def write(served: Served, *, repeatable: bool = False) -> Request:
    return Request("PUT", f"{served.url}/x", {}, b'{"a": 1}', repeatable=repeatable)


async def test_a_read_is_repeated_when_the_line_breaks(bench: Bench) -> None:
    async with serving(b"", cut(), answer(200, b"whole")) as served:
        response = await bench.transport.send(read(served))
    assert response.body == b"whole"
    assert len(served.seen) == 3


@pytest.mark.parametrize("broken", [b"", cut(), SILENCE, b"not HTTP at all\r\n\r\n"])
async def test_a_write_whose_answer_is_lost_is_not_sent_again(bench: Bench, broken: bytes) -> None:
    async with serving(broken) as served:
        with pytest.raises(OutcomeUnknown, match="may or may not have carried out PUT /x"):
            await bench.transport.send(write(served))
    assert len(served.seen) == 1
    assert bench.waits == []


async def test_a_write_with_an_idempotency_key_is_repeated_and_then_unknown(bench: Bench) -> None:
    async with serving(cut()) as served:
        with pytest.raises(OutcomeUnknown):
            await bench.transport.send(write(served, repeatable=True))
    assert len(served.seen) == 3


async def test_a_read_that_never_succeeds_is_only_tried_again_later(bench: Bench) -> None:
    async with serving(cut()) as served:
        with pytest.raises(TryAgain) as raised:
            await bench.transport.send(read(served))
    assert not isinstance(raised.value, OutcomeUnknown)


async def test_a_write_that_found_no_connection_certainly_did_not_happen(bench: Bench) -> None:
    async with serving(answer()) as served:
        pass
    with pytest.raises(TryAgain, match="did not carry out") as raised:
        await bench.transport.send(write(served))
    assert not isinstance(raised.value, OutcomeUnknown)
    assert [exchange.status for exchange in bench.exchanges] == [None, None, None]


async def test_a_declined_write_is_sent_again_after_the_wait_it_was_told(bench: Bench) -> None:
    async with serving(answer(429, Retry_After="7"), answer(200)) as served:
        response = await bench.transport.send(write(served))
    assert response.status == 200
    assert bench.waits == [7.0]


async def test_a_wait_longer_than_our_patience_is_handed_up(bench: Bench) -> None:
    in_an_hour = "Sun, 22 Nov 2026 13:00:00 GMT"
    async with serving(answer(429, Retry_After=in_an_hour)) as served:
        with pytest.raises(TryAgain) as raised:
            await bench.transport.send(write(served))
    assert raised.value.after == dt.timedelta(hours=1)
    assert len(served.seen) == 1


async def test_a_gateway_page_leaves_a_write_unknown(bench: Bench) -> None:
    async with serving(answer(503, b"<html>Service Unavailable</html>")) as served:
        with pytest.raises(OutcomeUnknown, match="answered 503"):
            await bench.transport.send(write(served))
    assert len(served.seen) == 1


async def test_a_503_of_the_operating_system_never_reached_the_program(bench: Bench) -> None:
    kernel = answer(503, b"<html/>", Server="Microsoft-HTTPAPI/2.0")
    async with serving(kernel, answer(200)) as served:
        assert (await bench.transport.send(write(served))).status == 200


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 409, 422, 500])
async def test_any_other_status_is_an_answer(bench: Bench, status: int) -> None:
    async with serving(answer(status, b"said", Location="/elsewhere")) as served:
        response = await bench.transport.send(write(served))
    assert (response.status, response.body) == (status, b"said")
    assert response.headers["location"] == "/elsewhere"
    assert len(served.seen) == 1


async def test_every_try_is_recorded_with_what_it_was_for(bench: Bench) -> None:
    good = answer(200, b'{"id": "1"}', Request_Id="req_1")
    async with serving(answer(503, b"<html/>"), good) as served:
        await bench.transport.send(read(served, "/x?top=1"), resource="Invoice|1", control=True)
    first, second = bench.exchanges
    assert (first.status, second.status) == (503, 200)
    assert (second.service, second.method, second.path) == ("acumatica", "GET", "/x?top=1")
    assert (second.request_id, second.resource, second.control) == ("req_1", "Invoice|1", True)
    assert second.at == NOON
    assert second.response.endswith('{"id": "1"}')


async def test_a_cancelled_call_is_recorded_too(bench: Bench) -> None:
    async with serving(SILENCE) as served:
        task = asyncio.create_task(bench.transport.send(write(served)))
        await served.arrived.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert [(e.status, e.error) for e in bench.exchanges] == [(None, "cancelled")]


async def test_the_record_holds_at_most_20_kb_of_a_body(bench: Bench) -> None:
    async with serving(answer(200, b"x" * 300_000)) as served:
        response = await bench.transport.send(read(served))
    assert len(response.body) == 300_000
    assert 19_000 < len(bench.exchanges[0].response) <= 20_001


async def test_cookies_are_handed_over_but_never_kept(bench: Bench) -> None:
    async with serving(answer(204, b"", Set_Cookie="session=s3cret; Path=/")) as served:
        response = await bench.transport.send(read(served))
        await bench.transport.send(read(served))
    assert response.set_cookies == ("session=s3cret; Path=/",)
    assert "cookie" not in served.seen[1].headers
    assert "s3cret" not in "".join(map(str, bench.exchanges))


@pytest.mark.parametrize("url", ["ftp://erp.example", "erp.example/entity", "http://[", "https://"])
async def test_an_address_that_cannot_be_one_is_misconfigured(bench: Bench, url: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be used"):
        await bench.transport.send(Request("GET", url, {}, None, repeatable=True))


async def test_a_certificate_that_nobody_vouches_for_is_misconfigured(
    bench: Bench, tmp_path: Path
) -> None:
    async with serving(answer(), tls=self_signed(tmp_path)) as served:
        with pytest.raises(Misconfigured, match="certificate"):
            await bench.transport.send(read(served))
    assert served.seen == []


async def test_calls_pass_through_the_pace() -> None:
    slots: list[str] = []

    class Counting:
        @contextlib.asynccontextmanager
        async def slot(self) -> AsyncGenerator[None]:
            slots.append("in")
            yield
            slots.append("out")

    transport = make(Counting)
    async with serving(answer(429), answer()) as served:
        await transport.send(read(served))
    await transport.aclose()
    assert slots == ["in", "out", "in", "out"]


def make(pace: Callable[[], NoPace]) -> Transport:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    return Transport(
        "stripe",
        pace=pace(),
        clock=ManualClock(NOON),
        record=lambda _: None,
        retries=RetryPolicy(sleep=at_once),
    )


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
