"""Where each job goes and what becomes of it when it cannot be done now: the error desk."""

import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import (
    AlreadyDone,
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    Refused,
    TryAgain,
)
from ml_connector.basics.ids import ConnectionId, ErpRef, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.approval import each_by_itself
from ml_connector.books.modes import RecordType
from ml_connector.flows.cash import disputes, movements, payouts, receipts, refunds
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look, look_all
from ml_connector.flows.mirror import customers, invoices, stripe_side, write_back
from ml_connector.flows.promise import guardian
from ml_connector.flows.repair import undo
from ml_connector.flows.rounds import streams, watch
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.timing import NotDue
from ml_connector.observe import JOB_SECONDS, JOBS
from ml_connector.store import audit, inbox, reports, schedules, transactions, troubles
from ml_connector.store.engine import DATABASE_AWAY, Store
from ml_connector.store.jobs import Job
from ml_connector.store.rows import JsonObject

log = structlog.get_logger()

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
FIRST_ASK = timedelta(seconds=30)
LONGEST_ASK = timedelta(hours=1)
BEHIND_ANOTHER = timedelta(hours=6)
"""An item with the same cause as one that is tried sooner waits for that one's success."""


async def _proof(c: Connected, resource: str) -> None:
    await payouts.try_proof(c, StripeId(resource))


async def _document(c: Connected, resource: str) -> None:
    await guardian.examine(c, ErpRef(resource))


async def _stream(c: Connected, resource: str) -> None:
    await streams.run(c, resource)


FLOWS: dict[Kind, Callable[[Connected, str], Awaitable[None]]] = {
    Kind.CUSTOMER: customers.mirror,
    Kind.INVOICE: lambda c, resource: invoices.mirror(c, ErpRef(resource)),
    Kind.CHARGE: lambda c, resource: receipts.receive(c, StripeId(resource)),
    Kind.REFUND: lambda c, resource: refunds.give_back(c, StripeId(resource)),
    Kind.DISPUTE: lambda c, resource: disputes.follow(c, StripeId(resource)),
    Kind.PAYOUT: lambda c, resource: payouts.pay_out(c, StripeId(resource)),
    Kind.TRANSACTION: lambda c, resource: movements.account_for(c, StripeId(resource)),
    Kind.MIRRORED: lambda c, resource: stripe_side.look_at(c, StripeId(resource)),
    Kind.WRITE_BACK: lambda c, resource: write_back.write_back(c, ErpRef(resource)),
    Kind.PROOF: _proof,
    Kind.DOCUMENT: _document,
    Kind.UNDO: lambda c, resource: undo.reverse(c, int(resource)),
    Kind.TIEOUT: watch.confirm,
    Kind.STREAM: _stream,
}
"""The flow of each kind of job."""


async def work(c: Connected, job: Job) -> None:
    """Runs one job; every ending is stored: handled, tried again later, or waiting for a person.

    Raises one of `DATABASE_AWAY` when the ending cannot be stored: the job must run again.
    """
    started = c.clock.now()
    began = time.perf_counter()
    outcome = "done"
    try:
        await FLOWS[Kind(job.kind)](c, job.resource)
    except AlreadyDone:
        await _done(c, job, started)
    except NotDue:
        outcome = "not_due"  # no trouble: it comes back by itself when its moment has come
        await _done(c, job, started)
    except ConnectorError as error:
        outcome = error.filed
        await troubled(c.store, c.clock, job, error)
    except DATABASE_AWAY:
        raise  # nothing can be stored now; whoever runs the job lets it run again
    except Exception as error:
        outcome = "bug"
        log.exception("job broke", connection=c.id, kind=job.kind, resource=job.resource)
        await troubled(c.store, c.clock, job, _as_bug(job, error))
    else:
        await _done(c, job, started)
    JOBS.labels(c.id, job.kind, outcome).inc()
    JOB_SECONDS.labels(job.kind).observe(time.perf_counter() - began)


def _as_bug(job: Job, error: Exception) -> Bug:
    """An error that no rule foresaw; its text may quote data, so only its type is kept."""
    return Bug(
        f"The {job.kind} {job.resource} met an error that the connector does not know:"
        f" {type(error).__name__}.",
        cause=f"bug:{type(error).__name__}",
        remedy="The log holds the trace; report it, then replay the item.",
    )


async def _done(c: Connected, job: Job, started: datetime) -> None:
    """Marks the job's signals handled and closes its trouble, waking those of the same cause."""
    now = c.clock.now()
    async with c.store.transaction() as tx:
        await inbox.mark_handled(tx, c.id, job.kind, job.resource, started, now=now)
        if job.kind == Kind.STREAM:
            await schedules.finished(tx, c.id, job.resource, now)
        trouble = await troubles.get(tx, c.id, job.kind, job.resource)
        if trouble is None or not await troubles.close(tx, c.id, job.kind, job.resource):
            return
        cured = await _cured_with(c, tx, trouble.cause)
        looks = [Look(Kind(kind), resource) for kind, resource in cured]
        await look_all(tx, c.id, looks, not_before=now)
        detail: JsonObject = {"cause": trouble.cause, "tries": trouble.tries}
        await audit.write(tx, c.id, "connector", "trouble cured", job.resource, detail, now)


async def _cured_with(c: Connected, tx: AsyncConnection, cause: str) -> list[tuple[str, str]]:
    """What may go on when one item of a cause is cured; nothing where each needs its own word."""
    if each_by_itself(cause, {kind: c.mapping.modes.of(kind) for kind in RecordType}):
        return []
    return await reports.troubled_by(tx, c.id, cause)


async def troubled(store: Store, clock: Clock, job: Job, error: ConnectorError) -> None:
    """Stores what stands in the way; the item comes back by itself when that may be gone.

    Also for a job whose connection cannot even be opened, so that it is not lost.
    """
    now, connection = clock.now(), job.connection
    async with store.transaction() as tx:
        before = await troubles.get(tx, connection, job.kind, job.resource)
        tries = before.tries if before is not None and before.open else 0
        probed = await reports.probed_by_another(
            tx, connection, error.cause, job.resource, until=now + LONGEST_ASK
        )
        wait = next_wait(error, tries, first_of_cause=not probed, chance=random.random())  # noqa: S311
        again = None if wait is None else now + wait
        money = error.money if isinstance(error, watch.DoesNotTieOut) else await _money_of(tx, job)
        await troubles.raise_(
            tx, connection, job.kind, job.resource, error, money, now, next_try=again
        )
        if before is not None and before.open and before.cause != error.cause:
            await _hand_on(tx, connection, before.cause, now)
        if job.kind == Kind.STREAM:
            await schedules.finished(tx, connection, job.resource, now, error=error.sentence)
        if again is not None:
            await look(tx, connection, Look(Kind(job.kind), job.resource), not_before=again)
        if tries == 0 and not isinstance(error, TryAgain):
            detail: JsonObject = {"filed": error.filed, "cause": error.cause}
            detail["sentence"] = error.sentence
            await audit.write(tx, connection, "connector", "trouble", job.resource, detail, now)


async def _hand_on(
    tx: AsyncConnection, connection: ConnectionId, cause: str, now: datetime
) -> None:
    """One that has got past a cause lets the next with it try now: it may be gone for all."""
    for kind, resource in (await reports.troubled_by(tx, connection, cause))[:1]:
        await look(tx, connection, Look(Kind(kind), resource), not_before=now)


async def _money_of(tx: AsyncConnection, job: Job) -> Money | None:
    """The money that waits with a job, where a balance transaction of it is known."""
    source = StripeId(job.resource)
    rows = await transactions.by_source(tx, job.connection, source)
    if not rows and job.kind == Kind.TRANSACTION:
        one = await transactions.get(tx, job.connection, source)
        rows = [one] if one is not None else []
    return total((row.net for row in rows), rows[0].currency) if rows else None


def next_wait(
    error: ConnectorError, tries: int, *, first_of_cause: bool, chance: float
) -> timedelta | None:
    """When a troubled item is tried again, or None when only a person can move it.

    Trouble of the moment doubles from a second to a quarter of an hour, with full jitter above
    the least wait that the error names. A cause that a person must cure is probed by its first
    item alone, from half a minute to an hour; success wakes the others. Refusals and bugs rest.
    """
    match error:
        case TryAgain():
            longest = min(FIRST_WAIT * 2 ** min(tries, 20), LONGEST_WAIT)
            return max(error.after or timedelta(0), longest * (0.5 + chance / 2))
        case AskAPerson() | Misconfigured():
            if not first_of_cause:
                return BEHIND_ANOTHER
            return min(FIRST_ASK * 2 ** min(tries, 20), LONGEST_ASK) * (0.75 + chance / 4)
        case Refused() | Bug():
            return None
        case _:
            return None
