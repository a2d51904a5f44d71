"""What the walk of a posting needs of any kind of document."""

from dataclasses import dataclass
from typing import Protocol

from ml_connector.acumatica.documents import ErpDocument, ErpJournal, ErpMemo, ErpPayment
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, in_words
from ml_connector.books.closed import as_acumatica_dates_it
from ml_connector.books.postings import Voiding

DEAD = frozenset({"Voided", "Void", "Rejected"})
"""Statuses of documents that carry no money any more."""


class DayKept(AskAPerson):
    """Acumatica was told another day of a voiding and kept the payment's; so `said` keeps it."""

    def __init__(self, voiding: Voiding) -> None:
        super().__init__(
            f"Acumatica keeps the day of {in_words(voiding.payment)} for its voiding.",
            cause="papers.day_kept",
            remedy="Nothing to do: it waits for the period of the payment.",
        )
        self.said = as_acumatica_dates_it(voiding)


@dataclass(frozen=True, slots=True)
class Stands:
    """A document found again: whether it is in the ledger, and whether something is missing.

    One that is `outdated` does not say yet what was stored of it after it was made. `dead` is the
    status of one that moves no money any more; empty while it does, or may.
    """

    released: bool
    lacking: bool = False
    outdated: bool = False
    dead: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A document as it was read back, and how it differs from what was sent."""

    seen: ErpPayment | ErpJournal | ErpMemo
    differences: list[str]


def dead(status: str) -> str:
    """A status of a document that moves no money any more; empty for any other one."""
    return status if status in DEAD else ""


class Paper(Protocol):
    """What the walk of a posting needs of a kind of document."""

    async def hits(self) -> list[ErpDocument]:
        """The live documents that bear the posting's mark: one call."""
        ...

    async def send(self) -> ErpDocument:
        """Creates it, not released; raises OutcomeUnknown when no answer came."""
        ...

    def lacking(self, made: ErpDocument) -> bool:
        """Whether Acumatica's answer shows that it ignored a part."""
        ...

    async def complete(self, ref: ErpRef) -> None:
        """Says once more what was ignored."""
        ...

    async def correct(self, ref: ErpRef) -> None:
        """Says what has changed of it since it was made; only before its release.

        Raises DayKept where Acumatica does not take its new day.
        """
        ...

    async def stands(self, ref: ErpRef) -> Stands:
        """How a document found again stands: one call."""
        ...

    async def release(self, ref: ErpRef) -> None:
        """Puts it into the ledger; fine when it is there."""
        ...

    async def read_back(self, ref: ErpRef, *, released: bool = True) -> ReadBack:
        """Reads what stands there now, in the ledger or still before it: one call."""
        ...
