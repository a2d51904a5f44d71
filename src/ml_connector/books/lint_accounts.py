"""The accounts of a mapping beside the chart of accounts, and beside the cash accounts."""

from collections.abc import Iterator
from dataclasses import dataclass

from ml_connector.books.finding import Finding, fail, unchecked, warn
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.tenant import CashAccountUse, ErpAccount, Tenant

CHART = "the Chart of Accounts (GL202500)"
CASH = "Cash Accounts (CA202000)"
METHODS = "Payment Methods (CA204000)"

KINDS: dict[str, frozenset[str]] = {
    Role.FEES: frozenset({"Expense"}),
    Role.INPUT_TAX: frozenset({"Asset", "Liability"}),
    Role.WITHHELD_TAX: frozenset({"Asset"}),
    Role.REFUNDS: frozenset({"Income", "Expense"}),
    Role.DISPUTED: frozenset({"Asset"}),
    Role.DISPUTE_FEES: frozenset({"Expense"}),
    Role.RESERVE: frozenset({"Asset"}),
    Role.FX_GAIN_LOSS: frozenset({"Income", "Expense"}),
    Role.CHARGEBACK_LOSS: frozenset({"Expense"}),
    Role.SUSPENSE: frozenset({"Liability", "Asset"}),
    "clearing": frozenset({"Asset"}),
    "bank": frozenset({"Asset", "Liability"}),
    "transit": frozenset({"Asset"}),
}
"""Where an account of each use stands in a chart; others are not compared."""

CASH_NEEDED = frozenset({"clearing", "bank", "transit"})


@dataclass(frozen=True, slots=True)
class Use:
    """One place of the mapping that names a general-ledger account.

    `currency` is the one that it is mapped for, empty where journals of any currency come.
    """

    key: str
    what: str
    account: str
    currency: str = ""


def uses(mapping: Mapping) -> Iterator[Use]:
    """Every account that a journal may touch, by its place in the mapping."""
    for code, one in mapping.currencies.items():
        yield Use(f"currencies.{code}.clearing", "clearing", one.clearing, code)
        yield Use(f"currencies.{code}.bank", "bank", one.bank, code)
    for role, account in mapping.accounts.items():
        yield Use(f"accounts.{role}", role, account)
    for pair, account in mapping.pairs.items():
        yield Use(f'pairs."{pair}"', "pair", account)
    for kind, account in mapping.fee_kinds.items():
        yield Use(f"fee_kinds.{kind}", "fee kind", account)
    for code, transit in mapping.transit.items():
        yield Use(f"transit.{code}.account", "transit", transit.account, code)
        if transit.counterpart:
            yield Use(f"transit.{code}.counterpart", "counterpart", transit.counterpart)


def accounts(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """Accounts that are missing, inactive, control accounts, or of another kind or currency."""
    for use in uses(mapping):
        found = tenant.accounts.get(use.account)
        if found is None:
            yield fail(
                use.key,
                f"Acumatica has no account {use.account!r}.",
                f"Correct the number, or add the account to {CHART}.",
            )
        elif not found.active:
            yield fail(
                use.key,
                f"The account {_named(found)} is inactive.",
                f"Activate it on {CHART}, or map another one.",
            )
        else:
            yield from _of_currency(use, found, mapping, tenant)
            yield from _of_kind(use, found)
            yield from _control(use, found)


def _named(account: ErpAccount) -> str:
    return f"{account.account} ({account.description})"


def _of_currency(
    use: Use, found: ErpAccount, mapping: Mapping, tenant: Tenant
) -> Iterator[Finding]:
    booked = [use.currency] if use.currency else sorted(mapping.currencies)
    strange = [code for code in booked if found.currency and found.currency != code]
    if strange:
        yield fail(
            use.key,
            f"The account {_named(found)} is kept in {found.currency}, but"
            f" {', '.join(strange)} is booked to it.",
            f"Map an account of {strange[0]}, or one without a currency of its own."
            if use.what not in CASH_NEEDED
            else f"Map an account that is kept in {use.currency}.",
        )
    base = tenant.ledger_currency
    if use.currency and not found.currency and base and base != use.currency:
        told = fail if use.what in {"clearing", "transit"} else warn
        yield told(
            use.key,
            f"The account {_named(found)} has no currency of its own and the ledger is kept in"
            f" {base}, so its balance in {use.currency} is not known.",
            f"Map an account that is kept in {use.currency}.",
        )


def _of_kind(use: Use, found: ErpAccount) -> Iterator[Finding]:
    kinds = KINDS.get(use.what)
    if kinds is not None and found.type and found.type not in kinds:
        yield warn(
            use.key,
            f"The account {_named(found)} is of the type {found.type}; one for {use.what} is"
            f" usually of {' or '.join(sorted(kinds))}.",
            "Check whether it is the account that you mean.",
        )
    if use.what in CASH_NEEDED and not found.cash_account:
        told = warn if use.what == "bank" else fail
        yield told(
            use.key,
            f"No cash account stands on the account {_named(found)}.",
            f"Map the account behind the cash account, or add one on {CASH}.",
        )
    if use.what not in CASH_NEEDED and found.cash_account:
        yield warn(
            use.key,
            f"A cash account stands on the account {_named(found)}: what is booked to it shows"
            " as a movement of that cash account.",
            "Map an account without a cash account, unless you mean it so.",
        )


def _control(use: Use, found: ErpAccount) -> Iterator[Finding]:
    if found.control and not found.manual:
        yield fail(
            use.key,
            f"The account {_named(found)} is the control account of {found.control}, which"
            " refuses journals.",
            f"Map another one, or allow manual entry to it on {CHART}.",
        )


def control_told(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A warning where the site does not tell which accounts are control accounts."""
    mapped = {use.account for use in uses(mapping)}
    if any(one.control is None and one.account in mapped for one in tenant.accounts.values()):
        yield unchecked(
            "accounts",
            "Whether an account is a control account cannot be checked: the site does not tell.",
            f"Look for the mapped accounts' Control Account Module on {CHART}.",
        )


def cash_accounts(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """Clearing and transit cash accounts that the payment method does not allow here.

    The contract has no form of cash accounts: the rest cannot be checked, and is said so.
    """
    named = {f"transit.{code}.cash": one.cash for code, one in mapping.transit.items()}
    for code, one in mapping.currencies.items():
        named[f"currencies.{code}.clearing_cash"] = one.clearing_cash
    if tenant.method is not None:
        rows = {row.cash_account: row for row in tenant.method.cash_accounts}
        for key, code in named.items():
            yield from _allowed(key, code, rows.get(code), mapping)
    yield unchecked(
        "currencies",
        f"Whether the cash accounts {', '.join(sorted(set(named.values())))} are active, kept in"
        " their currency and stand on the mapped accounts with the mapped subaccount cannot be"
        " checked: the contract does not show cash accounts.",
        f"Compare them once on {CASH}.",
    )


def _allowed(
    key: str, code: str, row: CashAccountUse | None, mapping: Mapping
) -> Iterator[Finding]:
    method = mapping.payment_method
    if row is None or not row.use_in_ar:
        yield fail(
            key,
            f"The payment method {method} does not allow the cash account {code} in accounts"
            " receivable.",
            f"Add it among the Allowed Cash Accounts of that method on {METHODS}, used in AR;"
            f" if there is no such cash account, add it on {CASH}.",
        )
    elif mapping.branch and row.branch and row.branch != mapping.branch:
        yield fail(
            key,
            f"The cash account {code} belongs to the branch {row.branch}, but documents are"
            f" booked to the branch {mapping.branch}: cash account and ledger would drift apart.",
            f"Map a cash account of {mapping.branch}, or book to the branch {row.branch}.",
        )


def shared_clearing(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """Clearing cash accounts that another connection to the same tenant uses, too."""
    for code, one in mapping.currencies.items():
        other = tenant.elsewhere.get(one.clearing_cash)
        if other is not None:
            yield warn(
                f"currencies.{code}.clearing_cash",
                f"The connection {other} uses the cash account {one.clearing_cash}, too: neither"
                " tie-out can hold by itself.",
                "Give each connection its own clearing cash account and account.",
            )
