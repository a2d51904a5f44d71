"""Late arrivals: what was booked on the next open day because its own period was closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import ArPayment, Journal
from ml_connector.flows.rows import document
from ml_connector.store import late
from ml_connector.store.engine import Store
from ml_connector.store.postings import PostingRow


@dataclass(frozen=True, slots=True)
class LateArrival:
    """A document that stands on another day than that of its money.

    `money` is a payment's amount, or what a journal does to the clearing account.
    """

    key: PostingKey
    document: ErpRef
    description: str
    true_day: date
    day: date
    money: Money
    state: str


@dataclass(frozen=True, slots=True)
class LateTotal:
    """What of one month (`YYYY-MM`) was booked in another, by currency."""

    true_month: str
    month: str
    count: int
    money: Money


async def late_arrivals(store: Store, connection: ConnectionId) -> list[LateArrival]:
    """Every document that was moved to an open day, by the day of its money."""
    async with store.transaction() as tx:
        return [_arrival(row) for row in await late.every(tx, connection)]


def _arrival(row: PostingRow) -> LateArrival:
    paper = document(row)
    if not isinstance(paper, ArPayment | Journal) or not paper.true_day or not row.erp_type:
        raise Bug(f"{row.key} was listed as late but was not moved.")
    money = paper.amount if isinstance(paper, ArPayment) else row.clearing
    ref = erp_ref(row.erp_type, str(row.erp_number))
    text = paper.description
    return LateArrival(row.key, ref, text, paper.true_day, paper.day, money, str(row.state))


def totals_by_month(found: Sequence[LateArrival]) -> list[LateTotal]:
    """The late arrivals added up by the month that they are of and the month that they are in."""
    groups: dict[tuple[str, str, str], list[Money]] = {}
    for one in found:
        months = (f"{one.true_day:%Y-%m}", f"{one.day:%Y-%m}", one.money.currency)
        groups.setdefault(months, []).append(one.money)
    return [
        LateTotal(true, month, len(held), Money(sum(one.minor for one in held), code))
        for (true, month, code), held in sorted(groups.items())
    ]
