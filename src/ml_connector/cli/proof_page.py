"""The proof of a payout as a page: self-contained, without script, made for print too."""

from html import escape
from typing import cast

from ml_connector.books.sealed import Facts, Paper
from ml_connector.cli import paper_page as shared


def page_of(paper: Paper) -> str:
    """A checked paper as an HTML page."""
    head = shared.of(paper, "payout")[0]
    parts = [
        _heading(paper, head),
        shared.items([escape(str(one.get("sentence"))) for one in shared.of(paper, "gap")]),
        shared.particulars(_particulars(paper, head)),
        _equation(paper),
        _members(paper),
        _documents(paper),
        shared.changed(paper),
        _accounts(paper),
        _clearing(paper),
        shared.signature(paper),
    ]
    return shared.whole(f"Proof of payout {shared.say(head, 'payout')}", parts)


def _heading(paper: Paper, head: Facts) -> str:
    return (
        f"<header><p>Proof of a payout, {shared.say(head, 'connection')}</p>"
        f"<h1>{shared.say(head, 'payout')} of {shared.say(head, 'amount')}</h1>"
        f"<p>Arrives {shared.say(head, 'arrival')}."
        f" Drawn up {shared.when(head, 'at')}.</p></header>\n" + shared.verdict(paper, head)
    )


def _particulars(paper: Paper, head: Facts) -> list[tuple[str, str]]:
    versions = ", ".join(str(one) for one in cast("list[object]", head.get("mapping_versions")))
    members = f"{shared.say(head, 'members')}, {len(shared.of(paper, 'document'))} documents"
    return [
        ("Payout", f"<code>{shared.say(head, 'payout')}</code>"),
        ("Amount", shared.say(head, "amount")),
        ("Status at Stripe", shared.say(head, "status")),
        ("Arrival at the bank", shared.say(head, "arrival")),
        ("Members", members if head.get("members_named") else f"{members} (not named by Stripe)"),
        ("Mapping versions", escape(versions) or "none"),
    ]


def _equation(paper: Paper) -> str:
    """What every proof rests on: the members add up to what came to the bank."""
    rows = [
        [[words, shared.say(one, name)] for words, name in (
            ("Sum of the members", "members"), ("Payout", "payout"))]
        + [["Difference", shared.say(one, "difference")]]
        for one in shared.of(paper, "sums")
    ]  # fmt: skip
    flat = [row for group in rows for row in group]
    return shared.table("The equation", ("", "Amount "), flat, total=True)


def _clearing(paper: Paper) -> str:
    title = "Clearing account around the transfer, by our documents alone"
    found = [
        shared.table(title, ("", "Amount "), [
            ["Before", shared.say(one, "before")], ["The transfer", shared.say(one, "transfer")],
            ["After", shared.say(one, "after")]], total=True)
        for one in shared.of(paper, "clearing")
    ]  # fmt: skip
    found += [
        shared.table(f"Last tie-out, measured {shared.when(one, 'measured_at')}", ("", "Amount "), [
            ["Clearing account in Acumatica", shared.say(one, "clearing")],
            ["Balance at Stripe", shared.say(one, "stripe")],
            ["Not posted yet, named one by one", shared.say(one, "named")],
            ["Difference", shared.say(one, "difference")]], total=True)
        for one in shared.of(paper, "tie_out")
    ]  # fmt: skip
    return "\n".join(found)


def _members(paper: Paper) -> str:
    known = {
        str(one.get("key")): shared.say(one, "acumatica") for one in shared.of(paper, "document")
    }
    rows = [
        [
            f"<code>{shared.say(one, 'transaction')}</code><br>{_kind(one)}",
            "<br>".join(_carried(share, known) for share in shared.rows(one, "carried"))
            or "nobody yet",
            shared.say(one, "net"),
        ]
        for what in ("member", "transfer", "reversal")
        for one in shared.of(paper, what)
    ]
    columns = ("Balance transaction at Stripe", "Carried by", "Net ")
    return shared.table("What is inside", columns, rows)


def _kind(member: Facts) -> str:
    """What a line is at Stripe; that it is no member but the transfer itself is said."""
    role = "" if member.get("what") == "member" else f"the {shared.say(member, 'what')}: "
    return f"{role}{shared.say(member, 'type')}/{shared.say(member, 'category')}"


def _carried(share: Facts, known: dict[str, str]) -> str:
    """A document by its number in Acumatica, what it carries of the member, and our key."""
    number = known.get(str(share.get("document")), "") or "not in Acumatica yet"
    amount = f'<span class="amount">{shared.say(share, "amount")}</span>'
    return f"{number}: {amount}<br><code>{shared.say(share, 'document')}</code>"


def _documents(paper: Paper) -> str:
    rows = [
        [
            shared.document(one),
            "<br>".join(
                f'<span class="amount">{shared.say(entry, "account")}</span>'
                for entry in shared.rows(one, "entries")
            ),
            "<br>".join(shared.say(entry, "amount") for entry in shared.rows(one, "entries")),
        ]
        for one in shared.of(paper, "document")
    ]
    columns = (shared.DOCUMENT, "Account", "Debit (credit -) ")
    return shared.table("Documents in Acumatica", columns, rows)


def _accounts(paper: Paper) -> str:
    rows = [
        [shared.say(one, "account"), shared.say(one, "amount")]
        for one in shared.of(paper, "account")
    ]
    return shared.table(
        "Sums per account, of all documents", ("Account", "Debit (credit -) "), rows
    )
