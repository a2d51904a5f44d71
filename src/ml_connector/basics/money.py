"""An exact amount of one currency, held in the minor units of Stripe's wire."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from ml_connector.basics.currencies import exponent
from ml_connector.basics.errors import AskAPerson, Bug


class UnknownCurrency(AskAPerson):
    """A currency whose number of decimals is not known is refused by name, never guessed."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"The currency {code!r} is not known to the connector.",
            cause=f"currency.unknown:{code}",
            remedy="Use a currency that Stripe supports, or correct it on the document.",
        )


class TooManyDecimals(AskAPerson):
    """An amount finer than its currency's smallest coin is a data error, never rounded."""

    def __init__(self, amount: Decimal, code: str) -> None:
        super().__init__(
            f"The amount {amount} has more decimals than {code} has.",
            cause=f"money.decimals:{code}",
            remedy="Correct the amount on the document; the connector never rounds money.",
        )


class NotAnAmount(AskAPerson):
    """Infinity and not-a-number are no sums of money."""

    def __init__(self, amount: Decimal, code: str) -> None:
        super().__init__(
            f"{amount} is not an amount of {code}.",
            cause=f"money.not_a_number:{code}",
            remedy="Correct the amount on the document.",
        )


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """Minor units (Stripe's, see `currencies`) of an upper-case ISO currency code."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if exponent(self.currency) is None:
            raise UnknownCurrency(self.currency)

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Self:
        """An amount in major units, exactly.

        Raises TooManyDecimals, UnknownCurrency or NotAnAmount.
        """
        code = currency.upper()
        digits = exponent(code)
        if digits is None:
            raise UnknownCurrency(currency)
        if not amount.is_finite():
            raise NotAnAmount(amount, code)
        # A ratio of integers, because Decimal's own arithmetic rounds to 28 digits without a word.
        numerator, denominator = amount.as_integer_ratio()
        minor, finer = divmod(numerator * 10**digits, denominator)
        if finer:
            raise TooManyDecimals(amount, code)
        return cls(minor, code)

    @classmethod
    def wire(cls, minor: int, currency: str) -> Self:
        """An amount as Stripe sends it: minor units and a lower-case currency."""
        return cls(minor, currency.upper())

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency.upper())

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's own number of decimals."""
        return Decimal(f"{self.minor}e-{exponent(self.currency)}")

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise Bug(f"{self} and {other} are not of one currency.")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal:,f} {self.currency}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts of one currency; zero of that currency when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def totals(amounts: Iterable[Money]) -> dict[str, Money]:
    """The sums per currency, in the order in which the currencies first appear."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return sums
