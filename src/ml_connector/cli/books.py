"""The promise, shown: tie-out, proofs, the audit trail."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, opened

if TYPE_CHECKING:
    from ml_connector.books.tieout import TieOut


def tieout(name: Name = "", *, json: Json = False) -> int:
    """Clearing account beside Stripe balance, per currency; exit code 1 when a cent is unnamed."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.catch_up import sweep
        from ml_connector.flows.tie_out import measure

        c = await office.board.connected(await office.only(name))
        await sweep(c)
        found = await measure(c)
        if json:
            show.as_json({"currencies": [tie_out_facts(one) for one in found]})
        else:
            rows = [
                (one.currency, str(one.clearing), str(one.stripe), str(one.named),
                 str(one.difference))
                for one in found
            ]  # fmt: skip
            columns = ("currency", "clearing ", "Stripe ", "not posted yet ", "difference ")
            show.table("Tie-out", columns, rows)
            for one in found:
                for item in one.unposted:
                    show.say(f"{item.transaction} {item.amount}: {item.reason}")
        return Exit.OK if all(one.holds for one in found) else Exit.ATTENTION

    return opened(body, as_json=json)


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
    subject: Annotated[str, Parameter(help="A posting's key, an invoice, a payout, ...")],
    *,
    connection: Name = "",
    json: Json = False,
) -> int:
    """Everything that happened to one thing, oldest first."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.store import audit as trail

        chosen = await office.only(connection)
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
