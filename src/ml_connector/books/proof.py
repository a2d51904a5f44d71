"""The proof of one payout: every member is in the ledger, and together they are the deposit."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ml_connector.basics.ids import ErpRef, PostingKey, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.guardian import Grade
from ml_connector.books.postings import State


@dataclass(frozen=True, slots=True)
class Carried:
    """A document that carries money of a balance transaction, as it was read back."""

    key: PostingKey
    state: State
    document: ErpRef | None
    clearing: Money
    read_back: str


@dataclass(frozen=True, slots=True)
class Member:
    """One balance transaction inside the payout, and the documents that carry it."""

    transaction: StripeId
    type: str
    category: str
    net: Money
    carried: tuple[Carried, ...]

    @property
    def missing(self) -> Money:
        """What of its net no verified document carries."""
        verified = (c.clearing for c in self.carried if c.state is State.VERIFIED)
        return self.net - total(verified, self.net.currency)

    @property
    def waiting(self) -> tuple[PostingKey, ...]:
        """Its documents that were not read back; a gap even where their sums cancel out."""
        return tuple(c.key for c in self.carried if c.state is not State.VERIFIED)

    @property
    def gap(self) -> str:
        """What stands between this transaction and its proof, a sentence; empty when nothing."""
        named = f"{self.transaction} ({self.type})"
        if self.missing:
            return f"{named} lacks {self.missing} in the ledger."
        if self.waiting:
            return f"{named} waits for {', '.join(self.waiting)} to be read back."
        return ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What people changed on a document after it was read back, and what was decided of it.

    `missing` is what the clearing account lacks through it; `stands`: it is in force still.
    """

    key: PostingKey
    grade: Grade
    decision: str
    sentence: str
    missing: Money
    stands: bool


class Verdict(StrEnum):
    """What a proof may say of its payout."""

    PROVEN = "proven"
    """Every member and the transfer are in the ledger, and together they are the deposit."""
    RETURNED = "returned"
    """The money came back: the transfer and its reversal are in the ledger, and cancel out."""
    TRANSFER_ONLY = "transfer only"
    """The transfer is in the ledger; what is inside is not known to anybody but Stripe."""
    NOT_PROVEN = "not proven"
    """Something is missing, and the gaps say what."""


STATEMENTS: dict[Verdict, str] = {
    Verdict.PROVEN: "Every member was read back from the ledger, and together they are the"
    " amount that was paid out.",
    Verdict.RETURNED: "The payout did not stay at the bank: its transfer and the reversal were"
    " read back from the ledger and cancel out.",
    Verdict.TRANSFER_ONLY: "Only the transfer is proven: Stripe does not name what is inside.",
    Verdict.NOT_PROVEN: "This payout is not proven; the gaps say what is missing.",
}
"""The verdicts in words, as a person reads them on the paper."""

CAME_BACK = frozenset({"failed", "canceled"})
"""How a payout stands at Stripe whose money did not stay at the bank."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A document that carries fees of many transactions, beside the sum of their shares."""

    key: PostingKey
    clearing: Money
    shares: Money

    @property
    def gap(self) -> str:
        """A sentence where the document is not what its shares add up to; empty when it is."""
        if self.shares == self.clearing:
            return ""
        return f"The shares in {self.key} add up to {self.shares}, not {self.clearing}."


@dataclass(frozen=True, slots=True)
class Proof:
    """The equation of one payout; `proven` only when nothing at all is missing."""

    payout: StripeId
    amount: Money
    status: str
    composed: bool
    members: tuple[Member, ...]
    transfer: Member | None
    reversal: Member | None = None
    shared: tuple[Shared, ...] = ()
    changed: tuple[Changed, ...] = ()

    def gap_of(self, member: Member) -> str:
        """What stands between a member and its proof, a sentence; empty when nothing."""
        gone = {one.key for one in self.changed if not one.stands}
        rests_on = [one.key for one in member.carried if one.key in gone]
        if member.gap or not rests_on:
            return member.gap
        return (
            f"{member.transaction} ({member.type}) rests on {', '.join(rests_on)}, which is not in"
            " force any more: relink or restore it, see `ml-connector guardian`."
        )

    @property
    def transferred(self) -> bool:
        """Whether the transfer, and where it came back the reversal, were read back and stand."""
        if self.transfer is None or self.gap_of(self.transfer):
            return False
        return self.status not in CAME_BACK or not self.unreversed

    @property
    def unreversed(self) -> bool:
        """Whether a transfer that came back still stands in the ledger."""
        back = self.reversal
        if self.transfer is None or back is None or self.gap_of(back):
            return True
        return bool(back.net + self.transfer.net)

    @property
    def verdict(self) -> Verdict:
        """What can honestly be said of the payout."""
        if self.status in CAME_BACK:
            return Verdict.RETURNED if self.transferred else Verdict.NOT_PROVEN
        if self.proven:
            return Verdict.PROVEN
        only = not self.composed and self.transferred
        return Verdict.TRANSFER_ONLY if only else Verdict.NOT_PROVEN

    @property
    def statement(self) -> str:
        """The verdict as a sentence."""
        return STATEMENTS[self.verdict]

    @property
    def every(self) -> tuple[Member, ...]:
        """Its members, and its own movements as far as there are any."""
        own = (self.transfer, self.reversal)
        return (*self.members, *(one for one in own if one is not None))

    @property
    def sum_of_members(self) -> Money:
        """What Stripe says is inside."""
        return total((member.net for member in self.members), self.amount.currency)

    @property
    def difference(self) -> Money:
        """The deposit less its members; only meaningful when Stripe names the members."""
        return self.amount - self.sum_of_members

    @property
    def gaps(self) -> tuple[str, ...]:
        """Everything that stands between this payout and its proof, a sentence each."""
        found: list[str] = []
        if not self.composed:
            found.append(
                "Stripe does not say what is inside this payout (manual, instant or not yet"
                " reconciled); only the transfer can be proven."
            )
        elif self.difference:
            found.append(f"The members add up to {self.sum_of_members}, not {self.amount}.")
        found += [gap for gap in map(self.gap_of, self.members) if gap]
        found += [one.gap for one in self.shared if one.gap]
        if self.transfer is None or self.gap_of(self.transfer):
            found.append("The transfer to the bank is not in the ledger.")
        elif self.status in CAME_BACK and self.unreversed:
            found.append("The payout came back, but its reversal is not in the ledger.")
        return tuple(found)

    @property
    def proven(self) -> bool:
        """Whether every cent of the deposit is carried by documents that were read back."""
        return not self.gaps


class Settlement(Protocol):
    """A payout to be proven, fetched or stored; `composed`: Stripe has named every member."""

    @property
    def id(self) -> StripeId:
        """Stripe's id."""
        ...

    @property
    def amount(self) -> Money:
        """What reaches the bank."""
        ...

    @property
    def status(self) -> str:
        """How it stands at Stripe."""
        ...

    @property
    def composed(self) -> bool:
        """Whether every member is named."""
        ...


def prove(
    payout: Settlement,
    members: Sequence[Member],
    transfer: Member | None,
    reversal: Member | None = None,
    shared: Sequence[Shared] = (),
    *,
    changed: Sequence[Changed] = (),
) -> Proof:
    """The proof of a payout from its members (its own rows left out) and its own transfer.

    `reversal` is the movement that brought a failed or cancelled payout's money back; `shared`
    are the documents in which members have only a share, `changed` those that people changed.
    """
    return Proof(
        payout.id,
        payout.amount,
        payout.status,
        payout.composed,
        tuple(members),
        transfer,
        reversal,
        tuple(shared),
        tuple(changed),
    )
