"""The lists: one row per object, newest first, and the ledger with its running balance."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.window.markup import Html, joined, link, money, section, status, table, tag
from ml_sandbox.stripe.window.markup import text as shown
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

ROWS = 50
LONGEST = 14
Row = Callable[[World, Obj], list[Any]]


def when(seconds: int | None) -> Html:
    """A moment of the sandbox's clock, UTC."""
    if seconds is None:
        return shown(None)
    moment = datetime.fromtimestamp(seconds, UTC)
    return tag("time", moment.strftime("%Y-%m-%d %H:%M"), datetime=moment.isoformat())


def key(obj_id: str | None) -> Html:
    """An id, shortened, that leads to its page when there is one."""
    if obj_id is None:
        return shown(None)
    place = PLACES.get(obj_id.partition("_")[0])
    short = obj_id if len(obj_id) <= LONGEST else f"{obj_id[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"
    label = tag("span", short, klass="id", title=obj_id)
    return link(f"{place}/{obj_id}", label) if place else label


PLACES = {
    "cus": "customers", "in": "invoices", "ch": "payments", "py": "payments", "re": "refunds",
    "pyr": "refunds", "du": "disputes", "po": "payouts", "evt": "events", "we": "endpoints",
}  # fmt: skip


def name_of(world: World, customer: str | None) -> Html:
    """A customer by name, leading to its page."""
    found = world.find(customer) if customer else None
    if found is None or found.get("deleted"):
        return key(customer)
    label = found["name"] or found["email"] or found["id"]
    return link(f"customers/{found['id']}", label)


def customer(world: World, row: Obj) -> list[Any]:
    """One customer."""
    if row.get("deleted"):
        return [key(row["id"]), "deleted", None, None, None]
    count = len(world.tables["invoice"].where("customer", row["id"]))
    made = when(row["created"])
    return [name_of(world, row["id"]), row["email"], row["currency"], count, made]


def invoice(world: World, row: Obj) -> list[Any]:
    """One invoice."""
    currency = row["currency"]
    return [
        link(f"invoices/{row['id']}", row["number"] or row["id"]),
        name_of(world, row["customer"]),
        status(row["status"]),
        money(row["total"], currency),
        money(row["amount_remaining"], currency),
        when(row["due_date"]),
        when(row["created"]),
    ]


def charge(world: World, row: Obj) -> list[Any]:
    """One charge."""
    state = status(
        "disputed" if row["disputed"] and row["status"] == "succeeded" else row["status"]
    )
    return [
        key(row["id"]),
        name_of(world, row["customer"]),
        joined(state, " ", status("held") if not row["captured"] and row["paid"] else ""),
        money(row["amount"], row["currency"]),
        money(row["amount_refunded"], row["currency"]) if row["amount_refunded"] else None,
        method(row),
        when(row["created"]),
    ]


def method(charge_row: Obj) -> str:
    """How a charge was paid, in short."""
    details: Obj = charge_row["payment_method_details"]
    own: Obj = details.get(details["type"]) or {}
    return f"{own.get('brand') or details['type'].replace('_', ' ')} {own.get('last4', '')}".strip()


def refund(_world: World, row: Obj) -> list[Any]:
    """One refund."""
    amount = money(row["amount"], row["currency"])
    why = row["reason"] or row.get("pending_reason") or row.get("failure_reason")
    made = when(row["created"])
    return [key(row["id"]), key(row["charge"]), status(row["status"]), amount, why, made]


def dispute(_world: World, row: Obj) -> list[Any]:
    """One dispute."""
    return [
        key(row["id"]),
        key(row["charge"]),
        status(row["status"]),
        money(row["amount"], row["currency"]),
        row["reason"].replace("_", " "),
        when(row["evidence_details"]["due_by"]),
        when(row["created"]),
    ]


def payout(world: World, row: Obj) -> list[Any]:
    """One payout."""
    members = len(world.notes.members.get(row["id"], []))
    return [
        key(row["id"]),
        status(row["status"]),
        money(row["amount"], row["currency"]),
        status(row["reconciliation_status"]),
        members if row["automatic"] else "manual",
        when(row["arrival_date"]),
        when(row["created"]),
    ]


def event(_world: World, row: Obj) -> list[Any]:
    """One event."""
    about: Obj = row["data"]["object"]
    return [
        link(f"events/{row['id']}", row["type"]),
        key(about.get("id")),
        row["pending_webhooks"],
        row["request"]["id"],
        when(row["created"]),
    ]


def endpoint(world: World, row: Obj) -> list[Any]:
    """One webhook endpoint."""
    body = "thin" if row["id"] in world.notes.thin else "snapshot"
    types = row["enabled_events"]
    told = "all" if "*" in types else f"{len(types)} types"
    place = link(f"endpoints/{row['id']}", row["url"])
    return [place, status(row["status"]), told, body, when(row["created"])]


LISTS: dict[str, tuple[str, str, list[str], Row]] = {
    "customers": (
        "Customers", "customer", ["Name", "E-mail", "Currency", "Invoices>", "Created"], customer,
    ),
    "invoices": (
        "Invoices", "invoice",
        ["Number", "Customer", "Status", "Total>", "Remaining>", "Due", "Created"], invoice,
    ),
    "payments": (
        "Payments", "charge",
        ["Charge", "Customer", "Status", "Amount>", "Refunded>", "Method", "Created"], charge,
    ),
    "refunds": (
        "Refunds", "refund", ["Refund", "Charge", "Status", "Amount>", "Reason", "Created"], refund,
    ),
    "disputes": (
        "Disputes", "dispute",
        ["Dispute", "Charge", "Status", "Amount>", "Reason", "Answer by", "Created"], dispute,
    ),
    "payouts": (
        "Payouts", "payout",
        ["Payout", "Status", "Amount>", "Reconciliation", "Rows>", "Arrives", "Created"], payout,
    ),
    "events": ("Events", "event", ["Type", "About", "Pending>", "Request", "Created"], event),
    "endpoints": (
        "Webhook endpoints", "webhook_endpoint",
        ["Address", "Status", "Events", "Body", "Created"], endpoint,
    ),
}  # fmt: skip


def rows_of(world: World, place: str, rows: Iterable[Obj], empty: str = "None.") -> Html:
    """Given objects in the columns of their list."""
    _, _, heads, shape = LISTS[place]
    return table(heads, [shape(world, row) for row in rows], empty)


def listing(world: World, place: str, page: int) -> tuple[str, Html]:
    """Title and body of one page of a list."""
    title, kind, _, _ = LISTS[place]
    rows = list(reversed(list(world.tables[kind])))
    start = page * ROWS
    body = rows_of(world, place, rows[start : start + ROWS], "Nothing yet.")
    count = tag("p", f"{len(rows)} in all, newest first", klass="hint")
    return title, tag("section", count, body, pages(place, page, len(rows)), data_live="list")


def pages(place: str, page: int, count: int) -> Html:
    """Links to newer and older rows."""
    base = f"{place}{'&' if '?' in place else '?'}page="
    newer = link(f"{base}{page - 1}", "\N{LEFTWARDS ARROW} Newer") if page else ""
    more = count > (page + 1) * ROWS
    older = link(f"{base}{page + 1}", "Older \N{RIGHTWARDS ARROW}") if more else ""
    return tag("div", newer, older, klass="pages") if newer or older else joined()


def ledger(world: World, currency: str, page: int) -> tuple[str, Html]:
    """The balance transactions of one currency with the balance after each."""
    held = sorted({row["currency"] for row in world.tables["balance_transaction"]} | {"usd"})
    chosen = currency if currency in held else "usd"
    tabs = (link(f"ledger?currency={c}", c.upper()) for c in held if c != chosen)
    lines = running(world, chosen)
    start = page * ROWS
    heads = ["Row", "Kind", "Source", "Amount>", "Fee>", "Net>", "Balance>", "State", "Booked"]
    body = table(heads, [ledger_row(r, b) for r, b in lines[start : start + ROWS]])
    other = tag("div", *tabs, klass="pages")
    end = pages(f"ledger?currency={chosen}", page, len(lines))
    return f"Ledger in {chosen.upper()}", joined(other, section("Rows, newest first", body, end))


def running(world: World, currency: str) -> list[tuple[Obj, int]]:
    """Rows with the balance after each, newest first."""
    total, out = 0, list[tuple[Obj, int]]()
    for row in world.tables["balance_transaction"]:
        if row["currency"] == currency:
            total += row["net"]
            out.append((row, total))
    out.reverse()
    return out


def ledger_row(row: Obj, balance: int) -> list[Any]:
    """One row of the ledger."""
    currency = row["currency"]
    kind = joined(row["type"], tag("div", row["description"] or "", klass="hint"))
    return [
        key(row["id"]),
        kind,
        key(row["source"]),
        money(row["amount"], currency),
        money(row["fee"], currency) if row["fee"] else None,
        money(row["net"], currency),
        money(balance, currency),
        status(row["status"]),
        when(row["created"]),
    ]


def deliveries(sender: WebhookSender, wanted: Callable[[Obj], bool]) -> Html:
    """Attempts to deliver, newest first."""
    rows = [d.shown() for d in reversed(sender.log)]
    chosen = [row for row in rows if wanted(row)][:ROWS]
    heads = ["Event", "Type", "Endpoint", "State", "Answers"]
    return table(heads, [delivery(row) for row in chosen], "No deliveries.")


def delivery(row: Obj) -> list[Any]:
    """One delivery with the answers it got."""
    answers = ", ".join(str(a["status"] or "no answer") for a in row["attempts"])
    about = key(row["event"])
    return [about, row["type"], key(row["endpoint"]), status(row["state"]), answers or None]
