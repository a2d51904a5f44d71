"""The promise, watched: a difference is looked at twice before it becomes a trouble with money."""

from datetime import datetime, timedelta

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.money import Money
from ml_connector.books.tieout import TieOut
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.promise.tie_out import measure, since
from ml_connector.flows.rounds.catch_up import sweep
from ml_connector.flows.signals import Kind, Look

UNTIL_SURE = timedelta(minutes=2)
"""A document may have reached the ledger a moment before we have stored that it did."""


class DoesNotTieOut(AskAPerson):
    """The clearing account and the Stripe balance differ by money that nobody can name."""

    def __init__(self, found: TieOut, first: datetime | None) -> None:
        self.money: Money = found.difference
        more = "more" if found.difference.minor > 0 else "less"
        stood = f" It was first measured at {first:%Y-%m-%d %H:%M} UTC." if first else ""
        super().__init__(
            f"The clearing account of {found.currency} holds {abs(found.difference)} {more} than"
            f" Stripe's balance accounts for.{stood}",
            cause=f"tieout.difference:{found.currency}",
            remedy="`ml-connector tieout --search` names the records; it is measured again by"
            " itself.",
        )


async def watch(c: Connected) -> int:
    """Measures every currency; one that differs is looked at again soon; returns how many do."""
    differing = [one for one in await _measured(c) if not one.holds]
    soon = c.clock.now() + UNTIL_SURE
    async with c.store.transaction() as tx:
        looks = [Look(Kind.TIEOUT, one.currency) for one in differing]
        await look_all(tx, c.id, looks, not_before=soon)
    return len(differing)


async def confirm(c: Connected, currency: str) -> None:
    """Measures again; raises DoesNotTieOut while one currency still differs."""
    for one in await _measured(c):
        if one.currency == currency and not one.holds:
            stood = await since(c, currency)
            raise DoesNotTieOut(one, stood.differs_from if stood else None)


async def _measured(c: Connected) -> list[TieOut]:
    """The tie-outs with everything that Stripe has moved by now known to us."""
    await sweep(c)
    return await measure(c)
