"""A card of which less was captured than was held: the rest goes in and out of the balance."""

from datetime import date

from ml_connector.basics.errors import AskAPerson
from ml_connector.books.mapping import Mapping
from ml_connector.books.postings import Journal, Line, Posting, Purpose, posting_key
from ml_connector.books.records import BalanceTransaction, Charge

LEFT_UNCAPTURED = "refund/partial_capture_reversal"
"""The pair of the row by which Stripe gives back what was not captured."""


class PartlyCaptured(AskAPerson):
    """Less was captured than was held, and there is no account for the rest on its way back."""

    def __init__(self, charge: Charge, transaction: BalanceTransaction) -> None:
        super().__init__(
            f"Of the payment {charge.id}, for which {charge.authorized} were held, only"
            f" {charge.amount} were captured; Stripe booked {transaction.amount}"
            f" ({transaction.id}) and gives the rest back.",
            cause="rules.partly_captured",
            remedy=f'Give "{LEFT_UNCAPTURED}" an account under [pairs], through which the rest goes'
            " in and out; in a currency that settles in another one, book it by hand.",
        )


def left_uncaptured(
    bt: BalanceTransaction, charge: Charge, *, day: date, mapping: Mapping
) -> Posting:
    """What Stripe booked beside the captured part; its own row takes it out again.

    Raises PartlyCaptured without an account for it, or where the row is of another currency.
    """
    account = mapping.pairs.get(LEFT_UNCAPTURED)
    if account is None or bt.amount != charge.authorized:
        raise PartlyCaptured(charge, bt)
    rest, text = bt.amount - charge.amount, f"Not captured of Stripe payment {charge.id}"
    clearing = mapping.of_currency(bt.amount.currency).clearing
    journal = Journal(
        day=day,
        branch=mapping.branch,
        description=f"{text} {bt.id}",
        lines=(
            Line(account, mapping.subaccount, -rest, text),
            Line(clearing, mapping.subaccount, rest, text),
        ),
    )
    key = posting_key(Purpose.SUSPENSE, bt.id)
    return Posting(key, Purpose.SUSPENSE, bt.id, journal, rest)
