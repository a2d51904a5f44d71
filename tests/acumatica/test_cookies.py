"""Signing in by cookies: once, again when the site closed the session, and always out again."""

import asyncio
import json

import httpx2
import pytest

from acumatica.stand_in import SITE, Site, http_error, transport
from ml_connector.acumatica.cookies import CookieLogin, CookieSession, Jar
from ml_connector.basics.errors import Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.http.transport import Request

pytestmark = pytest.mark.anyio

ASK = Request("GET", f"{SITE}/entity/x", {}, None, repeatable=True)
LOGIN = CookieLogin(SITE, "api-user", "the-password", tenant="U100", branch="HEADOFFICE")
EXPIRED = "ASP.NET_SessionId=; expires=Thu, 01 Jan 1970 00:00:00 GMT"


class Acumatica:
    """Keeps one session per sign-in; `close` is what an app-pool recycle does."""

    def __init__(self) -> None:
        self.sign_ins = 0
        self.open: set[str] = set()

    def close(self) -> None:
        self.open.clear()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        cookie = request.headers.get("cookie", "")
        if request.url.path.endswith("/auth/login"):
            self.sign_ins += 1
            self.open.add(f"s{self.sign_ins}")
            names = [f"ASP.NET_SessionId=s{self.sign_ins}; path=/; HttpOnly", "UserBranch=1"]
            return httpx2.Response(204, headers=[("Set-Cookie", name) for name in names])
        mine = {name for name in self.open if f"ASP.NET_SessionId={name}" in cookie}
        if request.url.path.endswith("/auth/logout"):
            self.open -= mine
            return httpx2.Response(204, headers={"Set-Cookie": EXPIRED})
        return httpx2.Response(200 if mine else 401, json={}, headers={"Set-Cookie": "seen=1"})


def connect(acumatica: Acumatica) -> tuple[CookieSession, Site]:
    site = Site(acumatica)
    return CookieSession(LOGIN, transport=transport(site)), site


async def test_parallel_calls_sign_in_once_and_keep_every_cookie() -> None:
    acumatica = Acumatica()
    session, site = connect(acumatica)
    answers = await asyncio.gather(*(session.send(ASK) for _ in range(10)))
    await session.send(ASK)
    assert {answer.status for answer in answers} == {200}
    assert acumatica.sign_ins == 1
    assert site.seen[0].body == {
        "name": "api-user",
        "password": "the-password",
        "tenant": "U100",
        "branch": "HEADOFFICE",
    }
    assert site.seen[-1].cookie == "ASP.NET_SessionId=s1; UserBranch=1; seen=1"


async def test_a_closed_session_is_opened_again_once_for_all() -> None:
    acumatica = Acumatica()
    session, _ = connect(acumatica)
    await session.send(ASK)
    acumatica.close()
    answers = await asyncio.gather(*(session.send(ASK) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert acumatica.sign_ins == 2


async def test_the_session_is_ended_when_the_client_closes() -> None:
    acumatica = Acumatica()
    session, site = connect(acumatica)
    await session.send(ASK)
    await session.aclose()
    await session.aclose()
    assert acumatica.open == set()
    assert [one.path for one in site.seen].count("/Erp/entity/auth/logout") == 1


async def test_a_session_that_was_never_opened_is_not_ended() -> None:
    session, site = connect(Acumatica())
    await session.aclose()
    assert site.seen == []


async def test_a_wrong_password_is_asked_once_and_names_the_sign_in() -> None:
    """Acumatica answers 500 here, and locks the user after some tries."""
    refusal = http_error("Error: Invalid credentials. Please try again.")
    site = Site(lambda _: httpx2.Response(500, content=json.dumps(refusal)))
    session = CookieSession(LOGIN, transport=transport(site))
    with pytest.raises(Misconfigured, match="Invalid credentials"):
        await session.send(ASK)
    assert len(site.seen) == 1


async def test_a_sign_in_without_an_answer_does_not_make_the_calls_outcome_unknown() -> None:
    session = CookieSession(LOGIN, transport=transport(Site(lambda _: httpx2.ReadTimeout("late"))))
    with pytest.raises(TryAgain) as caught:
        await session.send(ASK)
    assert not isinstance(caught.value, OutcomeUnknown)


def test_an_expired_cookie_is_forgotten() -> None:
    jar = Jar()
    jar.take(["ASP.NET_SessionId=s1; path=/", "UserBranch=1"])
    jar.take([EXPIRED])
    assert jar.header() == "UserBranch=1"


def test_the_password_does_not_show_when_the_sign_in_is_printed() -> None:
    assert "the-password" not in repr(LOGIN)
