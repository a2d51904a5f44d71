"""A site that answers what a test tells it to, behind the real transport."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx2

from ml_connector.acumatica.client import AcumaticaClient
from ml_connector.acumatica.session import OAuthSession
from ml_connector.acumatica.signin import OAuthApp
from ml_connector.acumatica.tokens import Tokens
from ml_connector.basics.clock import ManualClock
from ml_connector.http.pace import NoPace
from ml_connector.http.retry import RetryPolicy
from ml_connector.http.transport import Exchange, Transport

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = "https://erp.example.com/Erp"
APP = OAuthApp(SITE, "11111111-2222-3333-4444-555555555555@U100", "the-secret")
ENDPOINT = "Default/24.200.001"
STATUS = "/Erp/entity/Default/24.200.001/Payment/ReleasePayment/status/5f0c"

Answer = httpx2.Response | Exception
Handler = Callable[[httpx2.Request], Answer]


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str
    cookie: str
    raw: bytes


@dataclass
class Site:
    """Answers by a handler and remembers every request."""

    handler: Handler
    seen: list[Seen] = field(default_factory=list)

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(_seen(request))
        await asyncio.sleep(0)
        answer = self.handler(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def calls(self) -> list[str]:
        return [
            f"{one.method} {one.path.removeprefix('/Erp/entity/Default/')}" for one in self.seen
        ]


def _seen(request: httpx2.Request) -> Seen:
    raw = request.content
    kind = request.headers.get("content-type", "")
    body: Any = None
    if raw and "json" in kind:
        body = json.loads(raw)
    elif raw:
        body = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    return Seen(
        request.method,
        unquote(request.url.path),
        dict(request.url.params),
        body,
        request.headers.get("authorization", ""),
        request.headers.get("cookie", ""),
        raw,
    )


class MemoryTokens:
    """A token store in memory that keeps what happened, in order."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.stored = tokens
        self.history: list[str] = []
        self._lock = asyncio.Lock()

    async def read(self) -> Tokens | None:
        await asyncio.sleep(0)
        return self.stored

    async def replace(self, tokens: Tokens, expected_version: int) -> bool:
        await asyncio.sleep(0)
        if (self.stored.version if self.stored else 0) != expected_version:
            return False
        assert tokens.version == expected_version + 1
        self.stored = tokens
        self.history.append(tokens.access_token)
        return True

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        async with self._lock:
            yield


def tokens(*, expires_in: float = 3600, version: int = 1, name: str = "first") -> Tokens:
    return Tokens(
        f"access-{name}", f"refresh-{name}", START + timedelta(seconds=expires_in), version
    )


def granted(name: str) -> httpx2.Response:
    return httpx2.Response(
        200,
        json={
            "access_token": f"access-{name}",
            "refresh_token": f"refresh-{name}",
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "api offline_access",
        },
    )


def http_error(sentence: str, kind: str = "PX.Data.PXException") -> dict[str, Any]:
    return {
        "message": "An error has occurred.",
        "exceptionMessage": sentence,
        "exceptionType": kind,
        "stackTrace": "   at PX.Api",
    }


def sites(*versions: str) -> dict[str, Any]:
    return {
        "version": {"acumaticaBuildVersion": "25.200.0100", "databaseVersion": "25.200.0100"},
        "endpoints": [
            {"name": "Default", "version": version, "href": f"/Erp/entity/Default/{version}/"}
            for version in versions
        ],
    }


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def transport(site: Site, record: Callable[[Exchange], None] = lambda _: None) -> Transport:
    return Transport(
        "acumatica",
        pace=NoPace(),
        clock=ManualClock(START),
        record=record,
        http=httpx2.AsyncClient(transport=httpx2.MockTransport(site.answer)),
        retries=RetryPolicy(attempts=2, sleep=no_wait, chance=lambda: 0.0),
    )


def session(site: Site, store: MemoryTokens, app: OAuthApp = APP) -> OAuthSession:
    return OAuthSession(app, tokens=store, transport=transport(site), clock=ManualClock(START))


def client(handler: Handler, *, endpoint: str = ENDPOINT) -> tuple[AcumaticaClient, Site]:
    """A client that is signed in, and the site that it talks to."""
    site = Site(handler)
    signed_in = session(site, MemoryTokens(tokens()))
    return AcumaticaClient(SITE, endpoint, signed_in, ledger="ACTUAL", sleep=no_wait), site


def with_password(app: OAuthApp = APP) -> OAuthApp:
    return replace(app, username="api-user", password="the-password")


def value(**fields: Any) -> dict[str, Any]:
    return {name: {"value": held} for name, held in fields.items()}


def payment_record(status: str) -> dict[str, Any]:
    plain = value(
        Type="Payment",
        ReferenceNbr="000078",
        Status=status,
        CustomerID="GOODFOOD",
        CashAccount="10650ST",
        CurrencyID="USD",
        PaymentAmount=100.0000,
        PaymentRef="ch_3QabcDEF",
        ApplicationDate="2026-01-31T00:00:00+00:00",
        AvailableBalance=0.0,
    )
    history = [value(DisplayDocType="Invoice", DisplayRefNbr="INV000046", AmountPaid=100.0)]
    return {"id": "guid-1", **plain, "ApplicationHistory": history, "DocumentsToApply": []}


def scripted(*answers: httpx2.Response | Exception) -> Handler:
    waiting = list(answers)
    return lambda _: waiting.pop(0)


def accepted(location: str = STATUS) -> httpx2.Response:
    return httpx2.Response(202, headers={"Location": location})
