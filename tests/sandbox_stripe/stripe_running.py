"""A sandbox over real TCP in a thread of its own, with clients of both kinds and a receiver."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import stripe
import uvicorn

from ml_sandbox.clock import SandboxClock
from ml_sandbox.stripe.app import StripeSandbox, create_app

stripe.enable_telemetry = False
Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(asgi: Any, lifespan: str = "on") -> Iterator[str]:
    port = free_port()
    config = uvicorn.Config(
        asgi, port=port, log_level="error", lifespan=lifespan, date_header=False,
        server_header=False, ws="none", interface="asgi3",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Receiver:
    """A webhook endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.got.append((headers, body))
        status = self.answers.pop(0) if self.answers else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Running:
    """The sandbox as a program meets it."""

    def __init__(self, app: StripeSandbox, url: str) -> None:
        self.app = app
        self.url = url
        self.key = app.credentials()["key"]
        basic = base64.b64encode(f"{self.key}:".encode()).decode()
        self.http = httpx2.Client(
            base_url=url, headers={"Authorization": f"Basic {basic}"}, verify=False
        )
        self.sdk = stripe.StripeClient(self.key, base_addresses={"api": url})
        self.v1 = self.sdk.v1

    def control(self, path: str, **body: Any) -> Json:
        answer = self.http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path: str) -> Json:
        return self.http.get(f"/_sandbox/{path}").json()

    def get(self, path: str, **query: Any) -> Json:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, form: Json | None = None, **headers: str) -> Json:
        answer = self.http.post(path, data=form or {}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status: int, path: str, form: Json | None = None) -> Json:
        answer = self.http.post(path, data=form or {})
        assert answer.status_code == status, answer.text
        return answer.json()["error"]

    def settle(self) -> None:
        """Waits until nothing is outstanding."""
        deadline = time.monotonic() + 20
        while not self.look("settled")["idle"]:
            assert time.monotonic() < deadline, self.look("settled")
            time.sleep(0.02)

    def later(self, seconds: float) -> None:
        self.control("clock", advance_seconds=seconds)

    def open_invoice(self, amount: int = 10000, currency: str = "usd", **more: Any) -> Json:
        customer = more.pop("customer", None) or self.post("/v1/customers", {"name": "ACME"})["id"]
        form = {
            "customer": customer, "currency": currency, "collection_method": "send_invoice",
            "days_until_due": 30, **more,
        }  # fmt: skip
        made = self.post("/v1/invoices", form)
        self.post(
            f"/v1/invoices/{made['id']}/add_lines",
            {"lines[0][amount]": amount, "lines[0][description]": "Work"},
        )
        return self.post(f"/v1/invoices/{made['id']}/finalize")

    def charged(self, amount: int = 10000, currency: str = "usd", card: str = "") -> Json:
        """A charge outside invoicing, with its money booked."""
        card = card or "4000000000000077"
        made = self.control("charge", amount=amount, currency=currency, card=card)
        self.later(30)
        return self.get(f"/v1/charges/{made['charge']}")

    def event_types(self, *prefixes: str) -> list[str]:
        rows = self.get("/v1/events", limit=100)["data"]
        types = [row["type"] for row in reversed(rows)]
        return [t for t in types if not prefixes or t.startswith(prefixes)]


@contextmanager
def running(delay_scale: float = 0.01, *, sound: bool = True) -> Iterator[Running]:
    app = create_app(SandboxClock(), seed=7)
    with served(app.asgi) as url:
        sandbox = Running(app, url)
        sandbox.control("webhooks", delay_scale=delay_scale)
        yield sandbox
        violations = sandbox.look("books")["invariant_violations"]
        sandbox.http.close()
        assert (violations == []) == sound, violations
