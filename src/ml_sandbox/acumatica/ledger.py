"""The general ledger: batches of lines that must balance, and the balances they leave."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


class LedgerBrokenError(Exception):
    """A posting that would unbalance the books; it must never happen and is never swallowed."""


@dataclass(slots=True)
class Line:
    """One debit or credit, in the batch's currency and in the base currency.

    Positive `amount` and `base` are debits, negative ones are credits.
    """

    account: str
    branch: str
    amount: Decimal
    base: Decimal
    subaccount: str = "000000"
    description: str = ""
    reference: str = ""
    customer: str = ""
    application: bool = False  # of an application or between branches, not the document's money


@dataclass(slots=True)
class Batch:
    """A balanced set of lines in one currency, numbered within its module."""

    module: str
    number: str
    day: date
    period: str
    currency: str
    branch: str
    description: str
    lines: list[Line]
    posted: bool = True
    document: str = ""
    ledger: str = "ACTUAL"


@dataclass(slots=True)
class Turnover:
    """Debits and credits of one account place, in its currency and in base."""

    debit: Decimal = ZERO
    credit: Decimal = ZERO
    base_debit: Decimal = ZERO
    base_credit: Decimal = ZERO

    def add(self, line: Line) -> None:
        """Adds one line."""
        if line.amount >= 0:
            self.debit += line.amount
        else:
            self.credit -= line.amount
        if line.base >= 0:
            self.base_debit += line.base
        else:
            self.base_credit -= line.base

    @property
    def balance(self) -> Decimal:
        """Debits less credits in currency."""
        return self.debit - self.credit

    @property
    def base_balance(self) -> Decimal:
        """Debits less credits in base."""
        return self.base_debit - self.base_credit


Place = tuple[str, str, str, str]
"""Account, subaccount, branch, currency."""


@dataclass
class Ledger:
    """The ACTUAL ledger. Posting checks every invariant and raises before anything is kept."""

    batches: list[Batch] = field(default_factory=list[Batch])
    _by_document: dict[str, list[Batch]] = field(default_factory=dict[str, list[Batch]])
    _turnovers: dict[Place, dict[str, Turnover]] = field(
        default_factory=lambda: defaultdict[Place, dict[str, Turnover]](dict)
    )
    _totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict[str, Decimal](Decimal))
    _base_totals: dict[str, Decimal] = field(
        default_factory=lambda: defaultdict[str, Decimal](Decimal)
    )
    _cash: dict[tuple[str, str, str, str], Decimal] = field(
        default_factory=lambda: defaultdict[tuple[str, str, str, str], Decimal](Decimal)
    )

    def check(self, batch: Batch) -> None:
        """Raises LedgerBrokenError unless the batch balances in currency and in base."""
        if not batch.lines:
            raise LedgerBrokenError(f"batch {batch.module} {batch.number} has no lines")
        for name, total in (
            (batch.currency, sum((line.amount for line in batch.lines), ZERO)),
            ("base", sum((line.base for line in batch.lines), ZERO)),
        ):
            if total:
                raise LedgerBrokenError(
                    f"batch {batch.module} {batch.number} is out of balance by {total} in {name}"
                )

    def enter(self, batch: Batch) -> None:
        """Keeps a released batch; cash moves at once, balances when the batch is posted."""
        self.check(batch)
        self.batches.append(batch)
        self._by_document.setdefault(batch.document, []).append(batch)
        for line in batch.lines:
            place = (line.account, line.subaccount, line.branch, batch.currency)
            self._cash[place] += line.amount
        if batch.posted:
            self._post(batch)

    def post(self, batch: Batch) -> None:
        """Posts a batch that was released without posting."""
        batch.posted = True
        self._post(batch)

    def _post(self, batch: Batch) -> None:
        for line in batch.lines:
            place = (line.account, line.subaccount, line.branch, batch.currency)
            self._turnovers[place].setdefault(batch.period, Turnover()).add(line)
            self._totals[batch.currency] += line.amount
            self._base_totals[batch.ledger] += line.base
        self.verify()

    def verify(self) -> None:
        """Raises LedgerBrokenError unless the running totals are zero in base and per currency."""
        if any(self._base_totals.values()) or any(self._totals.values()):
            raise LedgerBrokenError(
                f"the trial balance is off: {dict(self._base_totals)}, {dict(self._totals)}"
            )

    def of_document(self, document: str) -> list[Batch]:
        """The batches that a document's releases produced, oldest first."""
        return self._by_document.get(document, [])

    def places(self) -> Iterator[tuple[Place, dict[str, Turnover]]]:
        """Every account place with its turnover by period."""
        return iter(sorted(self._turnovers.items()))

    def moved(self, account: str, subaccount: str, branch: str, currency: str) -> Decimal:
        """Net debits of a place over all released batches, posted or not."""
        return self._cash.get((account, subaccount, branch, currency), ZERO)


def total(turnovers: Iterable[Turnover]) -> Turnover:
    """The sum of several turnovers."""
    found = Turnover()
    for each in turnovers:
        found.debit += each.debit
        found.credit += each.credit
        found.base_debit += each.base_debit
        found.base_credit += each.base_credit
    return found
