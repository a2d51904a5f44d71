"""The web application of a world, served over TCP, as providers and operators reach it."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from build.world import World
from ml_connector.flows.connections.set_up import receive_webhooks
from ml_connector.store import inbox
from ml_connector.store.inbox import Received
from ml_connector.web.app import create_app
from ml_sandbox.server import listen, serving
from ml_sandbox.stripe.webhook_sender import signature

PATIENCE = 10
Json = dict[str, Any]


@dataclass
class Service:
    """Where the service listens, and the world behind it."""

    world: World
    http: httpx2.AsyncClient
    url: str

    async def register(self) -> str:
        """Stripe is told where to send its events; the endpoint's id."""
        place = self.world.place
        return await receive_webhooks(await self.world.connected(), place.keyring, self.url)

    async def register_push(self, **mischief: object) -> None:
        """Acumatica is told where to push its changes."""
        secret = self.world.new.secrets.acumatica_webhook
        url = f"{self.url}/webhooks/acumatica/main"
        told = {"url": url, "header_name": "x-ml-secret", "header_value": secret, **mischief}
        await self.world.erp.tell("push", told)

    async def send(
        self,
        body: bytes,
        *,
        secrets: Sequence[str] | None = None,
        age: int = 0,
        to: str = "main",
    ) -> httpx2.Response:
        """Posts a body as Stripe would, signed by the stored secret unless others are given."""
        signers = [self.world.new.secrets.stripe_webhook] if secrets is None else secrets
        mark = signature(signers, int(time.time()) - age, body)
        headers = {"stripe-signature": mark, "content-type": "application/json"}
        return await self.http.post(f"/webhooks/stripe/{to}", content=body, headers=headers)

    async def delivered(self) -> None:
        """Waits until Stripe has nothing more to send, then everything due is done."""
        give_up = time.monotonic() + PATIENCE
        while not (await self.world.stripe.ask("settled"))["idle"]:
            assert time.monotonic() < give_up, await self.world.stripe.ask("webhooks/deliveries")
            await asyncio.sleep(0.01)
        await self.world.settle()

    async def pushed(self) -> None:
        """Waits until Acumatica has nothing more to push, then everything due is done."""
        give_up = time.monotonic() + PATIENCE
        while (state := await self.world.erp.ask("push"))["waiting"] or not state["delivered"]:
            assert time.monotonic() < give_up, state
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await self.world.settle()

    async def stored(self) -> list[Received]:
        """Every signal that was kept, newest first."""
        async with self.world.store.transaction() as tx:
            return await inbox.recent(tx, self.world.id)


def an_event(kind: str = "charge.updated", subject: str = "ch_1", **facts: object) -> bytes:
    """The body of a snapshot event."""
    event: Json = {
        "id": "evt_1", "object": "event", "type": kind, "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"id": subject, "object": kind.partition(".")[0]}},
    }  # fmt: skip
    return json.dumps(event | facts).encode()


def a_thin_event(kind: str, subject: str) -> bytes:
    """The body of a thin event: nothing but what it is about."""
    event: Json = {
        "id": "evt_thin", "object": "v2.core.event", "type": f"v1.{kind}", "livemode": False,
        "created": "2026-11-22T10:00:00.000Z",
        "related_object": {"id": subject, "type": "charge", "url": f"/v1/charges/{subject}"},
    }  # fmt: skip
    return json.dumps(event).encode()


@asynccontextmanager
async def served(world: World) -> AsyncGenerator[Service]:
    """The web application on a free port while the block runs."""
    async with (
        serving(create_app(world.place), listen()) as url,
        httpx2.AsyncClient(base_url=url, timeout=30, verify=False) as http,
    ):
        yield Service(world, http, url)
