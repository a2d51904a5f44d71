"""Push notifications: row changes posted to a webhook, up to five times, sometimes twice."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx2

from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.wire import Json, encode
from ml_sandbox.acumatica.world import Change, World

_EPOCH_TICKS = 621_355_968_000_000_000
_ATTEMPTS = 5
_COLUMNS = {
    "Customer": ("CustomerID", "CustomerName", "Status", "LastModifiedDateTime"),
    "Invoice": ("Type", "ReferenceNbr", "Status", "Balance", "Customer", "LastModifiedDateTime"),
    "Payment": (
        "Type",
        "ReferenceNbr",
        "Status",
        "PaymentRef",
        "CustomerID",
        "LastModifiedDateTime",
    ),
}


@dataclass
class PushConfig:
    """Where to push and how badly; `retry_seconds` is real time between attempts."""

    url: str = ""
    header_name: str = "Authorization"
    header_value: str = ""
    entities: list[str] = field(default_factory=lambda: ["Customer", "Invoice", "Payment"])
    duplicates: bool = False
    shuffle: bool = False
    retry_seconds: float = 0.2

    def change(self, values: Json) -> None:
        """Sets members by name; an unknown one raises ValueError."""
        for name, value in values.items():
            if name not in self.__dataclass_fields__:
                raise ValueError(f"push has no setting named {name}")
            setattr(self, name, float(value) if name == "retry_seconds" else value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver a notification; status 0 is no answer."""

    moment: datetime
    query: str
    id: str
    rows: int
    attempt: int
    status: int


class Push:
    """Collects changes as they are saved and sends them from a background task."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.config = PushConfig()
        self.waiting: deque[Json] = deque()
        self.delivered = 0
        self.given_up = 0
        self.attempts = 0
        self.log: deque[Delivery] = deque(maxlen=500)
        self._wake = asyncio.Event()
        world.listeners.append(self._noticed)

    def _noticed(self, transaction: str, changes: list[Change]) -> None:
        if not self.config.url:
            return
        for entity in self.config.entities:
            rows = [change for change in changes if change.entity == entity]
            if rows:
                self.waiting.append(self._message(transaction, entity, rows))
        self._wake.set()

    def _message(self, transaction: str, entity: str, changes: list[Change]) -> Json:
        now = self._world.clock.now()
        return {
            "Inserted": [_flat(each.new, entity) for each in changes if each.new is not None],
            "Deleted": [_flat(each.old, entity) for each in changes if each.old is not None],
            "Query": f"ML-{entity}s",
            "CompanyId": self._world.tenant,
            "Id": transaction,
            "TimeStamp": _EPOCH_TICKS + int(now.timestamp() * 1_000_000) * 10,
            "AdditionalInfo": {"PXPerformanceInfoStartTime": now.strftime("%m/%d/%Y %H:%M:%S")},
        }

    async def run(self) -> None:
        """Sends what waits, for as long as the sandbox is up."""
        await self._wake.wait()  # most sandboxes never push: no client before the first message
        async with httpx2.AsyncClient(timeout=10) as client:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self.waiting:
                    if self.config.shuffle:
                        self._world.random.shuffle(self.waiting)
                    message = self.waiting.popleft()
                    for _ in range(2 if self.config.duplicates else 1):
                        await self._deliver(client, message)

    async def _deliver(self, client: httpx2.AsyncClient, message: Json) -> None:
        headers = {
            "content-type": "application/json",
            self.config.header_name: self.config.header_value,
        }
        content = encode(message)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(self.config.retry_seconds)
            self.attempts += 1
            try:
                answer = await client.post(self.config.url, content=content, headers=headers)
            except httpx2.HTTPError:
                self._note(message, attempt, 0)
                continue
            self._note(message, attempt, answer.status_code)
            if answer.is_success:
                self.delivered += 1
                return
        self.given_up += 1

    def _note(self, message: Json, attempt: int, status: int) -> None:
        rows = len(message["Inserted"]) + len(message["Deleted"])
        now = self._world.clock.now()
        self.log.append(Delivery(now, message["Query"], message["Id"], rows, attempt + 1, status))


def _flat(record: Record, entity: str) -> Json:
    row: Json = {}
    for name in _COLUMNS[entity]:
        value: Any = record.values.get(name)
        if isinstance(value, datetime):
            value = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        elif isinstance(value, Decimal):
            value += ZERO
        row[name] = value
    return row
