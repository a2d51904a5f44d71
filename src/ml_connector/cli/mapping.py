"""The mapping as code: show, compare, change, check against the tenant, try on paper."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened

if TYPE_CHECKING:
    from ml_connector.books.finding import Finding
    from ml_connector.flows.mapping.mapping_change import Proposal

Note = Annotated[str, Parameter(help="Why, for those who read the versions later.")]
DryRun = Annotated[bool, Parameter(negative="", help="Show what would change; store nothing.")]
Force = Annotated[
    bool,
    Parameter(negative="", help="Put it in force whatever the tenant says, or without asking it."),
]

mapping = App(name="mapping", help="The mapping: which accounts the money is booked to, as text.")


@mapping.command(name="show")
def show_text(name: Name = "", *, version: int | None = None, json: Json = False) -> int:
    """The text as it was written, comments and all; that in force, or another version."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.mapping.mapping_change import version_of

        found = await version_of(office.place.store, await office.only(name), version)
        if json:
            show.as_json({"version": found.version, "author": found.author, "note": found.note,
                          "created_at": found.created_at, "text": found.text})  # fmt: skip
        else:
            show.note(f"# Version {found.version}, {found.created_at:%Y-%m-%d}, {found.author}")
            sys.stdout.write(found.text)
        return Exit.OK

    return opened(body, as_json=json)


@mapping.command
def versions(name: Name = "", *, json: Json = False) -> int:
    """Every version: when, by whom and why, and what was posted under it."""

    async def body(office: Office) -> int:
        from ml_connector.cli.mapped import show_versions
        from ml_connector.store import mapping as stored

        chosen = await office.only(name)
        async with office.place.store.transaction() as tx:
            found = await stored.every(tx, chosen)
            made = await stored.made_under(tx, chosen)
            now = await stored.current(tx, chosen)
        show_versions(found, made, now and now.version, as_json=json)
        return Exit.OK

    return opened(body, as_json=json)


@mapping.command(name="set")
def set_text(
    file: Path,
    name: Name = "",
    *,
    note: Note = "",
    dry_run: DryRun = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Read a file strictly, check it against the tenant, and put it in force as a new version."""

    async def body(office: Office) -> int:
        from ml_connector.flows.mapping.mapping_change import propose

        chosen = await office.only(name)
        text = await asyncio.to_thread(_text_of, file)
        proposal = await propose(office.place.store, chosen, text)
        return await _take(office, proposal, note, dry_run, force, as_json=json)

    return opened(body, as_json=json)


@mapping.command
def edit(
    name: Name = "",
    *,
    note: Note = "",
    dry_run: DryRun = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Open the text in force in your editor ($VISUAL, $EDITOR), then go on as `set` does."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.mapped import edited
        from ml_connector.flows.mapping.mapping_change import propose, version_of

        chosen = await office.only(name)
        found = await version_of(office.place.store, chosen)
        place = await asyncio.to_thread(edited, found.text, os.environ)
        show.note(f"Your text is kept in {place}.")  # a refusal shall not cost anyone's work
        text = await asyncio.to_thread(_text_of, place)
        proposal = await propose(office.place.store, chosen, text, found)
        return await _take(office, proposal, note, dry_run, force, as_json=json)

    return opened(body, as_json=json)


@mapping.command
def put(
    key: str,
    value: str,
    *,
    connection: Name = "",
    note: Note = "",
    dry_run: DryRun = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Set one key (policies.unmatched suspense), comments and order kept; then as `set`."""

    async def body(office: Office) -> int:
        from ml_connector.flows.mapping.mapping_edit import put as put_key

        proposal = await _rewritten(office, connection, partial(put_key, key=key, value=value))
        return await _take(office, proposal, note, dry_run, force, as_json=json)

    return opened(body, as_json=json)


@mapping.command
def drop(
    key: str,
    *,
    connection: Name = "",
    note: Note = "",
    dry_run: DryRun = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Take one key out of the text; then as `set`."""

    async def body(office: Office) -> int:
        from ml_connector.flows.mapping.mapping_edit import drop as drop_key

        proposal = await _rewritten(office, connection, partial(drop_key, key=key))
        return await _take(office, proposal, note, dry_run, force, as_json=json)

    return opened(body, as_json=json)


@mapping.command
def back(
    version: int,
    *,
    connection: Name = "",
    note: Note = "",
    dry_run: DryRun = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Put an older version in force again, as a new version."""

    async def body(office: Office) -> int:
        from ml_connector.flows.mapping.mapping_change import propose, version_of

        chosen = await office.only(connection)
        found = await version_of(office.place.store, chosen, version)
        why = note or f"Back to version {version}."
        proposal = await propose(office.place.store, chosen, found.text)
        return await _take(office, proposal, why, dry_run, force, as_json=json)

    return opened(body, as_json=json)


@mapping.command
def diff(older: int, newer: int, *, connection: Name = "", json: Json = False) -> int:
    """Which keys differ between two versions, from what to what."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.mapped import show_changes
        from ml_connector.flows.mapping.mapping_change import version_of
        from ml_connector.flows.mapping.mapping_edit import differences

        store, chosen = office.place.store, await office.only(connection)
        one = await version_of(store, chosen, older)
        other = await version_of(store, chosen, newer)
        changed = differences(one.body, other.body)
        if json:
            show.as_json({"changed": changed})
        else:
            show_changes(changed)
        return Exit.OK

    return opened(body, as_json=json)


@mapping.command
def lint(name: Name = "", *, file: Path | None = None, json: Json = False) -> int:
    """Check the mapping in force (or a file) against the tenant; exit code 1 when one fails."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.mapped import show_findings
        from ml_connector.flows.mapping.lint import lint as findings_of
        from ml_connector.flows.mapping.mapping_change import propose

        chosen = await office.only(name)
        if file is None:
            c = await office.board.connected(chosen)
        else:
            text = await asyncio.to_thread(_text_of, file)
            proposal = await propose(office.place.store, chosen, text)
            c = await office.board.trying(chosen, proposal.mapping)
        found = await findings_of(c)
        if json:
            show.as_json({"ok": not _fails(found), "findings": found})
        else:
            show_findings(found)
        return Exit.ATTENTION if _fails(found) else Exit.OK

    return opened(body, as_json=json)


@mapping.command(name="what-if")
def what_if(file: Path, name: Name = "", *, days: int = 90, json: Json = False) -> int:
    """What the last days' movements would be booked as under a file; nothing is written."""

    async def body(office: Office) -> int:
        from ml_connector.cli.mapped import show_what_if
        from ml_connector.flows.mapping.mapping_change import propose
        from ml_connector.flows.questions.what_if import what_if as answer

        chosen = await office.only(name)
        text = await asyncio.to_thread(_text_of, file)
        proposal = await propose(office.place.store, chosen, text)
        c = await office.board.connected(chosen)
        show_what_if(await answer(c, proposal.mapping, days), days, as_json=json)
        return Exit.OK

    return opened(body, as_json=json)


def _text_of(file: Path) -> str:
    from ml_connector.cli import given

    return given.text_of(file)


def _fails(found: "list[Finding]") -> bool:
    from ml_connector.books.finding import Severity

    return any(one.severity is Severity.FAIL for one in found)


async def _rewritten(office: Office, name: str, rewrite: Callable[[str], str]) -> "Proposal":
    """What is in force, changed by a rule."""
    from ml_connector.flows.mapping.mapping_change import propose, version_of

    chosen = await office.only(name)
    found = await version_of(office.place.store, chosen)
    return await propose(office.place.store, chosen, rewrite(found.text), found)


async def _take(
    office: Office,
    proposal: "Proposal",
    note: str,
    dry_run: bool,
    force: bool,
    *,
    as_json: bool,
) -> int:
    """Checks a text, shows what it changes, and puts it in force unless something fails."""
    from ml_connector.cli.mapped import Taken, show_taken
    from ml_connector.flows.mapping.mapping_change import put_in_force

    store = office.place.store
    found = [] if force else await _linted(office, proposal)
    refused = _fails(found)
    version = None if proposal.base is None else proposal.base.version
    stored = not (refused or dry_run or proposal.same)
    if stored:
        version = await put_in_force(store, office.place.clock, proposal, author=actor(), note=note)
    taken = Taken(proposal, found, version, stored=stored, refused=refused)
    show_taken(taken, as_json=as_json)
    return Exit.ATTENTION if refused else Exit.OK


async def _linted(office: Office, proposal: "Proposal") -> "list[Finding]":
    from ml_connector.flows.mapping.lint import lint as findings_of

    return await findings_of(await office.board.trying(proposal.connection, proposal.mapping))
