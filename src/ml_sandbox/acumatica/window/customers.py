"""Customers: the list, and one customer with documents and a form for a new invoice."""

from decimal import Decimal

from ml_sandbox.acumatica.forms.applications import open_balance
from ml_sandbox.acumatica.forms.customers import STATUSES
from ml_sandbox.acumatica.forms.invoices import released
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.window.invoices import new_invoice
from ml_sandbox.acumatica.window.view import View, amount, currency_of, day, paged
from ml_sandbox.page import (
    Content,
    Html,
    button,
    choice,
    facts,
    form,
    join,
    link,
    mark,
    panel,
    table,
    tag,
)

_CREDITS = frozenset(("Credit Memo", "Payment", "Prepayment"))


def customer_list(view: View) -> Html:
    """All customers, newest first."""

    def row(customer: Record) -> tuple[Content, ...]:
        code = str(customer.get("CustomerID"))
        owed = _owed(view, code)
        return (
            view.customer(code),
            link(view.place("customers", code), customer.get("CustomerName")),
            customer.get("Email"),
            customer.get("CurrencyID"),
            join((amount(value, each, show=True) for each, value in owed.items()), ", "),
            mark(customer.get("Status")),
        )

    records = list(view.world.tables["Customer"])[::-1]
    columns = ("Code", "Name", "E-mail", "Currency", "#Owes", "Status")
    return panel("", paged(view, columns, records, row, "customers"))


def _owed(view: View, code: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    invoices = view.world.tables["Invoice"].indexed("Customer", code) or []
    payments = view.world.tables["Payment"].indexed("CustomerID", code) or []
    for record in [*invoices, *(each for each in payments if each.get("Type") != "Credit Memo")]:
        if record.entity == "Invoice" and not released(record):
            continue
        left = open_balance(record)
        if left:
            sign = -1 if record.get("Type") in _CREDITS else 1
            currency = currency_of(record)
            found[currency] = found.get(currency, Decimal(0)) + sign * left
    return found


def customer_card(view: View, customer: Record) -> Html:
    """One customer."""
    code = str(customer.get("CustomerID"))
    contact: Row = customer.get("BillingContact") or customer.values["MainContact"]
    address: Row = contact.values["Address"]
    lines = ("AddressLine1", "AddressLine2", "City", "State", "PostalCode", "Country")
    about = panel(
        "About",
        facts(
            [
                ("Name", customer.get("CustomerName")),
                ("E-mail", customer.get("Email")),
                ("Address", ", ".join(str(address.get(n)) for n in lines if address.get(n))),
                ("Class", customer.get("CustomerClass")),
                ("Currency", customer.get("CurrencyID")),
                ("Terms", customer.get("Terms")),
                ("Tax zone", customer.get("TaxZone")),
                ("Note", customer.note),
            ]
        ),
    )
    status = panel(
        "Status",
        form(
            view.place("customers", code, "status"),
            choice("Status", "status", [(each, each) for each in STATUSES], customer.get("Status")),
            button("Change"),
            kind="row",
        ),
    )
    left = tag("div", about, _documents(view, code))
    return tag("div", left, tag("div", new_invoice(view, code), status), class_="two")


def _documents(view: View, code: str) -> Html:
    invoices = view.world.tables["Invoice"].indexed("Customer", code) or []
    payments = view.world.tables["Payment"].indexed("CustomerID", code) or []
    rows = [
        (
            each.get("Type"),
            view.to(each),
            day(each.get("Date") or each.get("ApplicationDate")),
            amount(each.get("Amount") or each.get("PaymentAmount"), currency_of(each)),
            amount(open_balance(each), currency_of(each)),
            currency_of(each),
            mark(each.get("Status")),
        )
        for each in [
            *invoices,
            *(each for each in payments if each.get("Type") != "Credit Memo"),
        ]
    ]
    rows.sort(key=lambda row: str(row[2]), reverse=True)
    columns = ("!Type", "!Number", "!Date", "#Amount", "#Open", "Currency", "Status")
    return panel("Documents", table(columns, rows, empty="No documents yet."))
