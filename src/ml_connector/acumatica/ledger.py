"""What the general ledger says, line by line, and what payments say of themselves."""

from ml_connector.acumatica import wire
from ml_connector.acumatica.documents import LedgerLine, QuotedPayment, Settled
from ml_connector.acumatica.fields import held, number, text
from ml_connector.acumatica.translate import required_day
from ml_connector.basics.ids import erp_ref
from ml_connector.basics.money import Money


def line(row: wire.DetailRowWire) -> LedgerLine:
    """A line of the general ledger, in the currency of its batch."""
    currency = held(row.currency, "Currency").strip()
    return LedgerLine(
        module=text(row.module),
        batch=text(row.batch_number),
        type=text(row.transaction_type),
        reference=text(row.ref_number),
        account=text(row.account),
        customer_id=text(row.customer_vendor),
        day=required_day(row.transaction_date, "TransactionDate"),
        amount=Money.of(number(row.debit_amount) - number(row.credit_amount), currency),
        text=text(row.transaction_description),
    )


def quoted_payment(record: wire.PaymentWire) -> QuotedPayment:
    """A payment's number and what it quotes."""
    words = (text(record.payment_ref), text(record.external_ref), text(record.description))
    ref = erp_ref(held(record.type, "Type"), held(record.reference_nbr, "ReferenceNbr"))
    return QuotedPayment(ref, " ".join(word for word in words if word))


def settled(record: wire.InvoiceWire) -> list[Settled]:
    """What each payment has settled of one document."""
    ref = erp_ref(held(record.type, "Type"), held(record.reference_nbr, "ReferenceNbr"))
    return [
        Settled(erp_ref(text(row.doc_type), text(row.reference_nbr)), ref, number(row.amount_paid))
        for row in record.applications_default or ()
    ]
