"""A person's word before anything is written: plan, apply, decline, and the shadow's score."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened, progress_wanted
from ml_connector.cli.work import work_until_idle

if TYPE_CHECKING:
    from ml_connector.basics.ids import ConnectionId
    from ml_connector.books.plans import Plan
    from ml_connector.flows.connected import Connected

Keys = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")]


def plan(name: Name = "", *, out: Path | None = None, json: Json = False) -> int:
    """The dry run: what would be posted and mirrored now, in money and documents, and its hash.

    Nothing is written at either side. Exit code 1 when something could not be planned.

    Parameters
    ----------
    out
        A file for the whole plan, with each document to its lines; `apply` takes it.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.planned import into_file, plan_facts, show_plan
        from ml_connector.flows.review.apply import keep

        c = await office.board.connected(await office.only(name))
        made = await _drawn_up(c, shown=progress_wanted(as_json=json))
        hashed = await keep(c, made)
        if out is not None:
            into_file(out, hashed, made)
        if json:
            show.as_json(plan_facts(hashed, made))
        else:
            show_plan(hashed, made)
        return Exit.ATTENTION if made.rest else Exit.OK

    return opened(body, as_json=json)


async def _drawn_up(c: "Connected", *, shown: bool) -> "Plan":
    """The plan, with a bar while it looks at each record."""
    from ml_connector.cli import show
    from ml_connector.flows.review.drawing_up import draw_up

    with show.progress(shown=shown) as bar:
        task = bar.add_task("looking at records", total=None) if bar else None

        def tell(done: int, of: int) -> None:
            if bar and task is not None:
                bar.update(task, total=of, completed=done)

        return await draw_up(c, tell)


def apply(
    shown: Annotated[str, Parameter(name="plan", help="Its hash or a file of `plan --out`.")],
    *,
    only: Keys = (),
    without: Keys = (),
    connection: Name = "",
    wait: bool = True,
    json: Json = False,
) -> int:
    """Approve a plan, or a part of it: exactly those documents are written, and no others.

    Refuses, with every difference, when an invoice, a movement, a document or the mapping has
    changed since the plan was shown; nothing of it is approved then.

    Parameters
    ----------
    only
        Only these documents, named by key; also takes up again what was declined.
    without
        All but these.
    wait
        Wait until they are written.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.planned import applied_facts, show_applied
        from ml_connector.flows.review import apply as applying

        chosen = await office.only(connection)
        c = await office.board.connected(chosen)
        made = await _shown_plan(office, chosen, shown)
        documents = applying.chosen(made, only, without)
        done = await applying.apply(c, made, documents, actor())
        if wait and documents:
            await work_until_idle(office, chosen, shown=progress_wanted(as_json=json))
        after = await applying.outcomes(c, done)
        if json:
            show.as_json(applied_facts(done, after))
        else:
            show_applied(done, after)
        written = all(one.written for one in after)
        return Exit.OK if written or not wait else Exit.ATTENTION

    return opened(body, as_json=json)


async def _shown_plan(office: Office, connection: "ConnectionId", shown: str) -> "Plan":
    """From a file when there is one of that name, else by its hash."""
    from ml_connector.cli.planned import in_file
    from ml_connector.flows.review.apply import plan_in_file, stored_plan

    text = in_file(shown)
    if text is not None:
        return plan_in_file(text)
    return await stored_plan(office.place.store, connection, shown)


def decline(*keys: str, why: str, connection: Name = "", json: Json = False) -> int:
    """Say that documents shall not be written; they stay named, with the reason.

    Parameters
    ----------
    keys
        The documents' keys, as the plan shows them.
    why
        The reason, for the audit trail and for whoever asks later.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.review.apply import decline as say_no

        c = await office.board.connected(await office.only(connection))
        said = await say_no(c, keys, why, actor())
        if json:
            show.as_json({"declined": list(said), "why": why})
        else:
            for key in said:
                show.say(f"{key}: {why}", mark="declined", colour="yellow")
        return Exit.OK if said else Exit.ATTENTION

    return opened(body, as_json=json)


def shadow(name: Name = "", *, since: date | None = None, json: Json = False) -> int:
    """Compare what would have been posted in shadow mode with what people posted; a score in money.

    Looks at what was caught up with: run `sync`, or the service, before. Exit code 1 when
    anything differs.

    Parameters
    ----------
    since
        The first day to compare (the connection's start).
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.planned import shadow_facts, show_shadow
        from ml_connector.flows.review.shadow import shadow as compared

        c = await office.board.connected(await office.only(name))
        found = await compared(c, since or c.record.start_date)
        if json:
            show.as_json(shadow_facts(found))
        else:
            show_shadow(found)
        level = all(one.agrees for one in found.comparisons) and not found.rest
        return Exit.OK if level else Exit.ATTENTION

    return opened(body, as_json=json)
