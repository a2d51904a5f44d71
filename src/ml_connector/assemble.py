"""The only place that builds things and joins them: settings in, a working installation out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.acumatica.client import AcumaticaClient
from ml_connector.acumatica.cookies import CookieLogin, CookieSession
from ml_connector.acumatica.session import OAuthSession, Session
from ml_connector.acumatica.signin import OAuthApp
from ml_connector.acumatica.tokens import Tokens
from ml_connector.basics.clock import Clock, SystemClock
from ml_connector.basics.errors import ConnectorError, Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.mapping import Mapping, require_sound
from ml_connector.flows import desk
from ml_connector.flows.connected import Connected
from ml_connector.flows.schedule import keep_time
from ml_connector.http.pace import LocalPace
from ml_connector.http.retry import RetryPolicy
from ml_connector.http.transport import Exchange, Service, Timeouts, Transport
from ml_connector.observe import CALLS
from ml_connector.settings import Settings
from ml_connector.store import connections, exchanges, mapping, pace
from ml_connector.store import tokens as sealed
from ml_connector.store.connections import Connection, Secrets, SignIn
from ml_connector.store.embedded import EmbeddedPostgres
from ml_connector.store.engine import Store
from ml_connector.store.jobs import Job
from ml_connector.store.queue import Queue
from ml_connector.stripe.caller import API_ADDRESS
from ml_connector.stripe.client import StripeClient
from ml_connector.vault.keyring import KeyRing

log = structlog.get_logger()

TICK_SECONDS = 0.5
FLUSH_SECONDS = 0.5
SLOW_ANSWERS = Timeouts(read=300.0)
"""Acumatica queues requests without a sign for minutes; a slow answer is an answer (fact 9)."""
POOL = 12


@dataclass(frozen=True, slots=True)
class Installation:
    """The database, the keys and the clock of one installation, open."""

    settings: Settings
    store: Store
    url: str
    keyring: KeyRing
    clock: Clock


@asynccontextmanager
async def installation(
    settings: Settings, *, clock: Clock | None = None
) -> AsyncGenerator[Installation]:
    """Opens the installation: starts or adopts the embedded server unless one is given.

    The last process out stops the embedded server. Raises Misconfigured.
    """
    async with AsyncExitStack() as stack:
        url = settings.database_url or await _embedded(settings.home, stack)
        store = Store.open(url, pool_size=POOL)
        stack.push_async_callback(store.dispose)
        await store.migrate()
        yield Installation(settings, store, url, _keyring(settings), clock or SystemClock())


async def _embedded(home: Path, stack: AsyncExitStack) -> str:
    server = EmbeddedPostgres(home / "postgres")
    url = await asyncio.to_thread(server.start)
    stack.push_async_callback(asyncio.to_thread, server.last_one_out)
    return url


def _keyring(settings: Settings) -> KeyRing:
    if settings.keys is not None:
        return KeyRing.from_text(settings.keys)
    return KeyRing.from_file(settings.home / "keys")


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
    jobs_at_once: int = 8


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
        session = _session(place, record, secret, to_acumatica)
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
            async with place.store.transaction() as tx:
                now = place.clock.now()
                return await pace.reserve(tx, connection, service, per / rate, at_once, now)

        shared = None if place.settings.database_url is None else reserve
        return Transport(
            service,
            pace=LocalPace(
                rate,
                timedelta(seconds=per),
                burst=at_once,
                concurrent=at_once,
                reserve=shared,
            ),
            clock=place.clock,
            record=self.recorder.of(connection),
            timeouts=SLOW_ANSWERS if service == "acumatica" else Timeouts(),
            retries=RetryPolicy(sleep=self._sleep),
        )


async def _mapping(tx: AsyncConnection, record: Connection) -> Mapping:
    version = await mapping.current(tx, record.id)
    if version is None:
        raise Misconfigured(
            f"The connection {record.id} has no mapping of accounts.",
            cause="mapping.none",
            remedy=f"Give it one: ml-connector connect {record.id} --mapping FILE.",
        )
    body = version.body | {"version": version.version, "time_zone": record.time_zone}
    return require_sound(msgspec.convert(body, Mapping))


def _session(
    place: Installation, record: Connection, secret: Secrets, transport: Transport
) -> Session:
    erp = record.acumatica
    if erp.sign_in is SignIn.COOKIE:
        login = CookieLogin(erp.url, erp.user, secret.acumatica_password, erp.tenant, erp.branch)
        return CookieSession(login, transport=transport)
    with_password = erp.sign_in is SignIn.PASSWORD
    app = OAuthApp(
        url=erp.url,
        client_id=erp.client_id,
        client_secret=secret.acumatica_client_secret,
        username=erp.user if with_password else "",
        password=secret.acumatica_password if with_password else "",
    )
    held = SealedTokens(place, record.id)
    return OAuthSession(app, tokens=held, transport=transport, clock=place.clock)


class SealedTokens:
    """The tokens of one connection in the store, sealed (a `TokenStore` of the client's)."""

    def __init__(self, place: Installation, connection: ConnectionId) -> None:
        self._place = place
        self._connection = connection

    async def read(self) -> Tokens | None:
        """The stored tokens; None before the first sign-in."""
        async with self._place.store.transaction() as tx:
            kept = await sealed.read(tx, self._connection, self._place.keyring)
        if kept is None:
            return None
        return Tokens(kept.access, kept.refresh, kept.expires_at, kept.version)

    async def replace(self, tokens: Tokens, expected_version: int) -> bool:
        """Stores new tokens unless somebody was faster."""
        kept = sealed.Tokens(
            tokens.access_token, tokens.refresh_token, tokens.expires_at, tokens.version
        )
        async with self._place.store.transaction() as tx:
            return await sealed.replace(
                tx, self._connection, self._place.keyring, kept, expected_version
            )

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Held by the one worker, of all processes, that renews."""
        return self._locked()

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None]:
        name = {"name": f"tokens/{self._connection}"}
        async with self._place.store.transaction() as tx:
            await tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), name)
            yield


class Recorder:
    """Gathers the exchanges of all clients and stores them in batches, off the calls' path."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: list[exchanges.Exchange] = []

    def of(self, connection: ConnectionId) -> "_RecorderOf":
        """What one connection's transports are given."""
        return _RecorderOf(connection, self._rows)

    async def flush(self) -> None:
        """Stores what was gathered; what cannot be stored now is kept for the next time."""
        rows = self._rows[:]
        if not rows:
            return
        async with self._store.transaction() as tx:
            await exchanges.record(tx, rows)
        del self._rows[: len(rows)]

    async def keep_flushing(self, stop: asyncio.Event) -> None:
        """Flushes every half second until told to stop."""
        while not stop.is_set():
            try:
                await self.flush()
            except SQLAlchemyError:
                log.exception("exchanges could not be stored; trying again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), FLUSH_SECONDS)


@dataclass(frozen=True, slots=True)
class _RecorderOf:
    connection: ConnectionId
    rows: list[exchanges.Exchange]

    def __call__(self, one: Exchange) -> None:
        CALLS.labels(self.connection, one.service, one.method, str(one.status)).inc()
        self.rows.append(
            exchanges.Exchange(
                connection=self.connection,
                at=one.at,
                service=one.service,
                method=one.method,
                path=one.path,
                status=one.status,
                duration_ms=one.duration_ms,
                resource=one.resource,
                request_id=one.request_id,
                request=one.request,
                response=one.response,
                error=one.error,
            )
        )


@asynccontextmanager
async def switchboard(place: Installation) -> AsyncGenerator[Switchboard]:
    """The connections of an installation, opened on demand and closed at the end."""
    board = Switchboard(place)
    try:
        yield board
    finally:
        await board.aclose()


async def work(place: Installation, board: Switchboard, stop: asyncio.Event) -> None:
    """Runs jobs, schedules and bookkeeping until told to stop: one worker of the installation."""

    async def handle(job: Job) -> None:
        try:
            opened = await board.connected(job.connection)
        except ConnectorError as error:
            await desk.troubled(place.store, place.clock, job, error)
        else:
            await desk.work(opened, job)

    async def active() -> list[ConnectionId]:
        async with place.store.transaction() as tx:
            return [one.id for one in await connections.every(tx, active_only=True)]

    queue = Queue(place.url, handle)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.run(active, stop=stop))
        tasks.create_task(keep_time(place.store, place.clock, every=TICK_SECONDS, stop=stop))
        tasks.create_task(board.recorder.keep_flushing(stop))
