"""Builds the sandbox: the world, the API over it, its control plane and its background tasks."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from typing import Any

from ml_sandbox.clock import SandboxClock
from ml_sandbox.stripe import (
    account,
    auto_advance,
    balance,
    balance_settings,
    capture,
    cash_balance,
    catalog,
    charges,
    coupons,
    credit_notes,
    customer_balance,
    customers,
    disputes,
    event_destinations,
    events,
    fraud_warnings,
    invoice_actions,
    invoice_lines,
    invoice_payments,
    invoiceitems,
    invoices,
    legacy_charges,
    payment_intents,
    payment_methods,
    payment_records,
    payouts,
    previews,
    refunds,
    search,
    tax_ids,
    tax_rates,
    thin_events,
    timers,
    topups,
    webhook_endpoints,
)
from ml_sandbox.stripe.api import Answer, Api, Request
from ml_sandbox.stripe.control import Control
from ml_sandbox.stripe.hosted_page import HostedPage
from ml_sandbox.stripe.includes import INCLUDES
from ml_sandbox.stripe.render import Renderer
from ml_sandbox.stripe.router import Router
from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.window.pages import Window
from ml_sandbox.stripe.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

FAMILIES = (
    account.ROUTES,
    auto_advance.ROUTES,
    balance.ROUTES,
    balance_settings.ROUTES,
    capture.ROUTES,
    cash_balance.ROUTES,
    catalog.ROUTES,
    charges.ROUTES,
    coupons.ROUTES,
    credit_notes.ROUTES,
    customer_balance.ROUTES,
    customers.ROUTES,
    disputes.ROUTES,
    event_destinations.ROUTES,
    events.ROUTES,
    fraud_warnings.ROUTES,
    invoice_actions.ROUTES,
    invoice_lines.ROUTES,
    invoice_payments.ROUTES,
    invoiceitems.ROUTES,
    invoices.ROUTES,
    legacy_charges.ROUTES,
    payment_intents.ROUTES,
    payment_methods.ROUTES,
    payment_records.ROUTES,
    payouts.ROUTES,
    previews.ROUTES,
    refunds.ROUTES,
    tax_ids.ROUTES,
    tax_rates.ROUTES,
    thin_events.ROUTES,
    timers.ROUTES,
    topups.ROUTES,
    webhook_endpoints.ROUTES,
)


class StripeSandbox:
    """One pretend Stripe account: `asgi` serves it, `world` is its state."""

    def __init__(self, clock: SandboxClock, seed: int, base_url: str | None) -> None:
        self.world = World(clock, seed, base_url)
        self.sender = WebhookSender(self.world, seed)
        index = search.Index(self.world)
        families = (*FAMILIES, index.routes())
        router = Router(self.world.contract, families)
        self.api = Api(self.world, router, Renderer(self.world, INCLUDES))
        self._control = Control(self.world, self.api, self.sender)
        self._hosted = HostedPage(self.world)
        self._window = Window(self.world, self.api, self._control, self.sender)
        self._key = f"sk_test_{self.world.ids.text(32)}"
        self._secret = self.world.first_secret or ""
        self._background: asyncio.Task[None] | None = None

    def credentials(self) -> dict[str, str]:
        """A key that works, and the secret that the first webhook endpoint will get."""
        return {"key": self._key, "webhook_secret": self._secret}

    @property
    def asgi(self) -> Asgi:
        """The ASGI application, http and lifespan: a function, so that servers recognise it."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await self._lifespan(receive, send)
            elif scope["type"] == "http":
                await self._http(scope, receive, send)

        return application

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._background = asyncio.get_running_loop().create_task(self.world.schedule.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._background.cancel()
        await asyncio.gather(self._background, return_exceptions=True)
        await self.sender.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await body_of(receive) if scope["method"] != "GET" else b"",
        )
        self._learn_address(scope)
        answer = await self._answer(request)
        await self._reply(answer, send)

    def _learn_address(self, scope: Scope) -> None:
        """Hosted pages need an address; without a given one it is where requests come to."""
        server = scope.get("server")
        if self.world.base_url is None and server:
            self.world.base_url = f"http://{server[0]}:{server[1]}"

    async def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_sandbox/"):
            return self._control.answer(request)
        if request.path == "/_window" or request.path.startswith("/_window/"):
            return self._window.answer(request)
        if request.path.startswith("/i/"):
            return self._hosted.answer(request)
        return await self.api.answer(request)

    async def _reply(self, answer: Answer, send: Send) -> None:
        date = format_datetime(self.world.moment(), usegmt=True)
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
            "Date": date,
            **answer.headers,
        }
        raw = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def create_app(clock: SandboxClock, *, seed: int = 0, base_url: str | None = None) -> StripeSandbox:
    """Builds a sandbox on a clock; the same seed makes the same ids.

    `base_url` is where hosted invoice pages live; without it the address of the first request
    is taken.
    """
    return StripeSandbox(clock, seed, base_url)
