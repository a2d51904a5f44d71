"""Hypothesis strategies for money: every currency, every sign."""

from hypothesis import strategies as st

from ml_connector.basics.currencies import (
    THREE_DECIMAL,
    TWO_DECIMAL,
    WHOLE_UNITS_IN_HUNDREDTHS,
    ZERO_DECIMAL,
)
from ml_connector.basics.money import Money

EVERY_CURRENCY = sorted(ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS_IN_HUNDREDTHS)

currencies = st.sampled_from(EVERY_CURRENCY)


def amounts(
    currency: str = "USD", *, least: int = -(10**8), most: int = 10**8
) -> st.SearchStrategy[Money]:
    """Money of one currency, in minor units from `least` to `most`."""
    return st.integers(least, most).map(lambda minor: Money(minor, currency))


any_money = st.builds(Money, st.integers(), currencies)
