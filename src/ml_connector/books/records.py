"""Neutral records of both sides: what the rules reason about, free of either wire format.

Amounts are `Money`; instants are aware UTC datetimes; `date`s are the ERP's own calendar days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.basics.money import Money


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is the two-letter code; empty strings where nothing is known."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ErpCustomer:
    """A customer as Acumatica shows it; `email` is the address that invoices go to."""

    customer_id: str
    name: str
    email: str
    phone: str
    address: Address
    currency: str
    status: str
    customer_class: str
    modified: datetime
    opt_out: str = ""
    """What the attribute says by which a customer is left out; empty where none was asked for."""


@dataclass(frozen=True, slots=True)
class ErpTax:
    """One tax of an ERP document: rate in percent, amounts in document currency."""

    tax_id: str
    rate: Decimal
    taxable: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class ErpLine:
    """One line of an ERP document; `amount` is extended and before tax."""

    number: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Money


class DocumentStatus(StrEnum):
    """The statuses of an AR document that matter to the mirror (fact A6.4)."""

    OPEN = "Open"
    """Released, with a balance."""
    RESERVED = "Reserved"
    """Released, then put on hold: still owed."""
    CLOSED = "Closed"
    """Released, nothing owed any more."""


FINALIZED = frozenset(DocumentStatus)


@dataclass(frozen=True, slots=True)
class ErpInvoice:
    """A sales invoice as Acumatica shows it; `amount` includes taxes, `balance` is what is owed."""

    ref: ErpRef
    customer_id: str
    status: str
    issued: date
    due_date: date | None
    description: str
    customer_order: str
    branch: str
    amount: Money
    balance: Money
    tax_total: Money
    lines: tuple[ErpLine, ...]
    taxes: tuple[ErpTax, ...]
    modified: datetime
    terms: str = ""
    extras: tuple[ErpLine, ...] = ()
    """What changes the total beside the lines: document discounts (negative) and freight."""
    credited: Money | None = None
    """What credit memos have settled of it; None where the view does not tell."""

    @property
    def number(self) -> str:
        """The reference number alone, as a person quotes it."""
        return self.ref.partition("|")[2]

    @property
    def finalized(self) -> bool:
        """Whether the document is released to the ledger."""
        return self.status in FINALIZED


@dataclass(frozen=True, slots=True)
class StripeInvoice:
    """A Stripe invoice: what the mirror made of an ERP invoice, and how it stands."""

    id: StripeId
    customer: StripeId
    status: str
    total: Money
    amount_due: Money
    amount_paid: Money
    amount_remaining: Money
    starting_balance: Money
    tax: Money
    number: str
    hosted_url: str
    payment_intent: StripeId | None
    """The default payment's intent; only known where payments were expanded."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    paid_elsewhere: Money | None = None
    """The part of `amount_paid` that came outside Stripe; None is nothing."""
    due: datetime | None = None
    """The moment until which it shall be paid."""

    @property
    def paid_by_charges(self) -> Money:
        """What was paid with money that moved in Stripe."""
        if self.paid_elsewhere is None:
            return self.amount_paid
        return self.amount_paid - self.paid_elsewhere

    @property
    def payable(self) -> Money:
        """What a buyer could still pay: nothing of a draft, a voided or a paid one."""
        if self.status in ("open", "uncollectible"):
            return self.amount_remaining
        return Money.zero(self.total.currency)


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A Stripe customer; `balance` changes the next invoice and must stay zero, or is not known."""

    id: StripeId
    name: str
    email: str
    deleted: bool
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    balance: Money | None = None


@dataclass(frozen=True, slots=True)
class FeePart:
    """One part of a balance transaction's fee; `kind` as Stripe names it (open list)."""

    kind: str
    amount: Money
    description: str


PAYMENTS = "payments"
"""The balance of Stripe's that the clearing account stands for: its available and pending money."""


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One change of a balance at Stripe, in settlement currency; immutable but for `status`.

    `balance` names which one: other money of ours than that of payments is held beside it.
    """

    id: StripeId
    type: str
    category: str
    amount: Money
    fee: Money
    net: Money
    fee_parts: tuple[FeePart, ...]
    source: StripeId | None
    created: datetime
    available_on: datetime
    status: str
    description: str
    balance: str = PAYMENTS
    rate: Decimal | None = None
    """What it was converted at, as Stripe shows it; None where it was not."""

    @property
    def moves(self) -> Money:
        """What it changes the balance of payments by: nothing where it is of another balance."""
        return self.net if self.balance == PAYMENTS else Money.zero(self.net.currency)


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment attempt; only a succeeded one with a balance transaction has moved money."""

    id: StripeId
    payment_intent: StripeId | None
    customer: StripeId | None
    amount: Money
    status: str
    created: datetime
    description: str
    transaction: BalanceTransaction | None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    refunded: Money | None = None
    """What was given back of it, refunds that failed apart; None is nothing."""
    captured: bool = True
    authorized: Money | None = None
    """What was held at first, where only `amount` of it was captured; else None."""

    @property
    def is_held(self) -> bool:
        """Whether money is only reserved at the card: none moves unless it is captured."""
        return self.status == "succeeded" and not self.captured


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """The only link between a payment and the Stripe invoice it pays (fact S2.3)."""

    id: StripeId
    invoice: StripeId
    payment_intent: StripeId | None
    status: str
    amount_paid: Money | None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back for a charge; it moves money only through its balance transactions."""

    id: StripeId
    charge: StripeId | None
    payment_intent: StripeId | None
    amount: Money
    status: str
    reason: str
    created: datetime
    transaction: BalanceTransaction | None
    failure_transaction: BalanceTransaction | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payer's complaint at the bank; money moves only by its balance transactions."""

    id: StripeId
    charge: StripeId | None
    payment_intent: StripeId | None
    amount: Money
    status: str
    reason: str
    created: datetime
    transactions: tuple[BalanceTransaction, ...]

    @property
    def lost(self) -> bool:
        """Whether the bank has decided against us; an appeal may still change it."""
        return self.status == "lost"

    @property
    def won(self) -> bool:
        """Whether the bank has decided for us, at once or after all."""
        return self.status == "won"

    @property
    def given_back(self) -> bool:
        """Whether all that was taken is ours again, or on its way."""
        return self.status in {"won", "prevented"}


PAYOUT_ENDED = frozenset({"paid", "failed", "canceled"})
"""Statuses of a payout after which its members are in no other one."""


@dataclass(frozen=True, slots=True)
class Payout:
    """A transfer from the Stripe balance to the bank; negative when money is taken back."""

    id: StripeId
    amount: Money
    status: str
    automatic: bool
    arrival_date: date
    created: datetime
    reconciliation: str
    transaction: StripeId | None
    failure_transaction: StripeId | None

    @property
    def composed(self) -> bool:
        """Whether Stripe can say which balance transactions are inside (fact S4.8)."""
        return self.automatic and self.reconciliation == "completed"
