"""Thin events, old shapes, live-like retries; accounts, modes, limits and locks."""

import json

import pytest
import stripe

from sandbox_stripe.stripe_running import Receiver, Running


def destination(sandbox: Running, receiver: Receiver, payload: str = "thin") -> stripe.StripeObject:
    return sandbox.sdk.v2.core.event_destinations.create(
        {
            "name": "here",
            "type": "webhook_endpoint",
            "event_payload": "thin" if payload == "thin" else "snapshot",
            "enabled_events": ["v1.customer.created"],
            "webhook_endpoint": {"url": receiver.url},
            "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        }
    )


def test_a_thin_body_only_points_and_the_package_reads_it(
    sandbox: Running, receiver: Receiver
) -> None:
    made = destination(sandbox, receiver).to_dict()
    secret = made["webhook_endpoint"]["signing_secret"]
    assert made["webhook_endpoint"]["url"] == receiver.url
    customer = sandbox.post("/v1/customers", {"name": "A"})
    sandbox.settle()
    headers, body = receiver.got[0]
    told = sandbox.sdk.parse_event_notification(body, headers["stripe-signature"], secret)
    assert told.type == "v1.customer.created"
    thin = json.loads(body)
    assert thin["related_object"]["url"] == f"/v1/customers/{customer['id']}"
    assert "data" not in thin
    event = sandbox.sdk.v2.core.events.retrieve(told.id)
    assert (event.type, event.object) == ("v1.customer.created", "v2.core.event")
    listed = sandbox.get("/v2/core/events", object_id=customer["id"])
    assert [row["id"] for row in listed["data"]] == [told.id]
    assert sandbox.get("/v2/core/events", **{"types[0]": "v1.invoice.paid"})["data"] == []


def test_a_destination_is_disabled_pinged_and_deleted(sandbox: Running, receiver: Receiver) -> None:
    made = destination(sandbox, receiver)
    api = sandbox.sdk.v2.core.event_destinations
    key = made.to_dict()["id"]
    assert api.disable(key).status == "disabled"
    sandbox.post("/v1/customers")
    assert api.enable(key).status == "enabled"
    assert api.ping(key).type == "v2.core.event_destination.ping"
    assert [d.id for d in api.list().data] == [key]
    assert api.retrieve(key).name == "here"
    api.delete(key)
    assert sandbox.http.get(f"/v2/core/event_destinations/{key}").status_code == 404
    assert receiver.got == []


def test_an_endpoint_is_switched_to_thin_bodies_and_back(
    sandbox: Running, receiver: Receiver
) -> None:
    form = {"url": receiver.url, "enabled_events[0]": "*"}
    endpoint = sandbox.post("/v1/webhook_endpoints", form)["id"]
    sandbox.control(f"webhooks/{endpoint}/thin", on=True)
    sandbox.post("/v1/customers")
    sandbox.settle()
    sandbox.control(f"webhooks/{endpoint}/thin", on=False)
    sandbox.post("/v1/customers")
    sandbox.settle()
    kinds = [json.loads(body)["object"] for _, body in receiver.got]
    assert kinds == ["v2.core.event", "event"]


def test_an_account_of_an_old_version_lists_events_in_old_shapes(sandbox: Running) -> None:
    sandbox.control("switches", default_api_version="2023-10-16")
    invoice = sandbox.open_invoice()
    sandbox.control("pay", invoice=invoice["id"], card="4000000000000077")
    sandbox.later(30)
    charge = sandbox.get("/v1/charges")["data"][0]
    sandbox.post("/v1/refunds", {"charge": charge["id"], "amount": "100"})
    events = {e["type"]: e for e in sandbox.get("/v1/events", limit=100)["data"]}
    assert {e["api_version"] for e in events.values()} == {"2023-10-16"}
    inner = {name: event["data"]["object"] for name, event in events.items()}
    assert inner["invoice.paid"]["charge"] == charge["id"]
    assert inner["charge.succeeded"]["invoice"] == invoice["id"]
    assert inner["charge.refunded"]["refunds"]["object"] == "list"
    assert "sources" in inner["customer.created"]
    assert "payment_method" not in inner["refund.created"]
    assert "price" in inner["invoice.paid"]["lines"]["data"][0]
    assert "charge" not in sandbox.get(f"/v1/invoices/{invoice['id']}")


def test_live_like_retries_last_three_days(sandbox: Running, receiver: Receiver) -> None:
    sandbox.control("switches", webhook_retries="live")
    sandbox.control("webhooks", delay_scale=0.000001)
    form = {"url": receiver.url, "enabled_events[0]": "customer.created"}
    sandbox.post("/v1/webhook_endpoints", form)
    receiver.answers = [500] * 15
    sandbox.post("/v1/customers")
    sandbox.settle()
    delivery = sandbox.look("webhooks/deliveries")["deliveries"][0]
    assert (delivery["state"], len(receiver.got)) == ("succeeded", 16)


def test_only_this_account_can_be_acted_on(sandbox: Running) -> None:
    own = {"Stripe-Account": sandbox.app.world.account_id}
    assert sandbox.http.get("/v1/customers", headers=own).status_code == 200
    for header in ("Stripe-Account", "Stripe-Context"):
        answer = sandbox.http.get("/v1/customers", headers={header: "acct_other"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_invalid")


def test_an_id_of_the_other_mode_is_told_so(sandbox: Running) -> None:
    sandbox.control("live_ids", ids=["cus_live"])
    error = sandbox.http.get("/v1/customers/cus_live").json()["error"]
    assert error["code"] == "resource_missing"
    assert "a similar object exists in live mode, but a test mode key" in error["message"]


@pytest.mark.parametrize(
    "reason",
    ["global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency",
     "resource-specific"],
)  # fmt: skip
def test_every_reason_of_a_limit_is_named_in_the_header(sandbox: Running, reason: str) -> None:
    sandbox.control("limits", reason=reason, times=1)
    refused = sandbox.http.get("/v1/customers")
    assert refused.status_code == 429
    assert refused.headers["Stripe-Rate-Limited-Reason"] == reason
    assert sandbox.http.get("/v1/customers").status_code == 200


def test_one_locked_object_refuses_its_writes_and_no_others(sandbox: Running) -> None:
    locked, free = (sandbox.post("/v1/customers")["id"] for _ in range(2))
    sandbox.control("locks", id=locked, times=2)
    assert sandbox.post(f"/v1/customers/{free}", {"name": "B"})["name"] == "B"
    assert sandbox.refused(429, f"/v1/customers/{locked}", {"name": "A"})["code"] == "lock_timeout"
    assert sandbox.refused(429, "/v1/invoices", {"customer": locked})["code"] == "lock_timeout"
    assert sandbox.post(f"/v1/customers/{locked}", {"name": "A"})["name"] == "A"


def test_a_payment_intent_is_updated_a_thousand_times_an_hour(sandbox: Running) -> None:
    intent = sandbox.post("/v1/payment_intents", {"amount": "500", "currency": "usd"})["id"]
    world = sandbox.app.world
    world.notes.updates[intent] = [world.now()] * 1000
    error = sandbox.refused(429, f"/v1/payment_intents/{intent}", {"description": "x"})
    assert error["code"] == "payment_intent_rate_limit_exceeded"
    sandbox.later(3700)
    assert sandbox.post(f"/v1/payment_intents/{intent}", {"description": "x"})["id"] == intent


def test_a_due_date_is_announced_before_and_after(sandbox: Running) -> None:
    sandbox.open_invoice()
    sandbox.later(24 * 86_400)
    assert sandbox.event_types("invoice.will_be_due") == ["invoice.will_be_due"]
    sandbox.later(7 * 86_400)
    assert sandbox.event_types("invoice.overdue") == ["invoice.overdue"]


def test_an_early_fraud_warning_can_be_read(sandbox: Running) -> None:
    charge = sandbox.charged(700, card="4000000000005423")
    found = sandbox.v1.radar.early_fraud_warnings.list({"charge": charge["id"]}).data
    assert [w.payment_intent for w in found] == [charge["payment_intent"]]
    assert sandbox.v1.radar.early_fraud_warnings.retrieve(found[0].id).actionable is True
