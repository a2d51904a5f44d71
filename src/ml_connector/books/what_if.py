"""What one balance transaction would become under a mapping, from what is known of it already."""

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import date

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.money import Money
from ml_connector.books import rules
from ml_connector.books.disputes import Lost, as_loss, as_loss_reversed, as_reopened
from ml_connector.books.entries import On, Side, sides
from ml_connector.books.mapping import Mapping
from ml_connector.books.matching import Match, on_account
from ml_connector.books.policies import RefundsAs, WhenLost, WhenUnmatched
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    Booked,
    Document,
    Posting,
    Purpose,
    Voiding,
)
from ml_connector.books.records import BalanceTransaction, Charge
from ml_connector.books.rules import Story

RECEIVABLES = "accounts receivable"
REFUNDED = frozenset({"refund", "refund_failure"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an amount stands in the ledger; `cash` is the cash account that leads there."""

    account: str
    subaccount: str
    branch: str
    cash: str = ""

    def __str__(self) -> str:
        behind = f" ({self.cash})" if self.cash else ""
        return " ".join(part for part in (f"{self.account}{behind}", self.subaccount, self.branch)
                        if part)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction becomes: the amounts by place, or why it waits."""

    moves: ReadOnly[Place, tuple[Money, ...]]
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a transaction besides itself.

    `payment` is its AR payment; `nobodys` that no invoice was found for it; `arrival` of a
    payout; `voids` what a bank took back, or the refund that failed, and `settled_as` what the
    former had brought, or `waits` why that is not known; `refunded` the refund that was paid out
    of a credit memo, or of a payment's rest; `lost` a dispute's end, taken back again with `won`.
    """

    payment: ArPayment | None = None
    nobodys: bool = False
    arrival: date | None = None
    voids: Voiding | None = None
    settled_as: Money | None = None
    aside: bool = False
    refunded: ArRefund | None = None
    waits: str = ""
    lost: Lost | None = None
    reopened: Voiding | None = None
    won: bool = False


class NotKnown(Exception):
    """What a transaction would become depends on something that is not stored."""


def outcome(bt: BalanceTransaction, known: Known, mapping: Mapping) -> Outcome:
    """What the rules make of it; raises NotKnown where only a new look at Stripe would tell."""
    if known.waits:
        return Outcome({}, known.waits)
    try:
        story = _story(bt, known, mapping)
        if story is None:
            return Outcome({}, "It waits by the policy for payments of no mirrored invoice.")
        mapping.hold.refuse_charge(bt.source)
        if story.match is not None:
            mapping.hold.refuse_match(story.match)
        made = [*rules.postings(bt, story, mapping), *_end(known, mapping)]
    except ConnectorError as error:
        return Outcome({}, error.sentence)
    return Outcome(_moves(made, mapping))


def _story(bt: BalanceTransaction, known: Known, mapping: Mapping) -> Story | None:
    subject = bt.source or bt.id
    if bt.category in REFUNDED:
        return _given_back(subject, known, mapping)
    if not rules.is_receipt(bt):
        return Story(
            subject=subject,
            arrival=known.arrival,
            voids=known.voids,
            settled_as=known.settled_as,
            aside=known.aside,
        )
    payment, policy = known.payment, mapping.policies.unmatched
    if payment is not None and payment.applications:
        match = Match(_charge(bt, payment), payment.customer_id, payment.applications)
        return Story(subject=subject, match=match)
    if payment is None and not known.nobodys:
        raise NotKnown("Whose payment it is was not looked at yet.")
    if policy is WhenUnmatched.SUSPENSE:
        return Story(subject=subject, aside=True)
    if policy is WhenUnmatched.HOLD:
        return None
    if payment is None:
        raise NotKnown("Whether its payer is a customer is not stored.")
    match = on_account(_charge(bt, payment), payment.customer_id)
    return Story(subject=subject, match=match)


def _given_back(subject: str, known: Known, mapping: Mapping) -> Story:
    """A refund, or its failure: what was never settled is paid back so under any policy."""
    refund, by_memo = known.refunded, mapping.policies.refunds is RefundsAs.CREDIT_MEMO
    if by_memo and refund is None and not known.aside:
        raise NotKnown("Whose credit memo it would be is not stored.")
    of_rest = refund is not None and refund.payment is not None
    return Story(
        subject=subject,
        aside=known.aside,
        voids=known.voids if by_memo or of_rest else None,
        customer_id=None if refund is None else refund.customer_id,
        unapplied=None if refund is None else refund.payment,
    )


def _charge(bt: BalanceTransaction, payment: ArPayment) -> Charge:
    """The charge as far as its payment tells: of one currency, a smaller one took a part."""
    partly = payment.currency == bt.amount.currency and payment.amount < bt.amount
    return Charge(
        id=bt.source or bt.id,
        payment_intent=None,
        customer=None,
        amount=payment.amount,
        status="succeeded",
        created=bt.created,
        description="",
        transaction=bt,
        authorized=bt.amount if partly else None,
    )


def _end(known: Known, mapping: Mapping) -> list[Posting]:
    """What a lost dispute becomes besides its withdrawal."""
    lost = known.lost
    if lost is None:
        return []
    if known.won:
        return [as_loss(lost, mapping), as_loss_reversed(lost, mapping)]
    if mapping.policies.dispute_lost is WhenLost.LOSS:
        return [as_loss(lost, mapping)]
    if known.reopened is None:
        raise NotKnown("Whether its payment can be undone as a whole is not stored.")
    return as_reopened(lost, known.reopened, mapping)


def _moves(made: list[Posting], mapping: Mapping) -> dict[Place, tuple[Money, ...]]:
    """The amounts by place and currency; what cancels out is left out."""
    sums: dict[tuple[Place, str], Money] = {}
    for posting in made:
        for place, amount in _sides(posting.document, mapping):
            key = place, amount.currency
            sums[key] = sums.get(key, Money.zero(amount.currency)) + amount
    found: dict[Place, tuple[Money, ...]] = {}
    for (place, _), amount in sums.items():
        if amount:
            found[place] = (*found.get(place, ()), amount)
    return found


def _sides(paper: Document, mapping: Mapping) -> list[tuple[Place, Money]]:
    branch = mapping.branch if isinstance(paper, Voiding | Booked) else paper.branch
    return [(_place(side, branch, mapping), side.amount) for side in sides(paper)]


def _place(side: Side, branch: str, mapping: Mapping) -> Place:
    if side.on is On.ACCOUNT:
        return Place(side.name, side.subaccount, branch)
    if side.on is On.CUSTOMER:
        return Place(RECEIVABLES, "", branch)
    return _behind(side.name or _cash_of(side.amount.currency, mapping), mapping)


def _cash_of(code: str, mapping: Mapping) -> str:
    """Where the payments of a currency arrive."""
    if code in mapping.currencies:
        return mapping.currencies[code].clearing_cash
    return mapping.transit[code].cash if code in mapping.transit else ""


def _behind(cash: str, mapping: Mapping) -> Place:
    """A cash account with the account that the mapping says is behind it."""
    pairs = {one.cash: one.account for one in mapping.transit.values()}
    pairs |= {one.clearing_cash: one.clearing for one in mapping.currencies.values()}
    return Place(pairs.get(cash, cash), "", mapping.branch, cash)


LOSSES = frozenset({Purpose.DISPUTE_LOSS, Purpose.DISPUTE_UNDONE, Purpose.LOSS_REVERSAL})
"""The purposes of documents that a dispute's end makes."""
