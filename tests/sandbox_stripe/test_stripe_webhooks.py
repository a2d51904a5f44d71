"""Webhooks: signed bodies, retries, and every kind of unreliability on demand."""

import json
import time

import pytest
import stripe

from sandbox_stripe.stripe_running import Json, Receiver, Running


def subscribe(sandbox: Running, receiver: Receiver, *types: str) -> Json:
    form = {f"enabled_events[{n}]": t for n, t in enumerate(types or ("*",))}
    return sandbox.post("/v1/webhook_endpoints", {"url": receiver.url, **form})


def types_got(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.got]


def test_the_official_package_accepts_the_signature_over_the_exact_body(
    sandbox: Running, receiver: Receiver
) -> None:
    endpoint = subscribe(sandbox, receiver)
    sandbox.post("/v1/customers", {"name": "Zoë"}, **{"Idempotency-Key": "abc"})
    sandbox.settle()
    headers, body = receiver.got[0]
    event = sandbox.sdk.construct_event(body, headers["stripe-signature"], endpoint["secret"])
    assert (event.type, event.livemode) == ("customer.created", False)
    assert event.api_version == "2026-10-28.endive"
    assert event.request is not None
    assert event.request.idempotency_key == "abc"
    assert body.startswith(b'{\n  "id": "evt_')
    assert "Zoë".encode() in body
    stamp = int(headers["stripe-signature"].split(",")[0].removeprefix("t="))
    assert abs(stamp - time.time()) < 60
    with pytest.raises(stripe.SignatureVerificationError):
        sandbox.sdk.construct_event(
            json.dumps(json.loads(body)).encode(), headers["stripe-signature"], endpoint["secret"]
        )


def test_the_secret_is_shown_once_and_the_first_one_is_known_beforehand(
    sandbox: Running, receiver: Receiver
) -> None:
    made = subscribe(sandbox, receiver)
    assert made["secret"] == sandbox.app.credentials()["webhook_secret"]
    assert "secret" not in sandbox.get(f"/v1/webhook_endpoints/{made['id']}")
    second = subscribe(sandbox, receiver)
    assert second["secret"] != made["secret"]


def test_failures_and_redirects_are_retried_until_acknowledged(
    sandbox: Running, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver, "customer.created")
    receiver.answers = [500, 302]
    sandbox.post("/v1/customers", {"name": "A"})
    event = sandbox.get("/v1/events", delivery_success="false")["data"][0]
    assert event["pending_webhooks"] == 1
    sandbox.settle()
    assert len(receiver.got) == 3
    assert sandbox.get(f"/v1/events/{event['id']}")["pending_webhooks"] == 0
    assert sandbox.get("/v1/events", delivery_success="false")["data"] == []
    delivery = sandbox.look("webhooks/deliveries")["deliveries"][0]
    assert [a["status"] for a in delivery["attempts"]] == [500, 302, 200]


def test_only_subscribed_types_are_sent_and_a_disabled_endpoint_gets_nothing(
    sandbox: Running, receiver: Receiver
) -> None:
    endpoint = subscribe(sandbox, receiver, "customer.updated")
    made = sandbox.post("/v1/customers", {"name": "A"})
    sandbox.post(f"/v1/customers/{made['id']}", {"name": "B"})
    sandbox.settle()
    assert types_got(receiver) == ["customer.updated"]
    sandbox.post(f"/v1/webhook_endpoints/{endpoint['id']}", {"disabled": "true"})
    sandbox.post(f"/v1/customers/{made['id']}", {"name": "C"})
    sandbox.settle()
    assert len(receiver.got) == 1


def test_duplicates_carry_the_same_event_id(sandbox: Running, receiver: Receiver) -> None:
    subscribe(sandbox, receiver, "customer.created")
    sandbox.control("webhooks", duplicate=1.0)
    sandbox.post("/v1/customers")
    sandbox.settle()
    ids = [json.loads(body)["id"] for _, body in receiver.got]
    assert (len(ids), len(set(ids))) == (2, 1)


def test_a_dropped_event_is_found_only_in_the_list_and_can_be_resent(
    sandbox: Running, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver, "customer.created")
    sandbox.control("webhooks", drop=1.0)
    sandbox.post("/v1/customers")
    sandbox.settle()
    assert receiver.got == []
    missed = sandbox.v1.events.list({"delivery_success": False}).data
    assert [e.type for e in missed] == ["customer.created"]
    sandbox.control("webhooks", drop=0.0)
    assert sandbox.control(f"events/{missed[0].id}/resend") == {"deliveries": 1}
    sandbox.settle()
    assert types_got(receiver) == ["customer.created"]
    assert sandbox.v1.events.list({"delivery_success": False}).data == []


def test_an_event_that_was_never_generated_exists_nowhere(
    sandbox: Running, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver)
    sandbox.control("webhooks", never_generated=1.0)
    made = sandbox.post("/v1/customers")
    sandbox.settle()
    assert (receiver.got, sandbox.get("/v1/events")["data"]) == ([], [])
    assert sandbox.get(f"/v1/customers/{made['id']}")["id"] == made["id"]


def test_legacy_bodies_have_the_old_links_while_the_api_does_not(
    sandbox: Running, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver, "invoice.paid", "charge.succeeded")
    sandbox.control("webhooks", legacy_shape=True)
    invoice = sandbox.open_invoice()
    sandbox.control("pay", invoice=invoice["id"])
    sandbox.settle()
    bodies = {json.loads(b)["type"]: json.loads(b) for _, b in receiver.got}
    inner = bodies["invoice.paid"]["data"]["object"]
    assert (inner["paid"], inner["charge"][:3]) == (True, "ch_")
    assert "parent" not in inner
    assert bodies["charge.succeeded"]["data"]["object"]["invoice"] == invoice["id"]
    assert bodies["invoice.paid"]["api_version"] == "2024-06-20"
    assert "charge" not in sandbox.get(f"/v1/invoices/{invoice['id']}")


def test_shuffled_events_arrive_in_another_order(sandbox: Running, receiver: Receiver) -> None:
    subscribe(sandbox, receiver, "customer.created")
    sandbox.control("webhooks", shuffle=True, seed=3, delay_scale=0.02)
    made = [sandbox.post("/v1/customers", {"name": str(n)})["id"] for n in range(20)]
    sandbox.settle()
    arrived = [json.loads(body)["data"]["object"]["id"] for _, body in receiver.got]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


def test_a_rolled_secret_signs_with_both_until_the_old_one_expires(
    sandbox: Running, receiver: Receiver
) -> None:
    endpoint = subscribe(sandbox, receiver, "customer.created")
    rolled = sandbox.control(f"webhooks/{endpoint['id']}/secrets")["secret"]
    sandbox.post("/v1/customers")
    sandbox.settle()
    headers, body = receiver.got[0]
    for secret in (endpoint["secret"], rolled):
        assert sandbox.sdk.construct_event(body, headers["stripe-signature"], secret)
    sandbox.control(f"webhooks/{endpoint['id']}/secrets", expire=True)
    sandbox.post("/v1/customers")
    sandbox.settle()
    headers, body = receiver.got[1]
    with pytest.raises(stripe.SignatureVerificationError):
        sandbox.sdk.construct_event(body, headers["stripe-signature"], endpoint["secret"])


def test_events_are_listed_by_type_and_forgotten_after_thirty_days(sandbox: Running) -> None:
    made = sandbox.v1.customers.create({"name": "A"})
    sandbox.v1.customers.update(made.id, {"name": "B"})
    sandbox.open_invoice()
    asked = sandbox.v1.events.list({"types": ["customer.created", "customer.updated"]})
    assert [e.type for e in asked.data] == [
        "customer.created", "customer.updated", "customer.created",
    ]  # fmt: skip
    changed = sandbox.v1.events.list({"type": "customer.updated"}).data[0]
    assert changed.data.to_dict()["previous_attributes"] == {"name": "A"}
    assert all(t.startswith("invoice.") for t in (
        e.type for e in sandbox.v1.events.list({"type": "invoice.*"}).data
    ))  # fmt: skip
    last = asked.data[-1].id
    newer = sandbox.v1.events.list({"ending_before": last, "limit": 2})
    walked = [e.type for e in newer.auto_paging_iter()]
    assert walked[:2] == ["customer.updated", "customer.created"]
    sandbox.later(31 * 86_400)
    assert "customer.created" not in sandbox.event_types()
    answer = sandbox.http.get("/v1/events", params={"ending_before": last})
    assert answer.json()["error"]["code"] == "resource_missing"


def test_bodies_of_the_wrong_mode_and_stale_signatures_can_be_sent(
    sandbox: Running, receiver: Receiver
) -> None:
    endpoint = subscribe(sandbox, receiver, "customer.created")
    sandbox.control("webhooks", live_mode=True)
    sandbox.post("/v1/customers")
    sandbox.settle()
    assert json.loads(receiver.got[0][1])["livemode"] is True
    sandbox.control("webhooks", live_mode=False, stale_seconds=400)
    sandbox.post("/v1/customers")
    sandbox.settle()
    headers, body = receiver.got[1]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        sandbox.sdk.construct_event(body, headers["stripe-signature"], endpoint["secret"])


def test_an_endpoint_that_never_acknowledges_is_given_up(
    sandbox: Running, receiver: Receiver
) -> None:
    sandbox.control("webhooks", delay_scale=0.001)
    subscribe(sandbox, receiver, "customer.created")
    receiver.answers = [500] * 9
    sandbox.post("/v1/customers")
    sandbox.settle()
    delivery = sandbox.look("webhooks/deliveries")["deliveries"][0]
    assert (delivery["state"], len(receiver.got)) == ("failed", 4)
    assert sandbox.get("/v1/events", delivery_success="false")["data"][0]["pending_webhooks"] == 1
