"""Money that came back at another exchange rate than it went at: the difference is gain or loss."""

from datetime import date

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.legs import Leg
from ml_connector.books.mapping import Mapping, NotMapped, Role
from ml_connector.books.postings import Journal, Line, Posting, Purpose, posting_key


class NoPlaceForDifference(AskAPerson):
    """An exchange difference, and no account for it in the mapping."""

    def __init__(self, what: str, difference: Money, why: NotMapped) -> None:
        super().__init__(
            f"The {what} came back at another exchange rate than it went at, and differs by"
            f" {difference}. {why.sentence}",
            cause=why.cause,
            remedy=why.remedy,
        )


def difference(  # noqa: PLR0917 - the facts of one journal
    purpose: Purpose,
    bt: StripeId,
    what: str,
    rest: Leg,
    day: date,
    mapping: Mapping,
) -> Posting:
    """What an amount left in its place becomes: gain or loss; clearing is not touched.

    Raises NoPlaceForDifference.
    """
    try:
        account = mapping.account(Role.FX_GAIN_LOSS)
    except NotMapped as why:
        raise NoPlaceForDifference(what, rest.amount, why) from why
    text = f"Stripe exchange difference of {what}"
    lines = (
        Line(account, mapping.subaccount, rest.amount, text),
        Line(rest.account, rest.subaccount, -rest.amount, text),
    )
    journal = Journal(day, rest.branch, f"{text} {bt}", lines)
    nothing = Money.zero(rest.amount.currency)
    return Posting(posting_key(purpose, bt), purpose, bt, journal, nothing)
