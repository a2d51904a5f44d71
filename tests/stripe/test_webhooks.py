import hashlib
import hmac
import json
import string
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.stripe.webhooks import EventHint, NotAnEvent, hint, verify

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "whsec_test1"
BODY = b'{\n  "id": "evt_1"\n}'


def sign(body: bytes, secret: str = SECRET, moment: datetime = NOW) -> str:
    stamp = str(int(moment.timestamp()))
    mark = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mark}"


@given(st.binary(max_size=300), st.text(string.ascii_letters, min_size=1))
def test_a_body_signed_with_a_secret_of_ours_is_genuine(body: bytes, secret: str) -> None:
    assert verify(body, sign(body, secret), ["whsec_old", secret], NOW)
    assert not verify(body + b" ", sign(body, secret), [secret], NOW)
    assert not verify(body, sign(body, secret), [secret + "x"], NOW)


def test_the_official_packages_signature_is_accepted() -> None:
    header = stripe.WebhookSignature.generate_signature_header(
        BODY.decode(), SECRET, timestamp=int(NOW.timestamp())
    )
    assert verify(BODY, header, [SECRET], NOW)


def test_a_header_with_the_marks_of_two_secrets_suits_either() -> None:
    other = sign(BODY, "whsec_new").partition(",")[2]
    header = f"{sign(BODY)},{other},v0=123"
    assert verify(BODY, header, [SECRET], NOW)
    assert verify(BODY, header, ["whsec_new"], NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    assert verify(BODY, sign(BODY, moment=NOW + timedelta(seconds=seconds)), [SECRET], NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_a_stale_or_future_signature_is_refused(seconds: int) -> None:
    assert not verify(BODY, sign(BODY, moment=NOW + timedelta(seconds=seconds)), [SECRET], NOW)


def test_only_scheme_v1_counts() -> None:
    assert not verify(BODY, sign(BODY).replace("v1=", "v0="), [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_is_genuine(secrets: list[str]) -> None:
    assert not verify(BODY, sign(BODY, ""), secrets, NOW)


@given(
    st.text(max_size=200)
    | st.sampled_from(["t=,v1=", "t=1e9,v1=a", "t=٣,v1=ü", "v1=a", "t=" + "9" * 400 + ",v1=a"])
)
def test_a_garbage_header_is_refused_without_an_exception(header: str) -> None:
    assert not verify(BODY, header, [SECRET], NOW)


def event(**changes: object) -> bytes:
    facts: dict[str, object] = {
        "id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1761955310,
        "livemode": False, "api_version": "2019-01-01",
        "data": {"object": {"id": "in_1", "object": "invoice", "charge": {"type": None}}},
    }  # fmt: skip
    return json.dumps(facts | changes).encode()


def test_a_snapshot_hints_at_its_object_whatever_its_version() -> None:
    assert hint(event()) == EventHint(
        id="evt_1",
        type="invoice.paid",
        object_id="in_1",
        object_type="invoice",
        created=datetime(2025, 11, 1, 0, 1, 50, tzinfo=UTC),
        livemode=False,
    )


def test_an_event_about_the_whole_balance_has_no_object_id() -> None:
    balance = {"object": {"object": "balance", "available": []}}
    seen = hint(event(type="balance.available", data=balance))
    assert (seen.object_id, seen.object_type) == ("", "balance")


def test_a_thin_event_hints_at_the_same_as_its_snapshot_twin() -> None:
    thin = {
        "id": "evt_1", "object": "v2.core.event", "type": "v1.invoice.paid",
        "created": "2025-11-01T00:01:50.000Z", "livemode": False,
        "related_object": {"id": "in_1", "type": "invoice", "url": "/v1/invoices/in_1"},
    }  # fmt: skip
    assert hint(json.dumps(thin).encode()) == hint(event())


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id": "evt_1"}', event(data={}),
     event(created="x"), event(data={"object": 5}), event(created=10**30),
     event(object="v2.core.event"), event()[:-9]],
)  # fmt: skip
def test_what_is_no_event_is_refused_by_a_typed_error(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        hint(body)


@given(st.binary(max_size=200))
def test_no_body_whatever_raises_anything_else(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        hint(body)
