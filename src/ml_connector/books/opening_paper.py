"""What the signed paper of an opening position says, and the same sums counted again from it.

What Stripe held at the cut-over, what each account of the ledger held by then, the one entry that
made the two equal, and the document that carries it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ml_connector.basics.ids import in_words
from ml_connector.basics.money import Money, total, totals
from ml_connector.books import said
from ml_connector.books.certificate import Document, changed_line, exact
from ml_connector.books.opening import Part, Position
from ml_connector.books.postings import Journal, State
from ml_connector.books.proof import Changed
from ml_connector.books.said import Numbered
from ml_connector.books.sealed import Complaint, Facts

FORMAT = "ml-connector/opening-position/1"
PARTS = ("in_transit", "disputed", "reserved")
"""The lines of money that Stripe had moved out of its balance, and that is ours still."""


class Standing(StrEnum):
    """What a paper may say of an opening position."""

    IN_THE_LEDGER = "in the ledger"
    """Its entry was read back, and stands as it was."""
    HELD_BEFORE = "held before"
    """The ledger held all of it already, so that no entry was made."""
    NOT_IN_THE_LEDGER = "not in the ledger"
    """Its entry is not read back yet, or was changed since."""


STATEMENTS: dict[Standing, str] = {
    Standing.IN_THE_LEDGER: "The opening entry was read back from the ledger: with it, each account"
    " holds what Stripe held at the cut-over.",
    Standing.HELD_BEFORE: "Each account held it before, so no entry was made.",
    Standing.NOT_IN_THE_LEDGER: "The opening entry is not in the ledger, or not as it was posted.",
}
"""The standings in words, as a person reads them on the paper."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An account: what it held without us, and what the entry adds."""

    account: str
    held: Money
    entered: Money

    @property
    def holds(self) -> Money:
        """What it holds with the entry: what it shall hold."""
        return self.held + self.entered


@dataclass(frozen=True, slots=True)
class OpeningPaper:
    """Everything that the paper of one opening position says; `against` took the difference."""

    connection: str
    position: Position
    holdings: tuple[Holding, ...]
    against: str
    at: datetime
    document: Document | None
    changed: tuple[Changed, ...] = ()

    @property
    def name(self) -> str:
        """What binds each line to this paper and no other."""
        return f"{self.connection}/opening:{self.position.currency}/{self.at.isoformat()}"

    @property
    def standing(self) -> Standing:
        """What can honestly be said of the position."""
        if self.document is None:
            return Standing.HELD_BEFORE
        as_posted = all(one.stands and not one.missing for one in self.changed)
        read = self.document.state is State.VERIFIED
        return Standing.IN_THE_LEDGER if read and as_posted else Standing.NOT_IN_THE_LEDGER


def holdings(entry: Journal | None, held: dict[str, Money], against: str) -> tuple[Holding, ...]:
    """What each account held and was given; `against` is no part of the position."""
    lines = [line for line in entry.lines if line.account != against] if entry is not None else []
    return tuple(
        Holding(
            account,
            amount,
            total((line.amount for line in lines if line.account == account), amount.currency),
        )
        for account, amount in sorted(held.items())
    )


def lines(paper: OpeningPaper) -> list[Facts]:
    """The paper line by line, in the order in which a person reads it."""
    place = paper.position
    return [
        _head(paper),
        *(_part("in_transit", "payout", one) for one in place.in_transit),
        *(_part("disputed", "dispute", one) for one in place.disputed),
        {"what": "reserved", "amount": exact(place.reserved)},
        *(_holding(one) for one in paper.holdings),
        *(_document(one) for one in [paper.document] if one is not None),
        *(changed_line(one) for one in paper.changed),
    ]


def _head(paper: OpeningPaper) -> Facts:
    place = paper.position
    return {
        "what": "opening",
        "connection": paper.connection,
        "currency": place.currency,
        "day": place.day.isoformat(),
        "movements": place.movements,
        "balance": exact(place.balance),
        "against": paper.against,
        "verdict": str(paper.standing),
        "statement": STATEMENTS[paper.standing],
        "at": paper.at.isoformat(),
    }


def _part(what: str, name: str, part: Part) -> Facts:
    """Money under way, by the payout or the dispute that it is of."""
    return {"what": what, name: part.subject, "amount": exact(part.amount)}


def _holding(one: Holding) -> Facts:
    return {
        "what": "account",
        "account": one.account,
        "held": exact(one.held),
        "entered": exact(one.entered),
        "holds": exact(one.holds),
    }


def _document(document: Document) -> Facts:
    return {
        "what": "document",
        "key": document.key,
        "acumatica": in_words(document.ref),
        "state": str(document.state),
        "read_back": document.read_back,
        "verified_at": document.verified_at.isoformat() if document.verified_at else "",
        "mapping_version": document.mapping_version or 0,
        "entries": [
            {"account": one.account, "amount": exact(one.amount)} for one in document.entries
        ],
    }


def recount_opening(rows: Sequence[Numbered]) -> list[Complaint]:
    """Every line that does not follow from the others; raises NotAPaper for one that says nothing.

    The accounts against the position, the document against the accounts, and the verdict against
    all of that.
    """
    found = [*_accounts(rows), *_entry(rows)]
    return [*found, *_verdict(rows, found)]


def _accounts(rows: Sequence[Numbered]) -> list[Complaint]:
    """An account that is not what it held and was given, and accounts that are not the position."""
    number, head = said.only(rows, "opening")
    balance, found = said.money(head, "balance"), list[Complaint]()
    accounts = said.every(rows, "account")
    for place, one in accounts:
        if said.money(one, "held") + said.money(one, "entered") != said.money(one, "holds"):
            name = said.text(one, "account")
            found.append(Complaint(place, f"{name} held and was given other than it holds."))
    parts = [row for what in PARTS for row in said.every(rows, what)]
    wanted = balance + said.summed((said.money(one, "amount") for _, one in parts), balance)
    holds = said.summed((said.money(one, "holds") for _, one in accounts), balance)
    if holds != wanted:
        found.append(Complaint(number, f"The accounts hold {holds}, but Stripe held {wanted}."))
    return found


def _entry(rows: Sequence[Numbered]) -> list[Complaint]:
    """A document that is not the one entry which the accounts lack."""
    found: list[Complaint] = []
    against = said.text(said.only(rows, "opening")[1], "against")
    entered = {
        said.text(one, "account"): said.money(one, "entered")
        for _, one in said.every(rows, "account")
    }
    for number, one in said.every(rows, "document"):
        entries = said.rows(one, "entries")
        sides = {said.text(side, "account"): said.money(side, "amount") for side in entries}
        if any(totals(sides.values()).values()):
            found.append(Complaint(number, "The entry does not balance."))
        given = {account: amount for account, amount in sides.items() if account != against}
        if given != {account: amount for account, amount in entered.items() if amount}:
            found.append(Complaint(number, "The entry is not what the accounts were given."))
    return found


def _verdict(rows: Sequence[Numbered], found: list[Complaint]) -> list[Complaint]:
    """A verdict that is better than what the lines bear out."""
    number, head = said.only(rows, "opening")
    verdict = said.text(head, "verdict")
    if verdict == Standing.NOT_IN_THE_LEDGER:
        return []
    documents = [one for _, one in said.every(rows, "document")]
    entered = [said.money(one, "entered") for _, one in said.every(rows, "account")]
    if verdict == Standing.HELD_BEFORE:
        bad = bool(documents) or any(entered)
    else:
        bad = verdict != Standing.IN_THE_LEDGER or not _as_posted(rows, documents)
    return [Complaint(number, f"The lines do not bear out {verdict!r}.")] if bad or found else []


def _as_posted(rows: Sequence[Numbered], documents: Sequence[Facts]) -> bool:
    """Whether the one document was read back, and nobody has taken anything off it since."""
    changed = [one for _, one in said.every(rows, "changed")]
    return (
        [said.text(one, "state") for one in documents] == [State.VERIFIED]
        and all(said.text(one, "read_back") for one in documents)
        and all(one.get("stands") is True and not said.money(one, "missing") for one in changed)
    )
