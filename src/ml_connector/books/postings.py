"""What we post in Acumatica, and why: documents that balance by construction, and their states."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef, PostingKey, StripeId
from ml_connector.basics.money import Money, total


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a journal: a positive amount debits the account, a negative one credits it."""

    account: str
    subaccount: str
    amount: Money
    text: str


@dataclass(frozen=True, slots=True)
class Journal:
    """A general-ledger batch that balances: one currency, no empty line, sides equal.

    Raises Bug when built otherwise, so an unbalanced journal cannot exist.
    """

    day: date
    branch: str
    description: str
    lines: tuple[Line, ...]
    true_day: date | None = None
    """When it happened, where it could not be dated so."""

    def __post_init__(self) -> None:
        if len({line.amount.currency for line in self.lines}) != 1:
            raise Bug(f"A journal must be of one currency: {self.description}")
        if any(not line.amount for line in self.lines):
            raise Bug(f"A journal line may not be empty: {self.description}")
        if sum(line.amount.minor for line in self.lines) != 0:
            raise Bug(f"A journal must balance: {self.description}")

    @property
    def currency(self) -> str:
        """The one currency of its lines."""
        return self.lines[0].amount.currency

    def effect_on(self, account: str) -> Money:
        """How much the journal changes an account: debits less credits."""
        minor = sum(line.amount.minor for line in self.lines if line.account == account)
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class Application:
    """Part of a payment that settles one ERP document."""

    document: ErpRef
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentCharge:
    """A fee that rides on a payment: the ERP books it by the entry type, not to the customer.

    `account` is where our mapping has such fees, should they have to be booked without it.
    """

    entry_type: str
    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ArPayment:
    """A payment in accounts receivable: debits the cash account, credits the customer.

    `charges` are taken off the cash. Raises Bug when more is applied than was paid, when it is
    not positive, when a charge is not or they leave nothing, or when a part is of another currency.
    """

    customer_id: str
    payment_method: str
    cash_account: str
    branch: str
    day: date
    amount: Money
    payment_ref: str
    external_ref: str
    description: str
    applications: tuple[Application, ...]
    charges: tuple[PaymentCharge, ...] = ()
    true_day: date | None = None
    """When it happened, where it could not be dated so."""
    wanted: tuple[Application, ...] = ()
    """What it was to settle, where the ERP was not owed so much any more."""

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise Bug(f"A payment must be positive: {self.payment_ref}")
        if self.cash.minor <= 0 or any(one.amount.minor <= 0 for one in self.charges):
            raise Bug(f"The charges of a payment must leave a part of it: {self.payment_ref}")
        applied = total((a.amount for a in self.applications), self.currency)
        if applied > self.amount or any(a.amount.minor <= 0 for a in self.applications):
            raise Bug(f"A payment cannot settle more than its amount: {self.payment_ref}")

    @property
    def currency(self) -> str:
        """The payment's currency, which is its cash account's."""
        return self.amount.currency

    @property
    def cash(self) -> Money:
        """What reaches the cash account: the amount less the charges."""
        return less_charges(self.amount, self.charges)


def less_charges(amount: Money, charges: Iterable[PaymentCharge]) -> Money:
    """An amount without the fees that ride on it."""
    return amount - total((one.amount for one in charges), amount.currency)


@dataclass(frozen=True, slots=True)
class CreditMemo:
    """A credit memo of one line: debits the account, credits the customer.

    `order` is the Stripe id that it is found by. Raises Bug when it is not positive.
    """

    customer_id: str
    branch: str
    day: date
    account: str
    subaccount: str
    tax_category: str
    amount: Money
    order: str
    description: str
    true_day: date | None = None
    """When it happened, where it could not be dated so."""

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise Bug(f"A credit memo must be positive: {self.order}")


@dataclass(frozen=True, slots=True)
class DebitMemo:
    """What takes a credit memo back: debits the customer, credits the account.

    The credit memo `memo` is applied to it, so that neither owes anything in the end. `order` is
    what the credit memo is found by. Raises Bug when it is not positive.
    """

    memo: ErpRef
    customer_id: str
    branch: str
    day: date
    account: str
    subaccount: str
    tax_category: str
    amount: Money
    order: str
    description: str
    true_day: date | None = None
    """When it happened, where it could not be dated so."""

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise Bug(f"A debit memo must be positive: {self.order}")


@dataclass(frozen=True, slots=True)
class ArRefund:
    """What a customer has to his credit, paid out: debits the customer, credits the cash account.

    Either `memo`, the posting of a credit memo whose number is known only once it stands in the
    books, or `payment`, of which a part is on no invoice. Raises Bug when it is neither or both,
    or not positive.
    """

    customer_id: str
    payment_method: str
    cash_account: str
    branch: str
    day: date
    amount: Money
    payment_ref: str
    external_ref: str
    description: str
    memo: PostingKey | None
    payment: ErpRef | None = None
    true_day: date | None = None
    """When it happened, where it could not be dated so."""

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise Bug(f"A refund must be positive: {self.payment_ref}")
        if (self.memo is None) == (self.payment is None):
            raise Bug(f"A refund pays out a memo or a payment: {self.payment_ref}")


@dataclass(frozen=True, slots=True)
class Voiding:
    """A released payment or refund undone as a whole: what it settled is open again.

    Acumatica dates it like the payment, gives it the payment's number, and takes the payment's
    charges back with it. `day` and `description` are said only where it is dated otherwise.
    """

    payment: ErpRef
    payment_ref: str
    amount: Money
    charges: tuple[PaymentCharge, ...] = ()
    day: date | None = None
    true_day: date | None = None
    """The payment's day, where it could not be dated so."""
    description: str = ""
    keeps_day: bool = False
    """Acumatica was told another day and kept the payment's."""

    @property
    def cash(self) -> Money:
        """What the payment had brought to its cash account."""
        return less_charges(self.amount, self.charges)


@dataclass(frozen=True, slots=True)
class Booked:
    """A payment that somebody else has booked: it carries the money, and we never write it.

    `charges` are there only where they are the fee that Stripe kept: then it carries that, too.
    """

    payment: ErpRef
    payment_ref: str
    cash_account: str
    amount: Money
    charges: tuple[PaymentCharge, ...] = ()

    @property
    def cash(self) -> Money:
        """What reached the cash account."""
        return less_charges(self.amount, self.charges)


Document = Journal | ArPayment | Voiding | CreditMemo | DebitMemo | ArRefund | Booked


def settles(document: Document) -> list[ErpRef]:
    """The invoices that a payment settles, or was to; none of any other document."""
    if not isinstance(document, ArPayment):
        return []
    every = (*document.applications, *document.wanted)
    return sorted({one.document for one in every})


class Purpose(StrEnum):
    """The one reason for which a document exists; the first word of its key."""

    PAYMENT = "payment"
    """A customer's money came in."""
    FEE = "fee"
    """What Stripe kept of a balance transaction."""
    FEE_KEPT = "fee_kept"
    """What Stripe kept of a payment that was undone together with its charges."""
    FEES_OF_PAYOUT = "fees_of_payout"
    """What Stripe kept of everything in a payout."""
    REFUND = "refund"
    """Money went back to a customer."""
    CREDIT_MEMO = "credit_memo"
    """What is given back is the customer's again, before it is paid out."""
    REFUND_PAID = "refund_paid"
    """A credit memo, or what is left of a payment, is paid out."""
    REFUND_FAILURE = "refund_failure"
    """A refund came back to us."""
    PAYOUT = "payout"
    """Money moved from the Stripe balance to the bank."""
    PAYOUT_REVERSAL = "payout_reversal"
    """A payout failed or was cancelled; the money is back."""
    DISPUTE = "dispute"
    """A bank took disputed money, or gave it back."""
    DISPUTE_LOSS = "dispute_loss"
    """Disputed money is lost for good."""
    LOSS_REVERSAL = "loss_reversal"
    """It was won after all."""
    DISPUTE_UNDONE = "dispute_undone"
    """Disputed money is the customer's debt again, so it is no asset beside that."""
    DISPUTE_EXCHANGE = "dispute_exchange"
    """Disputed money was given back at another rate than it was taken at."""
    CHARGE_STRIPE = "stripe_charge"
    """Stripe billed its own services."""
    TOPUP = "topup"
    """Money moved from the bank to the Stripe balance, or back again."""
    RESERVE = "reserve"
    """Stripe held money aside, or set it free."""
    CONVERSION = "conversion"
    """A payment in another currency arrived in the settlement currency."""
    EXCHANGE = "exchange"
    """Its transit is emptied against the exchange difference."""
    RATE_DIFFERENCE = "rate_difference"
    """A bank took such a payment back at another rate than it had come at."""
    VOID = "void"
    """A payment was taken back by the bank: its AR payment is undone."""
    SUSPENSE = "suspense"
    """Money that nobody can name yet, by policy."""
    UNDO = "undo"
    """A document of ours is reversed because a person says so; its key names that document."""
    OPENING = "opening"
    """What Stripe held of a currency when our books began."""
    ARRIVAL = "arrival"
    """A payout of before that reached the bank."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One document in Acumatica for one reason: `key` is unique for ever within a connection.

    `clearing` is the document's whole effect on the clearing account, in settlement currency.
    """

    key: PostingKey
    purpose: Purpose
    transaction: StripeId
    document: Document
    clearing: Money


def posting_key(purpose: Purpose, subject: str) -> PostingKey:
    """The key of a posting: its purpose and the Stripe object that it is for."""
    return PostingKey(f"{purpose}:{subject}")


class State(StrEnum):
    """Where a posting stands on its way into the books."""

    PLANNED = "planned"
    """Decided and stored; nothing was sent."""
    SENDING = "sending"
    """Sent, or about to be: the outcome is unknown until looked up."""
    CREATED = "created"
    """Acumatica gave it a number; not in the ledger yet."""
    RELEASED = "released"
    """In the ledger; not read back yet."""
    VERIFIED = "verified"
    """Read back and found equal to what was planned: proof."""
    FAILED = "failed"
    """Stopped with a reason; a person or a later try moves it on."""


DELETED = "by_hand.deleted"
VOIDED = "by_hand.voided"
GONE = (DELETED, VOIDED)
"""Why a posting with a number has failed when its document carries nothing any more."""


IN_THE_LEDGER = (State.RELEASED, State.VERIFIED)
"""The states of a posting that the ledger counts."""


MOVES: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.SENDING, State.FAILED}),
    State.SENDING: frozenset({State.CREATED, State.PLANNED, State.FAILED}),
    State.CREATED: frozenset({State.RELEASED, State.VERIFIED, State.FAILED}),
    State.RELEASED: frozenset({State.VERIFIED, State.FAILED}),
    State.VERIFIED: frozenset(),
    State.FAILED: frozenset({State.PLANNED, State.SENDING, State.CREATED, State.RELEASED}),
}
"""The allowed moves. `sending -> planned` only after a search has found nothing; `created ->
verified` when the connection leaves documents balanced for an accountant to release."""


def may_move(start: State, end: State) -> bool:
    """Whether a posting may go from one state to another."""
    return end in MOVES[start]


def clearing_effect(postings: Iterable[Posting], currency: str) -> Money:
    """What postings of one currency together do to its clearing account."""
    return total((posting.clearing for posting in postings), currency)
