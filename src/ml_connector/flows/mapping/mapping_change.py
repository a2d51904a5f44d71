"""Changing a mapping: what a new text would change, and putting it in force as a new version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.mapping import Mapping
from ml_connector.flows.intake import look_all
from ml_connector.flows.mapping.mapping_edit import Changed, differences
from ml_connector.flows.mapping.mapping_text import mapping_of, parse, read_body
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import audit, connections, mapping, troubles
from ml_connector.store.engine import Store
from ml_connector.store.mapping import MappingVersion
from ml_connector.store.rows import JsonObject


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that reads as a sound mapping, beside the version in force (None: none yet)."""

    connection: ConnectionId
    text: str
    body: JsonObject
    mapping: Mapping
    base: MappingVersion | None
    changed: Sequence[Changed]

    @property
    def same(self) -> bool:
        """Whether the text is that of the version in force, to the letter."""
        return self.base is not None and self.base.text == self.text


async def propose(
    store: Store, connection: ConnectionId, text: str, made_from: MappingVersion | None = None
) -> Proposal:
    """Reads a text strictly and compares it; raises Misconfigured with every problem.

    `made_from` is the version that a person began with; else it is compared with that in force.
    """
    async with store.transaction() as tx:
        record = await connections.get(tx, connection)
        base = made_from or await mapping.current(tx, connection)
    parse(text, record.time_zone)
    body = read_body(text)
    version = 0 if base is None else base.version
    return Proposal(
        connection=connection,
        text=text,
        body=body,
        mapping=mapping_of(body, version, record.time_zone),
        base=base,
        changed=differences({} if base is None else base.body, body),
    )


async def put_in_force(
    store: Store, clock: Clock, proposal: Proposal, *, author: str, note: str = ""
) -> int:
    """Stores the text as a new version and puts it in force; its number.

    Raises AskAPerson when another version came in force since the text was compared.
    """
    connection, base, now = proposal.connection, proposal.base, clock.now()
    async with store.transaction() as tx:
        version = await mapping.add_version(
            tx, connection, proposal.body, proposal.text, author, note, now=now
        )
        record = await connections.get(tx, connection)
        since = record.mapping_version
        if base is not None and since not in {None, base.version}:
            raise AskAPerson(
                f"Version {since} of the mapping came in force meanwhile; yours was made from"
                f" version {base.version}. Nothing was stored.",
                cause="mapping.meanwhile",
                remedy="Look at it (ml-connector mapping show) and make your change again.",
            )
        await connections.set_mapping_version(tx, connection, version, now=now)
        await wake_waiting(tx, connection, now)
        detail: JsonObject = {
            "version": version,
            "before": None if base is None else base.version,
            "note": note,
            "changed": {one.key: [one.before, one.after] for one in proposal.changed},
        }
        await audit.write(tx, connection, author, "mapping in force", connection, detail, now)
    return version


async def wake_waiting(tx: AsyncConnection, connection: ConnectionId, now: datetime) -> None:
    """Lets what waits for a person be tried now: the new mapping may be what it waits for."""
    waiting = [
        Look(Kind(one.kind), one.resource)
        for one in await troubles.open_ones(tx, connection)
        if one.filed in {AskAPerson.filed, Misconfigured.filed}
    ]
    await look_all(tx, connection, waiting, not_before=now)


async def version_of(
    store: Store, connection: ConnectionId, number: int | None = None
) -> MappingVersion:
    """One version, that in force when none is named; raises Misconfigured when it is not there."""
    async with store.transaction() as tx:
        if number is None:
            found = await mapping.current(tx, connection)
        else:
            found = await mapping.get(tx, connection, number)
    if found is None:
        what = "no mapping" if number is None else f"no version {number} of its mapping"
        raise Misconfigured(
            f"The connection {connection} has {what}.",
            cause="mapping.no_version",
            remedy="See which there are: ml-connector mapping versions. A first one is given by"
            " ml-connector mapping set FILE.",
        )
    return found
