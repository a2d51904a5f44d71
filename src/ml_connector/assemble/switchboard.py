"""The connections of an installation: opened on demand, kept open, opened anew when changed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.acumatica.client import TIMEOUTS, AcumaticaClient
from ml_connector.assemble.installation import Installation
from ml_connector.assemble.recorder import Recorder
from ml_connector.assemble.signing_in import Consent, session_of
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.mapping import Mapping, require_sound
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.mapping_text import mapping_of
from ml_connector.http.pace import LocalPace
from ml_connector.http.retry import RetryPolicy
from ml_connector.http.transport import Service, Timeouts, Transport
from ml_connector.store import connections, mapping, pace
from ml_connector.store.connections import Connection
from ml_connector.stripe.caller import API_ADDRESS
from ml_connector.stripe.client import StripeClient


class Policies(msgspec.Struct, frozen=True):
    """What a connection may set besides its accounts; each has a sane default.

    `quiet_seconds`: how long a write without an answer may still take effect; Acumatica may keep
    a request in its queue for ten minutes. The rates stay below half of small licences' limits.
    """

    quiet_seconds: float = 600
    acumatica_per_minute: int = 600
    acumatica_concurrent: int = 4
    stripe_per_second: int = 20
    stripe_concurrent: int = 10


class Switchboard:
    """Opens connections and keeps them open; one that was changed is opened anew.

    `sleep` is how the clients wait before they repeat a call or ask for an operation's end.
    """

    def __init__(
        self, place: Installation, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._place = place
        self._sleep = sleep
        self._open: dict[ConnectionId, Connected] = {}
        self._stacks: list[AsyncExitStack] = []
        self._opening = asyncio.Lock()
        self.recorder = Recorder(place.store)

    async def connected(self, connection: ConnectionId) -> Connected:
        """The connection, ready to work; raises UnknownConnection or Misconfigured."""
        async with self._opening:
            async with self._place.store.transaction() as tx:
                record = await connections.get(tx, connection)
                books = await _mapping(tx, record)
            known = self._open.get(connection)
            if known is not None and known.record == record:
                return known
            opened, stack = self._opened(record, books)
            self._open[connection] = opened
            self._stacks.append(stack)  # the former one may still be in use: closed at the end
            return opened

    async def trying(self, connection: ConnectionId, books: Mapping) -> Connected:
        """The connection with a mapping that is not in force; raises UnknownConnection."""
        async with self._place.store.statement() as tx:
            record = await connections.get(tx, connection)
        opened, stack = self._opened(record, books)
        self._stacks.append(stack)
        return opened

    async def consent(self, connection: ConnectionId, redirect_uri: str) -> Consent:
        """Begins a person's sign-in to Acumatica; raises UnknownConnection."""
        async with self._place.store.statement() as tx:
            record = await connections.get(tx, connection)
        secret = connections.open_secrets(record, self._place.keyring)
        transport = self._transport(connection, "acumatica", Policies())
        self._stacks.append(stack := AsyncExitStack())
        stack.push_async_callback(transport.aclose)
        return Consent(self._place, record, secret, transport, redirect_uri)

    async def aclose(self) -> None:
        """Ends every session where that is due, and stores the last exchanges."""
        self._open.clear()
        while self._stacks:
            await self._stacks.pop().aclose()
        await self.recorder.flush()

    def _opened(self, record: Connection, books: Mapping) -> tuple[Connected, AsyncExitStack]:
        place = self._place
        policies = msgspec.convert(record.policies, Policies)
        secret = connections.open_secrets(record, place.keyring)
        stack = AsyncExitStack()
        to_stripe = self._transport(record.id, "stripe", policies)
        to_acumatica = self._transport(record.id, "acumatica", policies)
        stack.push_async_callback(to_stripe.aclose)
        stack.push_async_callback(to_acumatica.aclose)
        erp = record.acumatica
        session = session_of(place, record, secret, to_acumatica)
        acumatica = AcumaticaClient(
            erp.url, f"{erp.endpoint}/{erp.version}", session, sleep=self._sleep
        )
        stack.push_async_callback(acumatica.aclose)
        stripe = StripeClient(
            secret.stripe_key,
            to_stripe,
            connection=record.id,
            base_url=record.stripe.url or API_ADDRESS,
        )
        quiet = timedelta(seconds=policies.quiet_seconds)
        opened = Connected(record, books, stripe, acumatica, place.store, place.clock, quiet)
        return opened, stack

    def _transport(self, connection: ConnectionId, service: Service, p: Policies) -> Transport:
        if service == "stripe":
            rate, per, at_once = p.stripe_per_second, 1.0, p.stripe_concurrent
        else:
            rate, per, at_once = p.acumatica_per_minute, 60.0, p.acumatica_concurrent
        place = self._place

        async def reserve() -> float:
            async with place.store.statement() as tx:
                now = place.clock.now()
                return await pace.reserve(tx, connection, service, per / rate, at_once, now)

        return Transport(
            service,
            pace=LocalPace(
                rate,
                timedelta(seconds=per),
                burst=at_once,
                concurrent=at_once,
                reserve=reserve,
            ),
            clock=place.clock,
            record=self.recorder.of(connection),
            timeouts=TIMEOUTS if service == "acumatica" else Timeouts(),
            retries=RetryPolicy(sleep=self._sleep),
        )


async def _mapping(tx: AsyncConnection, record: Connection) -> Mapping:
    version = await mapping.current(tx, record.id)
    if version is None:
        raise Misconfigured(
            f"The connection {record.id} has no mapping of accounts.",
            cause="mapping.none",
            remedy=f"Give it one: ml-connector mapping set FILE {record.id}.",
        )
    return require_sound(mapping_of(version.body, version.version, record.time_zone))


@asynccontextmanager
async def switchboard(place: Installation) -> AsyncGenerator[Switchboard]:
    """The connections of an installation, opened on demand and closed at the end."""
    board = Switchboard(place)
    try:
        yield board
    finally:
        await board.aclose()
