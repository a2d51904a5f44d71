"""The two sandboxes as the month sees them: control planes over HTTP, never the connector."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

Json = dict[str, Any]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_SLOWEST = 60.0


class CannotGoOn(Exception):
    """A sandbox is out of reach or refused what the month asked; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An invoice as Stripe has it; amounts in minor units."""

    id: str
    status: str
    currency: str
    amount_due: int
    amount_remaining: int


class ControlPlane:
    """One sandbox's `/_sandbox/`: JSON in, JSON out."""

    def __init__(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        self._name = name
        # The host is on loopback; a proxy from the environment must not come between.
        self._http = httpx2.Client(
            base_url=f"{parts.scheme}://{parts.netloc}/_sandbox/",
            timeout=_SLOWEST,
            trust_env=False,
            verify=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        """Reads; raises CannotGoOn."""
        return self._good(*self._send("GET", path))

    def post(self, path: str, body: Json) -> Any:
        """Acts; raises CannotGoOn when it is refused."""
        return self._good(*self._send("POST", path, body))

    def delete(self, path: str) -> Any:
        """Takes something back; raises CannotGoOn."""
        return self._good(*self._send("DELETE", path))

    def attempt(self, path: str, body: Json) -> Json | None:
        """Acts; None when a card was declined (402), CannotGoOn for any other refusal."""
        status, text = self._send("POST", path, body)
        return None if status == 402 else self._good(status, text)

    def _send(self, method: str, path: str, body: Json | None = None) -> tuple[int, bytes]:
        content = None if body is None else _ENCODER.encode(body)
        headers = {"content-type": "application/json"}
        try:
            answer = self._http.request(method, path, content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise CannotGoOn(f"The {self._name} sandbox does not answer: {error!r}") from error
        return answer.status_code, answer.content

    def _good(self, status: int, body: bytes) -> Any:
        if status != 200:
            text = body.decode(errors="replace")[:500]
            raise CannotGoOn(f"The {self._name} sandbox answered {status}: {text}")
        return _DECODER.decode(body)


class Erp:
    """The clerk at the ERP's screens. Entries are not counted as API calls."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control

    def now(self) -> datetime:
        """The ERP's clock."""
        return datetime.fromisoformat(self._control.get("clock")["now"])

    def enter(self, entity: str, body: Json, *, release: bool = False) -> Json:
        """Saves a record and perhaps releases it; the record as it is then, values unwrapped."""
        asked = {"entity": entity, "body": _wrapped(body), "release": release}
        return _unwrapped(self._control.post("write", asked))


class Stripe:
    """Buyers, calendar and back office of the Stripe account."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control

    def now(self) -> datetime:
        """Stripe's clock."""
        return datetime.fromisoformat(self._control.get("clock")["now"])

    def move_clock(self, moment: datetime) -> None:
        """Moves the clock of both sandboxes, and lets happen what is due."""
        self._control.post("clock", {"now": moment.isoformat()})

    def misbehave(self, settings: Json) -> None:
        """Sets how unreliably webhooks are delivered."""
        self._control.post("webhooks", settings)

    def invoices(self) -> dict[str, Mirrored]:
        """Every invoice that mirrors an ERP document, by `erp_ref`."""
        rows: list[Json] = self._control.get("invoices")["invoices"]
        return {
            row["metadata"]["erp_ref"]: Mirrored(
                id=row["id"],
                status=row["status"],
                currency=str(row["currency"]).upper(),
                amount_due=row["amount_due"],
                amount_remaining=row["amount_remaining"],
            )
            for row in rows
            if "erp_ref" in row["metadata"]
        }

    def pay(self, invoice: str, card: str, amount: int | None) -> str | None:
        """Pays an amount, or all that is left, by card; the charge, or None when declined."""
        part = {} if amount is None else {"amount": amount}
        answer = self._control.attempt("pay", {"invoice": invoice, "card": card, **part})
        return None if answer is None else str(answer["charge"])

    def refund(self, charge: str, amount: int) -> None:
        """Gives money back."""
        self._control.post("refund", {"charge": charge, "amount": amount})

    def dispute(self, charge: str) -> None:
        """The cardholder disputes a whole charge."""
        self._control.post("disputes", {"charge": charge})

    def bill(self, cents: int, text: str) -> None:
        """Stripe takes a product fee in US cents."""
        self._control.post("fees", {"amount": cents, "currency": "usd", "description": text})

    def pay_out(self) -> list[tuple[str, int]]:
        """Runs the payouts of all currencies: currency and amount of each; they arrive next day."""
        made: list[Json] = self._control.post("payouts/run", {"instant": False})["payouts"]
        return [(str(row["currency"]).upper(), int(row["amount"])) for row in made]


def _wrapped(body: Json) -> Json:
    """Values as {"value": v}; linked records as objects, rows as lists, Nones left out."""
    return {name: _wrap(value) for name, value in body.items() if value is not None}


def _wrap(value: Any) -> Any:
    if isinstance(value, dict):
        return _wrapped(cast("Json", value))
    if isinstance(value, list):
        return [_wrapped(row) for row in cast("list[Json]", value)]
    return {"value": value}


def _unwrapped(record: Json) -> Json:
    """The header's own values by name."""
    return {name: value["value"] for name, value in record.items() if _has_value(value)}


def _has_value(field: Any) -> bool:
    return isinstance(field, dict) and "value" in field
