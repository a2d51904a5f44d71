"""A payment that a bank took back: its document is undone as a whole, and what rode on it."""

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.money import Money
from ml_connector.books.conversion import Converted, conversion, unconverted
from ml_connector.books.fees import kept
from ml_connector.books.mapping import Mapping
from ml_connector.books.postings import Posting, Purpose, Voiding, posting_key
from ml_connector.books.records import BalanceTransaction


class PartlyReturned(AskAPerson):
    """A bank took back another amount than was paid; a payment is undone as a whole only."""


def undone(
    bt: BalanceTransaction,
    voiding: Voiding,
    settled_as: Money,
    converted: Converted | None,
    mapping: Mapping,
) -> list[Posting]:
    """The voiding, and its conversion the other way round. Raises PartlyReturned."""
    if settled_as != -bt.amount:
        raise PartlyReturned(
            f"The bank took back {-bt.amount} of the payment {voiding.payment_ref} of"
            f" {settled_as} ({bt.id}).",
            cause=f"rules.partly_returned:{voiding.payment_ref}",
            remedy="Book it by hand: only a whole payment can be undone.",
        )
    key, left, day = (
        posting_key(Purpose.VOID, voiding.payment_ref),
        -voiding.cash,
        day_in(bt.created, mapping.zone),
    )
    more = kept(voiding, bt.id, day, mapping)
    if voiding.amount.currency != bt.amount.currency:
        left, paid, charge = Money.zero(bt.amount.currency), -voiding.amount, voiding.payment_ref
        if converted is None:
            more = conversion(bt, paid, charge, day=day, mapping=mapping)
        else:
            more = unconverted(bt, paid, charge, converted, day=day, mapping=mapping)
    return [Posting(key, Purpose.VOID, bt.id, voiding, left), *more]
