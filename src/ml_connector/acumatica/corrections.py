"""What is said of a document that exists already and is not released yet."""

from datetime import date

from ml_connector.acumatica import wire
from ml_connector.acumatica.fields import sent
from ml_connector.acumatica.journal_words import described
from ml_connector.acumatica.translate import LONGEST_DESCRIPTION, rows_to_apply
from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.books.postings import ArPayment, ArRefund, CreditMemo, DebitMemo, Journal


def payment_body(payment: ArPayment, ref: ErpRef) -> wire.PaymentWire:
    """What of a payment that was made already may have to be said otherwise.

    What it was to settle and may not any more is taken out.
    """
    kind, reference = erp_keys(ref)
    kept = {one.document for one in payment.applications}
    gone = [erp_keys(one.document) for one in payment.wanted if one.document not in kept]
    rows = [
        wire.ApplyWire(doc_type=sent(what), reference_nbr=sent(number), delete=True)
        for what, number in gone
    ]
    return wire.PaymentWire(
        type=sent(kind),
        reference_nbr=sent(reference),
        application_date=sent(payment.day.isoformat()),
        description=sent(payment.description[:LONGEST_DESCRIPTION]),
        documents_to_apply=(*rows, *rows_to_apply(payment)),
    )


def journal_body(journal: Journal, ref: ErpRef, tag: str) -> wire.JournalWire:
    """A batch that was made already, on another day."""
    module, number = erp_keys(ref)
    return wire.JournalWire(
        module=sent(module),
        batch_nbr=sent(number),
        transaction_date=sent(journal.day.isoformat()),
        description=sent(described(journal, tag)),
    )


def memo_body(memo: CreditMemo | DebitMemo, ref: ErpRef) -> wire.InvoiceWire:
    """A memo that was made already, on another day; its period follows the day."""
    kind, number = erp_keys(ref)
    return wire.InvoiceWire(
        type=sent(kind),
        reference_nbr=sent(number),
        date=sent(memo.day.isoformat()),
        description=sent(memo.description[:LONGEST_DESCRIPTION]),
    )


def refund_body(refund: ArRefund, ref: ErpRef) -> wire.PaymentWire:
    """A refund that was made already, on another day."""
    return dated_body(ref, refund.day, refund.description)


def dated_body(ref: ErpRef, day: date, text: str) -> wire.PaymentWire:
    """The day and text of a document of Payments and Applications that is not released."""
    kind, reference = erp_keys(ref)
    return wire.PaymentWire(
        type=sent(kind),
        reference_nbr=sent(reference),
        application_date=sent(day.isoformat()),
        description=sent(text[:LONGEST_DESCRIPTION]),
        hold=sent(False),
    )


def off_hold_body(ref: ErpRef) -> wire.PaymentWire:
    """A document of Payments and Applications is complete and may be released."""
    kind, reference = erp_keys(ref)
    return wire.PaymentWire(type=sent(kind), reference_nbr=sent(reference), hold=sent(False))
