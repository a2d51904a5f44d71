"""The page on which a mapping is read, checked and changed: plain HTML, nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.finding import Finding
from ml_connector.flows.mapping.mapping_edit import Changed
from ml_connector.flows.mapping.mapping_text import line_of
from ml_connector.flows.questions.what_if import WhatIf
from ml_connector.store.mapping import MadeUnder, MappingVersion

STYLE = """
:root { color-scheme: light; --line: #c9ccd1; --soft: #f5f6f7; --ink: #16191d; --quiet: #50565e; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1rem 1.25rem 3rem; color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
.quiet { color: var(--quiet); margin: .15rem 0; } a { color: #0b4fa0; }
.columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.75rem; }
.editor { display: flex; border: 1px solid var(--line); border-radius: 4px; overflow: hidden; }
.editor pre, textarea { font: .875rem/1.45 ui-monospace, Menlo, Consolas, monospace; margin: 0;
  padding: .6rem .5rem; }
.editor pre { color: var(--quiet); background: var(--soft); text-align: right; user-select: none; }
textarea { flex: 1; min-width: 0; border: 0; resize: none; white-space: pre; overflow-x: auto; }
label { display: block; margin: .75rem 0 .25rem; }
input[type=text] { width: 100%; font: inherit; padding: .4rem .5rem; border: 1px solid var(--line);
  border-radius: 4px; }
.buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin: .9rem 0; }
button { font: inherit; padding: .45rem .9rem; border: 1px solid #6b727b; border-radius: 4px;
  background: #fff; color: var(--ink); cursor: pointer; }
button.main { background: var(--ink); color: #fff; border-color: var(--ink); }
:focus-visible { outline: 3px solid #0b4fa0; outline-offset: 1px; }
.told { border: 1px solid var(--line); border-left: 5px solid var(--ink); border-radius: 4px;
  padding: .6rem .8rem; margin: .9rem 0; background: var(--soft); }
.told p { margin: .1rem 0; } ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .5rem 0; overflow-wrap: anywhere; }
.word { font-weight: 700; } code { font-size: .9em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0;
  border-bottom: 1px solid var(--line); }
.sum { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 56rem) { .columns { grid-template-columns: minmax(0, 1fr); gap: .5rem; }
  body { padding: .75rem; } }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""By which the policy of the page lets its own style in, and no other."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an act came to: a word, the reason, and what to do next."""

    word: str
    reason: str
    next: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the page shows at one moment."""

    connection: ConnectionId
    text: str
    base: int
    in_force: int
    versions: Sequence[MappingVersion]
    made: Sequence[MadeUnder]
    csrf: str
    note: str = ""
    told: Told | None = None
    changed: Sequence[Changed] | None = None
    findings: Sequence[Finding] | None = None
    what_if: WhatIf | None = None
    days: int = 90
    looking_at: int | None = None


def trouble(error: ConnectorError) -> Told:
    """An error as the page tells it."""
    return Told("Refused", error.sentence, error.remedy)


def page(view: View) -> str:
    """The whole page."""
    looking = f", looking at version {view.looking_at}" if view.looking_at else ""
    return document(
        f"Mapping of {view.connection}",
        f"<h1>Mapping of {escape(view.connection)}</h1>"
        f'<p class="quiet">Version {view.in_force} is in force{looking}.</p>'
        f"{_told(view.told)}{_overtaken(view)}"
        f'<div class="columns"><div>{_form(view)}</div><div>{_beside(view)}</div></div>'
        f"{_what_if(view)}{_versions(view)}{_end(view)}",
    )


def document(title: str, body: str) -> str:
    """A page of ours around some content."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def _told(told: Told | None) -> str:
    if told is None:
        return ""
    after = f"<p>Next: {escape(told.next)}</p>" if told.next else ""
    word, reason = escape(told.word), escape(told.reason)
    return f'<div class="told" role="status"><p><b>{word}.</b> {reason}</p>{after}</div>'


def _overtaken(view: View) -> str:
    """How to go on when another version came in force under the text in the editor."""
    if view.base == view.in_force:
        return ""
    made = f"The text below was made from version {view.base}."
    copy = "Copy what you need of it first."
    return f'<p>{made} <a href="/">Begin anew from version {view.in_force}</a>. {copy}</p>'


def _hidden(view: View) -> str:
    return (
        f'<input type="hidden" name="csrf" value="{escape(view.csrf)}">'
        f'<input type="hidden" name="base" value="{view.base}">'
    )


def _form(view: View) -> str:
    rows = max(len(view.text.splitlines()) + 2, 12)
    numbers = "\n".join(str(number) for number in range(1, rows + 1))
    # A browser drops the first line break after the tag: it is ours, not the text's.
    return (
        f'<form method="post" action="/">{_hidden(view)}<h2><label for="text">The text</label></h2>'
        f'<div class="editor"><pre aria-hidden="true">{numbers}</pre>'
        f'<textarea id="text" name="text" rows="{rows}" wrap="off" spellcheck="false">\n'
        f"{escape(view.text)}</textarea></div>"
        '<label for="note">Why it is changed (kept with the version)</label>'
        f'<input type="text" id="note" name="note" maxlength="500" value="{escape(view.note)}">'
        '<div class="buttons"><button name="act" value="check">Check</button>'
        '<button name="act" value="what_if">What if</button>'
        '<button name="act" value="put" class="main">Put in force</button></div></form>'
    )


def _beside(view: View) -> str:
    return _changes(view.changed) + _findings(view)


def _changes(changed: Sequence[Changed] | None) -> str:
    if changed is None:
        return ""
    rows = [
        f"<li><code>{escape(one.key)}</code>: {_said(one.before)} becomes {_said(one.after)}</li>"
        for one in changed
    ]
    return f"<h2>Against what is in force</h2>{_list(rows, 'No key differs.')}"


def _said(value: str | None) -> str:
    return "(nothing)" if value is None else f"<code>{escape(value)}</code>"


def _findings(view: View) -> str:
    if view.findings is None:
        hint = "Check compares the text with the tenant, one call to Acumatica for each list."
        return f'<h2>Findings</h2><p class="quiet">{hint}</p>'
    rows = [
        f'<li><span class="word">{_word(one)}</span> {_place(view.text, one.key)}<br>'
        f"{escape(one.sentence)}<br><span>Next: {escape(one.remedy)}</span></li>"
        for one in view.findings
    ]
    return f"<h2>Findings</h2>{_list(rows, 'The mapping fits the tenant.')}"


def _word(one: Finding) -> str:
    return "Not checked" if one.unchecked else {"fail": "Fails", "warn": "Look"}[one.severity]


def _place(text: str, key: str) -> str:
    line = line_of(text, key)
    return f"<code>{escape(key)}</code>{f', line {line}' if line else ''}"


def _list(rows: Sequence[str], nothing: str) -> str:
    return f"<ul>{''.join(rows)}</ul>" if rows else f"<p>{nothing}</p>"


def _what_if(view: View) -> str:
    found = view.what_if
    if found is None:
        return ""
    rows = [
        (escape(str(one.place)), str(one.before), str(one.after), str(one.after - one.before))
        for one in found.shifts
    ]
    open_ = [f"<li><code>{one}</code>: open. {escape(why)}</li>" for one, why in found.not_known]
    told = f"{len(found.differing)} of {found.looked_at} movements of {view.days} days differ."
    stays = "What is booked already stays as it is; this is what it would have become."
    table = _table(("Account", "Now ", "Then ", "Difference "), rows) if rows else ""
    more = f"<ul>{''.join(open_)}</ul>" if open_ else ""
    return f'<h2>What if</h2><p>{told} <span class="quiet">{stays}</span></p>{table}{more}'


def _versions(view: View) -> str:
    rows = [
        (
            f"{one.version}{' (in force)' if one.version == view.in_force else ''}",
            f"{one.created_at:%Y-%m-%d %H:%M} UTC",
            escape(one.author),
            escape(one.note),
            "<br>".join(
                f"{each.count} documents, {each.clearing} on the clearing"
                for each in view.made
                if each.version == one.version
            )
            or "none",
            _to_version(view, one.version),
        )
        for one in view.versions
    ]
    columns = ("Version", "When", "By", "Why", "Posted under it", "")
    return f"<h2>Versions</h2>{_table(columns, rows)}"


def _to_version(view: View, version: int) -> str:
    if version == view.in_force:
        return ""
    if version != view.looking_at:
        return f'<a href="/version/{version}">Compare with what is in force</a>'
    return (
        f'<form method="post" action="/">{_hidden(view)}'
        f'<input type="hidden" name="version" value="{version}">'
        f'<button name="act" value="back">Back to version {version}</button></form>'
    )


def _end(view: View) -> str:
    return (
        f'<form method="post" action="/">{_hidden(view)}<div class="buttons">'
        '<button name="act" value="end">Close this screen</button></div></form>'
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; columns whose name ends with a space hold amounts, set to the right."""
    marks = [' class="sum"' if column.endswith(" ") else "" for column in columns]
    top = "".join(f"<th{m}>{escape(c)}</th>" for c, m in zip(columns, marks, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{m}>{c}</td>" for c, m in zip(row, marks, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )
