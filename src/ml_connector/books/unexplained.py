"""Money whose account nobody has named yet: listed by name, never guessed into an account."""

from ml_connector.basics.errors import AskAPerson
from ml_connector.books.records import BalanceTransaction, FeePart


class Unexplained(AskAPerson):
    """A movement, or a part of one, that no rule and no word of the mapping explains."""


class UnknownPair(Unexplained):
    """A kind of money movement that has no rule."""

    def __init__(self, transaction: BalanceTransaction) -> None:
        pair = f"{transaction.type}/{transaction.category}"
        super().__init__(
            f"Stripe moved {transaction.net} as {pair} ({transaction.id}), which has no rule.",
            cause=f"rules.unknown_pair:{pair}",
            remedy=f"Map an account for {pair}; until then its payout cannot be proven.",
        )


class OtherBalance(Unexplained):
    """A movement of money that Stripe holds beside that of payments, outside clearing."""

    def __init__(self, transaction: BalanceTransaction) -> None:
        pair = f"{transaction.type}/{transaction.category}"
        super().__init__(
            f"Stripe moved {transaction.net} as {pair} ({transaction.id}) on its balance"
            f" {transaction.balance!r}, for which the clearing account does not stand.",
            cause=f"rules.other_balance:{transaction.balance}",
            remedy=f'Book it by hand, and name "{transaction.balance}" in balances_by_hand of the'
            " mapping, so that it asks for nobody any more.",
        )


class UnknownFee(Unexplained):
    """A part of a fee whose kind has no account, or what no part of it accounts for."""

    def __init__(self, transaction: BalanceTransaction, part: FeePart) -> None:
        super().__init__(
            f"Of the fee of {transaction.fee} of {transaction.id}, {part.amount} are"
            f" {part.kind!r}, which is no kind of fee that has an account.",
            cause=f"rules.unknown_fee:{part.kind}",
            remedy=f"Map an account for {part.kind} in [fee_kinds]; until then the movement waits.",
        )
