"""Late arrivals: what was booked on the next open day because its own period was closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import ArPayment, Booked, CreditMemo, DebitMemo, Document
from ml_connector.flows.rows import document
from ml_connector.store import late
from ml_connector.store.engine import Store
from ml_connector.store.postings import PostingRow


@dataclass(frozen=True, slots=True)
class LateArrival:
    """A document that stands on another day than that of its money.

    `money` is a payment's amount, what a memo changes receivables by, or what any other document
    does to the clearing account. Only that of a memo `moves` nothing.
    """

    key: PostingKey
    document: ErpRef
    description: str
    true_day: date
    day: date
    money: Money
    state: str
    moves: bool = True


@dataclass(frozen=True, slots=True)
class LateTotal:
    """What money of one month (`YYYY-MM`) was booked in another, by currency."""

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
    day = None if isinstance(paper, Booked) else paper.day
    if isinstance(paper, Booked) or day is None or paper.true_day is None or not row.erp_type:
        raise Bug(f"{row.key} was listed as late but was not moved.")
    return LateArrival(
        key=row.key,
        document=erp_ref(row.erp_type, str(row.erp_number)),
        description=paper.description,
        true_day=paper.true_day,
        day=day,
        money=_money(row, paper),
        state=str(row.state),
        moves=not isinstance(paper, CreditMemo | DebitMemo),
    )


def _money(row: PostingRow, paper: Document) -> Money:
    match paper:
        case ArPayment() | DebitMemo():
            return paper.amount
        case CreditMemo():
            return -paper.amount
        case _:
            return row.clearing


def totals_by_month(found: Sequence[LateArrival]) -> list[LateTotal]:
    """The late money added up by the month that it is of and the month that it is in."""
    groups: dict[tuple[str, str, str], list[Money]] = {}
    for one in (one for one in found if one.moves):
        months = (f"{one.true_day:%Y-%m}", f"{one.day:%Y-%m}", one.money.currency)
        groups.setdefault(months, []).append(one.money)
    return [
        LateTotal(true, month, len(held), Money(sum(one.minor for one in held), code))
        for (true, month, code), held in sorted(groups.items())
    ]
