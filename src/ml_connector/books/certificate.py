"""What the proof of a payout says, line by line, and the same sums computed again from the lines.

A member names each document that carries it with the share that it carries, so that one document
may carry many members; a document says what of it belongs to members elsewhere, and a line of its
own says what people have changed on it since it was read back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from ml_connector.basics.ids import ErpRef, PostingKey, in_words
from ml_connector.basics.money import Money
from ml_connector.books.postings import State
from ml_connector.books.proof import Carried, Changed, Member, Proof
from ml_connector.books.sealed import Facts

FORMAT = "ml-connector/payout-proof/1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a document: debits are positive; `clearing`: it is on the clearing account."""

    account: str
    amount: Money
    clearing: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A document in Acumatica as it was read back; `effect` is its whole effect on clearing.

    `for_others` is what of it belongs to movements outside this payout, by our stored shares;
    `taken_off` what people took off it since, so that nobody carries it.
    """

    key: PostingKey
    ref: ErpRef | None
    state: State
    effect: Money
    read_back: str
    verified_at: datetime | None
    mapping_version: int | None
    entries: tuple[Entry, ...]
    for_others: Money
    taken_off: Money


@dataclass(frozen=True, slots=True)
class Around:
    """The clearing account just before and after the transfer, by our documents alone."""

    before: Money
    moved: Money


@dataclass(frozen=True, slots=True)
class LastTieOut:
    """The tie-out of the currency as it was last measured."""

    at: datetime
    clearing: Money
    stripe: Money
    named: Money
    difference: Money


@dataclass(frozen=True, slots=True)
class Certificate:
    """Everything that the paper of one payout says."""

    connection: str
    proof: Proof
    arrival: date
    at: datetime
    documents: tuple[Document, ...]
    around: Around | None = None
    tie_out: LastTieOut | None = None
    mappings: tuple[int, ...] = field(default=())

    @property
    def name(self) -> str:
        """What binds each line to this paper and no other."""
        return f"{self.connection}/{self.proof.payout}/{self.at.isoformat()}"


def exact(amount: Money) -> str:
    """An amount as the paper says it: exact, without grouping, its currency behind."""
    return f"{amount.decimal:f} {amount.currency}"


def lines(paper: Certificate) -> list[Facts]:
    """The paper line by line, in the order in which a person reads it."""
    proof = paper.proof
    return [
        _head(paper),
        *(_member("member", one) for one in proof.members),
        *(_member("transfer", one) for one in [proof.transfer] if one is not None),
        *(_member("reversal", one) for one in [proof.reversal] if one is not None),
        *(_document(one) for one in paper.documents),
        *(changed_line(one) for one in proof.changed),
        *_accounts(paper.documents),
        _sums(proof),
        *_around(paper),
        *({"what": "gap", "sentence": sentence} for sentence in proof.gaps),
    ]


def _head(paper: Certificate) -> Facts:
    proof = paper.proof
    return {
        "what": "payout",
        "payout": proof.payout,
        "connection": paper.connection,
        "amount": exact(proof.amount),
        "status": proof.status,
        "arrival": paper.arrival.isoformat(),
        "verdict": str(proof.verdict),
        "statement": proof.statement,
        "members_named": proof.composed,
        "members": len(proof.members),
        "mapping_versions": list(paper.mappings),
        "at": paper.at.isoformat(),
    }


def _member(what: str, member: Member) -> Facts:
    return {
        "what": what,
        "transaction": member.transaction,
        "type": member.type,
        "category": member.category,
        "net": exact(member.net),
        "carried": [{"document": one.key, "amount": exact(one.clearing)} for one in member.carried],
    }


def _document(document: Document) -> Facts:
    return {
        "what": "document",
        "key": document.key,
        "acumatica": in_words(document.ref),
        "state": str(document.state),
        "effect": exact(document.effect),
        "for_others": exact(document.for_others),
        "taken_off": exact(document.taken_off),
        "read_back": document.read_back,
        "verified_at": document.verified_at.isoformat() if document.verified_at else "",
        "mapping_version": document.mapping_version or 0,
        "entries": [
            {"account": one.account, "amount": exact(one.amount), "clearing": one.clearing}
            for one in document.entries
        ],
    }


def changed_line(one: Changed) -> Facts:
    """What people did to a document since, whether or not it takes the proof away."""
    return {
        "what": "changed",
        "document": one.key,
        "grade": str(one.grade),
        "decision": one.decision,
        "stands": one.stands,
        "missing": exact(one.missing),
        "sentence": one.sentence,
    }


def _accounts(documents: Iterable[Document]) -> list[Facts]:
    """What all documents that were read back do to each account."""
    sums: dict[tuple[str, str], Money] = {}
    for document in documents:
        if document.state is State.VERIFIED:
            for entry in document.entries:
                place = (entry.account, entry.amount.currency)
                sums[place] = sums.get(place, Money.zero(place[1])) + entry.amount
    return [
        {"what": "account", "account": account, "amount": exact(sums[account, currency])}
        for account, currency in sorted(sums)
    ]


def _sums(proof: Proof) -> Facts:
    return {
        "what": "sums",
        "members": exact(proof.sum_of_members),
        "payout": exact(proof.amount),
        "difference": exact(proof.difference),
    }


def _around(paper: Certificate) -> list[Facts]:
    found: list[Facts] = []
    if paper.around is not None:
        after = paper.around.before + paper.around.moved
        found.append(
            {
                "what": "clearing",
                "before": exact(paper.around.before),
                "transfer": exact(paper.around.moved),
                "after": exact(after),
            }
        )
    if paper.tie_out is not None:
        found.append(
            {
                "what": "tie_out",
                "measured_at": paper.tie_out.at.isoformat(),
                "clearing": exact(paper.tie_out.clearing),
                "stripe": exact(paper.tie_out.stripe),
                "named": exact(paper.tie_out.named),
                "difference": exact(paper.tie_out.difference),
            }
        )
    return found


def carried_by(members: Iterable[Member]) -> list[Carried]:
    """Every document that carries one of the members, each once, in order."""
    return list({one.key: one for member in members for one in member.carried}.values())
