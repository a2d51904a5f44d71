"""The proof of a payout as a page: self-contained, without script, made for print too."""

from collections.abc import Sequence
from html import escape
from typing import cast

from ml_connector.books.sealed import Facts, Paper

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: #555; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; overflow-wrap: anywhere; }
.sum { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { padding: .6rem .8rem; border-left: 4px solid #9a6700; background: #fff8e5; }
.good { border-color: #1a7f37; background: #eefbf1; }
code { font-size: .85em; overflow-wrap: anywhere; } tr { break-inside: avoid; }
@media print { body { margin: 0; max-width: none; } }
"""
CAUTION = (
    "The signature shows that nobody without the key has changed this proof since it was made. "
    "That the ledger was right is shown by reading each document back, at the time beside it."
)


def page_of(paper: Paper) -> str:
    """A checked paper as an HTML page."""
    head = _of(paper, "payout")[0]
    good = head.get("verdict") in {"proven", "returned"}
    words = f"<strong>{_say(head, 'verdict')}</strong>. {_say(head, 'statement')}"
    made = (
        f"{_say(head, 'connection')}, {_say(head, 'status')} at Stripe, arrives"
        f" {_say(head, 'arrival')}. Made {_say(head, 'at')}."
    )
    parts = [
        f"<h1>Payout {_say(head, 'payout')} of {_say(head, 'amount')}</h1>",
        f'<p class="{"verdict good" if good else "verdict"}">{words}</p>',
        _list([f"{escape(str(one.get('sentence')))}" for one in _of(paper, "gap")]),
        f"<p>{made}</p>",
        _members(paper),
        _documents(paper),
        _accounts(paper),
        _sums(paper),
        f"<h2>Signature</h2><p>{CAUTION}</p><p>Key <code>{escape(paper.key)}</code></p>",
    ]
    title = f"Proof of payout {_say(head, 'payout')}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def _members(paper: Paper) -> str:
    rows = [
        [
            _say(one, "what"),
            f"<code>{_say(one, 'transaction')}</code>",
            f"{_say(one, 'type')}/{_say(one, 'category')}",
            _say(one, "net"),
            "<br>".join(_say(share, "document") for share in _rows(one, "carried")),
        ]
        for what in ("member", "transfer", "reversal")
        for one in _of(paper, what)
    ]
    columns = ("", "Transaction at Stripe", "Kind", "Net ", "Carried by")
    return _table("What is inside", columns, rows)


def _documents(paper: Paper) -> str:
    rows = [
        [
            f"{_say(one, 'acumatica')}<br><code>{_say(one, 'key')}</code>",
            f"{_say(one, 'state')}<br>{_say(one, 'verified_at')}",
            "<br>".join(_say(entry, "account") for entry in _rows(one, "entries")),
            "<br>".join(_say(entry, "amount") for entry in _rows(one, "entries")),
            f"<code>{_say(one, 'read_back')[:16]}</code>",
        ]
        for one in _of(paper, "document")
    ]
    columns = ("Document in Acumatica", "Read back", "Account", "Debit (credit -) ", "Hash")
    return _table("Documents", columns, rows)


def _accounts(paper: Paper) -> str:
    rows = [[_say(one, "account"), _say(one, "amount")] for one in _of(paper, "account")]
    return _table("Sums per account", ("Account", "Debit (credit -) "), rows)


def _sums(paper: Paper) -> str:
    named = {
        "sums": ("members", "payout", "difference"),
        "clearing": ("before", "transfer", "after"),
        "tie_out": ("clearing", "stripe", "named", "difference"),
    }
    rows = [
        [f"{what.replace('_', '-')}: {name}", _say(one, name)]
        for what, names in named.items()
        for one in _of(paper, what)
        for name in names
    ]
    return _table("The equation", ("", "Amount "), rows)


def _of(paper: Paper, what: str) -> list[Facts]:
    return [facts for _, facts in paper.lines if facts.get("what") == what]


def _rows(facts: Facts, name: str) -> list[Facts]:
    return cast("list[Facts]", facts.get(name) or [])


def _say(facts: Facts, name: str) -> str:
    return escape(str(facts.get(name, "")))


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else ""


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; columns whose name ends with a space hold amounts, set to the right."""
    if not rows:
        return ""
    marks = [' class="sum"' if column.endswith(" ") else "" for column in columns]
    top = "".join(f"<th{m}>{escape(c)}</th>" for c, m in zip(columns, marks, strict=True))
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{m}>{cell}</td>" for cell, m in zip(row, marks, strict=True))
        + "</tr>"
        for row in rows
    )
    table = f"<thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody>"
    return f"<h2>{escape(title)}</h2><table>{table}</table>"
