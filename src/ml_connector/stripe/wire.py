"""What we read of Stripe's answers, in its own shapes (API version 2026-10-28.endive).

Fields that may be missing or null have defaults; enumerations stay open strings (fact S2.1).
A field that Stripe may expand is an id or the object itself.
"""

from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Raw, Struct, field

T = TypeVar("T")


class Identified(Struct, frozen=True):
    """Any object, reduced to its name; a few (a balance) have no id."""

    id: str | None = None
    object: str = ""


class OfInvoice(Struct, frozen=True):
    """An object that belongs to an invoice."""

    invoice: str = ""


class Related(Struct, frozen=True):
    """What a thin event is about."""

    id: str = ""
    type: str = ""


class Listing(Struct, Generic[T], frozen=True):
    """A page of a list or of a search; the latter gives a token for the next page."""

    data: list[T]
    has_more: bool = False
    next_page: str | None = None


class FeeDetail(Struct, frozen=True):
    """One part of a balance transaction's fee."""

    amount: int
    currency: str
    type: str
    description: str | None = None


class Transaction(Struct, frozen=True):
    """A balance transaction; amounts are in the settlement currency."""

    id: str
    type: str
    reporting_category: str
    amount: int
    fee: int
    net: int
    currency: str
    status: str
    created: int
    available_on: int
    fee_details: list[FeeDetail] = field(default_factory=list[FeeDetail])
    source: str | Identified | None = None
    description: str | None = None
    balance_type: str | None = None
    exchange_rate: Decimal | None = None


class Customer(Struct, frozen=True):
    """A customer; of a deleted one only the id is left."""

    id: str
    name: str | None = None
    email: str | None = None
    deleted: bool = False
    balance: int = 0
    currency: str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])


class CustomerMovement(Struct, frozen=True):
    """A change of what a customer owes or is owed apart from invoices; a debt is positive."""

    id: str
    amount: int
    currency: str
    type: str
    invoice: str | Identified | None = None
    metadata: dict[str, str] | None = None


class PaymentOf(Struct, frozen=True):
    """What an invoice payment consists of: an intent, a bare charge or an outside record."""

    type: str
    payment_intent: str | Identified | None = None
    charge: str | Identified | None = None


class InvoicePayment(Struct, frozen=True):
    """The link between an invoice and a payment (fact S2.3)."""

    id: str
    invoice: str | Identified
    currency: str
    is_default: bool
    payment: PaymentOf
    status: str
    amount_paid: int | None = None


class TaxTotal(Struct, frozen=True):
    """One tax of an invoice."""

    amount: int


class Invoice(Struct, frozen=True):
    """An invoice; `payments` is there only when expanded."""

    id: str
    customer: str | Identified
    status: str
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    starting_balance: int
    amount_paid_off_stripe: int = 0
    number: str | None = None
    hosted_invoice_url: str | None = None
    due_date: int | None = None
    total_taxes: list[TaxTotal] | None = None
    metadata: dict[str, str] | None = None
    payments: Listing[InvoicePayment] | None = None


class CreditNote(Struct, frozen=True):
    """A credit note; it lowers what is open of its invoice."""

    id: str
    status: str
    metadata: dict[str, str] | None = None


class Charge(Struct, frozen=True):
    """A payment attempt; its balance transaction is null at first (fact S4.3)."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    payment_intent: str | Identified | None = None
    customer: str | Identified | None = None
    description: str | None = None
    balance_transaction: Transaction | str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    amount_refunded: int = 0
    captured: bool = True
    amount_captured: int = 0


class Refund(Struct, frozen=True):
    """A refund; a failed one has a second balance transaction that returns the money."""

    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    reason: str | None = None
    charge: str | Identified | None = None
    payment_intent: str | Identified | None = None
    balance_transaction: Transaction | str | None = None
    failure_balance_transaction: Transaction | str | None = None


class Dispute(Struct, frozen=True):
    """A dispute; its balance transactions come with it, unasked."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    reason: str = ""
    charge: str | Identified | None = None
    payment_intent: str | Identified | None = None
    balance_transactions: list[Transaction] = field(default_factory=list[Transaction])


class Payout(Struct, frozen=True):
    """A transfer to the bank; `arrival_date` is midnight UTC of a calendar day."""

    id: str
    amount: int
    currency: str
    status: str
    automatic: bool
    arrival_date: int
    created: int
    reconciliation_status: str
    balance_transaction: str | Identified | None = None
    failure_balance_transaction: str | Identified | None = None


class Amount(Struct, frozen=True):
    """An amount of one currency."""

    amount: int
    currency: str


class Balance(Struct, frozen=True):
    """What the account holds, per currency."""

    available: list[Amount]
    pending: list[Amount]


class EventData(Struct, frozen=True):
    """The object that an event is about, left undecoded: its shape may be of another version."""

    object: Raw


class Event(Struct, frozen=True):
    """A snapshot event's envelope."""

    id: str
    type: str
    created: int
    livemode: bool
    data: EventData


class ThinEvent(Struct, frozen=True):
    """A thin event (fact S6.6); `created` is ISO text here."""

    id: str
    type: str
    created: str
    livemode: bool
    related_object: Related | None = None


class WebhookEndpoint(Struct, frozen=True):
    """A webhook endpoint; `secret` comes only with its creation."""

    id: str
    secret: str = ""


class Account(Struct, frozen=True):
    """The account that a key belongs to."""

    id: str


class ErrorDetail(Struct, frozen=True):
    """What an error answer says."""

    type: str = ""
    code: str | None = None
    param: str | None = None
    message: str | None = None


class ErrorBody(Struct, frozen=True):
    """An error answer."""

    error: ErrorDetail
