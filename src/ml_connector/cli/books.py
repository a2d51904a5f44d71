"""The promise, shown: the tie-out and its search, the audit trail."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, opened

if TYPE_CHECKING:
    from ml_connector.books.drift import Drift
    from ml_connector.books.tieout import TieOut
    from ml_connector.store.tie_outs import Since


Search = Annotated[
    bool, Parameter(negative="", help="Search a difference down to the records that make it.")
]


def tieout(name: Name = "", *, search: Search = False, json: Json = False) -> int:
    """Clearing account beside Stripe balance, per currency; exit code 1 when a cent is unnamed."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.promise.drift import search as drift_of
        from ml_connector.flows.promise.tie_out import measure, since
        from ml_connector.flows.rounds.catch_up import sweep

        c = await office.board.connected(await office.only(name))
        await sweep(c)
        found = await measure(c)
        stood = {one.currency: await since(c, one.currency) for one in found}
        differing = [one for one in found if search and not one.holds]
        drifts = [await drift_of(c, one) for one in differing]
        if json:
            shown = [tie_out_facts(one) | {"since": stood[one.currency]} for one in found]
            more = {"drift": [_drift_facts(one) for one in drifts]} if search else {}
            show.as_json({"currencies": shown} | more)
        else:
            _show_tie_outs(found, stood)
            for drift in drifts:
                _show_drift(drift)
        return Exit.OK if all(one.holds for one in found) else Exit.ATTENTION

    return opened(body, as_json=json)


def _show_tie_outs(found: "list[TieOut]", stood: "dict[str, Since | None]") -> None:
    from ml_connector.cli import show

    rows = [
        (one.currency, str(one.clearing), str(one.stripe), str(one.named), str(one.difference))
        for one in found
    ]
    columns = ("currency", "clearing ", "Stripe ", "not posted yet ", "difference ")
    show.table("Tie-out", columns, rows)
    for one in found:
        for item in one.unposted:
            show.say(f"{item.transaction} {item.amount}: {item.reason}")
        since = stood[one.currency]
        if since is not None:
            held = f", held last at {since.held_until:%Y-%m-%d %H:%M}" if since.held_until else ""
            first = f"{since.differs_from:%Y-%m-%d %H:%M}"
            show.say(f"{one.currency} first seen to differ at {first} UTC{held}.")


def _show_drift(drift: "Drift") -> None:
    from ml_connector.cli import show

    title = f"What makes up {drift.tie_out.difference}"
    rows = [(str(one.day or ""), one.kind, str(one.effect), one.sentence) for one in drift.findings]
    show.table(title, ("day", "what", "difference ", "record"), rows)
    if drift.first_day is not None:
        show.say(f"The first day that differs is {drift.first_day}.")
    if drift.unnamed:
        show.say(f"{drift.unnamed} stays unnamed.", mark="not found", colour="yellow")


def _drift_facts(drift: "Drift") -> dict[str, object]:
    from ml_connector.cli.show import money

    return {
        "currency": drift.tie_out.currency,
        "difference": money(drift.tie_out.difference),
        "first_day": drift.first_day,
        "unnamed": money(drift.unnamed),
        "findings": [
            {"kind": one.kind, "day": one.day, "record": one.record, "effect": money(one.effect),
             "sentence": one.sentence}
            for one in drift.findings
        ],
    }  # fmt: skip


def tie_out_facts(one: "TieOut") -> dict[str, object]:
    """One currency's tie-out, for a program."""
    from ml_connector.cli.show import money

    return {
        "currency": one.currency,
        "clearing": money(one.clearing),
        "stripe": money(one.stripe),
        "named": money(one.named),
        "difference": money(one.difference),
        "unposted": [
            {"transaction": item.transaction, "amount": money(item.amount), "reason": item.reason}
            for item in one.unposted
        ],
    }


audit = App(name="audit", help="The audit trail: who or what did what, and why.")


@audit.command(name="show")
def audit_show(
    subject: Annotated[str, Parameter(help="A posting's key, an invoice, a payout, ..., or keys.")],
    *,
    connection: Name = "",
    json: Json = False,
) -> int:
    """Everything that happened to one thing, oldest first."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.keys import INSTALLATION, KEYS
        from ml_connector.store import audit as trail

        own = subject == KEYS  # of the installation, whatever connections there are
        chosen = INSTALLATION if own else await office.only(connection)
        async with office.place.store.transaction() as tx:
            entries = await trail.show(tx, chosen, subject)
        if json:
            show.as_json({"entries": entries})
        else:
            for one in entries:
                show.say(f"{one.at:%Y-%m-%d %H:%M:%S} {one.actor}: {one.action} {one.detail}")
            if not entries:
                show.say(f"Nothing is written of {subject}.")
        return Exit.OK if entries else Exit.ATTENTION

    return opened(body, as_json=json)


@audit.command
def verify(*, json: Json = False) -> int:
    """Walk the whole trail; exit code 1 and the row when one was changed."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.store import audit as trail

        async with office.place.store.transaction() as tx:
            broken = await trail.verify(tx)
        if json:
            show.as_json({"intact": broken is None, "first_broken": broken})
        elif broken is None:
            show.say("The audit trail is intact.")
        else:
            show.error(
                f"The audit trail was changed at row {broken}.",
                "Compare it with a backup; nothing after it can be trusted as it stands.",
            )
        return Exit.OK if broken is None else Exit.ATTENTION

    return opened(body, as_json=json)
