"""A sandbox's own books and knobs, and the shape in which the ERP's contract writes values."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import msgspec

Json = dict[str, Any]


class Sandbox:
    """One sandbox: its own books and knobs under `/_sandbox/`, uncounted."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def ask(self, name: str) -> Any:
        """What a control page shows."""
        return _answered(await self._http.get(f"/_sandbox/{name}"))

    async def tell(self, name: str, body: object = None) -> Any:
        """Turns a knob, or makes something happen."""
        return _answered(await self._http.post(f"/_sandbox/{name}", content=_plain(body or {})))

    async def attempt(self, name: str, body: Json) -> int:
        """Makes something happen that may be refused; the status."""
        return (await self._http.post(f"/_sandbox/{name}", content=_plain(body))).status_code

    async def ask_for(self, name: str, body: Json) -> Any:
        """Makes something happen that may be refused; the answer, or None."""
        answer = await self._http.post(f"/_sandbox/{name}", content=_plain(body))
        assert answer.status_code < 500 or "exceptionType" in answer.text, answer.text
        return _answered(answer) if answer.status_code == 200 else None

    async def post(self, path: str, form: dict[str, str], key: str) -> Any:
        """A call of the real API, as somebody else makes it."""
        return _answered(await self._http.post(path, data=form, auth=(key, "")))

    async def try_post(self, path: str, form: dict[str, str], key: str) -> Any:
        """The same of what may be refused, or not get through; the answer, or None."""
        try:
            answer = await self._http.post(f"/v1/{path}", data=form, auth=(key, ""))
        except httpx2.TransportError:
            return None
        return _answered(answer) if answer.status_code == 200 else None

    async def delete(self, path: str, key: str) -> None:
        """Deletes an object by the real API."""
        _answered(await self._http.delete(path, auth=(key, "")))

    async def spoil(self, *rules: Json) -> None:
        """Lets coming requests fail in a certain way."""
        await self.tell("faults", list(rules))

    async def mend(self) -> None:
        """Nothing fails any more."""
        _answered(await self._http.delete("/_sandbox/faults"))

    async def faults(self) -> int:
        """How often a set fault has struck."""
        return sum(rule["fired"] for rule in await self.ask("faults"))

    async def calls(self) -> dict[str, int]:
        """How often each route was called since the last reset."""
        return dict((await self.ask("calls"))["calls"])

    async def reset_calls(self) -> None:
        """Starts counting anew."""
        await self.tell("calls/reset")


def _plain(body: object) -> bytes:
    """JSON with decimals as numbers, exactly."""
    return msgspec.json.Encoder(decimal_format="number").encode(body)


def _answered(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def wrapped(body: Json) -> Json:
    """Values as the contract writes them: `{"value": v}`, also inside records and rows."""
    return {name: _wrap(value) for name, value in body.items()}


def _wrap(value: Any) -> Any:
    if isinstance(value, dict):
        return wrapped(value)
    if isinstance(value, list):
        return [wrapped(row) for row in value]
    if isinstance(value, date):
        return {"value": value.isoformat()}
    return {"value": str(value) if isinstance(value, Decimal) else value}


def unwrapped(record: Json) -> Json:
    """A record's own values by name, its rows as lists of the same."""
    found: Json = {}
    for name, value in record.items():
        if isinstance(value, list):
            found[name] = [unwrapped(row) for row in value if isinstance(row, dict)]
        elif isinstance(value, dict) and "value" in value:
            found[name] = value["value"]
    return found
