"""How many decimals each currency has on Stripe's wire, and which amounts it refuses.

Source: Stripe's currency tables (fact S5.1): two decimals unless listed here. They differ
from ISO 4217 in a few currencies (ISK and UGX look whole but travel in hundredths), so the table
is Stripe's: every amount that either side sends can be held in it without loss.
"""

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
WHOLE_UNITS_IN_HUNDREDTHS = frozenset(("ISK", "UGX"))

TWO_DECIMAL = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
    GYD HKD HNL HRK HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD
    MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
    RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD SSP STN SVC SZL THB TJS TMT TOP TRY TTD TWD TZS
    UAH USD UYU UZS WST XCD XCG YER ZAR ZMW ZWG
    """.split()
)

# Lowest charge by settlement currency, in minor units (fact S5.3). Below it Stripe marks an
# invoice paid without any money, so such an invoice must never be sent.
MINIMUM_CHARGE = {
    "USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500,
    "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50,
    "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300,
    "SGD": 50, "THB": 1000,
}  # fmt: skip

# Stripe converts a charge and holds it against the minimum of the currency in which it settles.
# Without a rate only a multiple of the own minimum is safe: that of rupees is far below the others.
SAFELY_ABOVE, SAFELY_ABOVE_INR = 10, 200
UNLISTED_AND_CONVERTED = 100_000

LARGEST_CHARGE = 99_999_999
LARGEST_CHARGE_IDR = 999_999_999_999


def least_charge(code: str, *, converted: bool = False) -> int:
    """The least, in minor units, that can safely be charged; `converted`: it settles in another."""
    if not converted:
        return MINIMUM_CHARGE.get(code, 1)
    if code not in MINIMUM_CHARGE:
        return UNLISTED_AND_CONVERTED
    return MINIMUM_CHARGE[code] * (SAFELY_ABOVE_INR if code == "INR" else SAFELY_ABOVE)


def exponent(code: str) -> int | None:
    """The number of decimals of a currency on Stripe's wire; None when it is not known."""
    if code in ZERO_DECIMAL:
        return 0
    if code in THREE_DECIMAL:
        return 3
    if code in TWO_DECIMAL or code in WHOLE_UNITS_IN_HUNDREDTHS:
        return 2
    return None


def smallest_step(code: str) -> int:
    """The step, in minor units, that a charge in this currency must be a multiple of."""
    if code in THREE_DECIMAL:
        return 10
    if code in WHOLE_UNITS_IN_HUNDREDTHS:
        return 100
    return 1


def largest_charge(code: str) -> int:
    """The largest amount that one charge may have, in minor units (fact S5.2)."""
    return LARGEST_CHARGE_IDR if code == "IDR" else LARGEST_CHARGE
