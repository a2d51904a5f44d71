"""HTML from values: everything is escaped unless it is markup already."""

from html import escape
from typing import Any

from ml_sandbox.stripe.money import shown


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


VOID = frozenset(["input", "br", "meta", "link"])
RENAMED = {"klass": "class", "for_": "for", "http_equiv": "http-equiv"}


def text(value: Any) -> Html:
    """A value as markup: escaped, an absent one as a dash."""
    if isinstance(value, Html):
        return value
    return (
        Html(escape(str(value))) if value is not None else Html("<span class='none'>&ndash;</span>")
    )


def joined(*parts: Any) -> Html:
    """Pieces one after the other."""
    return Html("".join(text(part) for part in parts))


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """One element; attributes that are None or False are left out, True ones have no value."""
    shown_attributes = "".join(
        attribute(RENAMED.get(key, key.replace("_", "-")), value)
        for key, value in attributes.items()
    )
    if name in VOID:
        return Html(f"<{name}{shown_attributes}>")
    return Html(f"<{name}{shown_attributes}>{joined(*children)}</{name}>")


def attribute(name: str, value: Any) -> str:
    """One attribute with its leading space, or nothing."""
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def link(address: str, label: Any) -> Html:
    """A link inside the window."""
    return tag("a", label, href=f"/_window/{address}")


def money(amount: int | None, currency: str) -> Html:
    """An amount in major units, negative ones with a real minus sign."""
    if amount is None:
        return text(None)
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    kind = "money minus" if amount < 0 else "money"
    return tag("span", f"{sign}{shown(abs(amount), currency)}", klass=kind)


GOOD = frozenset("paid succeeded won available enabled completed active".split())
BAD = frozenset("failed lost void canceled uncollectible disabled dropped violated".split())
BUSY = frozenset(
    "open pending processing in_transit needs_response under_review in_progress retrying "
    "requires_action requires_capture warning_needs_response warning_under_review "
    "appeal_needs_response appeal_under_review disputed held".split()
)


def status(word: str | None) -> Html:
    """A state as a coloured label."""
    if word is None:
        return text(None)
    tone = "good" if word in GOOD else "bad" if word in BAD else "busy" if word in BUSY else "calm"
    return tag("span", word.replace("_", " "), klass=f"status {tone}")


def table(heads: list[str], rows: list[list[Any]], empty: str = "Nothing yet.") -> Html:
    """A table; heads that end in > are aligned right."""
    if not rows:
        return tag("p", empty, klass="empty")
    right = [head.endswith(">") for head in heads]
    head = joined(
        *(
            tag("th", name.rstrip(">"), scope="col", klass="right" if is_right else None)
            for name, is_right in zip(heads, right, strict=True)
        )
    )
    body = joined(
        *(
            tag(
                "tr",
                *(
                    tag("td", cell, klass="right" if is_right else None)
                    for cell, is_right in zip(row, right, strict=True)
                ),
            )
            for row in rows
        )
    )
    whole = tag("table", tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", whole, klass="scroll")


def facts(pairs: list[tuple[str, Any]]) -> Html:
    """Names and values below each other."""
    rows = (tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs)
    return tag("dl", *rows)


def section(title: str, *body: Any, live: bool = True) -> Html:
    """A titled part of a page; live ones are kept up to date."""
    name = "".join(c if c.isalnum() else "-" for c in title.lower()) if live else None
    return tag("section", tag("h2", title), *body, data_live=name)


def field(label: str, name: str, value: str = "", **attributes: Any) -> Html:
    """A labelled input."""
    made = tag("input", name=name, value=value, autocomplete="off", **attributes)
    return tag("label", tag("span", label), made)


def choice(label: str, name: str, options: list[tuple[str, str]], chosen: str = "") -> Html:
    """A labelled choice of (value, text)."""
    rows = (tag("option", shown, value=key, selected=key == chosen) for key, shown in options)
    return tag("label", tag("span", label), tag("select", *rows, name=name))


def tick(label: str, name: str, *, on: bool) -> Html:
    """A labelled check box."""
    box = tag("input", type="checkbox", name=name, value="true", checked=on)
    return tag("label", box, tag("span", label), klass="tick")


def form(act: str, back: str, button: str, /, *fields: Any, **hidden: Any) -> Html:
    """A form that acts and comes back to a page."""
    known = {"back": back, **hidden}
    inputs = (tag("input", type="hidden", name=k, value=v) for k, v in known.items())
    address = f"/_window/act/{act}"
    return tag("form", *inputs, *fields, tag("button", button), method="post", action=address)
