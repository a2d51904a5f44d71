"""The pages of single objects: what is known, what belongs to them, what can be done."""

from collections.abc import Callable
from typing import Any

from ml_sandbox.stripe import customer_balance
from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.window import forms
from ml_sandbox.stripe.window.lists import (
    deliveries,
    key,
    ledger_row,
    method,
    name_of,
    rows_of,
    when,
)
from ml_sandbox.stripe.window.markup import (
    Html,
    facts,
    joined,
    link,
    money,
    section,
    status,
    table,
    tag,
)
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

Page = Callable[[World, WebhookSender, Obj], Html]


def raw(world: World, row: Obj) -> Html:
    """The object as the API answers it."""
    body = tag("pre", world.wire.pretty(row).decode())
    return tag("section", tag("details", tag("summary", "As the API answers it"), body))


def metadata(row: Obj) -> list[tuple[str, Any]]:
    """What the connector wrote onto an object."""
    return [(name, tag("code", value)) for name, value in row["metadata"].items()]


def head(title: Any, state: str | None = None) -> Html:
    """The headline with the state beside it."""
    return tag("h1", title, status(state) if state else "", data_live="head")


def customer(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One customer."""
    if row.get("deleted"):
        return joined(head(row["id"], "deleted"), raw(world, row))
    held = [
        (f"Balance {currency.upper()}", money(amount, currency))
        for (owner, currency), amount in world.notes.balances.items()
        if owner == row["id"]
    ]
    known = facts(
        [
            ("Id", tag("code", row["id"])),
            ("E-mail", row["email"]),
            ("Phone", row["phone"]),
            ("Coupon", coupon_of(row)),
            *held,
            ("Created", when(row["created"])),
            *metadata(row),
        ]
    )
    invoices = list(reversed(world.tables["invoice"].where("customer", row["id"])))
    charges = list(reversed(world.tables["charge"].where("customer", row["id"])))
    debt = customer_balance.held(world, row["id"], row["currency"] or "usd")
    hint = "Negative: credit of the customer. Any balance changes the next invoice."
    return joined(
        head(row["name"] or row["id"]),
        section("Customer", known, tag("p", hint, klass="hint") if debt else ""),
        section("Invoices", rows_of(world, "invoices", invoices)),
        section("Payments", rows_of(world, "payments", charges)),
        raw(world, row),
    )


def coupon_of(row: Obj) -> str | None:
    """The coupon that a customer's invoices inherit."""
    discount: Obj | None = row["discount"]
    return discount["source"]["coupon"] if discount else None


def invoice(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One invoice, with its lines, payments and the form to pay it."""
    currency, back = row["currency"], f"invoices/{row['id']}"
    lines = [
        [line["description"], line["quantity"], money(line["amount"], currency)]
        for line in world.tables["line_item"].where("invoice", row["id"])
    ]
    taxes = sum(t["amount"] for t in row["total_taxes"])
    off = sum(d["amount"] for d in row["total_discount_amounts"])
    sums = facts(
        [
            ("Subtotal", money(row["subtotal"], currency)),
            ("Discounts", money(-off, currency)),
            ("Tax", money(taxes, currency)),
            ("Total", money(row["total"], currency)),
            ("Starting balance", money(row["starting_balance"], currency)),
            ("Paid", money(row["amount_paid"], currency)),
            ("Remaining", money(row["amount_remaining"], currency)),
            ("Customer", name_of(world, row["customer"])),
            ("Due", when(row["due_date"])),
            ("Id", tag("code", row["id"])),
            ("Hosted page", hosted(row)),
            *metadata(row),
        ]
    )
    payable = row["status"] in {"open", "uncollectible"} and row["amount_remaining"] > 0
    return joined(
        head(row["number"] or row["id"], row["status"]),
        section("Pay", forms.pay(row, back), live=False) if payable else "",
        tag(
            "div",
            section("Amounts", sums),
            section("Lines", table(["Description", "Quantity>", "Amount>"], lines)),
            klass="columns",
        ),
        section("Payments on this invoice", payments_on(world, row)),
        raw(world, row),
    )


def hosted(row: Obj) -> Html | None:
    """The page on which the customer pays."""
    url = row["hosted_invoice_url"]
    return tag("a", "open", href=url) if url else None


def payments_on(world: World, row: Obj) -> Html:
    """The invoice payments and the charges behind them."""
    rows: list[list[Any]] = []
    for payment in world.tables["invoice_payment"].where("invoice", row["id"]):
        intent = world.find(payment["payment"]["payment_intent"] or "") or {}
        amount = payment["amount_paid"] or payment["amount_requested"]
        kind = "default" if payment["is_default"] else "attached"
        state, cash = status(payment["status"]), money(amount, row["currency"])
        rows.append([key(payment["id"]), kind, state, key(intent.get("latest_charge")), cash])
    return table(["Invoice payment", "Kind", "Status", "Charge", "Amount>"], rows)


def charge(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One charge, with its refunds, disputes and money."""
    back, currency = f"payments/{row['id']}", row["currency"]
    paid_for = world.tables["invoice_payment"].where(
        "payment.payment_intent", row["payment_intent"] or ""
    )
    known = facts(
        [
            ("Amount", money(row["amount"], currency)),
            ("Refunded", money(row["amount_refunded"], currency)),
            ("Captured", money(row["amount_captured"], currency)),
            ("Method", method(row)),
            ("Customer", name_of(world, row["customer"])),
            ("Invoice", key(paid_for[0]["invoice"]) if paid_for else "outside invoicing"),
            ("Failure", row["failure_message"]),
            ("Id", tag("code", row["id"])),
            ("Created", when(row["created"])),
            *metadata(row),
        ]
    )
    acts: list[Html] = []
    if row["status"] == "succeeded":
        if row["amount_refunded"] < row["amount"]:
            acts.append(forms.refund(row, back))
        acts.append(forms.dispute(row, back))
        if row["id"].startswith("py_"):
            acts.append(forms.bank_return(row, back))
    refunds = world.tables["refund"].where("charge", row["id"])
    disputes = world.tables["dispute"].where("charge", row["id"])
    sources = [row["id"], *(r["id"] for r in refunds), *(d["id"] for d in disputes)]
    return joined(
        head(tag("span", money(row["amount"], currency)), row["status"]),
        section("What to do", *acts, live=False) if acts else "",
        section("Charge", known),
        section("Refunds", rows_of(world, "refunds", refunds)),
        section("Disputes", rows_of(world, "disputes", disputes)),
        section("Money", money_of(world, sources)),
        raw(world, row),
    )


def money_of(world: World, sources: list[str]) -> Html:
    """The balance transactions of some objects."""
    table_of = world.tables["balance_transaction"]
    rows = [row for source in sources for row in table_of.where("source", source)]
    return ledger_table(rows)


def ledger_table(rows: list[Obj]) -> Html:
    """Balance transactions without a running balance."""
    heads = ["Row", "Kind", "Source", "Amount>", "Fee>", "Net>", "State", "Booked"]
    cells = [ledger_row(row, 0) for row in rows]
    return table(heads, [[*c[:6], *c[7:]] for c in cells], "No money has moved yet.")


def refund(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One refund."""
    known = facts(
        [
            ("Charge", key(row["charge"])),
            ("Reason", row["reason"]),
            ("Failure", row.get("failure_reason")),
            ("Id", tag("code", row["id"])),
            ("Created", when(row["created"])),
            *metadata(row),
        ]
    )
    title = joined("Refund ", money(row["amount"], row["currency"]))
    return joined(
        head(title, row["status"]),
        section("Refund", known),
        section("Money", money_of(world, [row["id"]])),
        raw(world, row),
    )


def dispute(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One dispute, with the ways it can go on."""
    details: Obj = row["evidence_details"]
    known = facts(
        [
            ("Charge", key(row["charge"])),
            ("Reason", row["reason"].replace("_", " ")),
            ("Answer by", when(details["due_by"])),
            ("Answers so far", details["submission_count"]),
            ("Id", tag("code", row["id"])),
            ("Created", when(row["created"])),
            *metadata(row),
        ]
    )
    acts = forms.decide(row, f"disputes/{row['id']}")
    title = joined("Dispute ", money(row["amount"], row["currency"]))
    return joined(
        head(title, row["status"]),
        section("What to do", acts) if acts else "",
        section("Dispute", known),
        section("Money", ledger_table(row["balance_transactions"])),
        raw(world, row),
    )


def trace_of(row: Obj) -> str | None:
    """The bank's reference of a payout."""
    trace: Obj | None = row["trace_id"]
    return trace["value"] if trace else None


def payout(world: World, _sender: WebhookSender, row: Obj) -> Html:
    """One payout and the rows it is made of."""
    rows = world.tables["balance_transaction"].rows
    members = [rows[k] for k in world.notes.members.get(row["id"], [])]
    others = [r for r in members if r["id"] != row["balance_transaction"]]
    total = sum(r["net"] for r in others)
    known = facts(
        [
            ("Kind", "automatic" if row["automatic"] else "manual"),
            ("Reconciliation", status(row["reconciliation_status"])),
            ("Arrives", when(row["arrival_date"])),
            ("Failure", row["failure_message"]),
            ("Trace", trace_of(row)),
            ("Id", tag("code", row["id"])),
            ("Sum of its rows", money(total, row["currency"]) if others else None),
            ("Created", when(row["created"])),
        ]
    )
    can_fail = row["status"] in {"pending", "in_transit", "paid"}
    act = forms.fail_payout(row, f"payouts/{row['id']}")
    title = joined("Payout ", money(row["amount"], row["currency"]))
    return joined(
        head(title, row["status"]),
        section("What to do", act, live=False) if can_fail else "",
        section("Payout", known),
        section("Rows it pays out", ledger_table(members)),
        raw(world, row),
    )


def event(world: World, sender: WebhookSender, row: Obj) -> Html:
    """One event with its delivery attempts."""
    about: Obj = row["data"]["object"]
    known = facts(
        [
            ("About", key(about.get("id"))),
            ("Request", row["request"]["id"]),
            ("Idempotency key", row["request"]["idempotency_key"]),
            ("Unacknowledged", row["pending_webhooks"]),
            ("Version", row["api_version"]),
            ("Id", tag("code", row["id"])),
            ("Created", when(row["created"])),
        ]
    )
    again = forms.form("resend", f"events/{row['id']}", "Send again", id=row["id"])
    return joined(
        head(row["type"]),
        section("Event", known),
        section("Deliveries", deliveries(sender, lambda d: d["event"] == row["id"]), again),
        raw(world, row),
    )


def endpoint(world: World, sender: WebhookSender, row: Obj) -> Html:
    """One webhook endpoint with what was sent to it."""
    thin = row["id"] in world.notes.thin
    known = facts(
        [
            ("Version", row["api_version"]),
            ("Events", ", ".join(row["enabled_events"])),
            ("Body", "thin" if thin else "snapshot"),
            ("Description", row["description"]),
            ("Id", tag("code", row["id"])),
            ("Created", when(row["created"])),
        ]
    )
    back = f"endpoints/{row['id']}"
    label = "Send snapshots" if thin else "Send thin bodies"
    turn = forms.form("thin", back, label, id=row["id"], on=str(not thin).lower())
    return joined(
        head(row["url"], row["status"]),
        section("Endpoint", known),
        section("Body", turn),
        section("Deliveries", deliveries(sender, lambda d: d["endpoint"] == row["id"])),
        raw(world, row),
    )


PAGES: dict[str, tuple[str, Page]] = {
    "customers": ("customer", customer),
    "invoices": ("invoice", invoice),
    "payments": ("charge", charge),
    "refunds": ("refund", refund),
    "disputes": ("dispute", dispute),
    "payouts": ("payout", payout),
    "events": ("event", event),
    "endpoints": ("webhook_endpoint", endpoint),
}


def back_link(place: str, title: str) -> Html:
    """The way back to the list."""
    return tag("p", link(place, f"\N{LEFTWARDS ARROW} {title}"), klass="hint")
