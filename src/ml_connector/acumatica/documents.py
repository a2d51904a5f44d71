"""What Acumatica says of documents, in neutral terms."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money, total
from ml_connector.books.postings import Application


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that changed; `modified` is when, `type` is empty where an entity has none.

    `balance` is what a document is owed, in its own currency, and `due` when; None where an entity
    has none. `description` is told of journals alone.
    """

    ref: ErpRef
    status: str
    type: str
    modified: datetime
    balance: Decimal | None = None
    due: date | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A document that exists: its lasting id, its keys and how it stands.

    `applied` is how much of a new payment its answer says is applied, and `amount` what a new
    credit memo is of; None where it says nothing.
    """

    id: str
    ref: ErpRef
    status: str
    applied: Decimal | None = field(default=None, compare=False)
    amount: Money | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ErpCharge:
    """A fee that rides on a payment, as read back."""

    entry_type: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ErpPayment:
    """A payment as read back; `applications` are posted and waiting ones together.

    `unapplied` is what Acumatica itself calls available; None where the version does not tell.
    """

    id: str
    ref: ErpRef
    status: str
    customer_id: str
    payment_method: str
    cash_account: str
    branch: str
    day: date
    amount: Money
    unapplied: Money | None
    payment_ref: str
    external_ref: str
    description: str
    applications: tuple[Application, ...]
    modified: datetime
    charges: tuple[ErpCharge, ...] = ()

    @property
    def rest(self) -> Money:
        """What of it is on no document."""
        if self.unapplied is not None:
            return self.unapplied
        return self.amount - total((one.amount for one in self.applications), self.amount.currency)


@dataclass(frozen=True, slots=True)
class ErpMemo:
    """A credit or debit memo as read back; `lines` are what it takes from, or gives, each account.

    `balance` is what of it is not applied; None where that was not asked for.
    """

    id: str
    ref: ErpRef
    status: str
    customer_id: str
    day: date
    amount: Money
    order: str
    description: str
    lines: tuple[tuple[str, Money], ...]
    modified: datetime
    balance: Money | None = None


@dataclass(frozen=True, slots=True)
class ErpJournalLine:
    """A line of a batch: a positive amount debits, a negative one credits."""

    account: str
    subaccount: str
    branch: str
    amount: Money
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class ErpJournal:
    """A general-ledger batch as read back."""

    id: str
    ref: ErpRef
    status: str
    branch: str
    ledger: str
    currency: str
    day: date
    description: str
    lines: tuple[ErpJournalLine, ...]
    modified: datetime

    def effect_on(self, account: str) -> Money:
        """How much the batch changes an account: debits less credits."""
        minor = sum(line.amount.minor for line in self.lines if line.account == account)
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of a released batch: a positive amount debits, a negative one credits.

    `reference` is the document's number where another module made the batch.
    """

    module: str
    batch: str
    type: str
    reference: str
    account: str
    customer_id: str
    day: date
    amount: Money
    text: str


@dataclass(frozen=True, slots=True)
class QuotedPayment:
    """What a payment says of itself: its number and the texts that may quote Stripe's ids."""

    ref: ErpRef
    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What one payment has settled of one document, in the document's currency."""

    payment: ErpRef
    document: ErpRef
    amount: Decimal


OPEN = "Open"
"""The status of a payment in the ledger of which a part is on no document."""

PAYMENT_RELEASED = frozenset(("Open", "Closed", "Reserved"))
"""Statuses of a payment that is in the ledger."""

MEMO_RELEASED = frozenset(("Open", "Closed", "Reserved"))
"""Statuses of a credit or debit memo that is in the ledger."""

JOURNAL_RELEASED = frozenset(("Posted", "Unposted"))
"""Statuses of a batch that is released; posting may be a later step of theirs."""


def voided(kind: str) -> str:
    """The type of the document that undoes a payment or a refund."""
    return "Voided Refund" if "Refund" in kind else "Voided Payment"
