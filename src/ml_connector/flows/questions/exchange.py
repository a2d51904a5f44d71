"""Exchange differences: each payment that Stripe settled in another currency, at which rate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from ml_connector.basics.ids import ConnectionId, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.postings import ArPayment, Document, Journal, Purpose, Voiding
from ml_connector.flows.rows import document
from ml_connector.store import conversions
from ml_connector.store.engine import Store
from ml_connector.store.postings import PostingRow

DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Converted:
    """One conversion in the ledger; both amounts are negative where the bank took it back.

    `cleared`: its transit was emptied by policy; else the difference stands on the counterpart,
    but for what is `booked` to gain or loss because it was taken back at another rate.
    """

    transaction: StripeId
    day: date
    charge: str
    paid: Money
    settled: Money
    cleared: bool
    booked: Money | None = None

    @property
    def rate(self) -> Decimal:
        """What one unit of the payment's currency brought, by the two amounts alone."""
        exact = Fraction(self.settled.decimal) / Fraction(self.paid.decimal)
        return Decimal(f"{round(exact * 10**DECIMALS)}e-{DECIMALS}")


@dataclass(frozen=True, slots=True)
class ConvertedSum:
    """The conversions from one currency into another, cleared or not, added up.

    What is booked to gain or loss already is not in `settled` any more.
    """

    cleared: bool
    count: int
    paid: Money
    settled: Money


async def exchange_list(store: Store, connection: ConnectionId) -> list[Converted]:
    """Every conversion that stands in the ledger, by day; from the store, without a call."""
    async with store.statement() as tx:
        rows = await conversions.every(tx, connection)
    groups = groupby(rows, key=lambda row: row.transaction_id)
    found = [_converted(key, list(group)) for key, group in groups]
    known = [one for one in found if one is not None]
    return sorted(known, key=lambda one: (one.day, one.transaction))


def _converted(transaction: StripeId, rows: Sequence[PostingRow]) -> Converted | None:
    """One movement by its documents; None while one of both sides is not in the ledger."""
    papers = {Purpose(row.purpose): (row, document(row)) for row in rows}
    journal, money = papers.get(Purpose.CONVERSION), _money(paper for _, paper in papers.values())
    if journal is None or not isinstance(journal[1], Journal) or money is None:
        return None
    charge, paid = money
    return Converted(
        transaction=transaction,
        day=journal[1].day,
        charge=charge,
        paid=paid,
        settled=journal[0].clearing,
        cleared=Purpose.EXCHANGE in papers,
        booked=_booked(papers.get(Purpose.RATE_DIFFERENCE)),
    )


def _booked(found: tuple[PostingRow, Document] | None) -> Money | None:
    """What a difference debits to gain or loss: its first line, by the books' rule."""
    if found is None or not isinstance(found[1], Journal):
        return None
    return found[1].lines[0].amount


def _money(papers: Iterable[object]) -> tuple[str, Money] | None:
    """Which charge was paid, and what; negative where its payment was undone."""
    for paper in papers:
        if isinstance(paper, ArPayment):
            return paper.payment_ref, paper.amount
        if isinstance(paper, Voiding):
            return paper.payment_ref, -paper.amount
    return None


def sums(found: Sequence[Converted]) -> list[ConvertedSum]:
    """The conversions added up by both currencies, those that are cleared apart."""
    groups: dict[tuple[str, str, bool], list[Converted]] = {}
    for one in found:
        codes = (one.paid.currency, one.settled.currency, one.cleared)
        groups.setdefault(codes, []).append(one)
    return [
        ConvertedSum(
            cleared,
            len(held),
            total((one.paid for one in held), paid),
            total((_left_of(one) for one in held), settled),
        )
        for (paid, settled, cleared), held in sorted(groups.items())
    ]


def _left_of(one: Converted) -> Money:
    return one.settled if one.booked is None else one.settled + one.booked
