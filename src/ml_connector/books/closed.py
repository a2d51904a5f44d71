"""What becomes of a document whose period is closed: by its kind, and by policy."""

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from ml_connector.books.calendar import AR, CA, GL
from ml_connector.books.policies import WhenClosed
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    CreditMemo,
    DebitMemo,
    Document,
    Journal,
    Voiding,
)

Dated = Journal | ArPayment | CreditMemo | DebitMemo | ArRefund
"""The documents to which we give their day."""
Movable = Dated | Voiding
D = TypeVar("D", bound=Dated)

OPEN_IN: dict[type[Movable], tuple[str, ...]] = {
    Journal: (GL,),
    CreditMemo: (GL, AR),
    DebitMemo: (GL, AR),
    ArPayment: (GL, AR, CA),
    ArRefund: (GL, AR, CA),
    Voiding: (GL, AR, CA),
}
"""Where the period of each kind of document must be open."""


class Then(StrEnum):
    """What happens to a document that was refused because its period is closed."""

    WAITS = "waits"
    """It is sent again when the period is open."""
    MOVES = "moves"
    """It is dated on the next open day."""


def when_closed(paper: Document, policy: WhenClosed) -> Then:
    """What becomes of a document in a closed period.

    A voiding moves until Acumatica has shown that it keeps the payment's day; what somebody else
    booked is theirs.
    """
    movable = isinstance(paper, Movable) and not (isinstance(paper, Voiding) and paper.keeps_day)
    return Then.MOVES if movable and policy is WhenClosed.NEXT_OPEN else Then.WAITS


def moved_to(paper: D, day: date) -> D:
    """The same document on another day; the true one stays with it, for everybody to read."""
    if paper.true_day is not None:
        return replace(paper, day=day)
    text = f"{paper.description} of {paper.day}"
    return replace(paper, day=day, true_day=paper.day, description=text)


def void_on(voiding: Voiding, day: date, *, true_day: date, text: str) -> Voiding:
    """A voiding dated otherwise than its payment, of which `true_day` and `text` are told."""
    return replace(voiding, day=day, true_day=true_day, description=f"{text} of {true_day}")


def as_acumatica_dates_it(voiding: Voiding) -> Voiding:
    """A voiding that stands on its payment's day, whatever it was told."""
    return replace(voiding, day=None, true_day=None, description="", keeps_day=True)
