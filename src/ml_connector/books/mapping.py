"""Which accounts, branch and payment method a connection books to; every gap is a sentence."""

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.basics.currencies import exponent
from ml_connector.basics.errors import AskAPerson, Misconfigured
from ml_connector.books.hold import Hold
from ml_connector.books.mirror import MirrorPolicies
from ml_connector.books.modes import Modes
from ml_connector.books.policies import FeesPosted, Policies, WhenConverted
from ml_connector.books.records import PAYMENTS


class Role(StrEnum):
    """What an account is for; the words a person uses in the mapping."""

    FEES = "fees"
    """Expense: what Stripe keeps of payments and bills for its services."""
    INPUT_TAX = "input_tax"
    """Tax on Stripe's fees that can be claimed back."""
    REFUNDS = "refunds"
    """Contra revenue: money given back to customers."""
    DISPUTED = "disputed"
    """Asset: money that a bank holds while a dispute runs."""
    WITHHELD_TAX = "withheld_tax"
    """Asset: tax that Stripe withholds from us and pays to the state in our name."""
    DISPUTE_FEES = "dispute_fees"
    """Expense: what a dispute costs besides the money itself."""
    RESERVE = "reserve"
    """Asset: money that Stripe holds aside."""
    IN_TRANSIT = "in_transit"
    """Asset: payouts that were on their way to the bank when our books began."""
    FX_GAIN_LOSS = "fx_gain_loss"
    """Expense or income: the exchange difference of payments in other currencies."""
    CHARGEBACK_LOSS = "chargeback_loss"
    """Expense: disputed money that is lost for good."""
    SUSPENSE = "suspense"
    """Liability: money in that nobody can name yet; used where the policy says so."""


@dataclass(frozen=True, slots=True)
class CurrencyAccounts:
    """The accounts of one settlement currency.

    `clearing_cash` is the cash account (its own code), `clearing` and `bank` are the general
    ledger accounts behind the clearing and the bank cash accounts.
    """

    clearing_cash: str
    clearing: str
    bank: str


@dataclass(frozen=True, slots=True)
class TransitAccounts:
    """Where payments of a currency wait that Stripe settles in another one.

    `cash` is a cash account of that currency (its code) and `account` the general ledger account
    behind it; `counterpart` is an account without a currency of its own.
    """

    cash: str
    account: str
    counterpart: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where a connection's money is booked; `version` is stored with each posting.

    `pairs` maps a balance-transaction pair that has no rule (`type/category`) to an account,
    `fee_kinds` a part of a fee by its kind (`rest`: what the parts of a fee leave of it);
    `entry_types` the roles of fees to Acumatica's entry types, for fees that ride on a payment.
    """

    version: int
    time_zone: str
    branch: str
    subaccount: str
    payment_method: str
    currencies: ReadOnly[str, CurrencyAccounts]
    accounts: ReadOnly[str, str]
    pairs: ReadOnly[str, str] = field(default_factory=dict[str, str])
    fee_kinds: ReadOnly[str, str] = field(default_factory=dict[str, str])
    policies: Policies = field(default_factory=Policies)
    transit: ReadOnly[str, TransitAccounts] = field(default_factory=dict[str, TransitAccounts])
    mirror: MirrorPolicies = field(default_factory=MirrorPolicies)
    entry_types: ReadOnly[str, str] = field(default_factory=dict[str, str])
    balances_by_hand: tuple[str, ...] = ()
    """Balances that Stripe holds beside that of payments, which people book themselves."""
    refunds_tax_category: str = ""
    """The tax category of a refund's credit memo; empty leaves it to Acumatica."""
    modes: Modes = field(default_factory=Modes)
    hold: Hold = field(default_factory=Hold)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which an instant becomes an accounting day."""
        return ZoneInfo(self.time_zone)

    def of_currency(self, code: str) -> CurrencyAccounts:
        """The accounts of a settlement currency; raises NotMapped."""
        accounts = self.currencies.get(code)
        if accounts is None:
            raise NotMapped(f"the settlement currency {code}", f"currency:{code}")
        return accounts

    def account(self, role: Role) -> str:
        """The account for a role; raises NotMapped."""
        account = self.accounts.get(role)
        if not account:
            raise NotMapped(f"the role {role.value!r}", f"account:{role}")
        return account


class NotMapped(AskAPerson):
    """Money met that has no account yet; it waits until the mapping names one."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__(
            f"The mapping has no account for {what}.",
            cause=f"mapping.{key}",
            remedy="Add it to the connection's mapping; the waiting items go on by themselves.",
        )


def problems(mapping: Mapping) -> list[str]:
    """What is wrong with a mapping by itself, a sentence each; empty when it is sound."""
    found = _currency_problems(mapping) + _account_problems(mapping) + _transit_problems(mapping)
    found += mapping.mirror.problems()
    found += mapping.hold.problems()
    found += _entry_type_problems(mapping)
    if PAYMENTS in mapping.balances_by_hand:
        found.append("The balance of payments is what is booked; it cannot be booked by hand.")
    if not _is_zone(mapping.time_zone):
        found.append(f"{mapping.time_zone!r} is not a time zone, such as Europe/Berlin.")
    return found


def _currency_problems(mapping: Mapping) -> list[str]:
    if not mapping.currencies:
        return ["No settlement currency is mapped; name its clearing and bank accounts."]
    found: list[str] = []
    for code, accounts in mapping.currencies.items():
        if exponent(code) is None:
            found.append(f"The currency {code!r} is not one that Stripe knows.")
        if not (accounts.clearing_cash and accounts.clearing and accounts.bank):
            found.append(f"{code} lacks its clearing cash, clearing or bank account.")
    return found + [
        f"The {what} account {account} serves more than one currency."
        for what, account in _shared_accounts(mapping)
    ]


def _shared_accounts(mapping: Mapping) -> list[tuple[str, str]]:
    """The accounts that should be of one currency but serve several, and what they are for."""
    kinds = {
        "clearing cash": [accounts.clearing_cash for accounts in mapping.currencies.values()],
        "clearing": [accounts.clearing for accounts in mapping.currencies.values()],
        "bank": [accounts.bank for accounts in mapping.currencies.values()],
    }
    return [
        (what, account)
        for what, used in kinds.items()
        for account in sorted(set(used))
        if account and used.count(account) > 1
    ]


def _account_problems(mapping: Mapping) -> list[str]:
    found = [
        f"{str(role)!r} is not a role of an account; the roles are {', '.join(Role)}."
        for role in mapping.accounts
        if role not in set(Role)
    ]
    # Booked against itself, the clearing account would not move and the tie-out would be wrong.
    clearing = {accounts.clearing for accounts in mapping.currencies.values()} - {""}
    banks = {f"bank {code}": accounts.bank for code, accounts in mapping.currencies.items()}
    kinds = {f"fee kind {kind}": account for kind, account in mapping.fee_kinds.items()}
    uses = {**mapping.accounts, **mapping.pairs, **kinds, **banks, **_transits(mapping)}
    for use, account in uses.items():
        if account in clearing:
            found.append(
                f"The account {account} of {str(use)!r} is a clearing account;"
                " it may hold nothing else."
            )
    found.extend(f"The pair {pair!r} has no account." for pair, a in mapping.pairs.items() if not a)
    empty = [kind for kind, account in mapping.fee_kinds.items() if not account]
    found.extend(f"The kind of fee {kind!r} has no account." for kind in empty)
    return found


def _transits(mapping: Mapping) -> dict[str, str]:
    """The accounts of the transits, by what they are for."""
    accounts = {f"transit {code}": one.account for code, one in mapping.transit.items()}
    other = {f"counterpart {code}": one.counterpart for code, one in mapping.transit.items()}
    return {**accounts, **other}


def _transit_problems(mapping: Mapping) -> list[str]:
    found: list[str] = []
    for code, transit in mapping.transit.items():
        if exponent(code) is None:
            found.append(f"The transit currency {code!r} is not one that Stripe knows.")
        if not (transit.cash and transit.account):
            found.append(f"The transit of {code} lacks its cash or its account.")
        if mapping.policies.fx is WhenConverted.LIST and not transit.counterpart:
            found.append(f"The transit of {code} lacks its counterpart.")
    return found


LONGEST_ENTRY_TYPE = 10
CHARGED = (Role.FEES, Role.INPUT_TAX)
"""The roles of a payment's fee, each with an entry type of its own."""


def _entry_type_problems(mapping: Mapping) -> list[str]:
    """Fees that ride on payments need an entry type for each role that takes a part of them."""
    found = [
        f"{str(role)!r} has no entry type; the roles with one are {', '.join(CHARGED)}."
        for role in mapping.entry_types
        if role not in CHARGED
    ]
    found += [
        f"The entry type {name!r} is longer than Acumatica's {LONGEST_ENTRY_TYPE} characters."
        for name in mapping.entry_types.values()
        if len(name) > LONGEST_ENTRY_TYPE
    ]
    if mapping.policies.fees is FeesPosted.PAYMENT_CHARGE:
        found += [
            f"Fees as payment charges need the entry type of {role.value!r}."
            for role in CHARGED
            if not mapping.entry_types.get(role)
        ]
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, such as Europe
        return False
    return True


UNSOUND = "mapping.unsound"
"""The cause of a mapping that reads, but contradicts itself."""


def require_sound(mapping: Mapping) -> Mapping:
    """The mapping itself when it is sound; raises Misconfigured with every problem at once."""
    found = problems(mapping)
    if found:
        raise Misconfigured(
            " ".join(found), cause=UNSOUND, remedy="Correct the connection's mapping."
        )
    return mapping
