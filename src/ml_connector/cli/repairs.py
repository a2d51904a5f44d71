"""Repairs: what people changed on our documents, and undoing what we posted."""

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.basics.ids import in_words
from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened, progress_wanted

if TYPE_CHECKING:
    from ml_connector.basics.ids import ConnectionId
    from ml_connector.flows.repair.foresight import Choice, Item, Undoing

guardian = App(name="guardian", help="What people changed on documents that we posted.")

Number = Annotated[int, Parameter(help="The finding's number, as `guardian` lists it.")]


@guardian.default
def guardian_list(
    name: Name = "",
    *,
    all_: Annotated[
        bool,
        Parameter(name="--all", negative="", help="Read every document of ours: a call for each."),
    ] = False,
    decided: Annotated[
        bool, Parameter(negative="", help="List accepted and harmless changes, too.")
    ] = False,
    json: Json = False,
) -> int:
    """Look for changes by people now, and list them; exit code 1 when one waits for a decision."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.found import finding_facts, show_findings
        from ml_connector.flows.promise.guardian import every_document, examine, look_around
        from ml_connector.store import findings
        from ml_connector.store.findings import Decision

        c = await office.board.connected(await office.only(name))
        await look_around(c)
        for ref in await every_document(c) if all_ else []:
            await examine(c, ref)
        async with c.store.transaction() as tx:
            waiting = await findings.in_state(tx, c.id, Decision.OPEN)
            found = list(waiting)
            if decided:
                found += await findings.in_state(tx, c.id, Decision.ACCEPTED)
                found += await findings.in_state(tx, c.id, Decision.NOTED)
        if json:
            show.as_json({"findings": [finding_facts(one) for one in found]})
        elif found:
            show_findings(found)
            show.say(
                "Decide: ml-connector guardian accept ID --why TEXT, restore ID, or relink ID."
            )
        else:
            show.say("Nobody has changed a document of ours.")
        return Exit.ATTENTION if waiting else Exit.OK

    return opened(body, as_json=json)


@guardian.command
def accept(
    number: Number,
    *,
    why: Annotated[str, Parameter(help="Why it is meant so; kept in the audit trail.")] = "",
    connection: Name = "",
    json: Json = False,
) -> int:
    """The change is meant so: the new state is expected from now on."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.repair import repairs

        c = await office.board.connected(await office.only(connection))
        found = await repairs.accept(c, number, why=why, actor=actor())
        if json:
            show.as_json({"accepted": found.id, "missing": show.money(found.missing)})
        else:
            show.say(f"Accepted. {found.sentence}")
            if found.missing:
                show.say(f"The tie-out goes on to name {found.missing} with your reason.")
        return Exit.OK

    return opened(body, as_json=json)


@guardian.command
def restore(number: Number, *, connection: Name = "", wait: bool = True, json: Json = False) -> int:
    """Make it as it was: a reversal by hand is completed, and the money is posted anew."""

    async def body(office: Office) -> int:
        from ml_connector.flows.repair import repairs

        c = await office.board.connected(await office.only(connection))
        run = await repairs.restore(c, number, actor=actor())
        return await _finished(office, c.id, run.id, wait=wait, json=json)

    return opened(body, as_json=json)


@guardian.command
def relink(
    number: Number,
    *,
    to: Annotated[str, Parameter(help="The number of the payment in its place.")] = "",
    connection: Name = "",
    json: Json = False,
) -> int:
    """The posting stands in the payment that somebody entered in place of a voided one."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.repair import repairs

        c = await office.board.connected(await office.only(connection))
        ref = await repairs.relink(c, number, to=to, actor=actor())
        if json:
            show.as_json({"relinked": number, "document": ref})
        else:
            show.say(f"Relinked to {in_words(ref)}.")
        return Exit.OK

    return opened(body, as_json=json)


def undo(
    what: Annotated[
        str, Parameter(help="A payout, a posting's key, a balance transaction or a charge.")
    ] = "",
    *,
    mapping_version: int | None = None,
    from_: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    along: bool = False,
    skip: bool = False,
    others: bool = False,
    repost: bool = False,
    why: str = "",
    dry_run: bool = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="")] = False,
    wait: bool = True,
    connection: Name = "",
    json: Json = False,
) -> int:
    """Take back what was posted by reversing documents; both stay, and the money waits, named.

    Parameters
    ----------
    mapping_version
        Undo everything that was posted under this version of the mapping.
    from_
        Undo what is dated from this day (with --to).
    to
        The last day of the range.
    along
        Take along what rests on it: refunds, disputes, and what has come back since.
    skip
        Leave out what cannot be undone instead of refusing.
    others
        Void even payments that somebody else has booked.
    repost
        Post everything anew at once; otherwise it waits for `ml-connector replay`.
    why
        The reason, kept in the audit trail.
    dry_run
        Show the effect and change nothing.
    yes
        Do it without asking.
    wait
        Wait until it is done.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.repair.foresight import foresee
        from ml_connector.flows.repair.undo import begin

        choice = _choice(what, mapping_version, from_, to, along=along, skip=skip, others=others)
        chosen = await office.only(connection)
        found = await foresee(office.place.store, chosen, choice)
        if not json:
            _show(found)
        may = not found.refused or skip
        if dry_run or not may or not _agreed(yes=yes, json=json):
            if json:
                show.as_json(_facts(found) | {"done": False})
            elif not dry_run:
                show.say("Nothing was undone." if may else _remedy())
            return Exit.OK if dry_run and may else Exit.ATTENTION
        c = await office.board.connected(chosen)
        run = await begin(c, choice, why=why, actor=actor(), repost=repost, shown=found)
        return await _finished(office, chosen, run.id, wait=wait, json=json, found=found)

    return opened(body, as_json=json)


def _choice(
    what: str,
    version: int | None,
    first: date | None,
    last: date | None,
    *,
    along: bool,
    skip: bool,
    others: bool,
) -> "Choice":
    """Exactly one of a number, a mapping version, or a range; raises Misconfigured."""
    from ml_connector.basics.errors import Misconfigured
    from ml_connector.flows.repair.foresight import Choice

    ranged = first is not None and last is not None
    half = (first is None) != (last is None)
    if half or [bool(what), version is not None, ranged].count(True) != 1:
        raise Misconfigured(
            "Say one thing to undo: a number, --mapping-version N, or --from DAY --to DAY.",
            cause="cli.undo",
            remedy="For example: ml-connector undo po_123 --dry-run",
        )
    return Choice(what, version, first, last, along=along, skip=skip, others=others)


def _agreed(*, yes: bool, json: bool) -> bool:
    """Whether a person says yes; a program has to say so in the command."""
    if yes or json or not sys.stdin.isatty():
        return yes
    return input("Undo this? [y/N] ").strip().lower() in {"y", "yes"}


def _remedy() -> str:
    return (
        "Nothing was undone. Take along what rests on a payment with --along, void what others"
        " booked with --others, leave out what cannot be undone with --skip, or settle it first."
    )


def _show(found: "Undoing") -> None:
    """The effect in money, then the documents in their order, then what stands in the way."""
    from ml_connector.cli import show

    effects = [(account, str(amount)) for (account, _), amount in found.effects.items()]
    show.table(f"Undoing {found.choice.named} changes", ("account", "by "), effects)
    rows = [
        (in_words(item.stands.ref), _way(item), item.stands.key,
         str(item.reverses.clearing))
        for item in found.items
    ]  # fmt: skip
    show.table("In this order", ("document", "is undone by", "posting", "clearing "), rows)
    for payout in found.unproven:
        show.say(f"The payout {payout} loses its proof until it is posted again.")
    for sentence in found.refused:
        show.say(sentence, mark="not", colour="yellow")


def _way(item: "Item") -> str:
    from ml_connector.books.undo import way

    return way(item.stands.document, item.reverses.document)


def _facts(found: "Undoing") -> dict[str, object]:
    """What an undo will do, for a program."""
    from ml_connector.cli.show import money

    return {
        "what": found.choice.named,
        "effect": [
            {"account": account, "change": money(amount)}
            for (account, _), amount in found.effects.items()
        ],
        "documents": [
            {"document": item.stands.ref, "key": item.stands.key, "undo": item.reverses.key,
             "by": _way(item), "clearing": money(item.reverses.clearing)}
            for item in found.items
        ],
        "transactions": [row.id for row in found.transactions],
        "lose_their_proof": list(found.unproven),
        "refused": list(found.refused),
    }  # fmt: skip


async def _finished(
    office: Office,
    connection: "ConnectionId",
    number: int,
    *,
    wait: bool,
    json: bool,
    found: "Undoing | None" = None,
) -> int:
    """Waits for an undo by number, and says how far it is."""
    from ml_connector.cli import show
    from ml_connector.cli.work import work_until_idle
    from ml_connector.store import troubles, undos

    if wait:
        await work_until_idle(office, connection, shown=progress_wanted(as_json=json))
    async with office.place.store.transaction() as tx:
        run = await undos.get(tx, connection, number)
        trouble = await troubles.get(tx, connection, "undo", str(number))
    done = run.done_at is not None
    if json:
        facts = _facts(found) if found is not None else {"transactions": list(run.transactions)}
        show.as_json(facts | {"undo": run.id, "done": done, "repost": run.repost})
    elif done:
        after = "is posted again" if run.repost else "waits for `ml-connector replay`"
        show.say(f"Undone (number {run.id}); what it was for {after}.")
    else:
        show.say(f"The undo {run.id} goes on in the background.")
    if not done and trouble is not None and trouble.open and not json:
        show.error(trouble.sentence, trouble.remedy)
    return Exit.OK if done or not wait else Exit.ATTENTION
