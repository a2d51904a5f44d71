"""What the mapping's commands print, and the editor that one of them opens."""

import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.finding import Finding
from ml_connector.books.what_if import Outcome
from ml_connector.cli import show
from ml_connector.cli.show import money
from ml_connector.flows.mapping.mapping_change import Proposal
from ml_connector.flows.mapping.mapping_edit import Changed
from ml_connector.flows.questions.what_if import WhatIf
from ml_connector.store.mapping import MadeUnder, MappingVersion

COLOURS = {"fail": "red", "warn": "yellow"}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a proposed text; `version` is the one in force now."""

    proposal: Proposal
    findings: Sequence[Finding]
    version: int | None
    stored: bool
    refused: bool


def edited(text: str, environment: Mapping[str, str]) -> Path:
    """A new file with the text as a person leaves it in the editor; raises Misconfigured."""
    editor = environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    place = Path(tempfile.mkdtemp(prefix="ml-")) / "mapping.toml"
    place.write_text(text, "utf-8")
    try:
        done = subprocess.run([*shlex.split(editor), str(place)], check=False)  # noqa: S603 - theirs
        code: object = done.returncode
    except (OSError, ValueError) as error:
        code = error
    if code:
        raise Misconfigured(
            f"The editor {editor!r} did not end well ({code}); nothing was changed.",
            cause="cli.editor",
            remedy="Set EDITOR to a program that waits until you are done.",
        )
    return place


def show_changes(changed: Sequence[Changed]) -> None:
    """The keys that differ, from what to what."""
    for one in changed:
        show.say(f"{one.key}: {_said(one.before)} -> {_said(one.after)}")
    if not changed:
        show.say("No key differs.")


def _said(value: str | None) -> str:
    return "(nothing)" if value is None else value


def show_findings(found: Sequence[Finding]) -> None:
    """The findings, each with its remedy."""
    for one in found:
        mark = one.severity.value
        show.say(f"{one.key}: {one.sentence}", mark=mark, colour=COLOURS[mark])
        show.say(f"     {one.remedy}")
    if not found:
        show.say("The mapping fits the tenant.")


def show_taken(taken: Taken, *, as_json: bool) -> None:
    """What a change of the mapping came to."""
    if as_json:
        show.as_json({"connection": taken.proposal.connection, "version": taken.version,
                      "stored": taken.stored, "changed": taken.proposal.changed,
                      "findings": taken.findings})  # fmt: skip
        return
    show_changes(taken.proposal.changed)
    for one in taken.findings:
        if not one.unchecked:
            show_findings([one])
    if taken.refused:
        show.say("It was not put in force: cure what fails, or use --force.")
    elif taken.stored:
        show.say(f"Version {taken.version} is in force; what was waiting goes on by itself.")
    elif taken.proposal.same:
        show.say(f"The text is that of version {taken.version} already.")
    else:
        show.say("Nothing was stored.")


def show_versions(
    found: Sequence[MappingVersion],
    made: Sequence[MadeUnder],
    in_force: int | None,
    *,
    as_json: bool,
) -> None:
    """Every version, newest first, with what was posted under it."""
    under = {one.version: [each for each in made if each.version == one.version] for one in found}
    if as_json:
        facts = [
            {"version": one.version, "in_force": one.version == in_force,
             "created_at": one.created_at, "author": one.author, "note": one.note,
             "postings": [{"count": each.count, "clearing": money(each.clearing)}
                          for each in under[one.version]]}
            for one in found
        ]  # fmt: skip
        show.as_json({"versions": facts})
        return
    rows = [
        (f"{one.version}{' in force' if one.version == in_force else ''}",
         f"{one.created_at:%Y-%m-%d %H:%M}", one.author, one.note,
         "\n".join(str(each.count) for each in under[one.version]) or "0",
         "\n".join(str(each.clearing) for each in under[one.version]))
        for one in found
    ]  # fmt: skip
    columns = ("version", "when", "author", "note", "postings ", "on the clearing ")
    show.table("Mapping", columns, rows)


def show_what_if(found: WhatIf, days: int, *, as_json: bool) -> None:
    """What would be booked otherwise, by account and by movement."""
    if as_json:
        show.as_json(_what_if_facts(found))
        return
    rows = [
        (str(one.place), str(one.before), str(one.after), str(one.after - one.before))
        for one in found.shifts
    ]
    title = f"{len(found.differing)} of {found.looked_at} movements of {days} days differ"
    show.table(title, ("account", "now ", "then ", "difference "), rows)
    for one in found.differing:
        row = one.transaction
        show.say(f"{row.id} {row.type} {row.net}: {_words(one.before)} -> {_words(one.after)}")
    for transaction, why in found.not_known:
        show.say(f"{transaction}: {why}", mark="open", colour="yellow")
    show.say("What is booked already stays as it is; this is what it would have become.")


def _words(one: Outcome) -> str:
    if one.waits:
        return f"waits ({one.waits})"
    sides = [f"{place} {amount}" for place, all_ in one.moves.items() for amount in all_]
    return ", ".join(sides) or "nothing"


def _what_if_facts(found: WhatIf) -> dict[str, object]:
    return {
        "looked_at": found.looked_at,
        "accounts": [
            {"account": str(one.place), "before": money(one.before), "after": money(one.after)}
            for one in found.shifts
        ],
        "differing": [
            {"transaction": one.transaction.id, "net": money(one.transaction.net),
             "before": _facts(one.before), "after": _facts(one.after)}
            for one in found.differing
        ],
        "not_known": [{"transaction": one, "why": why} for one, why in found.not_known],
    }  # fmt: skip


def _facts(one: Outcome) -> dict[str, object]:
    moves = [
        {"account": str(place)} | money(amount)
        for place, amounts in one.moves.items()
        for amount in amounts
    ]
    return {"moves": moves, "waits": one.waits}
