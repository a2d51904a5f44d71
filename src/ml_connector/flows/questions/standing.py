"""How a connection stands: work waiting, money not posted, and what asks for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector.basics.ids import ConnectionId
from ml_connector.store import (
    connections,
    findings,
    jobs,
    payouts,
    schedules,
    transactions,
    troubles,
)
from ml_connector.store.engine import Store
from ml_connector.store.findings import Decision, Finding
from ml_connector.store.jobs import Backlog, FailedJob
from ml_connector.store.schedules import Schedule
from ml_connector.store.transactions import TransactionSum
from ml_connector.store.troubles import TroubleGroup


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection at one moment, from our own rows alone."""

    connection: ConnectionId
    active: bool
    paused_reason: str
    backlog: Sequence[Backlog]
    money: Sequence[TransactionSum]
    troubles: Sequence[TroubleGroup]
    streams: Sequence[Schedule]
    payouts: int
    payouts_proven: int
    findings: Sequence[Finding] = ()
    failed: Sequence[FailedJob] = ()
    """Looks that broke, so that nothing of them could be stored, and that nobody repeated."""

    @property
    def due(self) -> int:
        """How many looks are due or under way."""
        return sum(one.due + one.doing for one in self.backlog)

    @property
    def asks(self) -> bool:
        """Whether something asks for a person."""
        return bool(self.troubles or self.findings or self.failed)

    @property
    def later(self) -> int:
        """How many looks wait for their moment."""
        return sum(one.later for one in self.backlog)


async def standing(store: Store, connection: ConnectionId) -> Standing:
    """How a connection stands now; raises UnknownConnection."""
    async with store.transaction() as tx:
        record = await connections.get(tx, connection)
        known = await payouts.every(tx, connection)
        return Standing(
            connection=connection,
            active=record.active,
            paused_reason=record.paused_reason,
            backlog=await jobs.waiting(tx, connection),
            money=await transactions.sums(tx, connection),
            troubles=await troubles.grouped(tx, connection),
            streams=await schedules.every(tx, connection),
            payouts=len(known),
            payouts_proven=sum(one.proven_at is not None for one in known),
            findings=await findings.in_state(tx, connection, Decision.OPEN),
            failed=await jobs.failed(tx, connection),
        )
