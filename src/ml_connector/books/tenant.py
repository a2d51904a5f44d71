"""What an ERP tenant's own set-up says, as far as a mapping can be compared with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ml_connector.basics.money import Money
from ml_connector.books.calendar import Calendar
from ml_connector.books.mapping import Mapping as OurMapping


@dataclass(frozen=True, slots=True)
class CashAccountUse:
    """A cash account that a payment method may use."""

    cash_account: str
    branch: str
    use_in_ar: bool
    ar_default: bool


@dataclass(frozen=True, slots=True)
class ErpPaymentMethod:
    """A payment method; with `integrated` card processing we could not release its payments."""

    id: str
    active: bool
    integrated: bool
    use_in_ar: bool
    cash_accounts: tuple[CashAccountUse, ...]


@dataclass(frozen=True, slots=True)
class ErpAccount:
    """A general-ledger account; `currency` is empty where any is allowed.

    `cash_account` tells that a cash account stands on it. `control` is the module that it is a
    control account of, empty for none, and None where the site does not tell; with `manual` a
    journal is allowed on it even so.
    """

    account: str
    description: str
    type: str
    active: bool
    currency: str
    cash_account: bool
    control: str | None = None
    manual: bool = False


@dataclass(frozen=True, slots=True)
class ErpBranch:
    """A branch; `currency` is its company's base currency."""

    branch: str
    active: bool
    currency: str


@dataclass(frozen=True, slots=True)
class ErpSubaccount:
    """A subaccount."""

    subaccount: str
    active: bool


@dataclass(frozen=True, slots=True)
class ErpTaxCategory:
    """A tax category of lines."""

    category: str
    active: bool


@dataclass(frozen=True, slots=True)
class Tenant:
    """The lists that a mapping is compared with; None is what could not be read.

    `unread` says why, by what it is. `subaccounts` are those that answer to the mapping's own
    code or, when there is none, some other one. `elsewhere` maps a clearing cash account to the
    other connection of this installation that uses it, too. `link_fields` are the
    fields of the form that a payment link is written through, where it goes into a plain one.
    `in_force` is the mapping that would be replaced, and `standing` what stands by our documents
    on its clearing and transit accounts, by their place in it.
    `tax_categories` are those of the mapping's own name; `entry_types` those that a payment of ours
    was read back with, as Acumatica shows them nowhere else.
    """

    today: date
    accounts: Mapping[str, ErpAccount]
    method: ErpPaymentMethod | None
    ledger_currency: str | None = None
    branches: Mapping[str, ErpBranch] | None = None
    subaccounts: Sequence[ErpSubaccount] | None = None
    periods: Calendar | None = None
    unread: Mapping[str, str] = field(default_factory=dict[str, str])
    elsewhere: Mapping[str, str] = field(default_factory=dict[str, str])
    link_fields: Collection[str] | None = None
    in_force: OurMapping | None = None
    standing: Mapping[str, Money] = field(default_factory=dict[str, Money])
    tax_categories: Sequence[ErpTaxCategory] | None = None
    entry_types: Collection[str] = frozenset()


def bare(subaccount: str) -> str:
    """A subaccount without what only its mask shows."""
    return subaccount.replace("-", "").strip()
