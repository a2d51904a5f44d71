"""A payment that a bank took back: its document is undone as a whole, and what rode on it."""

from datetime import date
from decimal import Decimal

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.money import Money
from ml_connector.books.conversion import Converted, conversion, unconverted
from ml_connector.books.differences import difference
from ml_connector.books.fees import kept
from ml_connector.books.legs import back, mapped
from ml_connector.books.mapping import Mapping
from ml_connector.books.policies import WhenConverted
from ml_connector.books.postings import Posting, Purpose, Voiding, posting_key
from ml_connector.books.records import BalanceTransaction

ROUNDED = Decimal("0.00001")
"""How exact a rate is that Stripe shows, as a part of the amount."""


class PartlyReturned(AskAPerson):
    """A bank took back another amount than was paid; a payment is undone as a whole only."""


def undone(
    bt: BalanceTransaction,
    voiding: Voiding,
    settled_as: Money,
    converted: Converted | None,
    mapping: Mapping,
) -> list[Posting]:
    """The voiding, and its conversion the other way round. Raises PartlyReturned.

    In another currency the whole may be another amount than had settled: the rate has moved.
    """
    if settled_as != -bt.amount and not _is_whole(bt, voiding.amount):
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
        left = Money.zero(bt.amount.currency)
        more = _converted_back(bt, voiding, converted, day, mapping)
        more += _difference(bt, voiding, -bt.amount - settled_as, converted, day, mapping)
    return [Posting(key, Purpose.VOID, bt.id, voiding, left), *more]


def _is_whole(bt: BalanceTransaction, paid: Money) -> bool:
    """Whether a return is all that was paid, by the rate that Stripe shows with it.

    Stripe's pages leave open whether a rate is of whole units or of the smallest ones.
    """
    if bt.rate is None or paid.currency == bt.amount.currency:
        return False
    cent = Money(1, bt.amount.currency)
    units = (paid.decimal, -bt.amount.decimal, cent.decimal)
    smallest = (Decimal(paid.minor), Decimal(-bt.amount.minor), Decimal(1))
    return any(
        abs(gone * bt.rate - came) <= one + came * ROUNDED for gone, came, one in (units, smallest)
    )


def _converted_back(
    bt: BalanceTransaction,
    voiding: Voiding,
    converted: Converted | None,
    day: date,
    mapping: Mapping,
) -> list[Posting]:
    paid, charge = -voiding.amount, voiding.payment_ref
    if converted is None:
        return conversion(bt, paid, charge, day=day, mapping=mapping)
    return unconverted(bt, paid, charge, converted, day=day, mapping=mapping)


def _difference(  # noqa: PLR0917 - the facts of one journal
    bt: BalanceTransaction,
    voiding: Voiding,
    more: Money,
    converted: Converted | None,
    day: date,
    mapping: Mapping,
) -> list[Posting]:
    """What the counterpart would keep; none where the conversion is on gain and loss itself."""
    if not more:
        return []
    if converted is None:
        listed = mapping.policies.fx is WhenConverted.LIST
        counterpart = mapping.transit[voiding.amount.currency].counterpart
        rest = mapped(counterpart, more, mapping) if listed else None
    else:
        rest = back(converted.other, more) if converted.emptied is None else None
    if rest is None:
        return []
    what = f"payment {voiding.payment_ref}"
    return [difference(Purpose.RATE_DIFFERENCE, bt.id, what, rest, day, mapping)]
