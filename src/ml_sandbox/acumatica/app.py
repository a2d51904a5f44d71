"""The ASGI application: one tenant behind HTTP, with its control plane."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from ml_sandbox.acumatica.contract import load_endpoints
from ml_sandbox.acumatica.control import Control
from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.forms.base import Form
from ml_sandbox.acumatica.forms.bills import BillForm
from ml_sandbox.acumatica.forms.cash import CashTransactionForm
from ml_sandbox.acumatica.forms.cash_sales import CashSaleForm
from ml_sandbox.acumatica.forms.customers import CustomerForm
from ml_sandbox.acumatica.forms.invoices import InvoiceForm
from ml_sandbox.acumatica.forms.journals import JournalForm
from ml_sandbox.acumatica.forms.payments import PaymentForm
from ml_sandbox.acumatica.forms.reference import ReferenceForm
from ml_sandbox.acumatica.forms.sales_invoices import SalesInvoiceForm, mirror
from ml_sandbox.acumatica.push import Push
from ml_sandbox.acumatica.seed import build_world
from ml_sandbox.acumatica.sessions import PASSWORD, TENANT, USER
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.switches import Switches
from ml_sandbox.acumatica.throttle import Throttle
from ml_sandbox.acumatica.wire import Answer, Request
from ml_sandbox.acumatica.world import World
from ml_sandbox.clock import SandboxClock

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REFERENCES = (
    ("Account", "Account", True),
    ("Subaccount", "Subaccount", True),
    ("CustomerClass", "Customer Class", True),
    ("CustomerLocation", "Customer Location", True),
    ("CustomerPaymentMethod", "Customer Payment Method", True),
    ("NonStockItem", "Non-Stock Item", True),
    ("StockItem", "Stock Item", True),
    ("Vendor", "Vendor", True),
    ("PaymentMethod", "Payment Method", True),
    ("CompanyFinancialPeriod", "Company Financial Calendar", False),
    ("Currency", "Currency", False),
    ("FinancialPeriod", "Financial Year", False),
    ("FinancialYear", "Financial Year Settings", False),
    ("Ledger", "Ledger", False),
    ("Tax", "Tax", False),
    ("TaxCategory", "Tax Category", False),
    ("TaxZone", "Tax Zone", False),
)


def _forms(world: World) -> dict[str, Form]:
    forms: dict[str, Form] = {
        "Customer": CustomerForm(),
        "Invoice": InvoiceForm(),
        "SalesInvoice": SalesInvoiceForm(),
        "Payment": PaymentForm(),
        "JournalTransaction": JournalForm(),
        "CashTransaction": CashTransactionForm(),
        "Bill": BillForm(),
        "CashSale": CashSaleForm(),
    }
    for entity, label, editable in _REFERENCES:
        forms[entity] = ReferenceForm(entity, label, world.tables[entity].keys, editable=editable)
    return forms


class AcumaticaSandbox:
    """One sandbox tenant. `asgi` serves it, `world` is its state."""

    def __init__(self, clock: SandboxClock, *, site: str, seed: int) -> None:
        switches = Switches()
        self.world: World = build_world(clock, switches, seed)
        self.world.mirrors["Invoice"] = mirror
        self.site = Site(
            self.world, load_endpoints(), _forms(self.world), path=site.rstrip("/"), seed=seed
        )
        self.push = Push(self.world)
        self.throttle = Throttle(switches)
        self.control = Control(self.site, self.push)

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
        sender: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                sender = asyncio.create_task(self.push.run())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if sender is not None:
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
            return await self.control.handle(request)
        prefix = self.site.path
        if path[: len(prefix)].lower() != prefix.lower() or path[len(prefix) :][:1] not in {
            "",
            "/",
        }:
            return Problem(404, "The resource cannot be found.").to_answer()
        request.segments = _segments(path[len(prefix) + 1 :])
        if not self.throttle.active or request.segments[-1:] == ["logout"]:
            return self.site.handle(request, origin)
        try:
            await self.throttle.enter()
        except Problem as declined:
            return declined.to_answer(with_trace=self.world.switches.stack_traces)
        try:
            return self.site.handle(request, origin)
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
