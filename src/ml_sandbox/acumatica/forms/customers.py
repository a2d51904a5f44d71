"""Customers (AR303000): class defaults, contacts that follow the main one, auto-numbering."""

from typing import Any

from ml_sandbox.acumatica.errors import business
from ml_sandbox.acumatica.forms.base import (
    Form,
    cannot_be_empty,
    cannot_be_found,
    merge_rows,
    take,
    take_note,
)
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

STATUSES = ("Prospect", "Active", "On Hold", "Credit Hold", "One-Time", "Inactive")
_READ_ONLY = frozenset(
    (
        "CustomerID",
        "BAccountID",
        "CreatedDateTime",
        "LastModifiedDateTime",
        "NoteID",
        "Email",
        "PrimaryContactID",
    )
)
_FOLLOWERS = {
    "BillingContact": "BillingContactOverride",
    "ShippingContact": "ShippingContactOverride",
}
_ADDRESSES = {
    "BillingContact": "BillingAddressOverride",
    "ShippingContact": "ShippingAddressOverride",
}


class CustomerForm(Form):
    """Customers."""

    entity = "Customer"
    label = "Customer"

    def insert(self, unit: Unit, body: Body) -> Record:
        """A customer with the defaults of its class."""
        draft = unit.create(self.entity)
        class_id = body.get("CustomerClass") or "DEFAULT"
        found = unit.find("CustomerClass", class_id)
        if found is None:
            draft.fail("CustomerClass", cannot_be_found("Customer Class"))
        draft.set(**_defaults(unit, found), CustomerClass=class_id, CustomerID="<NEW>")
        if not unit.switches.auto_number_customers:
            draft.set(CustomerID=body.get("CustomerID"))
        self._fill(unit, draft, body)
        return draft

    def assign_key(self, unit: Unit, draft: Record) -> None:
        """C000001 and so on, unless the site numbers customers by hand."""
        draft.set(BAccountID=int(unit.number("BACCOUNT", "{}")) + 4000, NoteID=draft.id)
        if unit.switches.auto_number_customers:
            draft.set(CustomerID=unit.number("CUSTOMER", "C{:06d}"))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes any field but the key."""
        before = draft.draft()
        self._fill(unit, draft, body)
        own = {name for name, value in draft.values.items() if not isinstance(value, Row | list)}
        own.discard("Email")
        moved = draft.note != before.note or any(
            draft.values.get(name) != before.values.get(name) for name in own
        )
        if not moved and not unit.switches.contact_edits_bump:
            unit.keep_modified(draft)

    def delete(self, unit: Unit, record: Record) -> None:
        """Only a customer without documents can be deleted."""
        code = record.get("CustomerID")
        invoices = unit.world.tables["Invoice"].indexed("Customer", code)
        payments = unit.world.tables["Payment"].indexed("CustomerID", code)
        if invoices or payments:
            raise business("Customer cannot be deleted because it has documents.")
        unit.drop(record)

    def _fill(self, unit: Unit, draft: Record, body: Body) -> None:
        take(draft, body, (name for name in body.values if name not in _READ_ONLY))
        take_note(draft, body)
        if not draft.get("CustomerID"):
            draft.fail("CustomerID", cannot_be_empty("Customer ID"))
        if not draft.get("CustomerName"):
            draft.fail("CustomerName", cannot_be_empty("Customer Name"))
        _check(unit, draft)
        _contacts(unit, draft, body)
        _attributes(unit, draft, body)


def main_location(unit: Unit, customer: Record) -> None:
    """Every customer has its MAIN location."""
    code = customer.get("CustomerID")
    if not code or unit.find("CustomerLocation", code, "MAIN") is not None:
        return
    location = unit.create("CustomerLocation")
    location.set(
        Customer=code,
        LocationID="MAIN",
        LocationName=customer.get("LocationName"),
        Active=True,
        Default=True,
        Status="Active",
        TaxZone=customer.get("TaxZone"),
        NoteID=location.id,
    )


def _defaults(unit: Unit, found: Record | None) -> dict[str, Any]:
    given = found.values if found is not None else {}
    return {
        "Status": "Active",
        "StatementType": "Open Item",
        "Terms": given.get("Terms"),
        "CurrencyID": given.get("CurrencyID") or unit.setup.base,
        "CurrencyRateType": None,
        "StatementCycleID": given.get("StatementCycleID"),
        "TaxZone": given.get("TaxZoneID"),
        "EnableCurrencyOverride": bool(given.get("EnableCurrencyOverride")),
        "EnableRateOverride": bool(given.get("EnableRateOverride")),
        "AutoApplyPayments": False,
        "ApplyOverdueCharges": False,
        "EnableWriteOffs": bool(given.get("EnableWriteOffs")),
        "WriteOffLimit": given.get("WriteOffLimit", ZERO),
        "CreditLimit": ZERO,
        "MultiCurrencyStatements": False,
        "PrintInvoices": False,
        "PrintStatements": False,
        "PrintDunningLetters": False,
        "SendInvoicesbyEmail": False,
        "SendStatementsbyEmail": False,
        "SendDunningLettersbyEmail": False,
        "ResidentialDelivery": False,
        "SaturdayDelivery": False,
        "BillingAddressOverride": False,
        "BillingContactOverride": False,
        "ShippingAddressOverride": False,
        "ShippingContactOverride": False,
        "IsGuestCustomer": False,
        "LocationName": "Primary Location",
        "ShippingRule": "Back Order Allowed",
        "OrderPriority": 0,
        "LeadTimedays": None,
    }


def _check(unit: Unit, draft: Record) -> None:
    if draft.get("Status") not in STATUSES:
        draft.fail("Status", "The list value is not defined.")
    if draft.get("Terms") and draft.get("Terms") not in unit.setup.terms:
        draft.fail("Terms", cannot_be_found("Terms"))
    if draft.get("TaxZone") and draft.get("TaxZone") not in unit.setup.zones:
        draft.fail("TaxZone", cannot_be_found("Tax Zone"))
    currency = draft.get("CurrencyID")
    if currency and currency not in unit.setup.precisions:
        draft.fail("CurrencyID", cannot_be_found("Currency ID"))


def _contacts(unit: Unit, draft: Record, body: Body) -> None:
    main = _contact(unit, draft, "MainContact", body)
    main.values.setdefault("CompanyName", draft.get("CustomerName"))
    if "Email" in body.values and "Email" not in _sent(body, "MainContact"):
        main.set(Email=body.get("Email"))
    draft.set(Email=main.get("Email"))
    for name, override in _FOLLOWERS.items():
        follower = _contact(unit, draft, name, body, accept=bool(draft.get(override)))
        address: Row = follower.values["Address"]
        if not draft.get(_ADDRESSES[name]):
            address.values = dict(main.values["Address"].values)
        elif name in body.linked and "Address" in body.linked[name].linked:
            sent = body.linked[name].linked["Address"]
            take(address, sent, sent.values)
        if not draft.get(override):
            follower.values = {**main.values, "Address": address}
    if "PrimaryContact" in body.linked:
        _contact(unit, draft, "PrimaryContact", body)


def _attributes(unit: Unit, draft: Record, body: Body) -> None:
    """The answers to the attributes of the customer's class; each is kept as a text."""

    def fill(row: Row, sent: Body, new: bool) -> None:
        if new:
            row.set(RefNoteID=draft.id, Required=False, IsActive=True)
        value = sent.get("Value")
        row.set(AttributeID=sent.get("AttributeID") or row.get("AttributeID"))
        row.set(AttributeDescription=row.get("AttributeID"), Value=value, ValueDescription=value)

    sent = body.details.get("Attributes", [])
    merge_rows(unit, draft.rows("Attributes"), sent, key=("AttributeID",), fill=fill)


def _sent(body: Body, name: str) -> dict[str, Any]:
    return body.linked[name].values if name in body.linked else {}


def _contact(unit: Unit, draft: Record, name: str, body: Body, *, accept: bool = True) -> Row:
    if draft.get(name) is None:
        fresh = unit.row()
        fresh.values["Address"] = unit.row()
        fresh.values["Address"].set(Country="US", Validated=False)
        draft.values[name] = fresh
    contact: Row = draft.values[name]
    sent = body.linked.get(name)
    if sent is not None and accept:
        take(contact, sent, sent.values)
        if "Address" in sent.linked and name == "MainContact":
            take(contact.values["Address"], sent.linked["Address"], sent.linked["Address"].values)
    return contact
