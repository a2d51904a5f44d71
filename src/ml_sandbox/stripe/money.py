"""Currency arithmetic: exponents, limits, fees and conversion, all exact."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ml_sandbox.stripe.errors import bad

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
WHOLE_UNITS = frozenset(["isk", "ugx"])
TWO_DECIMAL = frozenset(
    "usd aed all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad "
    "cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl "
    "htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop "
    "mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar "
    "sbd scr sek sgd shp sle sos srd std svc szl thb tjs top try ttd twd tzs uah ugx uyu uzs wst "
    "xcd yer zar zmw".split()
)
KNOWN = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL
MOST, MOST_IDR = 99_999_999, 999_999_999_999
# Smallest charge per settlement currency, minor units (fact S5.3).
LEAST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
# Units of US dollar for one unit; a fixed test table.
RATES = {
    "eur": "1.0850", "gbp": "1.2700", "cad": "0.7300", "aud": "0.6600", "jpy": "0.0067",
    "chf": "1.1200", "sek": "0.0950", "nok": "0.0940", "dkk": "0.1455", "pln": "0.2500",
    "mxn": "0.0550", "isk": "0.0072", "kwd": "3.2500", "bhd": "2.6500", "ugx": "0.00027",
    "huf": "0.0027", "krw": "0.00074", "inr": "0.0119", "brl": "0.1900", "sgd": "0.7400",
    "hkd": "0.1280", "nzd": "0.6000", "czk": "0.0430", "thb": "0.0280", "aed": "0.2723",
}  # fmt: skip


@dataclass(frozen=True)
class FeeRule:
    """The price of one charge: a percentage and a fixed amount in minor units."""

    percent: Decimal
    fixed: int


@dataclass(frozen=True)
class Settled:
    """A charge in its settlement currency."""

    amount: int
    currency: str
    rate: Decimal | None


def exponent(currency: str) -> int:
    """How many decimals the wire amount of a currency has."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def rounded(value: Decimal) -> int:
    """Half away from zero to a whole minor unit."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def shown(amount: int, currency: str) -> str:
    """An amount for people: $10.00, 10.00 EUR."""
    places = exponent(currency)
    number = f"{Decimal(amount).scaleb(-places):,.{places}f}"
    return f"${number}" if currency == "usd" else f"{number} {currency.upper()}"


class Money:
    """The account's prices and rates; changeable by the control plane."""

    def __init__(self) -> None:
        self.settlement = ["usd", "eur", "jpy"]
        self.rates = {currency: Decimal(rate) for currency, rate in RATES.items()}
        self.fees = {
            "usd": FeeRule(Decimal("2.9"), 30),
            "eur": FeeRule(Decimal("1.5"), 25),
            "jpy": FeeRule(Decimal("3.6"), 0),
        }
        self.international_percent = Decimal("1.5")
        self.conversion_percent = Decimal(1)

    def check_settlement(self) -> None:
        """Raises StripeError unless the account settles in dollars and known currencies."""
        for currency in self.settlement:
            self.check_currency(currency)
        if "usd" not in self.settlement:
            raise bad("The account settles in usd at least.", "settlement")

    def settle(self, amount: int, currency: str) -> Settled:
        """The amount in the currency it settles in; raises StripeError for an unknown rate."""
        if currency in self.settlement:
            return Settled(amount, currency, None)
        rate = self.rates.get(currency)
        if rate is None:
            raise bad(f"No exchange rate for currency: {currency}", "currency")
        shift = exponent("usd") - exponent(currency)
        return Settled(rounded((Decimal(amount) * rate).scaleb(shift)), "usd", rate)

    def fee(self, settled: Settled, *, international: bool, conversion: bool = True) -> int:
        """The processing fee on a settled amount, in the settlement currency."""
        rule = self.fees.get(settled.currency, self.fees["usd"])
        percent = rule.percent
        percent += self.international_percent if international else 0
        percent += self.conversion_percent if conversion and settled.rate is not None else 0
        return rounded(Decimal(settled.amount) * percent / 100) + rule.fixed

    def conversion_fee(self, settled: Settled) -> int:
        """The conversion part of the fee alone."""
        return rounded(Decimal(settled.amount) * self.conversion_percent / 100)

    def too_small(self, amount: int, currency: str) -> bool:
        """Whether a charge of this amount is below the settlement currency's minimum."""
        settled = self.settle(amount, currency)
        return settled.amount < LEAST.get(settled.currency, 50)

    def check_amount(self, amount: int, currency: str, param: str = "amount") -> None:
        """Raises StripeError when an amount cannot be charged in its currency."""
        self.check_currency(currency)
        if amount < 0:
            raise bad("This value must be greater than or equal to 1.", param)
        check_divisible(amount, currency, param)
        if too_large(amount, currency):
            text = f"Amount must be no more than {shown(MOST, currency)}"
            raise bad(text, param, "amount_too_large")
        if self.too_small(amount, currency):
            settled = self.settle(amount, currency)
            least = shown(LEAST.get(settled.currency, 50), settled.currency)
            raise bad(f"Amount must be at least {least}", param, "amount_too_small")

    def check_currency(self, currency: str) -> None:
        """Raises StripeError for a code that is no currency."""
        if currency not in KNOWN:
            text = f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            raise bad(text + ", ".join(sorted(KNOWN)), "currency")


def too_large(amount: int, currency: str) -> bool:
    """Whether an amount exceeds the greatest one of its currency."""
    return amount > (MOST_IDR if currency == "idr" else MOST)


def check_divisible(amount: int, currency: str, param: str) -> None:
    """Raises StripeError when the last digits must be zero and are not."""
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS else 1
    if amount % step:
        text = f"Invalid amount: {currency.upper()} amounts must be divisible by {step}."
        raise bad(text, param, "invalid_charge_amount")
