"""Signing in by OAuth: one renewal for all, stored before it is used, and what follows a loss."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from acumatica.stand_in import (
    APP,
    MemoryTokens,
    Site,
    granted,
    session,
    tokens,
    with_password,
)
from ml_connector.acumatica.signin import DeadGrant, authorize_url
from ml_connector.basics.errors import Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.http.transport import Request

pytestmark = pytest.mark.anyio

TOKEN = "/Erp/identity/connect/token"
ASK = Request("GET", "https://erp.example.com/Erp/entity/x", {}, None, repeatable=True)


class Acumatica:
    """Accepts one access token at a time; each refresh uses its refresh token up."""

    def __init__(self, *, current: str = "access-first", refresh: str = "refresh-first") -> None:
        self.current = current
        self.refresh = refresh
        self.grants: list[str] = []
        self.lose_answers = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response | Exception:
        if request.url.path != TOKEN:
            signed = request.headers["authorization"] == f"Bearer {self.current}"
            return httpx2.Response(200 if signed else 401, json={})
        form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.grants.append(form["grant_type"])
        if self.lose_answers:
            self.lose_answers -= 1
            return httpx2.ReadError("the line broke")
        name = f"{len(self.grants)}"
        self.current, self.refresh = f"access-{name}", f"refresh-{name}"
        return granted(name)


async def test_twenty_calls_on_an_expired_token_lead_to_one_renewal() -> None:
    acumatica = Acumatica(current="none")
    site, store = Site(acumatica), MemoryTokens(tokens(expires_in=-1))
    signed = session(site, store)
    answers = await asyncio.gather(*(signed.send(ASK) for _ in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    assert acumatica.grants == ["refresh_token"]


async def test_twenty_calls_refused_at_once_lead_to_one_renewal() -> None:
    acumatica = Acumatica(current="revoked")
    site, store = Site(acumatica), MemoryTokens(tokens())
    signed = session(site, store)
    answers = await asyncio.gather(*(signed.send(ASK) for _ in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    assert acumatica.grants == ["refresh_token"]


async def test_two_workers_renew_once_between_them() -> None:
    acumatica = Acumatica(current="none")
    site, store = Site(acumatica), MemoryTokens(tokens(expires_in=-1))
    workers = [session(site, store), session(site, store)]
    await asyncio.gather(*(worker.send(ASK) for worker in workers for _ in range(5)))
    assert acumatica.grants == ["refresh_token"]


async def test_a_rotated_refresh_token_is_stored_before_its_access_token_is_used() -> None:
    acumatica = Acumatica(current="none")
    store = MemoryTokens(tokens(expires_in=-1))
    stored_at_use: list[bool] = []

    def watching(request: httpx2.Request) -> httpx2.Response | Exception:
        if request.url.path != TOKEN:
            used = request.headers["authorization"].removeprefix("Bearer ")
            stored_at_use.append(store.stored is not None and store.stored.access_token == used)
        return acumatica(request)

    signed = session(Site(watching), store)
    await asyncio.gather(*(signed.send(ASK) for _ in range(20)))
    assert stored_at_use == [True] * 20
    assert store.stored is not None
    assert store.stored.refresh_token == acumatica.refresh
    assert store.stored.version == 2


async def test_a_fresh_token_is_used_without_asking_the_sign_in_server() -> None:
    acumatica = Acumatica()
    site = Site(acumatica)
    signed = session(site, MemoryTokens(tokens()))
    await signed.send(ASK)
    await signed.send(ASK)
    assert [one.path for one in site.seen] == ["/Erp/entity/x", "/Erp/entity/x"]


async def test_a_renewal_whose_answer_was_lost_is_asked_for_once_more() -> None:
    acumatica = Acumatica(current="none")
    acumatica.lose_answers = 1
    signed = session(Site(acumatica), MemoryTokens(tokens(expires_in=-1)))
    assert (await signed.send(ASK)).status == 200
    assert acumatica.grants == ["refresh_token", "refresh_token"]


async def test_a_sign_in_without_an_answer_does_not_make_the_calls_outcome_unknown() -> None:
    acumatica = Acumatica(current="none")
    acumatica.lose_answers = 2
    site = Site(acumatica)
    signed = session(site, MemoryTokens(tokens(expires_in=-1)))
    with pytest.raises(TryAgain) as caught:
        await signed.send(ASK)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert [one.path for one in site.seen] == [TOKEN, TOKEN]


async def test_a_dead_refresh_token_falls_back_to_the_password() -> None:
    acumatica = Acumatica(current="none", refresh="another")
    store = MemoryTokens(tokens(expires_in=-1))
    signed = session(Site(acumatica), store, with_password())
    assert (await signed.send(ASK)).status == 200
    assert acumatica.grants == ["password"]
    assert store.history == ["access-1"]


async def test_a_dead_refresh_token_without_a_password_asks_for_a_new_sign_in() -> None:
    acumatica = Acumatica(current="none", refresh="another")
    signed = session(Site(acumatica), MemoryTokens(tokens(expires_in=-1)))
    with pytest.raises(DeadGrant) as caught:
        await signed.send(ASK)
    assert isinstance(caught.value, Misconfigured)
    assert "again" in caught.value.remedy


async def test_a_connection_that_nobody_signed_in_to_says_so() -> None:
    signed = session(Site(Acumatica()), MemoryTokens())
    with pytest.raises(Misconfigured, match="Nobody has signed in"):
        await signed.send(ASK)


async def test_a_wrong_client_secret_names_the_connected_application() -> None:
    refusal = httpx2.Response(400, json={"error": "invalid_client"})
    signed = session(Site(lambda _: refusal), MemoryTokens(), with_password())
    with pytest.raises(Misconfigured, match="invalid_client"):
        await signed.send(ASK)


async def test_a_sign_in_server_that_answers_a_page_is_tried_again_later() -> None:
    page = httpx2.Response(200, html="<html>maintenance</html>")
    signed = session(Site(lambda _: page), MemoryTokens(), with_password())
    with pytest.raises(TryAgain):
        await signed.send(ASK)


async def test_a_second_refusal_is_handed_back_and_not_renewed_for_ever() -> None:
    def never(request: httpx2.Request) -> httpx2.Response:
        return granted("new") if request.url.path == TOKEN else httpx2.Response(401)

    site = Site(never)
    signed = session(site, MemoryTokens(tokens()))
    assert (await signed.send(ASK)).status == 401
    assert [one.path for one in site.seen].count(TOKEN) == 1


async def test_a_worker_that_lost_the_race_uses_the_winners_tokens() -> None:
    """The lock failed to hold (another machine's clock): compare-and-set still decides."""
    store = MemoryTokens(tokens(expires_in=-1))

    def racing(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == TOKEN:
            store.stored = tokens(version=7, name="winner")
            return granted("loser")
        return httpx2.Response(200, json={})

    site = Site(racing)
    await session(site, store).send(ASK)
    assert site.seen[-1].authorization == "Bearer access-winner"
    assert store.history == []


async def test_the_code_of_a_persons_sign_in_becomes_stored_tokens() -> None:
    acumatica = Acumatica()
    site, store = Site(acumatica), MemoryTokens()
    signed = session(site, store)
    await signed.sign_in("code-1", redirect_uri="https://here.example/back", verifier="v" * 43)
    assert site.seen[0].body["code"] == "code-1"
    assert site.seen[0].body["code_verifier"] == "v" * 43
    assert (await signed.send(ASK)).status == 200
    assert store.stored is not None


def test_the_sign_in_address_asks_for_offline_access_with_pkce() -> None:
    url = authorize_url(APP, redirect_uri="https://here.example/back", state="s1", challenge="c1")
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://erp.example.com/Erp/identity/connect/authorize?")
    assert query["scope"] == ["api offline_access"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["client_id"] == [APP.client_id]


def test_no_secret_shows_when_tokens_or_settings_are_printed() -> None:
    printed = f"{tokens()!r} {with_password()!r}"
    assert "access-first" not in printed
    assert "refresh-first" not in printed
    assert "the-secret" not in printed
    assert "the-password" not in printed
