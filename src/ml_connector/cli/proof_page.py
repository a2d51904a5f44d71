"""The proof of a payout as a page: self-contained, without script, made for print too."""

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
    "The signature shows that nobody without the key has changed this proof since it was made, and "
    "not whose key that is: compare its id with the one that the firm gives you by another way. "
    "That the ledger was right is shown by reading each document back, at the time beside it."
)


def page_of(paper: Paper) -> str:
    """A checked paper as an HTML page."""
    head = _of(paper, "payout")[0]
    parts = [
        _heading(paper, head),
        _list([escape(str(one.get("sentence"))) for one in _of(paper, "gap")]),
        _facts(_particulars(paper, head)),
        _equation(paper),
        _members(paper),
        _documents(paper),
        _changed(paper),
        _accounts(paper),
        _clearing(paper),
        _signature(paper),
    ]
    title = f"Proof of payout {_say(head, 'payout')}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def _heading(paper: Paper, head: Facts) -> str:
    verdict = f"<strong>{_say(head, 'verdict').capitalize()}.</strong> {_say(head, 'statement')}"
    if paper.complaints:
        verdict = "<strong>Not to be relied on.</strong> It is not as it was signed: see the end."
    return (
        f"<header><p>Proof of a payout, {_say(head, 'connection')}</p>"
        f"<h1>{_say(head, 'payout')} of {_say(head, 'amount')}</h1>"
        f"<p>Arrives {_say(head, 'arrival')}. Drawn up {_when(head, 'at')}.</p></header>\n"
        f'<p class="verdict">{verdict}</p>'
    )


def _particulars(paper: Paper, head: Facts) -> list[tuple[str, str]]:
    versions = ", ".join(str(one) for one in cast("list[object]", head.get("mapping_versions")))
    members = f"{_say(head, 'members')}, {len(_of(paper, 'document'))} documents"
    return [
        ("Payout", f"<code>{_say(head, 'payout')}</code>"),
        ("Amount", _say(head, "amount")),
        ("Status at Stripe", _say(head, "status")),
        ("Arrival at the bank", _say(head, "arrival")),
        ("Members", members if head.get("members_named") else f"{members} (not named by Stripe)"),
        ("Mapping versions", escape(versions) or "none"),
    ]


def _equation(paper: Paper) -> str:
    """What every proof rests on: the members add up to what came to the bank."""
    rows = [
        [[words, _say(one, name)] for words, name in (
            ("Sum of the members", "members"), ("Payout", "payout"))]
        + [["Difference", _say(one, "difference")]]
        for one in _of(paper, "sums")
    ]  # fmt: skip
    flat = [row for group in rows for row in group]
    return _table("The equation", ("", "Amount "), flat, total=True)


def _clearing(paper: Paper) -> str:
    found = [
        _table("Clearing account around the transfer, by our documents alone", ("", "Amount "), [
            ["Before", _say(one, "before")], ["The transfer", _say(one, "transfer")],
            ["After", _say(one, "after")]], total=True)
        for one in _of(paper, "clearing")
    ]  # fmt: skip
    found += [
        _table(f"Last tie-out, measured {_when(one, 'measured_at')}", ("", "Amount "), [
            ["Clearing account in Acumatica", _say(one, "clearing")],
            ["Balance at Stripe", _say(one, "stripe")],
            ["Not posted yet, named one by one", _say(one, "named")],
            ["Difference", _say(one, "difference")]], total=True)
        for one in _of(paper, "tie_out")
    ]  # fmt: skip
    return "\n".join(found)


def _signature(paper: Paper) -> str:
    sound = "Every signature and every sum was checked when this page was made."
    wrong = [f"Line {one.line}: {escape(one.sentence)}" for one in paper.complaints]
    facts = [
        ("Key id", f"<code>{escape(paper.key_id)}</code>"),
        ("Public key", f"<code>{escape(paper.key)}</code>"),
        ("Signature", f"<code>{escape(paper.signature)}</code>"),
        ("Format", f"<code>{escape(paper.format)}</code>"),
        ("Paper", f"<code>{escape(paper.name)}</code>"),
    ]
    checked = _list(wrong) if wrong else f"<p>{sound}</p>"
    how = "<p>Check the file that this page was made from: <code>ml-connector proof verify FILE"
    return (
        f"<footer><h2>Signature</h2>{checked}{_facts(facts)}<p>{CAUTION}</p>"
        f"{how} --key {escape(paper.key_id)}</code></p></footer>"
    )


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in rows)}</dl>"


def _members(paper: Paper) -> str:
    known = {str(one.get("key")): _say(one, "acumatica") for one in _of(paper, "document")}
    rows = [
        [
            f"<code>{_say(one, 'transaction')}</code><br>{_kind(one)}",
            "<br>".join(_carried(share, known) for share in _rows(one, "carried")) or "nobody yet",
            _say(one, "net"),
        ]
        for what in ("member", "transfer", "reversal")
        for one in _of(paper, what)
    ]
    columns = ("Balance transaction at Stripe", "Carried by", "Net ")
    return _table("What is inside", columns, rows)


def _kind(member: Facts) -> str:
    """What a line is at Stripe; that it is no member but the transfer itself is said."""
    role = "" if member.get("what") == "member" else f"the {_say(member, 'what')}: "
    return f"{role}{_say(member, 'type')}/{_say(member, 'category')}"


def _carried(share: Facts, known: dict[str, str]) -> str:
    """A document by its number in Acumatica, what it carries of the member, and our key."""
    number = known.get(str(share.get("document")), "") or "not in Acumatica yet"
    amount = f'<span class="amount">{_say(share, "amount")}</span>'
    return f"{number}: {amount}<br><code>{_say(share, 'document')}</code>"


def _documents(paper: Paper) -> str:
    rows = [
        [
            (
                f"{_say(one, 'acumatica') or 'none yet'}<br><code>{_say(one, 'key')}</code><br>"
                f"{_say(one, 'state')} {_when(one, 'verified_at')}<br>"
                f"<code>{_say(one, 'read_back')}</code>"
            ),
            "<br>".join(
                f'<span class="amount">{_say(entry, "account")}</span>'
                for entry in _rows(one, "entries")
            ),
            "<br>".join(_say(entry, "amount") for entry in _rows(one, "entries")),
        ]
        for one in _of(paper, "document")
    ]
    columns = ("Document, its key, when it was read back, and the hash of it", "Account",
               "Debit (credit -) ")  # fmt: skip
    return _table("Documents in Acumatica", columns, rows)


def _changed(paper: Paper) -> str:
    """What people did to the documents since; none of it is hidden by a verdict."""
    known = {str(one.get("key")): _say(one, "acumatica") for one in _of(paper, "document")}
    rows = [
        [
            f"{known.get(str(one.get('document')), '')}<br><code>{_say(one, 'document')}</code>",
            _say(one, "sentence"),
            _say(one, "decision") + ("" if one.get("stands") is True else ", not in force"),
            _say(one, "missing"),
        ]
        for one in _of(paper, "changed")
    ]
    columns = ("Document", "What people changed since it was read back", "Decided", "Missing ")
    return _table("Changed by people", columns, rows)


def _accounts(paper: Paper) -> str:
    rows = [[_say(one, "account"), _say(one, "amount")] for one in _of(paper, "account")]
    return _table("Sums per account, of all documents", ("Account", "Debit (credit -) "), rows)


def _when(facts: Facts, name: str) -> str:
    """An instant as people write it, to the second, with its zone."""
    text = str(facts.get(name) or "")
    return escape(f"{text[:19].replace('T', ' ')} UTC" if text.endswith("+00:00") else text)


def _of(paper: Paper, what: str) -> list[Facts]:
    return [facts for _, facts in paper.lines if facts.get("what") == what]


def _rows(facts: Facts, name: str) -> list[Facts]:
    return cast("list[Facts]", facts.get(name) or [])


def _say(facts: Facts, name: str) -> str:
    return escape(str(facts.get(name, "")))


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else ""


def _table(
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
