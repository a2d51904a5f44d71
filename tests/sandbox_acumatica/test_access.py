"""Consent, registration, keys, users and roles, two tenants, and the licence's waiting queue."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.switches import Switches
from ml_sandbox.acumatica.throttle import Throttle
from sandbox_acumatica.conftest import Json, Served, Tenant, wrap

IDENTITY = "/AcumaticaERP/identity/connect"
BACK = "https://app.example/back"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def http(served: Served) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.root, verify=False) as client:
        yield client


def asked(served: Served, **more: str) -> dict[str, str]:
    own = {"response_type": "code", "client_id": served.app.credentials()["client_id"]}
    return {**own, "redirect_uri": BACK, "scope": "api offline_access", "state": "s", **more}


def sent_back(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def secrets(served: Served) -> dict[str, str]:
    facts = served.app.credentials()
    return {"client_id": facts["client_id"], "client_secret": facts["client_secret"]}


def test_03_the_consent_page_asks_for_a_name_and_a_decision(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    tenant.switch(consent="page")
    page = http.get(f"{IDENTITY}/authorize", params=asked(served))
    assert page.status_code == 200
    assert "Allow" in page.text
    assert "<script" not in page.text
    form = {**asked(served), "username": "admin", "password": "123"}
    denied = http.post(f"{IDENTITY}/authorize", data={**form, "decision": "deny"})
    assert sent_back(denied) == {"error": "access_denied", "state": "s"}
    wrong = http.post(f"{IDENTITY}/authorize", data={**form, "decision": "allow", "password": "no"})
    assert "Invalid credentials" in wrong.text
    allowed = sent_back(http.post(f"{IDENTITY}/authorize", data={**form, "decision": "allow"}))
    body = {"grant_type": "authorization_code", "code": allowed["code"], "redirect_uri": BACK}
    assert http.post(f"{IDENTITY}/token", data={**body, **secrets(served)}).status_code == 200


def test_03_only_registered_addresses_are_sent_back_to(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    tenant.control("application", {"redirect_uris": ["https://app.example/other"]})
    refused = http.get(f"{IDENTITY}/authorize", params=asked(served))
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request"})
    tenant.control("application", {"redirect_uris": [BACK]})
    assert "code" in sent_back(http.get(f"{IDENTITY}/authorize", params=asked(served)))


def coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return coded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def claims_of(served: Served, **more: object) -> Json:
    client = served.app.credentials()["client_id"]
    audience = f"{served.root}{IDENTITY}/token"
    return {"iss": client, "sub": client, "aud": audience, "exp": time.time() + 60, **more}


def signed_rsa(key: rsa.RSAPrivateKey, claims: Json) -> str:
    head = coded(json.dumps({"alg": "RS256", "kid": "one"}).encode())
    text = f"{head}.{coded(json.dumps(claims).encode())}"
    return f"{text}.{coded(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def signed_ec(key: ec.EllipticCurvePrivateKey, claims: Json) -> str:
    text = f"{coded(json.dumps({'alg': 'ES256'}).encode())}.{coded(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{coded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_03_a_registered_key_stands_for_the_secret(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    one = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    two = ec.generate_private_key(ec.SECP256R1())
    first, second = one.public_key().public_numbers(), two.public_key().public_numbers()
    keys = [
        {"kty": "RSA", "kid": "one", "n": number(first.n), "e": number(first.e)},
        {"kty": "EC", "crv": "P-256", "kid": "two", "x": number(second.x), "y": number(second.y)},
    ]
    tenant.control("application", {"keys": keys})

    def token(assertion: str) -> httpx2.Response:
        body = {"grant_type": "password", "username": "admin", "password": "123", "scope": "api"}
        body |= {"client_assertion_type": ASSERTION, "client_assertion": assertion}
        client = served.app.credentials()["client_id"]
        return http.post(f"{IDENTITY}/token", data={**body, "client_id": client})

    assert token(signed_rsa(one, claims_of(served))).status_code == 200
    assert token(signed_ec(two, claims_of(served))).status_code == 200
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for bad in (
        signed_rsa(other, claims_of(served)),
        signed_rsa(one, claims_of(served, exp=time.time() - 1)),
        signed_rsa(one, claims_of(served, sub="somebody")),
        signed_rsa(one, claims_of(served, aud="https://elsewhere.example/")),
        "a.b",
    ):
        refused = token(bad)
        assert (refused.status_code, refused.json()) == (400, {"error": "invalid_client"})


def test_03_a_sliding_chain_lives_as_long_as_it_is_used(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    tenant.control("application", {"sliding_days": 14, "absolute_days": 0})
    grant = {"grant_type": "password", "username": "admin", "password": "123"}
    body = {**grant, "scope": "api offline_access", **secrets(served)}
    refresh = http.post(f"{IDENTITY}/token", data=body).json()["refresh_token"]

    def renew(token: str) -> httpx2.Response:
        more = {"grant_type": "refresh_token", "refresh_token": token}
        return http.post(f"{IDENTITY}/token", data={**more, **secrets(served)})

    for _ in range(4):
        tenant.control("clock", {"advance_seconds": 13 * 86400})
        refresh = renew(refresh).json()["refresh_token"]
    tenant.control("clock", {"advance_seconds": 15 * 86400})
    assert renew(refresh).json() == {"error": "invalid_grant"}


def test_a_form_that_no_role_opens_is_403(served: Served, tenant: Tenant) -> None:
    tenant.control("users", {"name": "clerk", "password": "c", "denied": ["GL301000"]})
    clerk = Tenant(served.root)
    assert clerk.login(name="clerk", password="c").status_code == 204
    assert clerk.get("Customer/GOODFOOD").status_code == 200
    refused = clerk.get("JournalTransaction")
    assert refused.status_code == 403
    assert "insufficient rights" in refused.json()["exceptionMessage"]
    assert clerk.put("JournalTransaction", {}).status_code == 403
    tenant.switch(forbidden_entities="Subaccount")
    assert tenant.get("Subaccount").status_code == 403
    clerk.http.close()


def test_a_token_acts_as_the_user_who_consented(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    tenant.control("users", {"name": "clerk", "password": "c", "denied": ["AR302000"]})
    body = {"grant_type": "password", "username": "clerk", "password": "c", "scope": "api"}
    token = http.post(f"{IDENTITY}/token", data={**body, **secrets(served)}).json()
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    assert http.get(f"{tenant.ep}/Payment", headers=bearer).status_code == 403
    assert http.get(f"{tenant.ep}/Customer", headers=bearer).status_code == 200


def test_two_tenants_share_a_site_and_nothing_else(
    served: Served, tenant: Tenant, http: httpx2.Client
) -> None:
    other = Tenant(served.root)
    assert other.login(tenant="U200").status_code == 204
    assert other.http.cookies["CompanyID"] == "U200"
    other.invoice()
    assert len(other.get("Invoice").json()) == 1
    assert tenant.get("Invoice").json() == []
    page = http.get("/_sandbox/application", params={"tenant": "U200"}).json()
    assert page["client_id"].endswith("@U200")
    assert page["client_id"] != served.app.credentials()["client_id"]
    login = {"name": "admin", "password": "123", "tenant": "U300"}
    unknown = http.post("/AcumaticaERP/entity/auth/login", json=login)
    assert unknown.status_code == 500
    assert "A proper company ID cannot be determined" in unknown.text
    query = {**asked(served), "client_id": page["client_id"]}
    assert "code" in sent_back(http.get(f"{IDENTITY}/authorize", params=query))
    assert other.http.post("/AcumaticaERP/entity/auth/logout", content=b"").status_code == 204
    assert other.get("Invoice").status_code == 401
    other.http.close()


def test_15_a_request_that_waited_too_long_is_declined() -> None:
    async def scene() -> None:
        throttle = Throttle(Switches(concurrent_requests=1, queue_seconds=0.02))
        await throttle.enter()
        with pytest.raises(Problem) as declined:
            await throttle.enter()
        assert declined.value.status == 429
        throttle.leave()
        await throttle.enter()
        assert throttle.declined == 1

    asyncio.run(scene())
    assert Switches().queue_seconds == 600


def test_15_signing_out_never_waits(served: Served, tenant: Tenant) -> None:
    other = Tenant(served.root)
    other.login()
    tenant.switch(concurrent_requests=1, queue_length=0, declined_body="html")
    served.app.throttle.declined = 0

    async def fill() -> None:
        await served.app.throttle.enter()

    asyncio.run(fill())
    declined = tenant.get("Currency/USD")
    assert declined.status_code == 429
    assert "custom error module" in declined.text
    assert other.http.post("/AcumaticaERP/entity/auth/logout", content=b"").status_code == 204
    served.app.throttle.leave()
    assert tenant.get("Currency/USD").status_code == 200
    other.http.close()


def test_18_another_process_wins_as_often_as_ordered(tenant: Tenant) -> None:
    tenant.control("conflicts", {"count": 2, "entity": "Customer", "record": "GOODFOOD"})
    assert tenant.put("Customer", wrap(CustomerID="FRUITICO", CreditLimit=7)).status_code == 200
    for _ in range(2):
        lost = tenant.put("Customer", wrap(CustomerID="GOODFOOD", CreditLimit=7))
        assert lost.status_code == 500
        assert "Another process has updated the 'Customer' record" in lost.text
    assert tenant.read("Customer/GOODFOOD")["CreditLimit"]["value"] == 0
    assert tenant.put("Customer", wrap(CustomerID="GOODFOOD", CreditLimit=7)).status_code == 200
    tenant.control("conflicts", {"count": 1})
    assert tenant.put("Invoice", wrap(Customer="GOODFOOD")).status_code == 500
    assert tenant.get("Invoice").json() == []
    assert tenant.control("conflicts")["fired"] == 3
