"""Invoices and memos: the list, one document with lines and applications, and what to do next."""

from decimal import Decimal

from ml_sandbox.acumatica.forms.applications import DEBITS
from ml_sandbox.acumatica.forms.base import money
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.window.view import View, amount, currency_of, day, paged
from ml_sandbox.page import (
    Content,
    Html,
    button,
    choice,
    facts,
    field,
    form,
    join,
    link,
    mark,
    panel,
    table,
    tag,
)


def filters(view: View, where: str, records: list[Record]) -> Html:
    """Links that narrow a list to one status."""
    wanted = view.request.query.get("status", "")
    counts: dict[str, int] = {}
    for record in records:
        counts[str(record.get("Status"))] = counts.get(str(record.get("Status")), 0) + 1
    parts = [tag("b", "All") if not wanted else link(view.place(where), "All")]
    for status, count in sorted(counts.items()):
        label = f"{status} ({count})"
        place = view.place(where, status=status)
        parts.append(tag("b", label) if status == wanted else link(place, label))
    return tag("p", join(parts, " · "), class_="soft")


def invoice_list(view: View) -> Html:
    """All invoices and memos, newest first."""
    every = list(view.world.tables["Invoice"])[::-1]
    wanted = view.request.query.get("status")
    records = [each for each in every if not wanted or each.get("Status") == wanted]

    def row(each: Record) -> tuple[Content, ...]:
        return (
            view.to(each),
            each.get("Type"),
            view.customer(each.get("Customer")),
            each.get("Description"),
            day(each.get("Date")),
            day(each.get("DueDate")),
            amount(each.get("Amount"), currency_of(each)),
            amount(each.get("Balance"), currency_of(each)),
            currency_of(each),
            mark(each.get("Status")),
        )

    columns = (
        "!Number",
        "!Type",
        "Customer",
        "Description",
        "!Date",
        "!Due",
        "#Amount",
        "#Balance",
        "Currency",
        "!Status",
    )
    shown = panel(
        "", filters(view, "invoices", every), paged(view, columns, records, row, "invoices")
    )
    return join([shown, new_invoice(view)])


def new_invoice(view: View, customer: str = "") -> Html:
    """A form that writes and releases an invoice."""
    who = [
        (str(each.get("CustomerID")), f"{each.get('CustomerID')} · {each.get('CustomerName')}")
        for each in view.world.tables["Customer"]
    ]
    parts: list[Content] = []
    if not customer:
        parts.append(choice("Customer", "customer", who))
    parts += [
        field("For", "text", "Consulting", required="required", maxlength="255"),
        field("Amount", "amount", inputmode="decimal", placeholder="100.00", required="required"),
        choice("Tax", "tax", (("EXEMPT", "Exempt"), ("TAXABLE", "Taxable"))),
        field("Date", "date", view.world.today().isoformat(), "date"),
    ]
    hidden = {"customer": customer} if customer else {}
    kind = "fields" if customer else "row"
    return panel(
        "Write an invoice",
        form(
            view.place("invoices"),
            *parts,
            join(
                [
                    button("Write and release"),
                    " ",
                    button("Write only", "quiet", name="only", value="1"),
                ]
            )
            if customer
            else join(
                [button("Write and release"), button("Write only", "quiet", name="only", value="1")]
            ),
            kind=kind,
            **hidden,
        ),
    )


def invoice_card(view: View, invoice: Record) -> Html:
    """One invoice or memo."""
    document = f"{invoice.get('Type')} {invoice.get('ReferenceNbr')}"
    left = tag(
        "div",
        _about(view, invoice),
        _lines(invoice),
        _applications(view, invoice),
        view.batches(view.world.ledger.of_document(document)),
    )
    return tag("div", left, tag("div", _actions(view, invoice)), class_="two")


def _about(view: View, invoice: Record) -> Html:
    currency = currency_of(invoice)
    return panel(
        "About",
        facts(
            [
                ("Customer", view.customer(invoice.get("Customer"))),
                ("Description", invoice.get("Description")),
                ("Customer order", invoice.get("CustomerOrder")),
                ("Date", day(invoice.get("Date"))),
                ("Due", day(invoice.get("DueDate"))),
                ("Post period", invoice.get("PostPeriod")),
                ("Branch", invoice.get("LinkBranch")),
                ("Amount", amount(invoice.get("Amount"), currency, show=True)),
                ("Tax in it", amount(invoice.get("TaxTotal"), currency, blank=True, show=True)),
                ("Balance", amount(invoice.get("Balance"), currency, show=True)),
                ("Note", invoice.note),
            ]
        ),
    )


def _lines(invoice: Record) -> Html:
    currency = currency_of(invoice)
    rows = [
        (
            row.get("LineNbr"),
            row.get("TransactionDescription"),
            row.get("InventoryID"),
            row.get("Account"),
            f"{money(row.get('Qty')).normalize():f}",
            amount(row.get("UnitPrice"), currency),
            amount(row.get("Amount"), currency),
        )
        for row in invoice.rows("Details")
    ]
    rows += [
        (
            None,
            f"Tax {row.get('TaxID')}",
            None,
            None,
            None,
            None,
            amount(row.get("TaxAmount"), currency),
        )
        for row in invoice.rows("TaxDetails")
    ]
    columns = ("!Line", "Description", "Item", "Account", "#Quantity", "#Price", "#Amount")
    foot = (None, "Total", None, None, None, None, amount(invoice.get("Amount"), currency))
    return panel("Lines", table(columns, rows, foot=foot))


def _applications(view: View, invoice: Record) -> Html:
    memo = invoice.get("Type") == "Credit Memo"
    name = "ApplicationsCreditMemo" if memo else "ApplicationsDefault"
    rows: list[tuple[Content, ...]] = []
    for row in invoice.rows(name):
        kind, number = str(row.get("DocType")), str(row.get("ReferenceNbr"))
        where = "invoices" if memo or kind == "Credit Memo" else "payments"
        rows.append(
            (
                kind,
                link(view.place(where, kind, number), number),
                day(row.get("PaymentDate")) or row.get("PostPeriod"),
                amount(row.get("AmountPaid"), currency_of(invoice)),
            )
        )
    title = "Applied to" if memo else "Paid by"
    columns = ("!Type", "!Number", "!Date", "#Amount")
    return panel(title, table(columns, rows, empty="No applications."))


def _actions(view: View, invoice: Record) -> Html:
    kind, number = str(invoice.get("Type")), str(invoice.get("ReferenceNbr"))
    status, currency = invoice.get("Status"), currency_of(invoice)
    balance: Decimal = money(invoice.get("Balance"))
    here = ("invoices", kind, number)
    if status in {"On Hold", "Pending Approval"}:
        label, action = ("Remove hold", "releasefromhold")
        if status == "Pending Approval":
            label, action = ("Approve", "approve")
        return panel("Next", form(view.place(*here, "button"), button(label), action=action))
    if status == "Balanced":
        return panel("Next", form(view.place(*here, "button"), button("Release"), action="release"))
    if status != "Open" or kind not in DEBITS:
        return panel("Next", tag("p", "Nothing is left to do with this document.", class_="empty"))
    today, left = view.world.today().isoformat(), f"{balance:f}"
    return join(
        [
            panel(
                "Record a check",
                form(
                    view.place(*here, "check"),
                    field("Check number", "reference", required="required", maxlength="40"),
                    field(f"Amount ({currency})", "amount", left, inputmode="decimal"),
                    field("Date", "date", today, "date"),
                    button("Record and release"),
                ),
            ),
            panel(
                "Credit memo",
                form(
                    view.place(*here, "memo"),
                    field("For", "text", f"Correction of {number}", maxlength="255"),
                    field(f"Amount ({currency})", "amount", left, inputmode="decimal"),
                    field("Date", "date", today, "date"),
                    button("Write, release and apply"),
                ),
            ),
        ]
    )
