"""The writes to Stripe by name: what a person is shown, and approves, before one is made."""

from ml_connector.basics.ids import StripeId
from ml_connector.books.level import Action, CreditNote, PayOutOfBand, TellAPerson, Void
from ml_connector.books.modes import RecordType
from ml_connector.books.records import ErpCustomer, ErpInvoice
from ml_connector.flows.writing.gate import Write
from ml_connector.store.rows import JsonObject, as_object

SHOWN = ("name", "email", "phone", "address")
"""The part of a customer that Stripe is told; anything else changing is no news to it."""


def customer_write(customer: ErpCustomer, *, update: bool) -> Write:
    """A customer made in Stripe, or changed there."""
    act = "update" if update else "create"
    seen = as_object(customer)
    body: JsonObject = {"act": act, **{name: seen[name] for name in SHOWN}}
    named = f"{customer.customer_id} ({customer.name})"
    title = f"Customer {named} to be {'changed' if update else 'made'} in Stripe"
    return Write(RecordType.CUSTOMERS, f"customer:{customer.customer_id}", title, body)


def invoice_write(invoice: ErpInvoice, times_voided: int) -> Write:
    """An invoice sent to Stripe; `times_voided` tells a second one from the first."""
    seen = as_object(invoice)
    del seen["modified"]  # a save that changes nothing is no news
    body: JsonObject = {"act": "send", "invoice": seen, "times_voided": times_voided}
    title = f"Invoice {invoice.number} of {invoice.customer_id} to be sent for {invoice.balance}"
    return Write(RecordType.INVOICES, f"invoice:{invoice.ref}", title, body, invoice.balance)


def level_write(erp: ErpInvoice, stripe_id: StripeId, step: int, action: Action) -> Write:
    """A step that brings a sent invoice level."""
    said = said_of(action)
    body: JsonObject = {
        "act": said,
        "invoice": erp.ref,
        "balance": str(erp.balance),
        "stripe": stripe_id,
    }
    title = f"Invoice {erp.number}, owed {erp.balance}, to be levelled in Stripe: {said}"
    amount = action.amount if isinstance(action, CreditNote) else None
    return Write(RecordType.INVOICES, f"level:{stripe_id}:{step}", title, body, amount)


def due_write(erp: ErpInvoice, stripe_id: StripeId) -> Write:
    """A new due date of a sent invoice."""
    due = str(erp.due_date)
    body: JsonObject = {"act": "due", "invoice": erp.ref, "stripe": stripe_id, "due": due}
    title = f"Invoice {erp.number} to be due on {due} in Stripe"
    return Write(RecordType.INVOICES, f"due:{stripe_id}:{due}", title, body)


def said_of(action: Action) -> str:
    """A step in words."""
    match action:
        case CreditNote(amount):
            return f"credit note {amount}"
        case PayOutOfBand():
            return "paid elsewhere"
        case Void():
            return "voided"
        case TellAPerson(why):
            return why
