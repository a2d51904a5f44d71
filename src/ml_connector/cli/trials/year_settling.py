"""When a month is over: everything that can be done is done, and what waits is what must wait."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ml_connector.assemble import installation
from ml_connector.basics.clock import SystemClock
from ml_connector.basics.ids import ConnectionId
from ml_connector.cli.trials.stage import Processes, Sandbox, ask
from ml_connector.flows.intake import look_all
from ml_connector.flows.questions.standing import Standing, standing
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.timing import WAITS
from ml_connector.settings import read
from ml_connector.store import reports, schedules, transactions, troubles
from ml_connector.store.engine import Store
from ml_connector.store.transactions import BalanceTransactionRow

SETTLING_SECONDS = 150
OVER_AND_OVER = frozenset({Kind.STREAM, Kind.PAYOUT, Kind.PROOF})
"""The streams are polled, and with them payouts that are not proven; the money that they find is
seen in its own rows."""
QUIET_LOOKS = 2
BETWEEN_SECONDS = 1.2
"""Longer than between two polls of a stream, so that two quiet looks are not the same lull."""
PAYOUTS_SECONDS = 5
BEHIND_ANOTHER = "movements.not_posted"


@dataclass(frozen=True, slots=True)
class Settling:
    """Waits, while the world stands still, until the connector has done what it can."""

    processes: Processes
    sandbox: Sandbox
    connection: ConnectionId

    async def settle(self, held: int | None) -> str:
        """Waits until nothing is on its way but so many movements that must wait (None: any).

        Returns what is still on its way when patience is over; empty when all is settled.
        """
        give_up = time.monotonic() + SETTLING_SECONDS
        quiet, why = 0, "Nobody has looked."
        async with self._store() as store:
            await self._look_at_disputes(store)
            while quiet < QUIET_LOOKS and time.monotonic() < give_up:
                why = await self._on_its_way(store, held)
                quiet = 0 if why else quiet + 1
                await asyncio.sleep(BETWEEN_SECONDS)
        return why

    async def wake(self) -> None:
        """Has everything tried at once that waits: what it waits for has just happened."""
        async with self._store() as store, store.transaction() as tx:
            waiting = await troubles.open_ones(tx, self.connection)
            looks = [Look(Kind(one.kind), one.resource) for one in waiting]
            await look_all(tx, self.connection, looks)

    async def look_seldom_at_payouts(self) -> None:
        """Payouts that cannot be proven yet are polled; a proof that can be made comes anyway."""
        async with self._store() as store, store.transaction() as tx:
            name, seconds = "stripe.payouts", PAYOUTS_SECONDS
            await schedules.set_(tx, self.connection, name, seconds, SystemClock().now())

    async def deferred(self) -> int:
        """How many movements wait for their moment by policy."""
        async with self._store() as store, store.transaction() as tx:
            rows = await transactions.unposted(tx, self.connection)
        return sum(row.cause == WAITS for row in rows)

    @asynccontextmanager
    async def _store(self) -> AsyncGenerator[Store]:
        async with installation(read(self.processes.environment())) as place:
            yield place.store

    async def _look_at_disputes(self, store: Store) -> None:
        """The end of one may have been told by no event: it belongs to this month's choices."""
        async with store.transaction() as tx:
            disputes = await reports.open_disputes(tx, self.connection)
            await look_all(tx, self.connection, [Look(Kind.DISPUTE, one) for one in disputes])

    async def _on_its_way(self, store: Store, held: int | None) -> str:
        """What is not settled yet, a sentence; empty when all is."""
        if not ask(self.sandbox, "stripe", "settled")["idle"]:
            return "Stripe has something on its way."
        one = await standing(store, self.connection)
        async with store.transaction() as tx:
            rows = await transactions.unposted(tx, self.connection)
        known = ask(self.sandbox, "stripe", "books")["counts"].get("balance_transaction", 0)
        unseen = known - sum(row.count for row in one.money)
        busy = sum(job.due + job.doing for job in one.backlog if job.kind not in OVER_AND_OVER)
        if busy or unseen:
            return f"{unseen} movements are not seen yet, {busy} jobs are due."
        return "" if held is None else _waits(one, rows, held)


def _waits(one: Standing, rows: Sequence[BalanceTransactionRow], held: int) -> str:
    """Compares what waits for a person; by policy, other money waits only for its moment."""
    found = [row for row in rows if row.cause != WAITS]
    later = {row.source for row in rows if row.cause == WAITS}
    if later:  # what is behind such money in its turn has no cause of its own
        found = [row for row in found if not (_is_behind(row) or row.source in later)]
    if len(found) == held:
        return ""
    causes = ", ".join(sorted({trouble.cause for trouble in one.troubles}))
    return f"{len(found)} movements wait instead of {held}; open are: {causes}."


def _is_behind(row: BalanceTransactionRow) -> bool:
    return row.cause.startswith(BEHIND_ANOTHER)
