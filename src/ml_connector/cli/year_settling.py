"""When a month is over: everything that can be done is done, and what waits is what must wait."""

import asyncio
import time

from ml_connector.assemble import installation
from ml_connector.basics.ids import ConnectionId
from ml_connector.cli.stage import Processes, Sandbox, ask
from ml_connector.cli.year_report import DONE
from ml_connector.flows.signals import Kind
from ml_connector.flows.standing import Standing, standing
from ml_connector.settings import read

SETTLING_SECONDS = 150
OVER_AND_OVER = frozenset({Kind.STREAM, Kind.PAYOUT, Kind.PROOF})
"""The streams are polled, and with them payouts that are not proven; the money that they find is
seen in its own rows."""
QUIET_LOOKS = 2
BETWEEN_SECONDS = 1.2
"""Longer than between two polls of a stream, so that two quiet looks are not the same lull."""


async def settle(processes: Processes, sandbox: Sandbox, connection: str, held: int) -> str:
    """Waits until nothing is on its way but so many movements that must wait.

    Returns what is still on its way when patience is over; empty when all is settled.
    """
    give_up = time.monotonic() + SETTLING_SECONDS
    quiet, why = 0, "Nobody has looked."
    async with installation(read(processes.environment())) as place:
        while quiet < QUIET_LOOKS and time.monotonic() < give_up:
            one = await standing(place.store, ConnectionId(connection))
            why = _on_its_way(sandbox, one, held)
            quiet = 0 if why else quiet + 1
            await asyncio.sleep(BETWEEN_SECONDS)
    return why


def _on_its_way(sandbox: Sandbox, one: Standing, held: int) -> str:
    """What is not settled yet, a sentence; empty when all is."""
    if not ask(sandbox, "stripe", "settled")["idle"]:
        return "Stripe has something on its way."
    known = ask(sandbox, "stripe", "books")["counts"].get("balance_transaction", 0)
    unseen = known - sum(row.count for row in one.money)
    busy = sum(job.due + job.doing for job in one.backlog if job.kind not in OVER_AND_OVER)
    if busy or unseen:
        return f"{unseen} movements are not seen yet, {busy} jobs are due."
    waits = sum(row.count for row in one.money if row.state not in DONE)
    if waits != held:
        causes = ", ".join(sorted({trouble.cause for trouble in one.troubles}))
        return f"{waits} movements wait instead of {held}; open are: {causes}."
    return ""
