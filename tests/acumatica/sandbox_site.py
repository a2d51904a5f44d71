"""The Acumatica sandbox over TCP, a client that is signed in to it, and documents to begin with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx2
import uvicorn

from acumatica.stand_in import MemoryTokens
from ml_connector.acumatica.client import TIMEOUTS, AcumaticaClient
from ml_connector.acumatica.cookies import CookieLogin, CookieSession
from ml_connector.acumatica.session import OAuthSession, Session
from ml_connector.acumatica.signin import OAuthApp
from ml_connector.basics.clock import Clock
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application, ArPayment, Journal, Line
from ml_connector.http.pace import NoPace
from ml_connector.http.transport import Exchange, Transport
from ml_sandbox.acumatica.app import AcumaticaSandbox, create_app
from ml_sandbox.clock import SandboxClock


@dataclass
class Tenant:
    """A running sandbox tenant; `exchanges` are the client's calls, the sign-in's left out."""

    app: AcumaticaSandbox
    clock: SandboxClock
    url: str
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    sign_ins: list[Exchange] = field(default_factory=list[Exchange])

    def record(self, exchange: Exchange) -> None:
        (self.sign_ins if exchange.control else self.exchanges).append(exchange)

    def transport(self) -> Transport:
        clock: Clock = self.clock
        return Transport(
            "acumatica",
            pace=NoPace(),
            clock=clock,
            record=self.record,
            timeouts=TIMEOUTS,
        )

    def oauth(self, transport: Transport) -> OAuthSession:
        known = self.app.credentials()
        app = OAuthApp(
            self.url, known["client_id"], known["client_secret"], known["user"], known["password"]
        )
        return OAuthSession(app, tokens=self.tokens, transport=transport, clock=self.clock)

    def cookies(self, transport: Transport) -> CookieSession:
        known = self.app.credentials()
        login = CookieLogin(self.url, known["user"], known["password"], known["tenant"])
        return CookieSession(login, transport=transport)

    @asynccontextmanager
    async def client(
        self, endpoint: str = "Default/24.200.001", *, by_cookie: bool = False
    ) -> AsyncGenerator[AcumaticaClient]:
        transport = self.transport()
        session: Session = self.cookies(transport) if by_cookie else self.oauth(transport)
        client = AcumaticaClient(self.url, endpoint, session, sleep=_briefly)
        try:
            yield client
        finally:
            await client.aclose()
            await transport.aclose()

    async def invoice(self, amount: str = "100.00", customer: str = "GOODFOOD") -> ErpRef:
        """A released invoice, made as a person would: on the site itself, not by our client."""
        async with httpx2.AsyncClient(base_url=f"{self.url}/entity/", verify=False) as http:
            known = self.app.credentials()
            login = {
                "name": known["user"],
                "password": known["password"],
                "tenant": known["tenant"],
            }
            (await http.post("auth/login", json=login)).raise_for_status()
            here = "Default/24.200.001/Invoice"
            made = await http.put(here, json=_invoice(self.clock.now().date(), amount, customer))
            made.raise_for_status()
            key = made.json()["ReferenceNbr"]["value"]
            keys = {"Type": {"value": "Invoice"}, "ReferenceNbr": {"value": key}}
            started = await http.post(f"{here}/ReleaseInvoice", json={"entity": keys})
            assert started.status_code == 202, started.text
            origin = self.url.removesuffix("/AcumaticaERP")
            while (status := await http.get(origin + started.headers["location"])).is_success:
                if status.status_code == 204:
                    break
                await asyncio.sleep(0.01)
            assert status.status_code == 204, status.text
            await http.post("auth/logout", content=b"")
        return ErpRef(f"Invoice|{key}")

    def payment(self, invoice: ErpRef, minor: int = 10000, **changes: Any) -> ArPayment:
        facts: dict[str, Any] = {
            "customer_id": "GOODFOOD",
            "payment_method": "STRIPE",
            "cash_account": "10650ST",
            "branch": "HEADOFFICE",
            "day": self.clock.now().date(),
            "amount": Money(minor, "USD"),
            "payment_ref": "ch_3QabcDEFghiJKLmnoPQRstu",
            "external_ref": "txn_3QabcDEF",
            "description": "Stripe in_1QabcDEF",
            "applications": (Application(invoice, Money(minor, "USD")),),
        }
        return ArPayment(**{**facts, **changes})

    def journal(self, *accounts: str, day: date | None = None, currency: str = "USD") -> Journal:
        debit, credit = accounts or ("61100", "10650")
        return Journal(
            day=day or self.clock.now().date(),
            branch="HEADOFFICE",
            description="Stripe fee txn_1QabcDEF",
            lines=(
                Line(debit, "000000", Money(320, currency), "Stripe fee"),
                Line(credit, "000000", Money(-320, currency), "Stripe clearing"),
            ),
        )


async def _briefly(seconds: float) -> None:
    """Operations take 30 ms here, so that no test waits for the first guess of half a second."""
    await asyncio.sleep(min(seconds, 0.05))


def _invoice(day: date, amount: str, customer: str) -> dict[str, Any]:
    line = {"TransactionDescription": "Consulting", "Account": "40000", "Qty": 1}
    head = {"Type": "Invoice", "Customer": customer, "Description": "Services", "Hold": False}
    return {
        **{name: {"value": held} for name, held in head.items()},
        "Date": {"value": day.isoformat()},
        "Details": [
            {
                **{name: {"value": held} for name, held in line.items()},
                "UnitPrice": {"value": amount},
            }
        ],
    }


@asynccontextmanager
async def running() -> AsyncGenerator[Tenant]:
    """A fresh tenant behind uvicorn on a free port."""
    clock = SandboxClock()
    app = create_app(clock)
    server = uvicorn.Server(
        uvicorn.Config(
            app.asgi, port=0, log_level="error", lifespan="on", ws="none", interface="asgi3"
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Tenant(app, clock, f"http://127.0.0.1:{port}/AcumaticaERP")
    finally:
        server.should_exit = True
        await serving
