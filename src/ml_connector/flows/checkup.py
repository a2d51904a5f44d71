"""The set-up tests: live checks of both sides, each pass, warn or fail with its remedy."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from ml_connector.basics.errors import AskAPerson, ConnectorError
from ml_connector.books.mapping import CurrencyAccounts
from ml_connector.flows.connected import Connected
from ml_connector.flows.fees import followed
from ml_connector.store.connections import Secrets
from ml_connector.stripe.client import RESOURCES


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    """As it should be."""
    WARN = "warn"
    """It works, but something is weaker than it could be."""
    FAIL = "fail"
    """It cannot work until this is cured."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check's result: what was looked at, how it stands, and what to try."""

    name: str
    verdict: Verdict
    sentence: str
    remedy: str = ""


CHARGES_BY_JOURNAL = Check(
    "Fees on payments",
    Verdict.WARN,
    "The endpoint knows no charges on payments; each fee is a journal of its own.",
    "Choose the endpoint Default/23.200.001 or later.",
)

Test = Callable[[], Awaitable[str]]


async def checks(c: Connected, secret: Secrets) -> AsyncGenerator[Check]:
    """Every check of a connection, yielded as it ends; none of them writes anything."""
    yield await _check("Stripe key", lambda: _stripe_account(c))
    for resource in RESOURCES:
        yield await _check(f"Stripe: read {resource}", lambda r=resource: _may_read(c, r))
    yield _webhooks(secret)
    yield await _check("Acumatica: address, version, sign-in", lambda: _acumatica(c))
    yield await _check("Payment method", lambda: _payment_method(c))
    if followed(c) is not c.mapping:
        yield CHARGES_BY_JOURNAL
    for code, accounts in c.mapping.currencies.items():
        yield await _check(f"Accounts of {code}", lambda a=accounts, x=code: _accounts(c, x, a))
    for role, account in c.mapping.accounts.items():
        yield await _check(f"Account for {role}", lambda a=account: _account(c, a, None))


async def _check(name: str, test: Test) -> Check:
    try:
        return Check(name, Verdict.PASS, await test())
    except ConnectorError as error:
        return Check(name, Verdict.FAIL, error.sentence, error.remedy)


async def _stripe_account(c: Connected) -> str:
    account = await c.stripe.account()
    expected = c.record.stripe.account
    if account is not None and expected and account != expected:
        raise AskAPerson(
            f"The key belongs to the Stripe account {account}, not to {expected}.",
            remedy="Enter the key of the account that this connection was made for.",
        )
    mode = f"The key is a {c.stripe.mode} key"
    return f"{mode} of account {account}." if account else f"{mode}; it may not name its account."


async def _may_read(c: Connected, resource: str) -> str:
    await c.stripe.probe(resource)  # pyright: ignore[reportArgumentType]
    return "The key may read it."


def _webhooks(secret: Secrets) -> Check:
    if secret.stripe_webhook:
        return Check("Stripe webhooks", Verdict.PASS, "A signing secret is stored.")
    return Check(
        "Stripe webhooks",
        Verdict.WARN,
        "No signing secret is stored: payments are found by polling only.",
        "Create a webhook endpoint in Stripe for /webhooks/stripe/NAME and store its secret.",
    )


async def _acumatica(c: Connected) -> str:
    site = await c.acumatica.check()
    return f"Signed in to build {site.build} at endpoint {c.acumatica.version}."


async def _payment_method(c: Connected) -> str:
    method = await c.acumatica.payment_method(c.mapping.payment_method)
    if not method.active or not method.use_in_ar:
        raise AskAPerson(
            f"The payment method {method.id} is not active in accounts receivable.",
            remedy="Activate it on the Payment Methods form (CA204000), used in AR.",
        )
    if method.integrated:
        raise AskAPerson(
            f"The payment method {method.id} has integrated card processing.",
            remedy="Use one without it, or payments stay in Pending Processing.",
        )
    allowed = {one.cash_account for one in method.cash_accounts if one.use_in_ar}
    wanted = {accounts.clearing_cash for accounts in c.mapping.currencies.values()}
    wanted |= {transit.cash for transit in c.mapping.transit.values()}
    if wanted - allowed:
        raise AskAPerson(
            f"The payment method {method.id} does not allow the cash account"
            f" {', '.join(sorted(wanted - allowed))}.",
            remedy="Add it on the Allowed Cash Accounts tab of that method (CA204000).",
        )
    return f"{method.id} allows {', '.join(sorted(wanted))}."


async def _accounts(c: Connected, code: str, accounts: CurrencyAccounts) -> str:
    clearing = await _account(c, accounts.clearing, code)
    bank = await _account(c, accounts.bank, code)
    return f"{clearing} {bank}"


async def _account(c: Connected, account: str, currency: str | None) -> str:
    found = await c.acumatica.account(account)
    if not found.active:
        raise AskAPerson(
            f"The account {account} ({found.description}) is inactive.",
            remedy="Activate it on the Chart of Accounts (GL202500), or map another one.",
        )
    if currency is not None and found.currency not in ("", currency):
        raise AskAPerson(
            f"The account {account} is kept in {found.currency}, not in {currency}.",
            remedy=f"Map an account of {currency} for that currency.",
        )
    return f"{account} {found.description} is active."
