"""The set-up tests: live checks of both sides, each pass, warn or fail with its remedy."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from ml_connector.basics.errors import AskAPerson, ConnectorError
from ml_connector.flows.cash.fees import followed
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.lint import lint
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
    if followed(c) is not c.mapping:
        yield CHARGES_BY_JOURNAL
    for check in await _mapping(c):
        yield check


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


async def _mapping(c: Connected) -> list[Check]:
    """What the lint finds; what it cannot look at is left to `mapping lint`."""
    try:
        found = [one for one in await lint(c) if not one.unchecked]
    except ConnectorError as error:
        return [Check("Mapping", Verdict.FAIL, error.sentence, error.remedy)]
    if not found:
        fits = "Its accounts, payment method, branch, subaccount and period fit the tenant."
        return [Check("Mapping", Verdict.PASS, fits)]
    return [
        Check(f"Mapping: {one.key}", Verdict(one.severity.value), one.sentence, one.remedy)
        for one in found
    ]
