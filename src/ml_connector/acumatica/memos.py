"""Memos, and the refunds that pay credit memos out, to the wire and back."""

from datetime import date
from decimal import Decimal

from ml_connector.acumatica import fields, wire
from ml_connector.acumatica.documents import ErpDocument, ErpMemo
from ml_connector.acumatica.fields import ABSENT, Field, exact, held, instant, number, sent, text
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import ArRefund, CreditMemo, DebitMemo

CREDIT_MEMO = "Credit Memo"
DEBIT_MEMO = "Debit Memo"
REFUND = "Refund"
OLDER_REFUND = "Customer Refund"
"""What some releases call the same."""
LONGEST_MARK = 40
LONGEST_LINE = 256
LONGEST_DESCRIPTION = 512
CURRENCY = "CuryID"
SHOWN = {"$expand": "Details", "$custom": f"Document.{CURRENCY}"}
"""What is asked for with a credit memo: its lines, and the currency, which is no plain field."""


Memo = CreditMemo | DebitMemo


def memo_type(memo: Memo) -> str:
    """What Acumatica calls a memo of this kind."""
    return CREDIT_MEMO if isinstance(memo, CreditMemo) else DEBIT_MEMO


def memo_body(memo: Memo, endpoint: EndpointVersion) -> wire.InvoiceWire:
    """A new memo of one line, in the currency of the refund.

    Raises Bug when its mark would not fit: a cut one could not be found again.
    """
    if len(memo.order) > LONGEST_MARK:
        raise Bug(f"The reference {memo.order} is too long for Acumatica.")
    categorised = memo.tax_category and endpoint.supports("InvoiceDetail.TaxCategory")
    line = wire.InvoiceLineWire(
        transaction_description=sent(memo.description[:LONGEST_LINE]),
        account=sent(memo.account),
        subaccount=_if_any(memo.subaccount),
        branch=_if_any(memo.branch),
        tax_category=sent(memo.tax_category) if categorised else ABSENT,
        qty=exact(Decimal(1)),
        unit_price=exact(memo.amount.decimal),
    )
    return wire.InvoiceWire(
        type=sent(memo_type(memo)),
        customer=sent(memo.customer_id),
        customer_order=sent(memo.order),
        link_branch=_if_any(memo.branch),
        date=sent(memo.day.isoformat()),
        description=sent(memo.description[:LONGEST_DESCRIPTION]),
        hold=sent(False),
        details=(line,),
        custom={"Document": {CURRENCY: wire.CustomWire(memo.amount.currency)}},
    )


def refund_body(
    refund: ArRefund, memo: ErpRef, endpoint: EndpointVersion, label: str = REFUND
) -> wire.PaymentWire:
    """A new refund that pays a credit memo out; raises Bug when its reference would not fit."""
    if len(refund.payment_ref) > LONGEST_MARK:
        raise Bug(f"The refund's reference {refund.payment_ref} is too long for Acumatica.")
    with_external = endpoint.supports("Payment.ExternalRef")
    return wire.PaymentWire(
        type=sent(label),
        customer_id=sent(refund.customer_id),
        payment_method=sent(refund.payment_method),
        cash_account=sent(refund.cash_account),
        branch=_if_any(refund.branch),
        application_date=sent(refund.day.isoformat()),
        payment_amount=exact(refund.amount.decimal),
        payment_ref=sent(refund.payment_ref),
        external_ref=_if_any(refund.external_ref) if with_external else ABSENT,
        description=sent(refund.description[:LONGEST_DESCRIPTION]),
        hold=sent(False),
        documents_to_apply=(_row(refund.amount, memo),),
    )


def set_off_body(debit: DebitMemo, ref: ErpRef | None, day: date) -> wire.PaymentWire:
    """The debit memo `ref` that a credit memo is applied to on a day; the memo is its payment.

    Without `ref` the application stands there already, and only its day is said.
    """
    kind, reference = erp_keys(debit.memo)
    return wire.PaymentWire(
        type=sent(kind),
        reference_nbr=sent(reference),
        application_date=sent(day.isoformat()),
        documents_to_apply=() if ref is None else (_row(debit.amount, ref),),
    )


def paid_out_body(ref: ErpRef, refund: ArRefund, memo: ErpRef) -> wire.PaymentWire:
    """The credit memo that a refund pays out, for a refund that exists already."""
    kind, reference = erp_keys(ref)
    row = _row(refund.amount, memo)
    return wire.PaymentWire(
        type=sent(kind), reference_nbr=sent(reference), documents_to_apply=(row,)
    )


def _row(amount: Money, ref: ErpRef) -> wire.ApplyWire:
    kind, reference = erp_keys(ref)
    return wire.ApplyWire(
        doc_type=sent(kind),
        reference_nbr=sent(reference),
        amount_paid=exact(amount.decimal),
    )


def _if_any(value: str) -> Field[str]:
    return sent(value) if value else ABSENT


def memo_document(record: wire.InvoiceWire) -> ErpDocument:
    """The keys, id and status of a memo, and its amount where its currency is told."""
    currency = _currency(record)
    amount = Money.of(held(record.amount, "Amount"), currency) if currency else None
    return ErpDocument(record.id, _ref(record), text(record.status), amount=amount)


def memo(record: wire.InvoiceWire) -> ErpMemo:
    """A memo as read back; raises Bug when its currency was not told."""
    currency = _currency(record)
    if not currency:
        raise Bug("Acumatica told no currency of a memo.", cause="acumatica.lacks:CuryID")
    return ErpMemo(
        id=record.id,
        ref=_ref(record),
        status=text(record.status),
        customer_id=text(record.customer),
        day=_day(record),
        amount=Money.of(held(record.amount, "Amount"), currency),
        order=text(record.customer_order),
        description=text(record.description),
        lines=tuple(
            (text(row.account), Money.of(number(row.amount), currency)) for row in record.details
        ),
        modified=instant(record.last_modified_date_time),
        balance=Money.of(number(record.balance), currency) if record.balance.known else None,
    )


def _currency(record: wire.InvoiceWire) -> str:
    told = record.custom.get("Document", {}).get(CURRENCY)
    return (told.value or "").strip() if told else ""


def _ref(record: wire.InvoiceWire) -> ErpRef:
    return erp_ref(held(record.type, "Type"), held(record.reference_nbr, "ReferenceNbr"))


def _day(record: wire.InvoiceWire) -> date:
    day = fields.day(record.date)
    if day is None:
        raise Bug("Acumatica told no date of a memo.", cause="acumatica.lacks:Date")
    return day
