"""The mapping that a new one would replace, and what stands by our documents on its accounts."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.basics.money import Money
from ml_connector.books.lint_changes import clearing, leaving, transit
from ml_connector.books.mapping import Mapping
from ml_connector.flows.mapping.mapping_text import mapping_of
from ml_connector.store import mapping, openings, standing


async def in_force(tx: AsyncConnection, connection: ConnectionId, time_zone: str) -> Mapping | None:
    """The mapping in force; None before the first one."""
    version = await mapping.current(tx, connection)
    return None if version is None else mapping_of(version.body, version.version, time_zone)


async def standing_in(
    tx: AsyncConnection, connection: ConnectionId, books: Mapping
) -> dict[str, Money]:
    """What stands on the accounts that hold what is Stripe's, by their place in a mapping."""
    ours = await standing.on_clearing(tx, connection)
    found: dict[str, Money] = {}
    for code in books.currencies:
        before = await openings.held_before(tx, connection, code)
        found[clearing(code)] = before + ours.get(code, Money.zero(code))
    for code, one in books.transit.items():
        found[transit(code)] = await standing.in_transit(
            tx, connection, one.cash, one.account, code
        )
    return found


async def require_nothing_left(
    tx: AsyncConnection, connection: ConnectionId, books: Mapping
) -> None:
    """Raises Misconfigured when a mapping would leave an account that our money stands on."""
    before = await in_force(tx, connection, books.time_zone)
    if before is None:
        return
    found = list(leaving(books, before, await standing_in(tx, connection, before)))
    if found:
        raise Misconfigured(
            " ".join(f"{one.key}: {one.sentence}" for one in found),
            cause="mapping.left_behind",
            remedy="Keep these accounts while money stands on them, or give the file to"
            " `ml-connector mapping set`, which says what may be done.",
        )
