"""What every client says and hears, gathered and stored off the calls' path."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DataError, SQLAlchemyError

from ml_connector.basics.ids import ConnectionId
from ml_connector.http.transport import Exchange
from ml_connector.observe import CALLS
from ml_connector.store import exchanges
from ml_connector.store.engine import Store

log = structlog.get_logger()

FLUSH_SECONDS = 0.5
MOST_WAITING = 10_000
"""Exchanges that wait while the database is away; what comes then is counted and let go."""


class Recorder:
    """Gathers the exchanges of all clients and stores them in batches, off the calls' path."""

    def __init__(self, store: Store, *, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._most_waiting = most_waiting
        self._rows: list[exchanges.Exchange] = []
        self._let_go = 0

    def of(self, connection: ConnectionId) -> "_RecorderOf":
        """What one connection's transports are given."""
        return _RecorderOf(connection, self.gather)

    def gather(self, row: exchanges.Exchange) -> None:
        """Takes one exchange, to be stored soon; lets it go when too many wait already."""
        if len(self._rows) < self._most_waiting:
            self._rows.append(row)
        else:
            self._let_go += 1

    async def flush(self) -> None:
        """Stores what was gathered; what cannot be stored now is kept for the next time.

        What the database refuses for what it holds would be refused for ever: it is let go.
        """
        rows = self._rows[:]
        if not rows:
            return
        try:
            async with self._store.transaction() as tx:
                await exchanges.record(tx, rows)
        except (DataError, UnicodeError) as error:
            self._let_go += len(rows)
            log.error("exchanges_refused", why=type(error).__name__)  # noqa: TRY400 - it quotes them
        del self._rows[: len(rows)]
        if self._let_go:
            log.warning("exchanges_not_kept", count=self._let_go)
            self._let_go = 0

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
    gather: Callable[[exchanges.Exchange], None]

    def __call__(self, one: Exchange) -> None:
        CALLS.labels(self.connection, one.service, one.method, str(one.status)).inc()
        self.gather(
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
