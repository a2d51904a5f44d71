"""What a lost dispute becomes in the books: a loss, or the invoice owed again."""

from dataclasses import dataclass
from datetime import date

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.fees import kept
from ml_connector.books.legs import Leg, back, mapped
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.postings import Journal, Line, Posting, Purpose, Voiding, posting_key


@dataclass(frozen=True, slots=True)
class Lost:
    """A dispute that the bank has decided against us; `taken` is positive, as settled.

    `transaction` is the withdrawal that its documents belong to; `day` when we learned of it.
    `stands` is where the disputed money stands since it was taken, `written_off` where its loss
    was booked.
    """

    dispute: StripeId
    charge: str
    taken: Money
    transaction: StripeId
    day: date
    stands: Leg | None = None
    written_off: Leg | None = None


class CannotReopen(AskAPerson):
    """A lost dispute whose payment cannot be undone as a whole, though the policy says so."""

    def __init__(self, lost: Lost, why: str) -> None:
        super().__init__(
            f"The lost dispute {lost.dispute} of {lost.taken} cannot reopen its invoice: {why}",
            cause=f"dispute.cannot_reopen:{lost.dispute}",
            remedy='Book it by hand, or let the policy dispute_lost be "loss" and replay it.',
        )


class WonAfterReopening(AskAPerson):
    """A dispute whose invoice was opened again when it was lost, and that was won after all."""

    def __init__(self, dispute: str, charge: str, paid: Money, undone: Money) -> None:
        super().__init__(
            f"The dispute {dispute} was won after its payment {charge} of {paid} had been voided:"
            " the invoice is owed in Acumatica though the money is back.",
            cause=f"dispute.won_after_all:{dispute}",
            remedy="Enter in Acumatica a journal that debits the account of disputed money and"
            f" credits the clearing account with {undone}, and a payment of {paid} into the"
            f" clearing cash account with the reference {charge}, applied to the invoice;"
            " release both.",
        )


class PartlyBack(AskAPerson):
    """A dispute that was decided for us, and of which another amount came back than was taken."""

    def __init__(self, dispute: str, charge: str, left: Money, account: str) -> None:
        super().__init__(
            f"The dispute {dispute} of {charge} was decided for us, but not all that was taken"
            f" came back: {left} stay on account {account}.",
            cause=f"dispute.partly_back:{dispute}",
            remedy="Ask Stripe for the rest: once it comes, it is booked and this ends. What stays"
            f" away, move from {account} to where it belongs by hand; then this stays listed.",
        )


def as_loss(lost: Lost, mapping: Mapping) -> Posting:
    """The disputed funds become a loss; the clearing account is not touched."""
    loss = mapped(mapping.account(Role.CHARGEBACK_LOSS), lost.taken, mapping)
    sides = [loss, _disputed(lost, -lost.taken, mapping)]
    return _posting(lost, Purpose.DISPUTE_LOSS, "dispute loss", sides, mapping)


def as_loss_reversed(lost: Lost, mapping: Mapping) -> Posting:
    """A loss taken back, because the dispute was won after all."""
    loss = _in_place(lost.written_off, Role.CHARGEBACK_LOSS, -lost.taken, mapping)
    sides = [_disputed(lost, lost.taken, mapping), loss]
    return _posting(lost, Purpose.LOSS_REVERSAL, "loss reversal", sides, mapping)


def as_reopened(lost: Lost, voiding: Voiding, mapping: Mapping) -> list[Posting]:
    """The payment is undone, so that its invoice is owed again, and the asset entry reversed.

    Together they leave the clearing account where the withdrawal has put it. Raises CannotReopen
    when the bank took another amount than was paid.
    """
    if voiding.amount != lost.taken:
        raise CannotReopen(lost, f"its payment is {voiding.amount}.")
    void = Posting(
        posting_key(Purpose.VOID, lost.charge),
        Purpose.VOID,
        lost.transaction,
        voiding,
        -voiding.cash,
    )
    clearing = mapped(mapping.of_currency(lost.taken.currency).clearing, lost.taken, mapping)
    sides = [clearing, _disputed(lost, -lost.taken, mapping)]
    undone = _posting(lost, Purpose.DISPUTE_UNDONE, "dispute undone", sides, mapping)
    return [void, *kept(voiding, lost.transaction, lost.day, mapping), undone]


def _disputed(lost: Lost, amount: Money, mapping: Mapping) -> Leg:
    return _in_place(lost.stands, Role.DISPUTED, amount, mapping)


def _in_place(first: Leg | None, role: Role, amount: Money, mapping: Mapping) -> Leg:
    """Where the first leg stands; where none is known, the account of the role."""
    if first is not None:
        return back(first, amount)
    return mapped(mapping.account(role), amount, mapping)


def _posting(
    lost: Lost, purpose: Purpose, name: str, sides: list[Leg], mapping: Mapping
) -> Posting:
    text = f"Stripe {name} {lost.dispute} of {lost.charge}"
    journal = Journal(
        day=lost.day,
        branch=mapping.branch if lost.stands is None else lost.stands.branch,
        description=text,
        lines=tuple(Line(one.account, one.subaccount, one.amount, text) for one in sides),
    )
    clearing = journal.effect_on(mapping.of_currency(lost.taken.currency).clearing)
    return Posting(posting_key(purpose, lost.dispute), purpose, lost.transaction, journal, clearing)
