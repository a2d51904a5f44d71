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


class UnknownFee(Unexplained):
    """A part of a fee whose kind has no account, or what no part of it accounts for."""

    def __init__(self, transaction: BalanceTransaction, part: FeePart) -> None:
        super().__init__(
            f"Of the fee of {transaction.fee} of {transaction.id}, {part.amount} are"
            f" {part.kind!r}, which is no kind of fee that has an account.",
            cause=f"rules.unknown_fee:{part.kind}",
            remedy=f"Map an account for {part.kind} in [fee_kinds]; until then the movement waits.",
        )
