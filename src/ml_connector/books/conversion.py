"""Money that was paid in one currency and settled in another, met half-way in transit accounts.

The ERP keeps the invoice in its own currency at its own rate, Stripe settles at another. Neither
amount is converted here: each stands in its own currency, and the ledger's own rate shows the
exchange difference, on the counterpart of the transit or, by policy, on the gain/loss account.
"""

from dataclasses import dataclass, replace
from datetime import date

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.money import Money
from ml_connector.books.legs import Leg
from ml_connector.books.mapping import Mapping, Role, TransitAccounts
from ml_connector.books.policies import WhenConverted
from ml_connector.books.postings import Journal, Line, Posting, Purpose, posting_key
from ml_connector.books.records import BalanceTransaction


class ForeignCurrency(AskAPerson):
    """A payment settled in another currency than it was made in; held, never approximated."""


@dataclass(frozen=True, slots=True)
class Converted:
    """How a payment was converted: the side that faced clearing, and how its transit was emptied.

    `emptied` is None where the difference was left to be listed.
    """

    other: Leg
    emptied: Journal | None = None


def conversion(
    bt: BalanceTransaction, paid: Money, subject: str, *, day: date, mapping: Mapping
) -> list[Posting]:
    """What a payment of `paid` that stands in transit needs to become `bt.amount` in clearing.

    Signs follow the money: of a payment that is undone, both amounts are negative.
    """
    transit = mapping.transit[paid.currency]
    clears = mapping.policies.fx is WhenConverted.GAIN_LOSS
    other = mapping.account(Role.FX_GAIN_LOSS) if clears else transit.counterpart
    clearing = mapping.of_currency(bt.amount.currency).clearing
    text = f"Stripe conversion {subject} of {paid} to {bt.amount}"
    sides = {clearing: bt.amount, other: -bt.amount}
    made = [_posting(bt, Purpose.CONVERSION, text, sides, day, mapping, bt.amount)]
    if clears:
        made.append(_emptied(bt, paid, text, transit, day, mapping))
    return made


def unconverted(
    bt: BalanceTransaction,
    paid: Money,
    subject: str,
    first: Converted,
    *,
    day: date,
    mapping: Mapping,
) -> list[Posting]:
    """The conversion of a payment taken back, as it was made, whatever the policy is today."""
    clearing = mapping.of_currency(bt.amount.currency).clearing
    text = f"Stripe conversion {subject} of {paid} to {bt.amount}"
    made = {
        Purpose.CONVERSION: (
            Line(clearing, mapping.subaccount, bt.amount, text),
            Line(first.other.account, first.other.subaccount, -bt.amount, text),
        )
    }
    if first.emptied is not None:
        made[Purpose.EXCHANGE] = _filled(first.emptied, text)
    return [_taken_back(bt, purpose, lines, first, day) for purpose, lines in made.items()]


def _filled(emptied: Journal, text: str) -> tuple[Line, Line]:
    """What had emptied the transit, the other way round."""
    one, other = (replace(line, amount=-line.amount, text=text) for line in emptied.lines)
    return one, other


def _taken_back(
    bt: BalanceTransaction,
    purpose: Purpose,
    lines: tuple[Line, Line],
    first: Converted,
    day: date,
) -> Posting:
    journal = Journal(day, first.other.branch, f"{lines[0].text} {bt.id}", lines)
    moved = bt.amount if purpose is Purpose.CONVERSION else Money.zero(bt.amount.currency)
    return Posting(posting_key(purpose, bt.id), purpose, bt.id, journal, moved)


def _emptied(  # noqa: PLR0917 - the facts of one journal
    bt: BalanceTransaction,
    paid: Money,
    text: str,
    transit: TransitAccounts,
    day: date,
    mapping: Mapping,
) -> Posting:
    """The transit against gain/loss, in the currency of the payment; clearing is not touched."""
    sides = {mapping.account(Role.FX_GAIN_LOSS): paid, transit.account: -paid}
    nothing = Money.zero(bt.amount.currency)
    return _posting(bt, Purpose.EXCHANGE, text, sides, day, mapping, nothing)


def _posting(  # noqa: PLR0917 - the facts of one journal
    bt: BalanceTransaction,
    purpose: Purpose,
    text: str,
    sides: dict[str, Money],
    day: date,
    mapping: Mapping,
    clearing: Money,
) -> Posting:
    lines = tuple(Line(a, mapping.subaccount, amount, text) for a, amount in sides.items())
    journal = Journal(day, mapping.branch, f"{text} {bt.id}", lines)
    return Posting(posting_key(purpose, bt.id), purpose, bt.id, journal, clearing)
