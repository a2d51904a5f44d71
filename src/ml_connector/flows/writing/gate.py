"""The gate before every write to either side: the mode of its kind, and a person's word."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ml_connector.basics.money import Money
from ml_connector.books.approval import Asked, HeldBack, require_permission, together
from ml_connector.books.modes import BY_COMMAND, OF_PURPOSE, RecordType
from ml_connector.books.postings import Purpose
from ml_connector.flows.connected import Connected
from ml_connector.store import approvals
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, to_json


@dataclass(frozen=True, slots=True)
class Write:
    """One write to Stripe as a person approves it: `body` is exactly what it rests on."""

    kind: RecordType
    key: str
    title: str
    body: JsonObject
    amount: Money | None = None

    @property
    def body_hash(self) -> str:
        """What an approval of it binds."""
        return body_hash(self.key, self.body)


@dataclass(slots=True)
class HoldingBack:
    """Lets the rest of a flow go on past what is held back, and names it in the end."""

    held: list[HeldBack] = field(default_factory=list[HeldBack])

    @contextmanager
    def each(self) -> Generator[None]:
        """Around each part that may be held back by itself."""
        try:
            yield
        except HeldBack as why:
            self.held.append(why)

    def tell(self) -> None:
        """Raises HeldBack when a part was."""
        if self.held:
            raise together(self.held)


def body_hash(key: str, body: JsonObject) -> str:
    """The SHA-256 of a document and its key, over canonical JSON."""
    return hashlib.sha256(to_json({"key": key, "body": body}).encode()).hexdigest()


def posting_hash(key: str, kind: str, body: JsonObject) -> str:
    """The hash of a posting's document, which an approval of it binds."""
    return body_hash(key, {"kind": kind, "document": body})


async def permit(c: Connected, write: Write) -> None:
    """Lets a write to Stripe pass, or raises HeldBack."""
    await _ask(c, write.key, Asked(write.kind, write.title, write.body_hash))


async def permit_posting(c: Connected, row: PostingRow) -> None:
    """Lets a document go to Acumatica, or raises HeldBack."""
    if row.purpose in BY_COMMAND:
        return
    amount = f" ({row.clearing})" if row.clearing_minor else ""
    hashed = posting_hash(row.key, row.kind, row.body)
    kind = OF_PURPOSE[Purpose(row.purpose)]
    await _ask(c, row.key, Asked(kind, f"{row.key}{amount}", hashed))


async def _ask(c: Connected, key: str, asked: Asked) -> None:
    async with c.store.statement() as tx:
        found = await approvals.get(tx, c.id, key)
    said = None if found is None else found.said
    require_permission(asked, c.mapping.modes.of(asked.kind), said, c.mapping.version)
