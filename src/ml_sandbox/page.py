"""The HTML frame of the sandboxes' windows: a page, tables, forms and marks, without assets."""

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root{--ink:#17202e;--soft:#5d6a7e;--line:#dfe4ec;--paper:#fff;--back:#f3f5f9;--brand:#1d4f91;
--brand-ink:#fff;--good:#17693b;--good-back:#e2f4e8;--warn:#7f5200;--warn-back:#fdf1d8;
--bad:#a02820;--bad-back:#fce6e4;--note-back:#e6eefa}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9f1;--soft:#9aa7bb;--line:#2c3646;
--paper:#171e29;--back:#0f141c;--brand:#7fb0f0;--brand-ink:#0f141c;--good:#7fd6a0;
--good-back:#163425;--warn:#f0c674;--warn-back:#3a2d10;--bad:#ff9d95;--bad-back:#40201d;
--note-back:#1b2a41}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
color:var(--ink);background:var(--back)}
a{color:var(--brand);text-decoration:none}a:hover{text-decoration:underline}
header{background:var(--paper);border-bottom:1px solid var(--line)}
header .in{max-width:82rem;margin:0 auto;display:flex;flex-wrap:wrap;align-items:center;
gap:.25rem 1.25rem;min-height:3.4rem;padding:.4rem 1.5rem}
header strong{font-size:1rem;white-space:nowrap}
header nav{display:flex;flex-wrap:wrap;gap:.1rem;flex:1}
header nav a{padding:.3rem .55rem;border-radius:6px;color:var(--soft)}
header nav a[aria-current]{background:var(--note-back);color:var(--brand);font-weight:600}
@media (max-width:60rem){header nav{order:3;flex-basis:100%}}
header .clock{font-size:.88rem;
color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
main{max-width:82rem;margin:0 auto;padding:1.5rem 1.5rem 4rem}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 1rem;display:flex;align-items:center;gap:.75rem;
flex-wrap:wrap}
h2{font-size:1.05rem;margin:0 0 .75rem}
.trail{color:var(--soft);margin:0 0 .35rem;font-size:.9rem}
.panel{background:var(--paper);border:1px solid var(--line);border-radius:10px;
padding:1.1rem 1.25rem;margin:0 0 1.25rem}
.panel>p:first-child{margin-top:0}
.scroll{overflow-x:auto;margin:0 -1.25rem;padding:0 1.25rem}
.two{display:grid;grid-template-columns:minmax(0,2fr) minmax(17rem,1fr);gap:0 1.25rem;
align-items:start}
@media (max-width:60rem){.two{grid-template-columns:minmax(0,1fr)}}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.9rem;
margin:0 0 1.25rem}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem;
color:var(--ink);display:block}
a.tile:hover{border-color:var(--brand);text-decoration:none}
.tile>span{display:block;color:var(--soft);font-size:.85rem}
.tile b{font-size:1.4rem;font-variant-numeric:tabular-nums;font-weight:600}
.tile small{display:block;color:var(--soft)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--line);
vertical-align:middle}
th{color:var(--soft);font-weight:500;font-size:.85rem;white-space:nowrap}
tbody tr:last-child td{border-bottom:0}
tfoot td{font-weight:600;border-top:2px solid var(--line);border-bottom:0}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;
padding-left:.9rem}
td.num+td,th.num+th{padding-left:.9rem}
td.num:last-child,th.num:last-child{padding-right:0}
td.code{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,monospace;font-size:.88em;
word-break:break-all}
td.fit{white-space:nowrap}
dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1.25rem;margin:0}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
.mark{display:inline-block;padding:.05rem .55rem;border-radius:999px;font-size:.82rem;
font-weight:600;background:var(--note-back);color:var(--brand);white-space:nowrap}
.mark.good{background:var(--good-back);color:var(--good)}
.mark.warn{background:var(--warn-back);color:var(--warn)}
.mark.bad{background:var(--bad-back);color:var(--bad)}
.notice{padding:.7rem 1rem;border-radius:8px;margin:0 0 1.25rem;background:var(--good-back);
color:var(--good)}
.notice.bad{background:var(--bad-back);color:var(--bad)}
form{margin:0}
form.fields{display:grid;gap:.7rem}
form.row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}
form.row label{flex:1 1 10rem;max-width:24rem}
.scroll+form{margin-top:.9rem}
form+form{margin-top:.8rem}
label{display:grid;gap:.2rem;color:var(--soft);font-size:.85rem}
input,select{font:inherit;font-size:.95rem;color:var(--ink);background:var(--paper);
border:1px solid var(--line);border-radius:6px;padding:.38rem .55rem;min-width:0;width:100%}
input:focus,select:focus,button:focus-visible,a:focus-visible{outline:2px solid var(--brand);
outline-offset:1px}
button{font:inherit;font-size:.95rem;padding:.4rem .9rem;border-radius:6px;cursor:pointer;
border:1px solid var(--brand);background:var(--brand);color:var(--brand-ink);white-space:nowrap}
button.quiet{background:transparent;color:var(--brand)}
button.danger{background:transparent;color:var(--bad);border-color:var(--bad)}
.small button{padding:.1rem .55rem;font-size:.85rem}
.empty,.soft{color:var(--soft)}.empty{margin:0}
.pages{display:flex;gap:1rem;margin-top:.8rem;color:var(--soft)}
"""
_GOOD = frozenset("Active Closed Posted Released paid succeeded active ok available".split())
_BAD = frozenset("Inactive Voided Rejected failed void uncollectible canceled lost Locked".split())


class Html(str):
    """Text that is HTML already; everything else is escaped where it is put in."""

    __slots__ = ()


Content = str | int | None


def text(content: Content) -> Html:
    """Any content as HTML."""
    if isinstance(content, Html):
        return content
    return Html(escape(str(content), quote=True)) if content is not None else Html()


def tag(name: str, /, *content: Content, **attributes: Content) -> Html:
    """An element; `class_` and `for_` lose the underscore, attributes of None are left out."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(text(each) for each in content)
    return Html(f"<{name}{named}>{inner}</{name}>")


def join(parts: Iterable[Content], between: str = "") -> Html:
    """Several pieces of content after each other."""
    return Html(between.join(text(part) for part in parts))


def link(place: str, content: Content) -> Html:
    """A link."""
    return tag("a", content, href=place)


def mark(status: Content, kind: str = "") -> Html:
    """A status as a small coloured mark."""
    word = str(status or "")
    kind = kind or ("good" if word in _GOOD else "bad" if word in _BAD else "")
    if not kind and any(part in word.lower() for part in ("hold", "pending", "unposted")):
        kind = "warn"
    return tag("span", word, class_=f"mark {kind}".strip())


def panel(title: str, *content: Content) -> Html:
    """A framed part of a page."""
    return tag("section", tag("h2", title) if title else "", *content, class_="panel")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    foot: Sequence[Content] | None = None,
    empty: str = "Nothing yet.",
) -> Html:
    """A table. A column named "#Amount" holds numbers, "`Code" code, "!Date" never wraps."""
    kinds = [{"#": "num", "`": "code", "!": "fit"}.get(name[:1]) for name in columns]
    body = [_row(kinds, row) for row in rows]
    if not body:
        return tag("p", empty, class_="empty")
    heads = (
        tag("th", name.lstrip("#`!"), class_="num" if kind == "num" else None, scope="col")
        for name, kind in zip(columns, kinds, strict=True)
    )
    parts = [tag("thead", tag("tr", *heads)), tag("tbody", *body)]
    if foot is not None:
        parts.append(tag("tfoot", _row(kinds, foot)))
    return tag("div", tag("table", *parts), class_="scroll")


def _row(kinds: Sequence[str | None], row: Sequence[Content]) -> Html:
    return tag("tr", *(tag("td", each, class_=kind) for kind, each in zip(kinds, row, strict=True)))


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Names and values; empty values are left out."""
    shown = (tag("dt", name) + tag("dd", value) for name, value in pairs if value not in (None, ""))
    return tag("dl", Html("".join(shown)), class_="facts")


def tile(label: str, value: Content, note: Content = None, place: str | None = None) -> Html:
    """A number with its name; a link when it has a place."""
    inner = (
        tag("span", label),
        tag("b", value),
        tag("small", note) if note is not None else "",
    )
    if place is None:
        return tag("div", *inner, class_="tile")
    return tag("a", *inner, class_="tile", href=place)


def field(label: str, name: str, value: Content = "", kind: str = "text", **more: Content) -> Html:
    """A labelled input."""
    box = f'<input name="{text(name)}" type="{text(kind)}" value="{text(value)}"'
    box += "".join(f' {key}="{text(each)}"' for key, each in more.items()) + ">"
    return tag("label", label, Html(box))


def choice(
    label: str, name: str, options: Iterable[tuple[str, str]], value: Content = None
) -> Html:
    """A labelled drop-down of (value, shown)."""
    parts = (
        tag("option", shown, value=each, selected="" if each == value else None)
        for each, shown in options
    )
    return tag("label", label, tag("select", *parts, name=name))


def button(label: str, kind: str = "", /, **more: Content) -> Html:
    """A submit button: plain, "quiet" or "danger"."""
    return tag("button", label, class_=kind or None, **more)


def form(place: str, /, *content: Content, kind: str = "fields", **hidden: Content) -> Html:
    """A form that posts; `kind` lays it out in "fields", a "row" or "small"."""
    kept = join(
        Html(f'<input type="hidden" name="{text(name)}" value="{text(value)}">')
        for name, value in hidden.items()
    )
    return tag("form", kept, *content, method="post", action=place, class_=kind)


def page(
    title: str,
    *content: Content,
    brand: str,
    links: Sequence[tuple[str, str]],
    here: str = "",
    clock: str = "",
    notice: str = "",
    problem: str = "",
    trail: Content = None,
    aside: Content = None,
) -> bytes:
    """A whole page as bytes. `links` are (place, label), `here` the place of the current one."""
    menu = (
        tag("a", label, href=place, aria_current="page" if place == here else None)
        for place, label in links
    )
    head = tag(
        "header",
        tag(
            "div",
            tag("strong", brand),
            tag("nav", *menu, aria_label="Pages"),
            tag("span", clock, class_="clock", title="The sandbox's clock"),
            class_="in",
        ),
    )
    said = tag("p", notice, class_="notice", role="status") if notice else ""
    if problem:
        said = tag("p", problem, class_="notice bad", role="alert")
    body = tag(
        "main",
        tag("p", trail, class_="trail") if trail else "",
        tag("h1", title, aside),
        said,
        *content,
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)} · {text(brand)}</title><style>{STYLE}</style></head>"
        f"<body>{head}{body}</body></html>"
    ).encode()
