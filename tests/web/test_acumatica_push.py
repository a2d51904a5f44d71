"""What Acumatica pushes: a shared secret, rows that hint at records, nothing believed."""

import pytest

from build.service import Service
from ml_connector.basics.ids import ErpRef
from ml_connector.store import findings
from ml_connector.store.findings import Decision

pytestmark = pytest.mark.anyio

SECRET = {"x-ml-secret": "push-secret"}
PLACE = "/webhooks/acumatica/main"


async def test_a_pushed_invoice_is_mirrored_without_any_poll(service: Service) -> None:
    await service.register_push()
    ref = await service.world.an_invoice("100.00")
    await service.pushed()
    await service.world.wait_for_cure()
    assert (await service.world.mirrored(ref))["amount_due"] == 10000
    assert await service.world.troubles() == []


async def test_pushes_that_come_twice_and_out_of_order_mirror_once(service: Service) -> None:
    await service.register_push(duplicates=True, shuffle=True)
    refs = [await service.world.an_invoice(price) for price in ("10.00", "20.00", "30.00")]
    await service.pushed()
    await service.world.wait_for_cure()
    for ref in refs:
        assert len(await service.world.stripe_invoices(ref)) == 1


async def test_our_own_payments_that_acumatica_pushes_back_lead_to_no_trouble(
    service: Service,
) -> None:
    await service.register_push()
    ref = await service.world.an_invoice("100.00")
    await service.pushed()
    await service.world.wait_for_cure()
    await service.world.pay(ref)
    await service.world.live()
    await service.pushed()
    assert await service.world.troubles() == []
    await service.world.all_posted()


async def test_a_payment_voided_by_hand_is_found_by_its_push_without_any_poll(
    service: Service,
) -> None:
    world = service.world
    await service.register_push()
    ref = await world.an_invoice("100.00")
    await service.pushed()
    await world.wait_for_cure()
    await world.pay(ref)
    await world.live()
    (payment,) = await world.documents("Payment")
    erp = (await world.connected()).acumatica
    await world.pass_minutes(1)
    await erp.release_payment(await erp.void_payment(ErpRef(f"Payment|{payment['ReferenceNbr']}")))
    await service.pushed()
    await world.pass_minutes(2)
    await world.settle()
    async with world.store.transaction() as tx:
        (finding,) = await findings.in_state(tx, world.id, Decision.OPEN)
    assert finding.edits == ("voided",)
    await world.books_agree()


async def test_a_push_without_the_shared_secret_is_refused_and_not_kept(service: Service) -> None:
    body = b'{"Id": "1", "Query": "q", "Inserted": [{"CustomerID": "GOODFOOD"}]}'
    for headers in ({}, {"x-ml-secret": ""}, {"x-ml-secret": "push-secret2"}):
        answer = await service.http.post(PLACE, content=body, headers=headers)
        assert answer.status_code == 401
    assert await service.stored() == []


async def test_a_push_that_is_none_is_refused_with_a_sentence(service: Service) -> None:
    for body in (b"", b"[]", b"{}", b"<html>", b'{"Id": 1}', b"\xff"):
        answer = await service.http.post(PLACE, content=body, headers=SECRET)
        assert answer.status_code == 400, body
        assert answer.json()["result"]
    assert await service.stored() == []


async def test_a_push_for_a_connection_that_does_not_exist_is_not_found(service: Service) -> None:
    answer = await service.http.post("/webhooks/acumatica/nobody", content=b"{}", headers=SECRET)
    assert answer.status_code == 404
