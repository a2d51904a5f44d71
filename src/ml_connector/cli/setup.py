"""Setting up: make a connection, sign in, and test it live."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened

if TYPE_CHECKING:
    from ml_connector.flows.connections.checkup import Check

SANDBOX_MAPPING = Path(__file__).with_name("sandbox.toml")
COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def connect(
    name: str,
    *,
    sandbox: str = "",
    title: str = "",
    stripe_url: str = "",
    acumatica_url: str = "",
    endpoint: str = "",
    tenant: str = "",
    user: str = "",
    client_id: str = "",
    sign_in: str = "",
    time_zone: str = "",
    start: str = "",
    mapping: Path | None = None,
    every: int = 0,
    quiet: float = 0,
    calls_per_minute: int = 0,
    public_url: str = "",
    json: Json = False,
) -> int:
    """Make a connection (an Acumatica tenant with a Stripe account), or change it.

    What is not given stays as it is stored. Secrets are never arguments: they come from the
    environment (ML_STRIPE_KEY, ML_STRIPE_WEBHOOK, ML_ACUMATICA_CLIENT_SECRET,
    ML_ACUMATICA_PASSWORD, ML_ACUMATICA_WEBHOOK), or are asked for. They are stored encrypted.

    Parameters
    ----------
    sandbox
        A file with the line that `sandbox up --json` printed, or - for standard input.
    title
        What people call it.
    stripe_url
        Another address than Stripe's own.
    acumatica_url
        The site as a browser shows it, with its folder.
    endpoint
        Name and version of the endpoint (Default/24.200.001).
    tenant
        The tenant's login name.
    user
        Who signs in.
    client_id
        The connected application's id, with @ and the tenant.
    sign_in
        oauth (a person consents once: see authorize), password, or cookie.
    time_zone
        In which an instant becomes an accounting day (UTC).
    start
        Nothing older is looked at (YYYY-MM-DD; today).
    mapping
        The TOML file with the accounts.
    every
        Seconds between two polls of each stream.
    quiet
        Seconds after which a write without an answer is safe to repeat (600).
    calls_per_minute
        How many calls a minute Acumatica's licence leaves to the connector (600).
    public_url
        Where Stripe reaches this service: a webhook endpoint is made there, its secret stored.
    """

    async def body(office: Office) -> int:
        from ml_connector.basics.ids import ConnectionId
        from ml_connector.cli import given, show
        from ml_connector.flows.connections.set_up import receive_webhooks, set_up
        from ml_connector.store import connections

        options = given.Options(
            title, stripe_url, acumatica_url, endpoint, tenant, user, client_id, sign_in,
            time_zone, start, every, quiet, calls_per_minute,
        )  # fmt: skip
        known = connections.Secrets()
        if sandbox:
            options, known = given.of_sandbox(sandbox, options)
        chosen = mapping or (SANDBOX_MAPPING if sandbox else None)
        place = office.place
        async with place.store.transaction() as tx:
            stored = await connections.find(tx, ConnectionId(name))
        made = await set_up(
            place.store,
            place.keyring,
            place.clock,
            given.joined(name, options, given.secrets_of(known, os.environ), stored),
            mapping_text=given.text_of(chosen) if chosen else None,
            actor=actor(),
        )
        if public_url:
            await receive_webhooks(await office.board.connected(made.id), place.keyring, public_url)
        if json:
            show.as_json({"connection": made.id, "mapping_version": made.mapping_version})
        else:
            show.say(f"The connection {made.id} is set up. Test it: ml-connector ping {made.id}")
        return Exit.OK

    return opened(body, as_json=json)


def authorize(
    name: Name = "",
    *,
    redirect_uri: str = "https://localhost/callback",
    answer: Annotated[
        str, Parameter(help="The address that the browser was sent to after the consent.")
    ] = "",
    json: Json = False,
) -> int:
    """Sign in to Acumatica by a person's consent (OAuth), once; from then on tokens are renewed.

    Open the address that is printed, sign in, consent, and paste the address that the browser
    ends at. The redirect address must be registered with the connected application.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show

        connection = await office.only(name)
        consent = await office.board.consent(connection, redirect_uri)
        if not answer:
            show.say(f"Open this address, sign in, and consent:\n{consent.address}")
        ended = answer or await asyncio.to_thread(input, "The address where the browser ended: ")
        await consent.take(ended)
        if json:
            show.as_json({"signed_in": True, "connection": connection})
        else:
            show.say(f"Signed in. Test it: ml-connector ping {connection}")
        return Exit.OK

    return opened(body, as_json=json)


def ping(name: Name = "", *, json: Json = False) -> int:
    """Test a connection live, both sides: each check passes, warns or fails with the remedy."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.checkup import Check, Verdict, checks
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


def pause(
    name: Name = "",
    *,
    why: Annotated[str, Parameter(help="What people will read in `status`.")] = "",
    json: Json = False,
) -> int:
    """Let a connection rest: webhooks are taken in and kept, nothing is asked for or written.

    What is under way is ended first. `resume` goes on with everything that was taken in.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.pause import pause as rest

        place, connection = office.place, await office.only(name)
        await rest(place.store, place.clock, connection, why, actor())
        if json:
            show.as_json({"connection": connection, "active": False})
        else:
            show.say(f"Paused. Webhooks are kept; go on with: ml-connector resume {connection}")
        return Exit.OK

    return opened(body, as_json=json)


def resume(name: Name = "", *, json: Json = False) -> int:
    """Let a paused connection work again; a running service begins within seconds."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.pause import resume as go_on

        place, connection = office.place, await office.only(name)
        changed = await go_on(place.store, place.clock, connection, actor())
        if json:
            show.as_json({"connection": connection, "active": True, "changed": changed})
        else:
            show.say("It works again." if changed else "It was not paused.")
        return Exit.OK

    return opened(body, as_json=json)


def _show_check(check: "Check") -> None:
    from ml_connector.cli import show

    sentence = f"{check.name}: {check.sentence}"
    show.say(sentence, mark=check.verdict.value, colour=COLOURS[check.verdict])
    if check.remedy:
        show.say(f"     {check.remedy}")
