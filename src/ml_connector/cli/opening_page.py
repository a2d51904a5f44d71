"""The paper of an opening position as a page, as that of a payout is."""

from ml_connector.books.sealed import Facts, Paper
from ml_connector.cli import paper_page as shared


def page_of(paper: Paper) -> str:
    """A checked paper of an opening position as an HTML page."""
    head = shared.of(paper, "opening")[0]
    parts = [
        _heading(paper, head),
        _position(paper, head),
        _accounts(paper),
        _entry(paper),
        shared.changed(paper),
        shared.signature(paper),
    ]
    return shared.whole(f"Opening position {shared.say(head, 'currency')}", parts)


def _heading(paper: Paper, head: Facts) -> str:
    return (
        f"<header><p>Opening position, {shared.say(head, 'connection')}</p>"
        f"<h1>{shared.say(head, 'balance')} at Stripe before {shared.say(head, 'day')}</h1>"
        f"<p>From {shared.say(head, 'movements')} movements."
        f" Drawn up {shared.when(head, 'at')}.</p></header>\n" + shared.verdict(paper, head)
    )


def _position(paper: Paper, head: Facts) -> str:
    names = {"in_transit": ("A payout on its way", "payout"),
             "disputed": ("An open dispute", "dispute"),
             "reserved": ("Held aside by Stripe", "")}  # fmt: skip
    rows = [["Stripe balance", "", shared.say(head, "balance")]]
    rows += [
        [words, f"<code>{shared.say(one, name)}</code>" if name else "", shared.say(one, "amount")]
        for what, (words, name) in names.items()
        for one in shared.of(paper, what)
    ]
    return shared.table("What Stripe held", ("", "Number", "Amount "), rows)


def _accounts(paper: Paper) -> str:
    rows = [
        [shared.say(one, name) for name in ("account", "held", "entered", "holds")]
        for one in shared.of(paper, "account")
    ]
    columns = ("Account", "Held before ", "The entry ", "Holds with it ")
    return shared.table("The ledger", columns, rows)


def _entry(paper: Paper) -> str:
    rows = [
        [
            shared.document(one),
            "<br>".join(shared.say(side, "account") for side in shared.rows(one, "entries")),
            "<br>".join(shared.say(side, "amount") for side in shared.rows(one, "entries")),
        ]
        for one in shared.of(paper, "document")
    ]
    columns = (shared.DOCUMENT, "Account", "Debit (credit -) ")
    return shared.table("The entry in Acumatica", columns, rows)
