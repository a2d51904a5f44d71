"""What every client says and hears, gathered and stored off the calls' path."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ml_connector.basics.ids import ConnectionId
from ml_connector.http.transport import Exchange
from ml_connector.observe import CALLS
from ml_connector.store import exchanges
from ml_connector.store.engine import Store

log = structlog.get_logger()

FLUSH_SECONDS = 0.5


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
