"""The overview: whether the books are straight, the cash, the counts, the clock."""

from decimal import Decimal

from ml_sandbox.acumatica import books
from ml_sandbox.acumatica.window.view import View, amount, moment
from ml_sandbox.page import (
    Content,
    Html,
    button,
    field,
    form,
    join,
    link,
    mark,
    panel,
    table,
    tag,
    tile,
)

_JUMPS = (("3600", "1 hour"), ("86400", "1 day"), ("604800", "1 week"), ("2592000", "30 days"))


def overview(view: View) -> Html:
    """The first page."""
    return join([_tiles(view), tag("div", _left(view), _right(view), class_="two")])


def _tiles(view: View) -> Html:
    world, ledger = view.world, books.trial_balance(view.world)
    off: Decimal = ledger["totals"]["base"]
    receivables: Decimal = ledger["receivables"]["difference"]

    def count(entity: str, place: str, label: str, status: str = "Open") -> Html:
        records = list(world.tables[entity])
        waiting = sum(each.get("Status") == status for each in records)
        return tile(label, len(records), f"{waiting} {status.lower()}", view.place(place))

    parts: list[Content] = [
        tile(
            "Trial balance",
            amount(off),
            mark("Balanced", "good") if not off else mark("Off", "bad"),
        ),
        tile(
            "Receivables difference",
            amount(receivables),
            mark("Agrees", "good") if not receivables else mark("Differs", "bad"),
        ),
        count("Customer", "customers", "Customers", "Active"),
        count("Invoice", "invoices", "Invoices and memos"),
        count("Payment", "payments", "Payments"),
        count("JournalTransaction", "journals", "Journal batches", "Posted"),
        tile(
            "API calls", sum(view.site.calls.values()), "since the last reset", view.place("calls")
        ),
        tile("API sessions", len(view.site.sessions.open), f"of {world.switches.max_sessions}"),
    ]
    return tag("div", *parts, class_="tiles")


def _left(view: View) -> Html:
    rows = [
        (
            code,
            row["description"],
            view.account(row["account"]),
            row["branch"],
            row["currency"],
            amount(row["balance"], row["currency"]),
        )
        for code, row in books.cash_accounts(view.world).items()
    ]
    columns = ("Code", "Cash account", "GL account", "Branch", "Currency", "#Balance")
    cash = panel("Cash accounts", table(columns, rows))
    found = books.receivables(view.world)
    owed = [
        (code, amount(found["documents"][code], code), amount(found["ledger"][code], code))
        for code in found["documents"]
    ]
    control = panel(
        "Receivables",
        table(("Currency", "#Open documents", "#Control account"), owed),
    )
    return tag("div", cash, control)


def _right(view: View) -> Html:
    here = view.place("clock")
    jumps = (
        form(here, button(label, "quiet"), kind="row", seconds=seconds) for seconds, label in _JUMPS
    )
    clock = panel(
        "Clock",
        tag("p", moment(view.world.clock.now()), " UTC"),
        tag("div", *jumps, style="display:flex;flex-wrap:wrap;gap:.5rem;align-items:baseline"),
        Html("<br>"),
        form(
            here,
            field("Set to (UTC)", "now", kind="datetime-local", required="required"),
            button("Set", "quiet"),
            kind="row",
        ),
    )
    access = panel(
        "Access",
        tag("p", f"{len(view.site.identity.access)} access tokens have been given out."),
        form(
            view.place("tokens"),
            button("Expire access tokens", "quiet", name="what", value="expire"),
            button("Revoke every consent", "danger", name="what", value="revoke"),
            kind="row",
        ),
    )
    tenants = ("U100", "U200")
    shown = join(
        (
            link(f"/_window?tenant={name}", name) if name != view.world.tenant else tag("b", name)
            for name in tenants
        ),
        " · ",
    )
    return tag("div", clock, access, panel("Tenant", shown))
