"""The tenant's set-up that the contract does not show: cash accounts, rates, taxes, periods."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class CashAccount:
    """A cash account: its code, its GL place and its currency."""

    code: str
    account: str
    currency: str
    branch: str
    description: str
    subaccount: str = "000000"
    entry_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EntryType:
    """A cash entry type; `deduct` takes a payment's charge off the cash line."""

    code: str
    account: str
    direction: str  # "Disbursement" | "Receipt"
    description: str
    deduct: bool = True


@dataclass(frozen=True, slots=True)
class Tax:
    """A sales tax at a rate in percent."""

    code: str
    rate: Decimal
    account: str = "24100"


@dataclass(frozen=True, slots=True)
class Company:
    """A company with its own base currency and its own actual ledger."""

    code: str
    name: str
    base: str
    ledger: str
    country: str
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Credit terms: days until due, and a discount in percent for paying within some days."""

    days: int
    discount: Decimal = Decimal(0)
    discount_days: int = 0


@dataclass(slots=True)
class Period:
    """One financial period and the modules it is closed in."""

    code: str  # MMYYYY
    start: date
    end: date  # last day
    closed: set[str] = field(default_factory=set[str])

    @property
    def sortable(self) -> str:
        """YYYYMM, for comparing."""
        return self.code[2:] + self.code[:2]

    @property
    def shown(self) -> str:
        """MM-YYYY, as messages print it."""
        return f"{self.code[:2]}-{self.code[2:]}"


_MODULE_NAMES = {
    "AP": "Accounts Payable",
    "AR": "Accounts Receivable",
    "CA": "Cash Management",
    "GL": "General Ledger",
}


class Periods:
    """The master calendar."""

    def __init__(self, first_year: int, last_year: int, *, first_month: int = 1) -> None:
        self.by_code: dict[str, Period] = {}
        self.first_month = first_month
        for year in range(first_year, last_year + 1):
            self.add_year(year)

    def add_year(self, year: int) -> None:
        """Generates the twelve periods of a financial year, named by the year that it ends in."""
        for number in range(12):
            month = self.first_month + number
            shift = 0 if month > 12 or self.first_month == 1 else -1
            place = date(year + shift, (month - 1) % 12 + 1, 1)
            last = place.replace(day=monthrange(place.year, place.month)[1])
            code = f"{number + 1:02d}{year}"
            self.by_code[code] = Period(code, place, last)

    def of_year(self, year: str) -> list[Period]:
        """The periods of a financial year, in order."""
        return [each for each in self.by_code.values() if each.code[2:] == year]

    def code_for(self, day: date) -> str:
        """The period a day falls in, whether or not it was generated."""
        number = (day.month - self.first_month) % 12 + 1
        later = self.first_month > 1 and day.month >= self.first_month
        return f"{number:02d}{day.year + later}"

    def complaint(self, code: str, modules: tuple[str, ...]) -> str | None:
        """Why the period cannot take postings of these modules; None when it can.

        Closing a period in GL stops every module, because nothing could be posted.
        """
        period = self.by_code.get(code)
        if period is None:
            return f"The {code[:2]}-{code[2:]} financial period does not exist for the company."
        for module in (*modules, "GL"):
            if module in period.closed:
                return (
                    f"The {period.shown} financial period is closed in the"
                    f" {_MODULE_NAMES.get(module, module)} module for the HEADOFFICE company."
                )
        return None


_RATE = Decimal("0.00000001")


@dataclass
class Rates:
    """Exchange rates to the base currency, by effective date."""

    base: str
    _table: dict[str, list[tuple[date, Decimal]]] = field(
        default_factory=dict[str, list[tuple[date, Decimal]]]
    )

    def add(self, currency: str, effective: date, rate: Decimal) -> None:
        """Sets the rate (base units for one unit) from a day on."""
        rows = self._table.setdefault(currency, [])
        rows[:] = sorted([*(row for row in rows if row[0] != effective), (effective, rate)])

    def rate(self, currency: str, day: date, into: str | None = None) -> Decimal:
        """The rate in force on a day; the oldest one before the table starts.

        `into` is another base currency, reached by the cross rate (eight decimals).
        """
        if into is not None and into != self.base:
            if currency == into:
                return Decimal(1)
            return (self.rate(currency, day) / self.rate(into, day)).quantize(_RATE)
        if currency == self.base:
            return Decimal(1)
        rows = self._table[currency]
        found = rows[0][1]
        for effective, rate in rows:
            if effective <= day:
                found = rate
        return found

    def known(self, currency: str) -> bool:
        """Whether amounts in the currency can be converted."""
        return currency == self.base or currency in self._table

    def rows(self) -> dict[str, list[tuple[str, str]]]:
        """The table as text, for showing."""
        return {
            currency: [(day.isoformat(), str(rate)) for day, rate in rows]
            for currency, rows in self._table.items()
        }


@dataclass
class Setup:
    """Everything the rules look up that is not an entity."""

    base: str
    periods: Periods
    rates: Rates
    precisions: dict[str, int]
    branches: dict[str, str]
    cash_accounts: dict[str, CashAccount]
    entry_types: dict[str, EntryType]
    taxes: dict[str, Tax]
    zones: dict[str, tuple[str, ...]]  # tax zone -> taxes on TAXABLE lines
    terms: dict[str, Terms]
    companies: tuple[Company, ...]
    gain_loss: str = "83000"
    receivables: str = "11000"
    sales: str = "40000"
    write_offs: str = "61200"
    cash_discounts: str = "61300"

    def round(self, amount: Decimal, currency: str) -> Decimal:
        """An amount at the currency's precision, halves away from zero."""
        return amount.quantize(
            Decimal(1).scaleb(-self.precisions[currency]), rounding=ROUND_HALF_UP
        )

    def company_of(self, branch: str) -> Company:
        """The company that a branch belongs to."""
        return next((each for each in self.companies if branch in each.branches), self.companies[0])

    def base_of(self, branch: str) -> str:
        """The base currency of the branch's company."""
        return self.company_of(branch).base

    def rate(self, currency: str, day: date, branch: str) -> Decimal:
        """The rate into the base currency of the branch's company."""
        return self.rates.rate(currency, day, self.base_of(branch))

    def to_base(self, amount: Decimal, rate: Decimal, branch: str) -> Decimal:
        """An amount in the branch's base currency, rounded to that currency's precision."""
        return amount if rate == 1 else self.round(amount * rate, self.base_of(branch))

    def due_date(self, terms: str | None, day: date) -> date:
        """When a document of that day falls due."""
        found = self.terms.get(terms or "")
        return day + timedelta(days=found.days if found else 0)

    def taxes_of(self, zone: str | None) -> list[Tax]:
        """The taxes that a zone puts on taxable lines."""
        return [self.taxes[code] for code in self.zones.get(zone or "", ())]

    def cash_by_place(self, account: str, subaccount: str, branch: str) -> CashAccount | None:
        """The cash account behind a GL place."""
        for cash in self.cash_accounts.values():
            if (cash.account, cash.subaccount, cash.branch) == (account, subaccount, branch):
                return cash
        return None
