"""What Stripe sends: genuine or not, once or ten times, and what is stored of it."""

import json

import pytest
from sqlalchemy import select, update

from build.service import Service, a_thin_event, an_event
from build.world import World
from ml_connector.store.tables import connections

pytestmark = pytest.mark.anyio


async def sold(world: World, price: str = "100.00") -> str:
    """A mirrored invoice that its buyer has just paid; the charge."""
    ref = await world.an_invoice(price)
    await world.mirror()
    charge = await world.pay(ref)
    assert charge is not None
    return charge


async def test_stripes_own_deliveries_lead_to_books_that_agree(service: Service) -> None:
    await service.register()
    charge = await sold(service.world)
    await service.delivered()
    await service.world.refund(charge, 3000)
    await service.delivered()
    assert {one.outcome for one in await service.stored()} == {"done"}
    assert len(await service.world.documents("Payment")) == 1
    await service.world.all_posted()


async def test_deliveries_that_come_twice_and_out_of_order_are_stored_once(
    service: Service,
) -> None:
    await service.register()
    await service.world.stripe.tell("webhooks", {"duplicate": 1.0, "shuffle": True})
    charge = await sold(service.world)
    await service.world.refund(charge, 3000)
    await service.delivered()
    kept = [one.event_id for one in await service.stored()]
    assert len(kept) == len(set(kept)) > 1
    sent = (await service.world.stripe.ask("webhooks/deliveries"))["deliveries"]
    assert len(sent) == 2 * len(kept)
    await service.world.all_posted()


async def test_deliveries_in_the_shape_of_an_older_api_version_do_the_same(
    service: Service,
) -> None:
    await service.register()
    await service.world.stripe.tell("webhooks", {"legacy_shape": True})
    await sold(service.world)
    await service.delivered()
    assert len(await service.world.documents("Payment")) == 1
    await service.world.all_posted()


async def test_what_no_delivery_brought_is_found_by_asking_for_events(service: Service) -> None:
    await service.register()
    await service.world.stripe.tell("webhooks", {"drop": 1.0})
    await sold(service.world)
    await service.delivered()
    assert await service.stored() == []
    await service.world.sync("stripe.events")
    assert await service.stored()
    await service.world.all_posted()


async def test_a_payment_without_any_event_is_found_by_the_sweep_of_all_money(
    service: Service,
) -> None:
    await service.register()
    await service.world.stripe.tell("webhooks", {"never_generated": 1.0})
    charge = await sold(service.world)
    await service.world.refund(charge)
    await service.world.sync("stripe.events")
    assert await service.world.documents("Payment") == []
    await service.world.sync("stripe.transactions")
    assert len(await service.world.documents("Payment")) == 1
    await service.world.all_posted()


async def test_an_event_of_the_other_mode_is_thanked_for_and_not_kept(service: Service) -> None:
    await service.register()
    await service.world.stripe.tell("webhooks", {"live_mode": True})
    await sold(service.world)
    await service.delivered()
    sent = (await service.world.stripe.ask("webhooks/deliveries"))["deliveries"]
    assert {one["state"] for one in sent} == {"succeeded"}
    assert await service.stored() == []
    assert await service.world.documents("Payment") == []


async def test_a_body_that_somebody_else_signed_is_refused_and_not_kept(service: Service) -> None:
    answer = await service.send(an_event(), secrets=["whsec_of_a_stranger"])
    assert answer.status_code == 400
    assert await service.stored() == []


async def test_a_genuine_body_that_is_sent_too_late_or_too_early_is_refused(
    service: Service,
) -> None:
    for age in (302, 86_400, -400):
        assert (await service.send(an_event(), age=age)).status_code == 400
    assert await service.stored() == []


async def test_a_body_without_or_with_a_broken_signature_is_refused(service: Service) -> None:
    for headers in ({}, {"stripe-signature": ""}, {"stripe-signature": "t=1,v1=" + "a" * 9000}):
        answer = await service.http.post(
            "/webhooks/stripe/main", content=an_event(), headers=headers
        )
        assert answer.status_code == 400
    assert await service.stored() == []


async def test_a_body_changed_by_one_byte_is_refused(service: Service) -> None:
    genuine = await service.send(an_event())
    assert genuine.status_code == 200
    header = genuine.request.headers["stripe-signature"]
    changed = an_event().replace(b"ch_1", b"ch_2")
    answer = await service.http.post(
        "/webhooks/stripe/main", content=changed, headers={"stripe-signature": header}
    )
    assert answer.status_code == 400
    assert [one.resource for one in await service.stored()] == ["ch_1"]


async def test_both_secrets_are_good_while_one_replaces_the_other(service: Service) -> None:
    endpoint = await service.register()
    await service.world.stripe.tell(f"webhooks/{endpoint}/secrets", {})
    await sold(service.world)
    await service.delivered()
    await service.world.all_posted()
    assert await service.stored()


async def test_an_event_that_asks_for_nothing_is_stored_and_left(service: Service) -> None:
    for kind in ("invoice.created", "customer.created", "brand.new_thing"):
        assert (await service.send(an_event(kind, "in_1", id=f"evt_{kind}"))).status_code == 200
    assert [one.kind for one in await service.stored()] == ["ignored"] * 3
    assert await service.world.waiting() == 0


async def test_a_thin_event_leads_to_the_same_look_as_a_whole_one(service: Service) -> None:
    charge = await sold(service.world)
    assert (await service.send(a_thin_event("charge.updated", charge))).status_code == 200
    await service.world.settle()
    assert len(await service.world.documents("Payment")) == 1
    await service.world.all_posted()


async def test_an_event_is_not_believed_only_its_object_is_looked_at(service: Service) -> None:
    charge = await sold(service.world)
    lie = json.loads(an_event("charge.updated", charge))
    lie["data"]["object"] |= {"amount": 999_999, "status": "succeeded", "invoice": "in_other"}
    assert (await service.send(json.dumps(lie).encode())).status_code == 200
    await service.world.settle()
    (payment,) = await service.world.documents("Payment")
    assert payment["PaymentAmount"] == 100
    await service.world.all_posted()


async def test_a_signed_body_that_is_no_event_is_refused_with_a_sentence(
    service: Service,
) -> None:
    no_object = an_event().replace(b'"object": {', b'"subject": {')
    for body in (b"", b"[]", b"null", b"{}", b"<html>", b"\xff\xfe", b"{" * 100_000, no_object):
        answer = await service.send(body)
        assert answer.status_code == 400, body[:20]
        assert answer.json()["result"]
    assert await service.stored() == []


async def test_a_body_of_three_megabytes_is_refused(service: Service) -> None:
    answer = await service.send(an_event(padding="x" * 3 * 1024 * 1024))
    assert answer.status_code == 413
    assert await service.stored() == []


async def test_an_event_for_a_connection_that_does_not_exist_is_not_found(
    service: Service,
) -> None:
    answer = await service.send(an_event(), to="nobody")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["result"]


async def test_trouble_of_our_own_keys_asks_stripe_to_send_again_and_does_not_blame_it(
    service: Service,
) -> None:
    async with service.world.store.transaction() as tx:
        sealed = (await tx.execute(select(connections.c.secrets))).scalar_one()
        spoilt = {name: f"{text[:-6]}AAAAAA" for name, text in sealed.items()}
        await tx.execute(update(connections).values(secrets=spoilt))
    answer = await service.send(an_event())
    assert answer.status_code == 503
    assert "send it again later" in answer.json()["result"]


async def test_an_event_is_handled_only_once_its_work_is_done(service: Service) -> None:
    charge = await sold(service.world)
    await service.world.erp.spoil({"kind": "status", "method": "PUT", "path": "/Payment"})
    await service.send(an_event("charge.updated", charge))
    await service.world.settle()
    assert [one.handled_at for one in await service.stored()] == [None]
    await service.world.erp.mend()
    await service.world.wait_for_cure()
    assert [one.handled_at is None for one in await service.stored()] == [False]
    await service.world.all_posted()
