"""The ASGI application: one tenant behind HTTP, with its control plane."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote

from ml_sandbox.acumatica.calls import Call
from ml_sandbox.acumatica.contract import load_endpoints
from ml_sandbox.acumatica.errors import Problem, shaped
from ml_sandbox.acumatica.sessions import PASSWORD, TENANT, USER
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.tenants import Tenant, Tenants
from ml_sandbox.acumatica.throttle import Throttle
from ml_sandbox.acumatica.wire import Answer, Request
from ml_sandbox.acumatica.world import World
from ml_sandbox.clock import SandboxClock

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AcumaticaSandbox:
    """One sandbox tenant. `asgi` serves it, `world` is its state."""

    def __init__(self, clock: SandboxClock, *, site: str, seed: int) -> None:
        endpoints = load_endpoints()
        self._running = False
        self._senders: list[asyncio.Task[None]] = []

        def build(name: str) -> Tenant:
            tenant = Tenant(name, clock, endpoints, path=site.rstrip("/"), seed=seed)
            if self._running:
                self._senders.append(asyncio.create_task(tenant.push.run()))
            return tenant

        self.tenants = Tenants(build)
        first = self.tenants.first
        self.world: World = first.world
        self.site, self.push, self.control = first.site, first.push, first.control
        self.throttle = Throttle(first.world.switches)

        async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(scope, receive, send)

        # A plain function, because servers guess the ASGI version of anything else wrongly.
        self.asgi = asgi

    def credentials(self) -> dict[str, str]:
        """What a client needs besides the URL; id and secret are fixed by the seed."""
        return {
            "endpoint": "Default/24.200.001",
            "tenant": TENANT,
            "user": USER,
            "password": PASSWORD,
            "client_id": self.site.identity.client_id,
            "client_secret": self.site.identity.client_secret,
        }

    @property
    def state(self) -> World:
        """The tenant's state."""
        return self.world

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._running = True
                self._senders = [
                    asyncio.create_task(tenant.push.run()) for tenant in self.tenants.open.values()
                ]
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._running = False
                for sender in self._senders:
                    sender.cancel()
                    with suppress(asyncio.CancelledError):
                        await sender
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        path: str = scope["raw_path"].decode("latin-1").partition("?")[0]
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        request = Request(
            method=scope["method"],
            segments=[],
            query=_query(scope["query_string"]),
            headers=headers,
            body=body,
        )
        origin = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
        answer = await self._answer(request, path, origin)
        date = format_datetime(self.world.clock.now().astimezone(UTC), usegmt=True).encode()
        length = str(len(answer.body)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [*answer.headers, (b"date", date), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, request: Request, path: str, origin: str) -> Answer:
        if path.startswith("/_sandbox/"):
            request.segments = _segments(path[len("/_sandbox/") :])
            tenant = self.tenants.named(request.query.get("tenant"))
            return await tenant.control.handle(request)
        if path == "/_window" or path.startswith("/_window/"):
            request.segments = _segments(path[len("/_window/") :])
            return self.tenants.named(request.query.get("tenant")).window.handle(request)
        prefix = self.site.path
        if path[: len(prefix)].lower() != prefix.lower() or path[len(prefix) :][:1] not in {
            "",
            "/",
        }:
            return Problem(404, "The resource cannot be found.").to_answer()
        request.segments = _segments(path[len(prefix) + 1 :])
        began = perf_counter()
        tenant = self.tenants.of(request)
        answer = await self._admitted(request, tenant.site, origin)
        tenant.site.log.add(
            Call(
                self.world.clock.now(),
                request.method,
                path,
                request.query,
                answer.status,
                (perf_counter() - began) * 1000,
            )
        )
        return answer

    async def _admitted(self, request: Request, site: Site, origin: str) -> Answer:
        if not self.throttle.active or request.segments[-1:] == ["logout"]:
            return site.handle(request, origin)
        try:
            await self.throttle.enter()
        except Problem as declined:
            return shaped(declined, self.world.switches)
        try:
            return site.handle(request, origin)
        finally:
            self.throttle.leave()


def create_app(
    clock: SandboxClock, *, site: str = "/AcumaticaERP", seed: int = 0
) -> AcumaticaSandbox:
    """A fresh sandbox tenant under `site` ("" serves it at the root)."""
    return AcumaticaSandbox(clock, site=site, seed=seed)


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.rstrip("/").split("/")] if path else []


def _query(raw: bytes) -> dict[str, str]:
    if not raw:
        return {}
    return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


async def _body(receive: Receive) -> bytes | None:
    """The whole request body; None when the client went away."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)
