"""How far the connector goes by itself, per kind of record: automatic, approve, or shadow."""

from dataclasses import dataclass
from enum import StrEnum

from ml_connector.books.postings import Purpose


class Mode(StrEnum):
    """What happens with what a record would become."""

    AUTOMATIC = "automatic"
    """It is written as soon as it is known."""
    APPROVE = "approve"
    """It is planned and waits; a person approves it, then it goes on by itself."""
    SHADOW = "shadow"
    """It is planned and compared with what people book; nothing is ever written."""


class RecordType(StrEnum):
    """The kinds of record that have a mode of their own; the words of the table `[modes]`."""

    CUSTOMERS = "customers"
    """Stripe customers made and changed from Acumatica's."""
    INVOICES = "invoices"
    """Stripe invoices made and levelled from Acumatica's."""
    PAYMENTS = "payments"
    """AR payments, their conversion from another currency, and their undoing by a bank."""
    FEES = "fees"
    """What Stripe keeps of payments, and bills for its services."""
    REFUNDS = "refunds"
    """Money given back, and refunds that failed."""
    DISPUTES = "disputes"
    """What banks take, give back and decide."""
    PAYOUTS = "payouts"
    """Transfers between the Stripe balance and the bank, both ways."""
    OTHER = "other"
    """Reserves, and whatever goes to the suspense account or to an account of `[pairs]`."""


OF_PURPOSE: dict[Purpose, RecordType] = {
    Purpose.PAYMENT: RecordType.PAYMENTS,
    Purpose.CONVERSION: RecordType.PAYMENTS,
    Purpose.EXCHANGE: RecordType.PAYMENTS,
    Purpose.RATE_DIFFERENCE: RecordType.PAYMENTS,
    Purpose.VOID: RecordType.PAYMENTS,
    Purpose.FEE: RecordType.FEES,
    Purpose.CHARGE_STRIPE: RecordType.FEES,
    Purpose.FEE_KEPT: RecordType.FEES,
    Purpose.FEES_OF_PAYOUT: RecordType.FEES,
    Purpose.REFUND: RecordType.REFUNDS,
    Purpose.REFUND_FAILURE: RecordType.REFUNDS,
    Purpose.CREDIT_MEMO: RecordType.REFUNDS,
    Purpose.REFUND_PAID: RecordType.REFUNDS,
    Purpose.DISPUTE: RecordType.DISPUTES,
    Purpose.DISPUTE_LOSS: RecordType.DISPUTES,
    Purpose.LOSS_REVERSAL: RecordType.DISPUTES,
    Purpose.DISPUTE_UNDONE: RecordType.DISPUTES,
    Purpose.DISPUTE_EXCHANGE: RecordType.DISPUTES,
    Purpose.PAYOUT: RecordType.PAYOUTS,
    Purpose.PAYOUT_REVERSAL: RecordType.PAYOUTS,
    Purpose.TOPUP: RecordType.PAYOUTS,
    Purpose.ARRIVAL: RecordType.PAYOUTS,
    Purpose.RESERVE: RecordType.OTHER,
    Purpose.SUSPENSE: RecordType.OTHER,
    Purpose.OPENING: RecordType.OTHER,
    Purpose.UNDO: RecordType.OTHER,
}
"""The one kind of record that each purpose of a document belongs to."""

BY_COMMAND = frozenset({Purpose.OPENING, Purpose.UNDO})
"""What a person has posted by a command of its own needs no second word."""


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of a connection; the table `[modes]` of the mapping."""

    customers: Mode = Mode.AUTOMATIC
    invoices: Mode = Mode.AUTOMATIC
    payments: Mode = Mode.AUTOMATIC
    fees: Mode = Mode.AUTOMATIC
    refunds: Mode = Mode.AUTOMATIC
    disputes: Mode = Mode.AUTOMATIC
    payouts: Mode = Mode.AUTOMATIC
    other: Mode = Mode.AUTOMATIC

    def of(self, kind: RecordType) -> Mode:
        """The mode of a kind of record."""
        return {
            RecordType.CUSTOMERS: self.customers,
            RecordType.INVOICES: self.invoices,
            RecordType.PAYMENTS: self.payments,
            RecordType.FEES: self.fees,
            RecordType.REFUNDS: self.refunds,
            RecordType.DISPUTES: self.disputes,
            RecordType.PAYOUTS: self.payouts,
            RecordType.OTHER: self.other,
        }[kind]
