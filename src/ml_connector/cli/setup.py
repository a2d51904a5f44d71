"""Setting up: make a connection, and test it live."""

import json as jsonlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, opened

if TYPE_CHECKING:
    from ml_connector.store.connections import NewConnection

SECRETS = (
    "stripe_key",
    "stripe_webhook",
    "acumatica_client_secret",
    "acumatica_password",
    "acumatica_webhook",
)
SANDBOX_MAPPING = Path(__file__).with_name("sandbox.toml")


def connect(
    name: str,
    *,
    sandbox: Annotated[str, Parameter(help="The line that `sandbox up --json` printed, a file"
                                      " that holds it, or - for standard input.")] = "",
    title: str = "",
    stripe_url: str = "",
    acumatica_url: str = "",
    endpoint: str = "Default/24.200.001",
    tenant: str = "",
    user: str = "",
    client_id: str = "",
    sign_in: Annotated[str, Parameter(help="oauth, password or cookie.")] = "password",
    time_zone: str = "UTC",
    start: Annotated[str, Parameter(help="Nothing older is looked at (YYYY-MM-DD).")] = "",
    mapping: Annotated[Path | None, Parameter(help="The TOML file with the accounts.")] = None,
    every: Annotated[int, Parameter(help="Seconds between two polls of each stream.")] = 0,
    quiet: Annotated[float, Parameter(help="Seconds after which a write without an answer is"
                                      " safe to repeat (600).")] = 0,
    calls_per_minute: Annotated[int, Parameter(help="How many calls a minute Acumatica's licence"
                                               " leaves to the connector (600).")] = 0,
    public_url: Annotated[str, Parameter(help="Where Stripe reaches this service; a webhook"
                                           " endpoint is made there, its secret stored.")] = "",
    json: Json = False,
) -> int:  # fmt: skip
    """Make a connection (an Acumatica tenant with a Stripe account), or change it.

    Secrets are never arguments: they come from the environment (ML_STRIPE_KEY,
    ML_STRIPE_WEBHOOK, ML_ACUMATICA_CLIENT_SECRET, ML_ACUMATICA_PASSWORD, ML_ACUMATICA_WEBHOOK),
    or are asked for. They are stored encrypted.
    """
    given: dict[str, Any] = _sandbox(sandbox) if sandbox else {}
    facts = {
        "title": title, "stripe_url": stripe_url, "acumatica_url": acumatica_url,
        "tenant": tenant, "user": user, "client_id": client_id,
    }  # fmt: skip
    given |= {key: value for key, value in facts.items() if value}
    given.setdefault("endpoint", endpoint)

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.set_up import receive_webhooks, set_up

        given["secrets"] = _secrets(given.get("secrets", {}))
        new = _new_connection(
            name,
            given,
            sign_in=sign_in,
            time_zone=time_zone,
            start=start,
            every=every,
            policies=_policies(quiet, calls_per_minute),
        )
        chosen = mapping or (SANDBOX_MAPPING if sandbox else None)
        place = office.place
        made = await set_up(
            place.store,
            place.keyring,
            place.clock,
            new,
            mapping_text=chosen.read_text("utf-8") if chosen else None,
            actor=os.environ.get("USER", "command line"),
        )
        if public_url:
            await receive_webhooks(await office.board.connected(made.id), place.keyring, public_url)
        if json:
            show.as_json({"connection": made.id, "mapping_version": made.mapping_version})
        else:
            show.say(f"The connection {made.id} is set up. Test it: ml-connector ping {made.id}")
        return Exit.OK

    return opened(body, as_json=json)


def _sandbox(source: str) -> dict[str, Any]:
    """What a sandbox printed about itself, as the facts of a connection; raises Misconfigured."""
    from ml_connector.basics.errors import Misconfigured

    try:
        text = sys.stdin.readline() if source == "-" else Path(source).read_text("utf-8")
        line = cast("dict[str, dict[str, str]]", jsonlib.loads(text))
        stripe, erp = line["stripe"], line["acumatica"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"{source} does not hold the line that the sandbox prints.",
            cause="cli.sandbox",
            remedy="Run `ml-connector sandbox up --json > FILE` and wait for the line.",
        ) from error
    return {
        "title": "Sandbox",
        "stripe_url": stripe["url"],
        "acumatica_url": erp["url"],
        "endpoint": erp["endpoint"],
        "tenant": erp["tenant"],
        "user": erp["user"],
        "client_id": erp["client_id"],
        "secrets": {
            "stripe_key": stripe["key"],
            "stripe_webhook": stripe["webhook_secret"],
            "acumatica_client_secret": erp["client_secret"],
            "acumatica_password": erp["password"],
        },
    }


def _secrets(known: dict[str, str]) -> dict[str, str]:
    """The secrets: given, from the environment, or asked for when a person is there."""
    from getpass import getpass

    found: dict[str, str] = {}
    for name in SECRETS:
        value = os.environ.get(f"ML_{name.upper()}") or known.get(name, "")
        if not value and not known and sys.stdin.isatty():
            value = getpass(f"{name.replace('_', ' ')} (empty to keep what is stored): ")
        found[name] = value
    return found


def _policies(quiet: float, calls_per_minute: int) -> dict[str, object]:
    """The policies that were given; the others keep their defaults."""
    given: dict[str, object] = {}
    if quiet:
        given["quiet_seconds"] = quiet
    if calls_per_minute:
        given["acumatica_per_minute"] = calls_per_minute
    return given


def _new_connection(
    name: str,
    given: dict[str, Any],
    *,
    sign_in: str,
    time_zone: str,
    start: str,
    every: int,
    policies: dict[str, object],
) -> "NewConnection":
    from ml_connector.basics.errors import Misconfigured
    from ml_connector.basics.ids import ConnectionId
    from ml_connector.flows.catch_up import STREAMS
    from ml_connector.store.connections import (
        AcumaticaSide,
        NewConnection,
        Secrets,
        SignIn,
        StripeSide,
    )

    secrets = Secrets(**given["secrets"])
    endpoint, _, version = str(given["endpoint"]).partition("/")
    if sign_in not in set(SignIn):
        raise Misconfigured(
            f"--sign-in is {sign_in!r}.",
            cause="cli.sign_in",
            remedy=f"It is one of {', '.join(SignIn)}.",
        )
    if not given.get("acumatica_url"):
        raise Misconfigured(
            "The address of Acumatica is missing.",
            cause="cli.acumatica_url",
            remedy="Give it with --acumatica-url, as a browser shows it, with its folder.",
        )
    first = datetime.fromisoformat(start) if start else datetime.now(UTC)
    return NewConnection(
        id=ConnectionId(name),
        title=given.get("title", name),
        time_zone=time_zone,
        start_date=first.date(),
        stripe=StripeSide(
            url=given.get("stripe_url", ""),
            account="",
            livemode="_live_" in secrets.stripe_key,
        ),
        acumatica=AcumaticaSide(
            url=given["acumatica_url"],
            endpoint=endpoint,
            version=version,
            tenant=given.get("tenant", ""),
            branch="",
            sign_in=SignIn(sign_in),
            client_id=given.get("client_id", ""),
            user=given.get("user", ""),
        ),
        secrets=secrets,
        policies=policies,
        cadence=dict.fromkeys(STREAMS, every) if every else {},
    )


def ping(name: Name = "", *, json: Json = False) -> int:
    """Test a connection live, both sides: each check passes, warns or fails with the remedy."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.checkup import Check, Verdict, checks
        from ml_connector.store.connections import open_secrets

        c = await office.board.connected(await office.only(name))
        found: list[Check] = []
        async for check in checks(c, open_secrets(c.record, office.place.keyring)):
            found.append(check)
            if not json:
                _show_check(check)
        failed = [check for check in found if check.verdict is Verdict.FAIL]
        if json:
            show.as_json({"ok": not failed, "checks": found})
        return Exit.ATTENTION if failed else Exit.OK

    return opened(body, as_json=json)


def _show_check(check: Any) -> None:
    from ml_connector.cli import show

    colour = {"pass": "green", "warn": "yellow", "fail": "red"}[check.verdict]
    show.say(f"[{colour}]{check.verdict:4}[/] {check.name}: {check.sentence}")
    if check.remedy:
        show.say(f"     {check.remedy}")
