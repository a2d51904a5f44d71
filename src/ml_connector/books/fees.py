"""What Stripe keeps, wherever it is posted: alone, on the payment, or with its payout."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import date

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId, in_words
from ml_connector.basics.money import Money, total
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.policies import FeesPosted
from ml_connector.books.postings import (
    Booked,
    Journal,
    Line,
    PaymentCharge,
    Posting,
    Purpose,
    Voiding,
    posting_key,
)
from ml_connector.books.records import BalanceTransaction, FeePart, Payout
from ml_connector.books.unexplained import UnknownFee

BORNE_BY: ReadOnly[str, Role | None] = {
    "stripe_fee": None,
    "application_fee": None,
    "payment_method_passthrough_fee": None,
    "tax": Role.INPUT_TAX,
    "withheld_tax": Role.WITHHELD_TAX,
}
"""The kinds of fee and who bears each; None: the role that bears the movement's whole fee."""

REST = "rest"
"""The kind that we give to what the parts of a fee leave of it, or name too much."""


def fee_sides(bt: BalanceTransaction, role: Role, mapping: Mapping) -> dict[str, Money]:
    """The fee by account, each part of it by its kind; raises UnknownFee or NotMapped."""
    sides: dict[str, Money] = {}
    for part in _parts(bt):
        account = _account_of(part, bt, role, mapping)
        sides[account] = sides.get(account, Money.zero(bt.fee.currency)) + part.amount
    return sides


def is_explained(bt: BalanceTransaction, mapping: Mapping) -> bool:
    """Whether every part of a fee is of a kind that has a role, or an account in the mapping."""
    return all(part.kind in BORNE_BY or mapping.fee_kinds.get(part.kind) for part in _parts(bt))


def _account_of(part: FeePart, bt: BalanceTransaction, role: Role, mapping: Mapping) -> str:
    own = mapping.fee_kinds.get(part.kind)
    if own:
        return own
    if part.kind not in BORNE_BY:
        raise UnknownFee(bt, part)
    return mapping.account(BORNE_BY[part.kind] or role)


def _parts(bt: BalanceTransaction) -> tuple[FeePart, ...]:
    """The parts that Stripe names, and what they leave of the fee as a part of its own."""
    code = bt.fee.currency
    parts = tuple(one for one in bt.fee_parts if one.amount and one.amount.currency == code)
    rest = bt.fee - total((one.amount for one in parts), code)
    return (*parts, FeePart(REST, rest, bt.description)) if rest else parts


# On the payment


def as_charges(bt: BalanceTransaction, mapping: Mapping) -> tuple[PaymentCharge, ...]:
    """The fee as charges of its payment, where the policy says so and it can be; else none.

    It cannot be where a part is given back or of a kind with an account of its own, where a role
    has no entry type, or where nothing of the payment would be left. Raises NotMapped.
    """
    if mapping.policies.fees is not FeesPosted.PAYMENT_CHARGE or bt.fee >= bt.amount:
        return ()
    sums: dict[Role, Money] = {}
    for part in _parts(bt):
        if part.kind not in BORNE_BY or mapping.fee_kinds.get(part.kind):
            return ()
        role = BORNE_BY[part.kind] or Role.FEES
        sums[role] = sums.get(role, Money.zero(bt.fee.currency)) + part.amount
    kept_by = {role: amount for role, amount in sums.items() if amount}
    if any(
        amount.minor < 0 or not mapping.entry_types.get(role) for role, amount in kept_by.items()
    ):
        return ()
    return tuple(
        PaymentCharge(mapping.entry_types[role], mapping.account(role), amount)
        for role, amount in kept_by.items()
    )


class FeeTwice(AskAPerson):
    """The journal of a payout has a fee that rides on somebody else's payment as well."""


def refuse_twice(bt: BalanceTransaction, booked: Booked, *, apart: bool | None) -> bool:
    """Never waits, as the fee rides on the payment. Raises FeeTwice when it is `apart`, too."""
    if apart:
        raise FeeTwice(
            f"The fee of {bt.fee} ({bt.id}) is booked with its payout and on"
            f" {in_words(booked.payment)}, too.",
            cause=f"fees.twice:{bt.id}",
            remedy="Void that payment in Acumatica, or enter it anew without the charges.",
        )
    return False


def kept(voiding: Voiding, transaction: StripeId, day: date, mapping: Mapping) -> list[Posting]:
    """The charges that went back with a payment are booked again: Stripe gives no fee back.

    What it does give back is a fee of the returning transaction itself.
    """
    if not voiding.charges:
        return []
    sides: dict[str, Money] = {}
    for one in voiding.charges:
        sides[one.account] = sides.get(one.account, Money.zero(one.amount.currency)) + one.amount
    text = f"Stripe fee kept of {voiding.payment_ref}"
    journal = _journal(list(sides.items()), day, text, f"{text} {transaction}", mapping)
    key = posting_key(Purpose.FEE_KEPT, transaction)
    return [Posting(key, Purpose.FEE_KEPT, transaction, journal, voiding.cash - voiding.amount)]


# With the payout


@dataclass(frozen=True, slots=True)
class Kept:
    """A transaction whose fee is posted with a payout, and the role that bears it."""

    transaction: BalanceTransaction
    role: Role


def fees_of_payout(payout: Payout, members: Sequence[Kept], mapping: Mapping) -> Posting:
    """All fees of a payout in one journal, a line for each account; raises NotMapped.

    Fees that cancel out on every account are shown on both sides: each has to be seen somewhere.
    """
    each = [
        side for one in members for side in fee_sides(one.transaction, one.role, mapping).items()
    ]
    sides = _summed(each) or _summed(s for s in each if s[1].minor > 0) + _summed(
        s for s in each if s[1].minor < 0
    )
    fee = total((one.transaction.fee for one in members), payout.amount.currency)
    text = f"Stripe fees of payout {payout.id}"
    described = f"{text} ({len(members)} balance transactions)"
    journal = _journal(sides, payout.arrival_date, text, described, mapping)
    key = posting_key(Purpose.FEES_OF_PAYOUT, payout.id)
    return Posting(key, Purpose.FEES_OF_PAYOUT, payout.id, journal, -fee)


def _summed(sides: Iterable[tuple[str, Money]]) -> list[tuple[str, Money]]:
    sums: dict[str, Money] = {}
    for account, amount in sides:
        sums[account] = sums.get(account, Money.zero(amount.currency)) + amount
    return [(account, amount) for account, amount in sums.items() if amount]


def _journal(
    sides: list[tuple[str, Money]], day: date, text: str, described: str, mapping: Mapping
) -> Journal:
    """Each side on its account, the clearing account taking the opposite of them all."""
    currency = sides[0][1].currency
    rest = -total((amount for _, amount in sides), currency)
    clearing = mapping.of_currency(currency).clearing
    lines = [Line(a, mapping.subaccount, amount, text) for a, amount in [*sides, (clearing, rest)]]
    return Journal(day, mapping.branch, described, tuple(one for one in lines if one.amount))
