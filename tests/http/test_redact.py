import base64
import json
import string
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.http.redact import LONGEST_BODY, MARGIN, MASK, Redactor

secrets = st.text(
    string.ascii_letters + string.digits + '+/=&%ü"\\ ', min_size=8, max_size=60
).filter(lambda text: text.strip() == text and len(set(text)) > 3)
names = st.sampled_from(["password", "client_secret", "refresh_token", "access_token", "signature"])
filler = st.text(string.ascii_lowercase + " ", max_size=200)


def everything(redactor: Redactor, url: str, body: bytes, answer: bytes) -> str:
    kept = redactor.message({"Content-Type": "x"}, ("content-type",), body)
    return "\n".join((redactor.path(url), kept, redactor.body(answer)))


def spellings(secret: str) -> list[str]:
    quoted = urlencode({"": secret})[1:]
    return [secret, quoted, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]


@given(secrets, names, filler)
def test_a_secret_of_a_form_never_shows_even_where_the_server_quotes_it(
    secret: str, name: str, text: str
) -> None:
    body = urlencode({"grant_type": "x", name: secret, "text": text}).encode()
    answer = json.dumps({"message": f"{text} {secret} is wrong"}, ensure_ascii=False).encode()
    shown = everything(Redactor("https://h/p", {}, body), "https://h/p", body, answer)
    assert not any(spelling in shown for spelling in spellings(secret))


@given(secrets, names, st.integers(0, 3), st.booleans())
def test_a_secret_of_a_json_body_never_shows_at_any_depth(
    secret: str, name: str, depth: int, ascii_only: bool
) -> None:
    payload: object = {name: secret, "RefNbr": {"value": "000123"}}
    for _ in range(depth):
        payload = {"inner": [payload]}
    body = json.dumps(payload, ensure_ascii=ascii_only).encode()
    shown = everything(Redactor("https://h/p", {}, body), "https://h/p", body, body)
    assert not any(spelling in shown for spelling in spellings(secret))
    assert "000123" in shown


@given(secrets, names)
def test_a_secret_in_the_query_never_shows(secret: str, name: str) -> None:
    url = f"https://h/p?{urlencode({'a': '1', name: secret})}"
    shown = everything(Redactor(url, {}, None), url, b"", secret.encode())
    assert not any(spelling in shown for spelling in spellings(secret))
    assert "/p?a=1&" in shown


@given(st.text(string.ascii_letters + string.digits + "_", min_size=8, max_size=60))
def test_the_credentials_of_a_request_never_show_in_its_answer(secret: str) -> None:
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    for header in (f"Bearer {secret}", f"Basic {basic}"):
        redactor = Redactor("https://h/", {"Authorization": header}, None)
        assert secret not in redactor.body(f"key {secret} and {basic}".encode())
    cookie = Redactor("https://h/", {"Cookie": f"a=1; s={secret}"}, None)
    assert secret not in cookie.body(f"session {secret}".encode())


@pytest.mark.parametrize(
    "text",
    [
        "sk_test_51Habc", "rk_live_51Habc", "whsec_9f8e7d6c", "pi_3Nabc_secret_XYZ1",
        "Bearer abcdef123456", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "4242424242424242", "4242 4242 4242 4242", "378282246310005",
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["{}", "x {} y", '{{"message": "no {} here"}}', "<p>{}</p>"])
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(text: str, frame: str) -> None:
    shown = Redactor("", {}, None).text(frame.format(text))
    assert text not in shown
    assert text[-6:] not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    ['{"code": "resource_missing"}', "1234567890123456", "2026-11-22T10:05:38", "in_1NabcDEF234",
     '{"amount": 10825, "currency": "usd"}', "Invoice|000123"],
)  # fmt: skip
def test_what_an_operator_needs_stays_readable(text: str) -> None:
    assert Redactor("", {}, None).text(text) == text


def test_an_authorization_code_is_masked_in_a_form() -> None:
    body = b"grant_type=authorization_code&code=AbC123xyz&redirect_uri=x"
    shown = Redactor("https://h/token", {}, body).body(body)
    assert shown == f"grant_type=authorization_code&code={MASK}&redirect_uri=x"


@given(st.integers(-80, 80), secrets)
def test_a_long_body_cut_within_a_secret_shows_no_part_of_it(offset: int, secret: str) -> None:
    body = urlencode({"password": secret}).encode()
    start = LONGEST_BODY + MARGIN + offset - len(secret)
    answer = b"." * start + secret.encode() + b"." * 9_000
    shown = Redactor("https://h/", {}, body).body(answer)
    assert len(shown) <= LONGEST_BODY
    assert set(shown) <= {"."}


def test_a_nul_that_a_database_refuses_is_shown_as_a_sign_that_cannot_be() -> None:
    redactor = Redactor("https://erp.example/", {}, None)
    assert redactor.body(b"a\x00b") == "a\ufffdb"
    assert "\x00" not in redactor.text("name\x00")
