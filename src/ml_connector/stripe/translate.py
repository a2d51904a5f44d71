"""Stripe's shapes as neutral records; minor units stay integers on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ml_connector.basics.clock import from_unix
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, totals
from ml_connector.books.records import (
    PAYMENTS,
    BalanceTransaction,
    Charge,
    Dispute,
    FeePart,
    InvoicePayment,
    Payout,
    Refund,
    StripeCustomer,
    StripeInvoice,
)
from ml_connector.stripe import wire


@dataclass(frozen=True, slots=True)
class Balance:
    """What the Stripe account holds, per upper-case currency: free to pay out, and not yet."""

    available: Mapping[str, Money]
    pending: Mapping[str, Money]

    @property
    def total(self) -> dict[str, Money]:
        """Available and pending together, per currency."""
        return totals((*self.available.values(), *self.pending.values()))


def id_of(reference: str | wire.Identified | wire.Transaction | None) -> StripeId | None:
    """The id of a reference, expanded or not."""
    if reference is None or isinstance(reference, str):
        return StripeId(reference) if reference else None
    return StripeId(reference.id) if reference.id else None


def required_id(reference: str | wire.Identified) -> StripeId:
    """The id of a reference that is always there."""
    return id_of(reference) or StripeId("")


def customer(answer: wire.Customer) -> StripeCustomer:
    """A customer."""
    return StripeCustomer(
        id=StripeId(answer.id),
        name=answer.name or "",
        email=answer.email or "",
        deleted=answer.deleted,
        balance=Money.wire(answer.balance, answer.currency) if answer.currency else None,
        metadata=answer.metadata,
    )


def invoice(answer: wire.Invoice) -> StripeInvoice:
    """An invoice, with its default payment's intent where payments were expanded."""

    def money(minor: int) -> Money:
        return Money.wire(minor, answer.currency)

    return StripeInvoice(
        id=StripeId(answer.id),
        customer=required_id(answer.customer),
        status=answer.status,
        total=money(answer.total),
        amount_due=money(answer.amount_due),
        amount_paid=money(answer.amount_paid),
        amount_remaining=money(answer.amount_remaining),
        starting_balance=money(answer.starting_balance),
        tax=money(sum(tax.amount for tax in answer.total_taxes or ())),
        number=answer.number or "",
        hosted_url=answer.hosted_invoice_url or "",
        payment_intent=_default_intent(answer.payments),
        metadata=answer.metadata or {},
        paid_elsewhere=money(answer.amount_paid_off_stripe),
        due=None if answer.due_date is None else from_unix(answer.due_date),
    )


def _default_intent(payments: wire.Listing[wire.InvoicePayment] | None) -> StripeId | None:
    for payment in payments.data if payments else ():
        if payment.is_default:
            return id_of(payment.payment.payment_intent)
    return None


def invoice_payment(answer: wire.InvoicePayment) -> InvoicePayment:
    """The link between a payment and an invoice."""
    paid = answer.amount_paid
    return InvoicePayment(
        id=StripeId(answer.id),
        invoice=required_id(answer.invoice),
        payment_intent=id_of(answer.payment.payment_intent),
        status=answer.status,
        amount_paid=None if paid is None else Money.wire(paid, answer.currency),
    )


def transaction(answer: wire.Transaction) -> BalanceTransaction:
    """A balance transaction, in settlement currency."""
    return BalanceTransaction(
        id=StripeId(answer.id),
        type=answer.type,
        category=answer.reporting_category,
        amount=Money.wire(answer.amount, answer.currency),
        fee=Money.wire(answer.fee, answer.currency),
        net=Money.wire(answer.net, answer.currency),
        fee_parts=tuple(
            FeePart(part.type, Money.wire(part.amount, part.currency), part.description or "")
            for part in answer.fee_details
        ),
        source=id_of(answer.source),
        created=from_unix(answer.created),
        available_on=from_unix(answer.available_on),
        status=answer.status,
        description=answer.description or "",
        balance=answer.balance_type or PAYMENTS,
        rate=answer.exchange_rate,
    )


def _expanded(reference: wire.Transaction | str | None) -> BalanceTransaction | None:
    """A balance transaction that was asked for with its owner; None while there is none."""
    return transaction(reference) if isinstance(reference, wire.Transaction) else None


def charge(answer: wire.Charge) -> Charge:
    """A charge with its balance transaction, when that exists yet; its amount is what was taken."""
    whole = Money.wire(answer.amount, answer.currency)
    partly = answer.captured and 0 < answer.amount_captured < answer.amount
    return Charge(
        id=StripeId(answer.id),
        payment_intent=id_of(answer.payment_intent),
        customer=id_of(answer.customer),
        amount=Money.wire(answer.amount_captured, answer.currency) if partly else whole,
        status=answer.status,
        created=from_unix(answer.created),
        description=answer.description or "",
        transaction=_expanded(answer.balance_transaction),
        metadata=answer.metadata,
        refunded=Money.wire(answer.amount_refunded, answer.currency),
        captured=answer.captured,
        authorized=whole if partly else None,
    )


def refund(answer: wire.Refund) -> Refund:
    """A refund with the balance transactions that took the money and, if it failed, returned it."""
    return Refund(
        id=StripeId(answer.id),
        charge=id_of(answer.charge),
        payment_intent=id_of(answer.payment_intent),
        amount=Money.wire(answer.amount, answer.currency),
        status=answer.status or "",
        reason=answer.reason or "",
        created=from_unix(answer.created),
        transaction=_expanded(answer.balance_transaction),
        failure_transaction=_expanded(answer.failure_balance_transaction),
    )


def dispute(answer: wire.Dispute) -> Dispute:
    """A dispute with what it has moved so far."""
    return Dispute(
        id=StripeId(answer.id),
        charge=id_of(answer.charge),
        payment_intent=id_of(answer.payment_intent),
        amount=Money.wire(answer.amount, answer.currency),
        status=answer.status,
        reason=answer.reason,
        created=from_unix(answer.created),
        transactions=tuple(transaction(one) for one in answer.balance_transactions),
    )


def payout(answer: wire.Payout) -> Payout:
    """A payout; its arrival is a calendar day, written by Stripe as midnight UTC."""
    return Payout(
        id=StripeId(answer.id),
        amount=Money.wire(answer.amount, answer.currency),
        status=answer.status,
        automatic=answer.automatic,
        arrival_date=from_unix(answer.arrival_date).date(),
        created=from_unix(answer.created),
        reconciliation=answer.reconciliation_status,
        transaction=id_of(answer.balance_transaction),
        failure_transaction=id_of(answer.failure_balance_transaction),
    )


def balance(answer: wire.Balance) -> Balance:
    """The account's balance per currency."""
    return Balance(_per_currency(answer.available), _per_currency(answer.pending))


def _per_currency(amounts: Iterable[wire.Amount]) -> dict[str, Money]:
    return totals(Money.wire(entry.amount, entry.currency) for entry in amounts)
