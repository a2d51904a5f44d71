"""A sandbox tenant behind real TCP, and a small client that speaks to it as any stranger would."""

import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import msgspec
import pytest
import uvicorn

from ml_sandbox.acumatica.app import AcumaticaSandbox, create_app
from ml_sandbox.clock import SandboxClock

Json = dict[str, Any]
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def wrap(**values: object) -> Json:
    return {name: {"value": value} for name, value in values.items()}


class Tenant:
    """One signed-in client of one endpoint version."""

    def __init__(self, root: str, version: str = "24.200.001", path: str = "/AcumaticaERP") -> None:
        self.root = root
        self.path = path
        self.http = httpx2.Client(base_url=root, timeout=10, verify=False)
        self.ep = f"{path}/entity/Default/{version}"

    def login(self, **more: str) -> httpx2.Response:
        body = {"name": "admin", "password": "123", "tenant": "U100", **more}
        return self.http.post(f"{self.path}/entity/auth/login", json=body)

    def get(self, place: str, **query: str) -> httpx2.Response:
        params = {f"${name}": value for name, value in query.items()}
        return self.http.get(f"{self.ep}/{place}", params=params)

    def put(self, entity: str, body: Json, *, expand: str = "", **headers: str) -> httpx2.Response:
        params = {"$expand": expand} if expand else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.put(f"{self.ep}/{entity}", json=body, params=params, headers=named)

    def act(self, entity: str, action: str, **keys: str) -> httpx2.Response:
        """Starts an action and polls it to its end; the last answer is returned."""
        body = {"entity": wrap(**keys)}
        answer = self.http.post(f"{self.ep}/{entity}/{action}", json=body)
        if answer.status_code != 202:
            return answer
        place = answer.headers["location"]
        answer = self.http.get(place)
        while answer.status_code == 202:
            time.sleep(0.005)
            answer = self.http.get(place)
        return answer

    def read(self, place: str, **query: str) -> Json:
        answer = self.get(place, **query)
        assert answer.status_code == 200, answer.text
        return _DECODER.decode(answer.content)

    def values(self, place: str) -> Json:
        """A record's scalar fields without their wrapping."""
        return {k: v.get("value") for k, v in self.read(place).items() if isinstance(v, dict)}

    def control(self, name: str, body: object | None = None) -> Any:
        if body is None:
            answer = self.http.get(f"/_sandbox/{name}")
        else:
            answer = self.http.post(f"/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return _DECODER.decode(answer.content)

    def switch(self, **values: object) -> None:
        self.control("switches", values)

    def books_are_straight(self) -> None:
        ledger = self.control("ledger")
        assert ledger["totals"]["base"] == 0
        assert all(amount == 0 for amount in ledger["totals"]["currencies"].values())
        assert ledger["receivables"]["difference"] == 0

    def invoice(self, customer: str = "GOODFOOD", amount: str = "100", **more: object) -> str:
        """A released invoice of one exempt line; its number."""
        given = {"Type": "Invoice", "Date": "2026-10-15", "Hold": False, **more}
        custom = given.pop("custom", {})
        line = wrap(TransactionDescription="Work", Account="40000", Qty=1, UnitPrice=amount)
        body = {**wrap(Customer=customer, **given), "Details": [line], "custom": custom}
        answer = self.put("Invoice", body)
        assert answer.status_code == 200, answer.text
        number = answer.json()["ReferenceNbr"]["value"]
        done = self.act("Invoice", "ReleaseInvoice", Type=str(given["Type"]), ReferenceNbr=number)
        assert done.status_code == 204, done.text
        return number

    def payment_body(self, amount: str, invoice: str | None = None, **more: object) -> Json:
        given: Json = {
            "Type": "Payment",
            "CustomerID": "GOODFOOD",
            "PaymentMethod": "STRIPE",
            "CashAccount": "10650ST",
            "ApplicationDate": "2026-10-31",
            "PaymentAmount": amount,
            "PaymentRef": "ch_1",
            "Hold": False,
            **more,
        }
        body = wrap(**given)
        if invoice is not None:
            body["DocumentsToApply"] = [wrap(DocType="Invoice", ReferenceNbr=invoice)]
        return body

    def pay(self, amount: str, invoice: str | None = None, **more: object) -> str:
        """A released payment; its number."""
        answer = self.put("Payment", self.payment_body(amount, invoice, **more))
        assert answer.status_code == 200, answer.text
        number = answer.json()["ReferenceNbr"]["value"]
        kind = str(more.get("Type", "Payment"))
        done = self.act("Payment", "ReleasePayment", Type=kind, ReferenceNbr=number)
        assert done.status_code == 204, done.text
        return number


def journal_body(*lines: tuple[str, str, str], **more: object) -> Json:
    """A journal of (account, debit, credit) lines."""
    given = {"Module": "GL", "TransactionDate": "2026-10-31", "Hold": False, **more}
    return {
        **wrap(**given),
        "Details": [
            wrap(Account=account, Subaccount="000000", DebitAmount=debit, CreditAmount=credit)
            for account, debit, credit in lines
        ],
    }


class Served:
    """A sandbox on a free port."""

    def __init__(self, app: AcumaticaSandbox) -> None:
        self.app = app
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.root = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app.asgi, log_level="error", date_header=False, loop="asyncio")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.002)
        assert self._server.started

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served(create_app(SandboxClock()))
    yield server
    server.stop()


@pytest.fixture
def tenant(served: Served) -> Iterator[Tenant]:
    one = Tenant(served.root)
    assert one.login().status_code == 204
    yield one
    one.http.close()
