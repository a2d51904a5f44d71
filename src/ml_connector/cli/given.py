"""What a person gave to make or change a connection, joined with what is stored already."""

import json as jsonlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from getpass import getpass
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.flows.rounds.schedule import POLLS
from ml_connector.store.connections import (
    AcumaticaSide,
    Connection,
    NewConnection,
    Secrets,
    SignIn,
    StripeSide,
)

DEFAULT_ENDPOINT = "Default/24.200.001"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `connect`; an empty one keeps what is stored, or takes the default."""

    title: str = ""
    stripe_url: str = ""
    acumatica_url: str = ""
    endpoint: str = ""
    tenant: str = ""
    user: str = ""
    client_id: str = ""
    sign_in: str = ""
    time_zone: str = ""
    start: str = ""
    every: int = 0
    quiet: float = 0.0
    calls_per_minute: int = 0


def wrong(option: str, given: str, remedy: str) -> Misconfigured:
    """The error for an option that cannot be."""
    return Misconfigured(f"{option} is {given!r}.", cause=f"cli{option}", remedy=remedy)


def of_sandbox(source: str, options: Options) -> tuple[Options, Secrets]:
    """The options joined with the line that a sandbox printed; raises Misconfigured."""
    try:
        text = sys.stdin.readline() if source == "-" else Path(source).read_text("utf-8")
        line = cast("dict[str, dict[str, str]]", jsonlib.loads(text))
        stripe, erp = line["stripe"], line["acumatica"]
        joined = replace(
            options,
            title=options.title or "Sandbox",
            stripe_url=options.stripe_url or stripe["url"],
            acumatica_url=options.acumatica_url or erp["url"],
            endpoint=options.endpoint or erp["endpoint"],
            tenant=options.tenant or erp["tenant"],
            user=options.user or erp["user"],
            client_id=options.client_id or erp["client_id"],
        )
        secrets = Secrets(
            stripe_key=stripe["key"],
            stripe_webhook=stripe["webhook_secret"],
            acumatica_client_secret=erp["client_secret"],
            acumatica_password=erp["password"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Run `ml-connector sandbox up --json > FILE` and wait for its one line."
        raise wrong("--sandbox", source, f"No line of a sandbox is there. {remedy}") from error
    return joined, secrets


def secrets_of(known: Secrets, environment: Mapping[str, str]) -> Secrets:
    """The secrets: from the environment, else as known, else asked for when a person is there."""
    ask = sys.stdin.isatty() and known == Secrets()
    found: dict[str, str] = {}
    for part in fields(Secrets):
        value = environment.get(f"ML_{part.name.upper()}") or str(getattr(known, part.name))
        if not value and ask:
            value = getpass(f"{part.name.replace('_', ' ')} (empty keeps what is stored): ")
        found[part.name] = value
    return Secrets(**found)


def joined(name: str, given: Options, secrets: Secrets, stored: Connection | None) -> NewConnection:
    """The connection as it shall be stored; raises Misconfigured naming the option."""
    old = stored or _nothing(name)
    erp = _acumatica_side(given, old.acumatica)
    livemode = "_live_" in secrets.stripe_key if secrets.stripe_key else old.stripe.livemode
    return NewConnection(
        id=ConnectionId(_named(name)),
        title=given.title or old.title,
        time_zone=_zone(given.time_zone or old.time_zone),
        start_date=day_given("--start", given.start) if given.start else old.start_date,
        stripe=StripeSide(given.stripe_url or old.stripe.url, old.stripe.account, livemode),
        acumatica=erp,
        secrets=secrets,
        policies=old.policies | _policies(given),
        cadence=old.cadence | _cadence(given),
    )


def _nothing(name: str) -> NewConnection:
    """A connection of which nothing is known yet."""
    side = AcumaticaSide("", "", "", "", "", SignIn.PASSWORD)
    today = datetime.now(UTC).date()
    stripe = StripeSide("", "", livemode=False)
    return NewConnection(ConnectionId(name), name, "UTC", today, stripe, side)


def _named(name: str) -> str:
    if not name or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise wrong("NAME", name, "Use letters, digits, - and _ only; it becomes part of a URL.")
    return name


def _acumatica_side(given: Options, old: AcumaticaSide) -> AcumaticaSide:
    url = given.acumatica_url or old.url
    if not url.startswith(("https://", "http://")):
        remedy = "Give the address as a browser shows it, with https:// and its folder."
        raise wrong("--acumatica-url", url, remedy)
    kept = f"{old.endpoint}/{old.version}" if old.endpoint else DEFAULT_ENDPOINT
    endpoint, slash, version = (given.endpoint or kept).partition("/")
    if not slash or not endpoint or not version:
        raise wrong("--endpoint", given.endpoint, f"Write name and version: {DEFAULT_ENDPOINT}.")
    if given.sign_in and given.sign_in not in set(SignIn):
        raise wrong("--sign-in", given.sign_in, f"It is one of {', '.join(SignIn)}.")
    return AcumaticaSide(
        url=url.rstrip("/"),
        endpoint=endpoint,
        version=version,
        tenant=given.tenant or old.tenant,
        branch=old.branch,
        sign_in=SignIn(given.sign_in or old.sign_in),
        client_id=given.client_id or old.client_id,
        user=given.user or old.user,
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise wrong("--time-zone", name, "Use a name such as Europe/Berlin.") from error
    return name


def day_given(option: str, text: str) -> date:
    """The day that an option names; raises Misconfigured."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong(option, text, "Write the day as YYYY-MM-DD.") from error


def _policies(given: Options) -> dict[str, object]:
    _not_negative("--quiet", given.quiet)
    _not_negative("--calls-per-minute", given.calls_per_minute)
    found: dict[str, object] = {}
    if given.quiet:
        found["quiet_seconds"] = given.quiet
    if given.calls_per_minute:
        found["acumatica_per_minute"] = given.calls_per_minute
    return found


def _cadence(given: Options) -> dict[str, int]:
    _not_negative("--every", given.every)
    return dict.fromkeys(POLLS, given.every) if given.every else {}


def _not_negative(option: str, number: float) -> None:
    if number < 0:
        raise wrong(option, str(number), "Give a number above zero; 0 leaves it as it is.")


def text_of(mapping: Path) -> str:
    """The text of a mapping file; raises Misconfigured when it cannot be read."""
    try:
        return mapping.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong("--mapping", str(mapping), "That file cannot be read.") from error
