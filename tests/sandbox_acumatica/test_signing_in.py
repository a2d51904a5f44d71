"""Checklist 1 to 4: site prefix, endpoint list, OAuth, cookie sessions."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx2

from ml_sandbox.acumatica.app import create_app
from ml_sandbox.clock import SandboxClock
from sandbox_acumatica.conftest import Served, Tenant

TOKEN = "/AcumaticaERP/identity/connect/token"


def form(served: Served, **more: str) -> dict[str, str]:
    facts = served.app.credentials()
    own = {"client_id": facts["client_id"], "client_secret": facts["client_secret"]}
    return {**own, **more}


def password_grant(served: Served, http: httpx2.Client, scope: str = "api offline_access") -> dict:
    body = form(served, grant_type="password", username="admin", password="123", scope=scope)
    answer = http.post(TOKEN, data=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_01_links_and_locations_start_with_the_sites_directory(tenant: Tenant) -> None:
    own = tenant.read("Customer/GOODFOOD")["_links"]["self"]
    assert own.startswith("/AcumaticaERP/entity/Default/24.200.001/Customer/")
    assert tenant.http.get(own).json()["CustomerID"]["value"] == "GOODFOOD"


def test_01_a_site_can_live_at_the_root() -> None:
    server = Served(create_app(SandboxClock(), site=""))
    try:
        root = Tenant(server.root, path="")
        root.login()
        assert root.read("Customer/GOODFOOD")["_links"]["self"].startswith("/entity/Default/")
        root.http.close()
    finally:
        server.stop()


def test_02_the_endpoint_list_needs_no_session_and_can_hide_versions(tenant: Tenant) -> None:
    stranger = httpx2.Client(base_url=tenant.root, verify=False)
    listed = stranger.get("/AcumaticaERP/entity").json()
    versions = [each["version"] for each in listed["endpoints"]]
    assert versions == ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"]
    assert "acumaticaBuildVersion" in listed["version"]
    tenant.switch(hidden_versions="24.200.001,25.200.001", bare_endpoint_list=True)
    bare = stranger.get("/AcumaticaERP/entity").json()
    assert [each["version"] for each in bare] == ["20.200.001", "22.200.001", "23.200.001"]
    assert tenant.get("Customer/GOODFOOD").status_code == 404
    stranger.close()


def test_03_a_code_is_exchanged_with_pkce_and_refresh_tokens_rotate(served: Served) -> None:
    http = httpx2.Client(base_url=served.root, verify=False)
    found = http.get("/AcumaticaERP/identity/.well-known/openid-configuration").json()
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": served.app.credentials()["client_id"],
        "redirect_uri": "https://app.example/back",
        "scope": "api offline_access",
        "state": "xyz",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    back = http.get(found["authorization_endpoint"], params=query)
    assert back.status_code == 302
    sent = parse_qs(urlsplit(back.headers["location"]).query)
    assert sent["state"] == ["xyz"]
    exchange = form(
        served,
        grant_type="authorization_code",
        code=sent["code"][0],
        redirect_uri="https://app.example/back",
        code_verifier=verifier,
    )
    tokens = http.post(found["token_endpoint"], data=exchange).json()
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "Bearer")
    again = http.post(TOKEN, data=exchange)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    refresh = form(served, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    renewed = http.post(TOKEN, data=refresh)
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] != tokens["refresh_token"]
    reused = http.post(TOKEN, data=refresh)
    assert (reused.status_code, reused.json()) == (400, {"error": "invalid_grant"})
    http.close()


def test_03_a_wrong_verifier_and_a_wrong_secret_are_refused(served: Served) -> None:
    http = httpx2.Client(base_url=served.root, verify=False)
    body = form(served, grant_type="password", username="admin", password="123")
    assert http.post(TOKEN, data={**body, "client_secret": "no"}).json() == {
        "error": "invalid_client"
    }
    assert http.post(TOKEN, data={**body, "password": "no"}).json() == {"error": "invalid_grant"}
    assert http.post(TOKEN, data={**body, "scope": "what"}).json() == {"error": "invalid_scope"}
    http.close()


def test_03_access_ends_after_an_hour_and_the_chain_after_thirty_days(served: Served) -> None:
    http = httpx2.Client(base_url=served.root, verify=False)
    tokens = password_grant(served, http)
    place = "/AcumaticaERP/entity/Default/24.200.001/Customer/GOODFOOD"
    good = {"authorization": f"Bearer {tokens['access_token']}"}
    assert http.get(place, headers=good).status_code == 200
    http.post("/_sandbox/clock", json={"advance_seconds": 3601})
    assert http.get(place, headers=good).status_code == 401
    body = form(served, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    newer = http.post(TOKEN, data=body).json()
    http.post("/_sandbox/clock", json={"advance_seconds": 31 * 86400})
    body["refresh_token"] = newer["refresh_token"]
    assert http.post(TOKEN, data=body).json() == {"error": "invalid_grant"}
    http.close()


def test_03_one_grant_shares_one_session_and_can_be_revoked(served: Served) -> None:
    http = httpx2.Client(base_url=served.root, verify=False)
    tokens = password_grant(served, http)
    place = "/AcumaticaERP/entity/Default/24.200.001/Customer/GOODFOOD"
    good = {"authorization": f"Bearer {tokens['access_token']}"}
    for _ in range(3):
        assert http.get(place, headers=good).status_code == 200
    assert http.get("/_sandbox/sessions").json() == {"open": 1}
    http.post("/_sandbox/tokens", json={"revoke": True})
    assert http.get(place, headers=good).status_code == 401
    http.close()


def test_04_signing_in_sets_the_cookies_and_signing_out_ends_the_session(served: Served) -> None:
    one = Tenant(served.root)
    answer = one.login()
    assert answer.status_code == 204
    names = {".ASPXAUTH", "ASP.NET_SessionId", "CompanyID", "Locale", "UserBranch", "requestid"}
    assert names <= set(one.http.cookies)
    assert one.get("Customer/GOODFOOD").status_code == 200
    out = one.http.post("/AcumaticaERP/entity/auth/logout", headers={"content-length": "0"})
    assert out.status_code == 204
    assert one.get("Customer/GOODFOOD").status_code == 401
    one.http.close()


def test_04_a_wrong_password_is_a_500_and_an_unknown_tenant_too(served: Served) -> None:
    one = Tenant(served.root)
    wrong = one.login(password="no")
    assert wrong.status_code == 500
    assert wrong.json()["exceptionMessage"] == "Error: Invalid credentials. Please try again."
    assert "company ID" in one.login(tenant="ELSE").json()["exceptionMessage"]
    one.http.close()


def test_04_the_session_limit_refuses_and_idle_sessions_are_closed(tenant: Tenant) -> None:
    tenant.switch(max_sessions=1)
    other = Tenant(tenant.root)
    full = other.login()
    assert full.status_code == 429
    assert "API Login Limit" in full.text
    tenant.switch(session_limit_status=500)
    assert other.login().status_code == 500
    tenant.control("clock", {"advance_seconds": 601})
    assert tenant.get("Customer/GOODFOOD").status_code == 401
    assert other.login().status_code == 204
    other.http.close()
