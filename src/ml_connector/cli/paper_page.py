"""What the pages of all signed papers share: self-contained, without script, made for print."""

from collections.abc import Sequence
from html import escape
from typing import cast

from ml_connector.books.sealed import Facts, Paper

STYLE = """
@page { size: A4; margin: 16mm 15mm 18mm; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.4 "Liberation Sans", Helvetica, Arial, sans-serif; color: #111;
  max-width: 190mm; margin: 12mm auto; padding: 0 5mm; }
header { border-bottom: 2px solid #111; padding-bottom: 3mm; margin-bottom: 4mm; }
header p { margin: 0; color: #444; } h1 { font-size: 17pt; margin: 0 0 1mm; }
h2 { font-size: 11.5pt; margin: 7mm 0 1.5mm; break-after: avoid; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1mm 5mm; margin: 3mm 0; }
dt { color: #444; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; }
th { font-weight: 600; border-bottom: 1px solid #111; vertical-align: bottom; }
th, td { text-align: left; padding: 1mm 3mm 1mm 0; } .amount { white-space: nowrap; }
td { border-bottom: 1px solid #ccc; vertical-align: top; } tr { break-inside: avoid; }
tr.total td { border-top: 1px solid #111; border-bottom: 3px double #111; font-weight: 600; }
.sum { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: 0;
  padding-left: 3mm; }
.verdict { padding: 2.5mm 3mm; border: 1px solid #111; border-left-width: 5px; margin: 0 0 3mm; }
code { font: 8.5pt/1.35 "Liberation Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 6mm; border-top: 1px solid #111; padding-top: 2mm; break-inside: avoid; }
@media print { body { margin: 0; max-width: none; padding: 0; } }
@media (max-width: 40rem) { body { margin: 4mm auto; font-size: 10pt; } dl { display: block; }
  .wide { overflow-x: auto; } }
"""
CAUTION = (
    "The signature shows that nobody without the key has changed this paper since it was made, and "
    "not whose key that is: compare its id with the one that the firm gives you by another way. "
    "That the ledger was right is shown by reading each document back, at the time beside it."
)
DOCUMENT = "Document, its key, when it was read back, and the hash of it"


def whole(title: str, parts: Sequence[str]) -> str:
    """A page of its parts; those that are empty are left out."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def verdict(paper: Paper, head: Facts) -> str:
    """What the paper says in short; that it is not to be relied on, where it is not as signed."""
    told = f"<strong>{say(head, 'verdict').capitalize()}.</strong> {say(head, 'statement')}"
    if paper.complaints:
        told = "<strong>Not to be relied on.</strong> It is not as it was signed: see the end."
    return f'<p class="verdict">{told}</p>'


def signature(paper: Paper) -> str:
    """By whom it was signed, what does not fit, and how to check it again."""
    sound = "Every signature and every sum was checked when this page was made."
    wrong = [f"Line {one.line}: {escape(one.sentence)}" for one in paper.complaints]
    facts = [
        ("Key id", f"<code>{escape(paper.key_id)}</code>"),
        ("Public key", f"<code>{escape(paper.key)}</code>"),
        ("Signature", f"<code>{escape(paper.signature)}</code>"),
        ("Format", f"<code>{escape(paper.format)}</code>"),
        ("Paper", f"<code>{escape(paper.name)}</code>"),
    ]
    checked = items(wrong) if wrong else f"<p>{sound}</p>"
    how = "<p>Check the file that this page was made from: <code>ml-connector proof verify FILE"
    return (
        f"<footer><h2>Signature</h2>{checked}{particulars(facts)}<p>{CAUTION}</p>"
        f"{how} --key {escape(paper.key_id)}</code></p></footer>"
    )


def particulars(facts: Sequence[tuple[str, str]]) -> str:
    """What is said under a name each."""
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def when(facts: Facts, name: str) -> str:
    """An instant as people write it, to the second, with its zone."""
    text = str(facts.get(name) or "")
    return escape(f"{text[:19].replace('T', ' ')} UTC" if text.endswith("+00:00") else text)


def of(paper: Paper, what: str) -> list[Facts]:
    """The lines of one kind."""
    return [facts for _, facts in paper.lines if facts.get("what") == what]


def rows(facts: Facts, name: str) -> list[Facts]:
    """A list inside a line."""
    return cast("list[Facts]", facts.get(name) or [])


def say(facts: Facts, name: str) -> str:
    """What a line says under a name, quoted."""
    return escape(str(facts.get(name, "")))


def items(texts: Sequence[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{one}</li>' for one in texts)}</ul>" if texts else ""


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False
) -> str:
    """A table; columns whose name ends with a space hold amounts, set to the right.

    With `total` its last row is the result of those above.
    """
    if not rows:
        return ""
    marks = [' class="sum"' if column.endswith(" ") else "" for column in columns]
    top = "".join(f"<th{m}>{escape(c)}</th>" for c, m in zip(columns, marks, strict=True))
    body = "\n".join(
        ('<tr class="total">' if total and place == len(rows) else "<tr>")
        + "".join(f"<td{m}>{cell}</td>" for cell, m in zip(row, marks, strict=True))
        + "</tr>"
        for place, row in enumerate(rows, start=1)
    )
    table = f"<thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody>"
    return f"<h2>{escape(title)}</h2><div class=wide><table>{table}</table></div>"


def document(one: Facts) -> str:
    """A document by its number in Acumatica, and how we know of it."""
    return (
        f"{say(one, 'acumatica') or 'none yet'}<br><code>{say(one, 'key')}</code><br>"
        f"{say(one, 'state')} {when(one, 'verified_at')}<br><code>{say(one, 'read_back')}</code>"
    )


def changed(paper: Paper) -> str:
    """What people did to the documents since; none of it is hidden by a verdict."""
    known = {str(one.get("key")): say(one, "acumatica") for one in of(paper, "document")}
    found = [
        [
            f"{known.get(str(one.get('document')), '')}<br><code>{say(one, 'document')}</code>",
            say(one, "sentence"),
            say(one, "decision") + ("" if one.get("stands") is True else ", not in force"),
            say(one, "missing"),
        ]
        for one in of(paper, "changed")
    ]
    columns = ("Document", "What people changed since it was read back", "Decided", "Missing ")
    return table("Changed by people", columns, found)
