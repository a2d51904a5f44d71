"""Payments, refunds and voids: the list, and one payment with applications and charges."""

from ml_sandbox.acumatica.forms.applications import REVERSED
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.window.invoices import filters
from ml_sandbox.acumatica.window.view import View, amount, currency_of, day, paged
from ml_sandbox.page import Content, Html, button, facts, form, link, mark, panel, table, tag


def payment_list(view: View) -> Html:
    """All payments, newest first."""
    every = [each for each in view.world.tables["Payment"] if each.get("Type") != "Credit Memo"]
    every.reverse()
    wanted = view.request.query.get("status")
    records = [each for each in every if not wanted or each.get("Status") == wanted]

    def row(each: Record) -> tuple[Content, ...]:
        return (
            view.to(each),
            each.get("Type"),
            view.customer(each.get("CustomerID")),
            each.get("PaymentRef"),
            each.get("CashAccount"),
            day(each.get("ApplicationDate")),
            amount(each.get("PaymentAmount"), currency_of(each)),
            amount(each.get("AvailableBalance"), currency_of(each)),
            currency_of(each),
            mark(each.get("Status")),
        )

    columns = (
        "!Number",
        "!Type",
        "Customer",
        "`Reference",
        "Cash account",
        "!Date",
        "#Amount",
        "#Unapplied",
        "Currency",
        "!Status",
    )
    shown = paged(view, columns, records, row, "payments")
    return panel("", filters(view, "payments", every), shown)


def payment_card(view: View, payment: Record) -> Html:
    """One payment."""
    currency = currency_of(payment)
    document = f"{payment.get('Type')} {payment.get('ReferenceNbr')}"
    about = panel(
        "About",
        facts(
            [
                ("Customer", view.customer(payment.get("CustomerID"))),
                ("Description", payment.get("Description")),
                ("Payment reference", payment.get("PaymentRef")),
                ("External reference", payment.get("ExternalRef")),
                ("Method", payment.get("PaymentMethod")),
                ("Cash account", payment.get("CashAccount")),
                ("Application date", day(payment.get("ApplicationDate"))),
                ("Branch", payment.get("Branch")),
                ("Amount", amount(payment.get("PaymentAmount"), currency, show=True)),
                ("Applied", amount(payment.get("AppliedToDocuments"), currency, show=True)),
                ("Unapplied", amount(payment.get("AvailableBalance"), currency, show=True)),
            ]
        ),
    )
    left = tag(
        "div",
        about,
        _applications(view, payment),
        _charges(view, payment),
        view.batches(view.world.ledger.of_document(document)),
    )
    return tag("div", left, tag("div", _actions(view, payment)), class_="two")


def _applications(view: View, payment: Record) -> Html:
    currency = currency_of(payment)

    def row(each: Row, kind: str, number: str, state: str) -> tuple[Content, ...]:
        where = "payments" if kind in {"Payment", "Prepayment", "Refund"} else "invoices"
        return (
            kind,
            link(view.place(where, kind, number), number),
            day(each.get("Date")),
            amount(each.get("AmountPaid"), currency),
            amount(each.get("BalanceWriteOff"), currency, blank=True),
            amount(each.get("CashDiscountTaken"), currency, blank=True),
            mark(state),
        )

    rows = [
        row(each, str(each.get("DisplayDocType")), str(each.get("DisplayRefNbr")), _state(each))
        for each in payment.rows("ApplicationHistory")
    ]
    rows += [
        row(each, str(each.get("DocType")), str(each.get("ReferenceNbr")), "Pending")
        for each in payment.rows("DocumentsToApply")
    ]
    columns = ("!Type", "!Number", "!Date", "#Amount", "#Write-off", "#Discount", "State")
    return panel("Applications", table(columns, rows, empty="Nothing is applied."))


def _state(row: Row) -> str:
    return "Reversed" if row.custom.get(REVERSED) else "Released"


def _charges(view: View, payment: Record) -> Html:
    rows = [
        (
            row.get("EntryTypeID"),
            row.get("Description"),
            view.account(row.get("AccountID")),
            amount(row.get("Amount"), currency_of(payment)),
        )
        for row in payment.rows("Charges")
    ]
    if not rows:
        return Html()
    return panel("Charges", table(("Entry type", "Description", "Account", "#Amount"), rows))


def _actions(view: View, payment: Record) -> Html:
    here = ("payments", str(payment.get("Type")), str(payment.get("ReferenceNbr")), "button")
    status, void = payment.get("Status"), str(payment.get("Type")).startswith("Voided")
    if status in {"Open", "Closed"} and not void:
        return panel(
            "Void",
            tag("p", "Takes the money and every application back; paid invoices open again."),
            form(view.place(*here), button("Void the payment", "danger"), action="void"),
        )
    buttons = {
        "Balanced": ("Release", "release"),
        "On Hold": ("Remove hold", "releasefromhold"),
        "Pending Approval": ("Approve", "approve"),
    }
    if status in buttons:
        label, action = buttons[str(status)]
        return panel("Next", form(view.place(*here), button(label), action=action))
    return panel("Next", tag("p", "Nothing is left to do with this document.", class_="empty"))
