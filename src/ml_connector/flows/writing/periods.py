"""The tenant's financial periods, asked once a day, and anew where a refusal contradicts them."""

from datetime import date

import msgspec

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import AskAPerson
from ml_connector.books.calendar import Calendar, Period
from ml_connector.flows.connected import Connected
from ml_connector.store import cursors
from ml_connector.store.rows import JsonObject, as_object

KEPT_AS = "acumatica.periods"


async def calendar(c: Connected, *, fresh: bool = False) -> Calendar:
    """The periods as they were first seen today, or as they are now: one call at most."""
    today = day_in(c.clock.now(), c.mapping.zone).isoformat()
    if not fresh:
        async with c.store.statement() as tx:
            kept = await cursors.read(tx, c.id, KEPT_AS)
        if kept is not None and kept["day"] == today:
            return msgspec.convert(kept["calendar"], Calendar)
    found = await c.acumatica.periods()
    seen: JsonObject = {"day": today, "calendar": as_object(found)}
    async with c.store.statement() as tx:
        await cursors.advance(tx, c.id, KEPT_AS, seen)
    return found


async def reaching(c: Connected, day: date) -> Calendar:
    """The periods with the one that holds a day: it may have been generated since this morning."""
    found = await calendar(c)
    return found if found.holding(day) else await calendar(c, fresh=True)


async def period_of(c: Connected, day: date) -> Period:
    """The period up to which a balance holds everything dated so far.

    A day beyond the last generated period cannot have been posted: the last one stands for it.
    Raises AskAPerson when no period has begun by then.
    """
    found = (await reaching(c, day)).latest_at(day)
    if found is None:
        raise AskAPerson(
            f"Acumatica has no financial period for {day}.",
            cause="acumatica.no_period",
            remedy="Generate the financial calendar in Acumatica.",
        )
    return found


async def periods_between(c: Connected, first: date, last: date) -> tuple[Period, ...]:
    """Every period that may hold something dated from one day to another; one at least.

    Raises AskAPerson when no period has begun by then.
    """
    end = await period_of(c, last)
    return (await calendar(c)).between(first, last) or (end,)
