"""Where the promise broke: clearing beside our documents and beside Stripe, by record."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.tieout import TieOut

Name = tuple[str, str]
"""A document in the general ledger: its module, and its number there."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the clearing account in the ledger; a debit is positive."""

    day: date
    amount: Money
    module: str
    batch: str
    number: str
    kind: str
    customer: str
    text: str

    @property
    def name(self) -> Name:
        """What tells whose it is: a receivables document by its number, others by their batch."""
        if self.module == "AR" and self.number:
            return (self.module, self.number)
        return (self.module, self.batch)


@dataclass(frozen=True, slots=True)
class Ours:
    """A document of ours that is in the ledger as we believe, and what it does to clearing."""

    key: PostingKey
    name: Name
    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Moved:
    """A balance transaction: what it changed the Stripe balance by, and when."""

    id: StripeId
    day: date
    net: Money


class Kind(StrEnum):
    """What is wrong with a record."""

    NOT_OURS = "not ours"
    """It moves clearing, and no posting of ours made it."""
    GONE = "gone"
    """We posted it, and the account does not show it."""
    UNDONE = "undone"
    """We posted it, and somebody has taken it back."""
    OTHER_AMOUNT = "other amount"
    """It stands there with another amount than we posted."""
    OTHER_DAY = "other day"
    """It stands there on another day; the sum is right in the end."""
    NOT_POSTED = "not posted"
    """We posted it; it is released, and waits to be posted to the ledger."""
    MISCARRIED = "miscarried"
    """Our documents of a balance transaction do not add up to it."""
    UNSEEN = "unseen"
    """Stripe moved it, and we have never seen it."""
    OTHER_NET = "other net"
    """Stripe shows another net than the one that we know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that is wrong; `effect` is its part of the difference."""

    kind: Kind
    day: date | None
    record: str
    effect: Money
    sentence: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found of one currency's difference; `unnamed` is what no record explains."""

    tie_out: TieOut
    findings: tuple[Finding, ...]

    @property
    def unnamed(self) -> Money:
        """What is left of the difference after all findings."""
        effects = (one.effect for one in self.findings)
        return self.tie_out.difference - total(effects, self.tie_out.currency)

    @property
    def first_day(self) -> date | None:
        """The day of the first record that is wrong."""
        return min((one.day for one in self.findings if one.day), default=None)


def halving(low: int, high: int) -> Generator[int, bool, int]:
    """Asks of periods whether the account differs at their end; the first one that does.

    The last one is known to differ. Of 12 months it asks about four at most.
    """
    while low < high:
        middle = (low + high) // 2
        if (yield middle):
            high = middle
        else:
            low = middle + 1
    return low


def in_ledger(movements: Iterable[Movement], ours: Iterable[Ours], currency: str) -> list[Finding]:
    """Every document whose sum on the clearing account is not what we posted, by day."""
    theirs: dict[Name, list[Movement]] = {}
    for line in movements:
        theirs.setdefault(line.name, []).append(line)
    mine: dict[Name, list[Ours]] = {}
    for one in ours:
        mine.setdefault(one.name, []).append(one)
    names = sorted({*theirs, *mine})
    found = [_compared(theirs.get(name, []), mine.get(name, []), currency) for name in names]
    return in_order(one for one in found if one is not None)


def _compared(theirs: list[Movement], mine: list[Ours], currency: str) -> Finding | None:
    there = total((one.amount for one in theirs), currency)
    owed = total((one.amount for one in mine), currency)
    days = [one.day for one in (*theirs, *mine)]
    if there == owed:
        return None
    record = _called(theirs, mine)
    if not mine:
        line = theirs[0]
        who = f" of {line.customer}" if line.customer else ""
        words = f" ({line.text})" if line.text else ""
        sentence = f"{record}{who}{words} moves clearing by {there} and is not ours."
        return Finding(Kind.NOT_OURS, min(days), record, there, sentence)
    keys = ", ".join(dict.fromkeys(one.key for one in mine))
    if not theirs:
        kind, what = Kind.GONE, f"of {owed} is not in the account."
    elif not there:
        kind, what = Kind.UNDONE, f"of {owed} was voided or reversed in Acumatica."
    else:
        kind, what = Kind.OTHER_AMOUNT, f"of {owed} stands there with {there}."
    return Finding(kind, min(days), record, there - owed, f"{record} for {keys} {what}")


def _called(theirs: list[Movement], mine: list[Ours]) -> str:
    """A document as a person finds it in Acumatica."""
    module, number = (theirs[0] if theirs else mine[0]).name
    kinds = [one.kind for one in theirs if one.kind and module == "AR"]
    return " ".join((module, *kinds[:1], number))


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of several periods, by day: a document that only changed its day is one."""
    by_record: dict[str, list[Finding]] = {}
    for one in findings:
        by_record.setdefault(one.record, []).append(one)
    return in_order(_one(several) for several in by_record.values())


def _one(several: list[Finding]) -> Finding:
    if len(several) == 1:
        return several[0]
    first = in_order(several)[0]
    effect = total((one.effect for one in several), first.effect.currency)
    days = " and ".join(str(one.day) for one in in_order(several))
    sentence = f"{first.record} differs on {days}. {' '.join(one.sentence for one in several)}"
    return Finding(Kind.OTHER_DAY if not effect else first.kind, first.day, first.record, effect,
                   sentence)  # fmt: skip


def miscarried(nets: Mapping[StripeId, Money], carried: Mapping[StripeId, Money]) -> list[Finding]:
    """Posted balance transactions whose documents do not add up to them, by our own rows."""
    found: list[Finding] = []
    for name, net in sorted(nets.items()):
        stands = carried.get(name, Money.zero(net.currency))
        if stands != net:
            sentence = f"{name} of {net} is called posted, but its documents make {stands}."
            found.append(Finding(Kind.MISCARRIED, None, name, stands - net, sentence))
    return found


def at_stripe(moved: Moved, known: Mapping[StripeId, Money]) -> Finding | None:
    """What is wrong with one balance transaction as Stripe shows it; None when we know it so."""
    before = known.get(moved.id)
    if before == moved.net:
        return None
    if before is None:
        sentence = f"{moved.id} of {moved.net} moved the Stripe balance and was never seen here."
        return Finding(Kind.UNSEEN, moved.day, moved.id, -moved.net, sentence)
    sentence = f"{moved.id} is of {moved.net} at Stripe, but of {before} here."
    return Finding(Kind.OTHER_NET, moved.day, moved.id, before - moved.net, sentence)


def without_opening(drift: Drift, start: date) -> Drift:
    """Leaves out the opening entry: one document at the start that is what nobody else explains.

    Money that Stripe held before the first day was entered by a person, and rightly so.
    """
    for one in drift.findings:
        at_start = one.kind is Kind.NOT_OURS and one.day is not None and one.day <= start
        if at_start and one.effect == -drift.unnamed:
            rest = tuple(other for other in drift.findings if other is not one)
            return Drift(drift.tie_out, rest)
    return drift


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By day, those without one last."""
    return sorted(findings, key=lambda one: (one.day or date.max, one.record))
