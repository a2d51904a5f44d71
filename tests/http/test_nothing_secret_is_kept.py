import asyncio
import base64
import json
import string
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx2
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.clock import ManualClock
from ml_connector.http.pace import NoPace
from ml_connector.http.transport import Exchange, Request, Transport

SECRETS = st.text(string.ascii_letters + string.digits + "-_.~", min_size=10, max_size=50)
PLACES = ("query", "bearer", "basic", "cookie", "form", "json", "set-cookie", "answer token")


def request(place: str, secret: str) -> Request:
    url, headers, body = "https://erp.example/entity", {"Accept": "application/json"}, b""
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    if place == "query":
        url += "?" + urlencode({"$top": "5", "access_token": secret})
    elif place in ("bearer", "basic"):
        value = f"Bearer {secret}" if place == "bearer" else f"Basic {basic}"
        headers["Authorization"] = value
    elif place == "cookie":
        headers["Cookie"] = f"ASP.NET_SessionId=1; .ASPXAUTH={secret}"
    elif place == "form":
        body = urlencode({"grant_type": "refresh_token", "refresh_token": secret}).encode()
    elif place == "json":
        body = json.dumps({"name": "admin", "password": secret}).encode()
    return Request("POST", url, headers, body, repeatable=False)


def answered(place: str, secret: str) -> httpx2.Response:
    """An answer that quotes whatever the request held, or brings a secret of its own."""
    if place == "set-cookie":
        return httpx2.Response(200, headers={"Set-Cookie": f"s={secret}"}, json={"ok": True})
    if place == "answer token":
        return httpx2.Response(200, json={"access_token": secret, "expires_in": 3600})
    location = f"https://erp.example/?state=1&code={secret}"
    return httpx2.Response(
        400, headers={"Location": location}, json={"message": f"{secret} is not valid"}
    )


async def kept(place: str, secret: str) -> Exchange:
    exchanges: list[Exchange] = []
    mock = httpx2.MockTransport(lambda _: answered(place, secret))
    async with httpx2.AsyncClient(transport=mock) as http:
        transport = Transport(
            "acumatica",
            pace=NoPace(),
            clock=ManualClock(datetime(2026, 11, 22, tzinfo=UTC)),
            record=exchanges.append,
            http=http,
        )
        await transport.send(request(place, secret))
    return exchanges[0]


@given(st.sampled_from(PLACES), SECRETS)
def test_a_secret_planted_anywhere_never_reaches_the_record(place: str, secret: str) -> None:
    exchange = asyncio.run(kept(place, secret))
    assert secret not in str(exchange)
    assert base64.b64encode(f"{secret}:".encode()).decode() not in str(exchange)
    assert exchange.path.startswith("/entity")
