"""The product's promise: the clearing account equals the Stripe balance, but for named items."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total


@dataclass(frozen=True, slots=True)
class Unposted:
    """A balance transaction, or the part of one, that is not in the ledger yet, and why."""

    transaction: StripeId
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class TieOut:
    """One currency at one moment; `difference` is money that nobody can name."""

    currency: str
    clearing: Money
    stripe: Money
    unposted: tuple[Unposted, ...]

    @property
    def named(self) -> Money:
        """What is known to be missing in the ledger."""
        return total((item.amount for item in self.unposted), self.currency)

    @property
    def difference(self) -> Money:
        """Clearing less (Stripe less what is named): zero when the books tell the truth."""
        return self.clearing - (self.stripe - self.named)

    @property
    def holds(self) -> bool:
        """Whether every cent is in the ledger or named."""
        return not self.difference


def tie_out(
    currency: str, *, clearing: Money, stripe: Money, unposted: Sequence[Unposted]
) -> TieOut:
    """The equation for one currency; items of other currencies do not belong here."""
    return TieOut(currency, clearing, stripe, tuple(item for item in unposted if item.amount))
