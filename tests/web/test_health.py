"""What a machine that watches the service may ask."""

from dataclasses import replace

import pytest

from build.service import Service, served
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio


async def test_a_running_service_is_alive_and_ready(service: Service) -> None:
    assert (await service.http.get("/healthz")).json() == {"status": "alive"}
    ready = await service.http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_the_metrics_count_what_came_in(service: Service) -> None:
    await service.register()
    await service.world.an_invoice()
    await service.world.mirror()
    shown = (await service.http.get("/metrics")).text
    assert 'connection="main"' in shown


async def test_nothing_else_is_served(service: Service) -> None:
    for path in ("/", "/webhooks/stripe/", "/webhooks/other/main", "/docs"):
        assert (await service.http.get(path)).status_code == 404
    assert (await service.http.get("/webhooks/stripe/main")).status_code == 405


async def test_a_service_whose_database_is_gone_is_not_ready_and_asks_to_send_again(
    service: Service,
) -> None:
    gone = Store.open("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    place = replace(service.world.place, store=gone)
    async with served(replace(service.world, place=place)) as cut_off:
        assert (await cut_off.http.get("/healthz")).status_code == 200
        assert (await cut_off.http.get("/readyz")).status_code == 503
        assert (await cut_off.send(b"{}")).status_code == 503
    await gone.dispose()
