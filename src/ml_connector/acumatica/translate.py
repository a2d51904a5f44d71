"""From the wire to neutral records, and from planned documents to the wire."""

from datetime import date
from decimal import Decimal

from ml_connector.acumatica import fields, wire
from ml_connector.acumatica.documents import (
    Changed,
    ErpCharge,
    ErpDocument,
    ErpPayment,
)
from ml_connector.acumatica.fields import (
    ABSENT,
    Field,
    exact,
    flag,
    held,
    if_any,
    instant,
    number,
    sent,
    text,
    whole,
)
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application, ArPayment, PaymentCharge
from ml_connector.books.records import Address, ErpCustomer, ErpInvoice, ErpLine, ErpTax
from ml_connector.books.tenant import CashAccountUse, ErpAccount, ErpPaymentMethod

LONGEST_DESCRIPTION = 512
LONGEST_REFERENCE = 40
CREDIT_MEMO = "Credit Memo"


def customer(record: wire.CustomerWire, opt_out: str = "") -> ErpCustomer:
    """A customer; bills go to the billing contact's address, else to the main contact's.

    Of its attributes only `opt_out` is kept.
    """
    contacts = [one for one in (record.billing_contact, record.main_contact) if one is not None]
    emails = [*(text(one.email) for one in contacts), text(record.email)]
    addresses = [one.address for one in contacts if one.address is not None]
    return ErpCustomer(
        customer_id=text(record.customer_id),
        name=text(record.customer_name),
        email=next((email for email in emails if email), ""),
        phone=next((text(one.phone1) for one in contacts if text(one.phone1)), ""),
        address=_address(addresses),
        currency=text(record.currency_id),
        status=text(record.status),
        customer_class=text(record.customer_class),
        modified=instant(record.last_modified_date_time),
        opt_out=_attribute(record, opt_out),
    )


def _attribute(record: wire.CustomerWire, name: str) -> str:
    """The value of an attribute; empty when it has none. Capitals of its name do not matter."""
    wanted = name.casefold()
    rows = (one for one in record.attributes if text(one.attribute_id).casefold() == wanted)
    return next((text(one.value) for one in rows), "")


def _address(candidates: list[wire.AddressWire]) -> Address:
    """The first address that says anything."""
    for one in candidates:
        address = Address(
            line1=text(one.address_line1),
            line2=text(one.address_line2),
            city=text(one.city),
            state=text(one.state),
            postal_code=text(one.postal_code),
            country=text(one.country),
        )
        if address != Address():
            return address
    return Address()


def invoice(record: wire.InvoiceWire) -> ErpInvoice:
    """An AR document of either view; raises Bug when its currency was not told."""
    currency = _invoice_currency(record)
    financial = record.financial_details or wire.FinancialWire()
    return ErpInvoice(
        ref=erp_ref(held(record.type, "Type"), held(record.reference_nbr, "ReferenceNbr")),
        customer_id=text(record.customer) or text(record.customer_id),
        status=text(record.status),
        issued=required_day(record.date, "Date"),
        due_date=fields.day(record.due_date),
        description=text(record.description),
        customer_order=text(record.customer_order),
        branch=text(record.link_branch) or text(financial.branch),
        amount=Money.of(held(record.amount, "Amount"), currency),
        balance=Money.of(held(record.balance, "Balance"), currency),
        tax_total=Money.of(number(record.tax_total), currency),
        lines=tuple(_invoice_line(line, currency) for line in record.details),
        taxes=tuple(_tax(tax, currency) for tax in record.tax_details),
        modified=instant(record.last_modified_date_time),
        terms=text(record.terms),
        extras=_extras(record, currency),
        credited=_credited(record, currency),
    )


def _credited(record: wire.InvoiceWire, currency: str) -> Money | None:
    """What credit memos have settled; None where the view does not list what settled it."""
    rows = record.applications_default
    if rows is None:
        return None
    memos = (number(row.amount_paid) for row in rows if text(row.doc_type) == CREDIT_MEMO)
    return Money.of(sum(memos, Decimal(0)), currency)


def _invoice_currency(record: wire.InvoiceWire) -> str:
    custom = record.custom.get("Document", {}).get("CuryID")
    currency = text(record.currency) or ((custom.value or "").strip() if custom else "")
    if not currency:
        raise Bug("Acumatica told no currency of an invoice.", cause="acumatica.lacks:CuryID")
    return currency


def _invoice_line(line: wire.InvoiceLineWire, currency: str) -> ErpLine:
    return ErpLine(
        number=whole(line.line_nbr),
        description=text(line.transaction_description) or text(line.transaction_descr),
        quantity=number(line.qty),
        unit_price=number(line.unit_price),
        amount=Money.of(number(line.amount), currency),
    )


def _extras(record: wire.InvoiceWire, currency: str) -> tuple[ErpLine, ...]:
    """The discounts that count and the freight, as lines that follow the document's own."""
    discounts = (one for one in record.discount_details if not flag(one.skip_discount))
    named = [
        (text(one.description) or "Discount", -number(one.discount_amount)) for one in discounts
    ]
    named.append(("Freight", number(record.freight_price)))
    return tuple(
        ErpLine(0, name, Decimal(0), Decimal(0), Money.of(amount, currency))
        for name, amount in named
        if amount
    )


def _tax(tax: wire.TaxWire, currency: str) -> ErpTax:
    taxable, amount = number(tax.taxable_amount), number(tax.tax_amount)
    return ErpTax(
        tax_id=text(tax.tax_id),
        rate=number(tax.tax_rate) if tax.tax_rate.known else _rate(amount, taxable),
        taxable=Money.of(taxable, currency),
        amount=Money.of(amount, currency),
    )


def _rate(amount: Decimal, taxable: Decimal) -> Decimal:
    """The rate that the amounts imply, in percent, for display: the sales view tells none."""
    return (amount * 100 / taxable).quantize(Decimal("0.01")) if taxable else Decimal(0)


def required_day(field: Field[str], name: str) -> date:
    """A day that must be told; raises Bug when it is not."""
    day = fields.day(field)
    if day is None:
        raise Bug(
            f"Acumatica answered without a value for {name}.", cause=f"acumatica.lacks:{name}"
        )
    return day


def changed(row: wire.ChangedWire) -> Changed:
    """A row of a list of changes."""
    kind = text(row.type) or text(row.module)
    last = text(row.reference_nbr) or text(row.batch_nbr)
    keys = (kind, last) if kind else (text(row.customer_id),)
    return Changed(
        ref=erp_ref(*keys),
        status=text(row.status),
        type=kind,
        modified=instant(row.last_modified_date_time),
        balance=number(row.balance) if row.balance.known else None,
        due=fields.day(row.due_date),
        description=text(row.description),
    )


def payment_body(payment: ArPayment, endpoint: EndpointVersion) -> wire.PaymentWire:
    """A new payment with its applications; a field that the version lacks is left out.

    Raises Bug when the payment reference would not fit: a cut key could not be found again.
    """
    if len(payment.payment_ref) > LONGEST_REFERENCE:
        raise Bug(f"The payment reference {payment.payment_ref} is too long for Acumatica.")
    with_external = endpoint.supports("Payment.ExternalRef")
    return wire.PaymentWire(
        type=sent("Payment"),
        customer_id=sent(payment.customer_id),
        payment_method=sent(payment.payment_method),
        cash_account=sent(payment.cash_account),
        branch=if_any(payment.branch),
        application_date=sent(payment.day.isoformat()),
        payment_amount=exact(payment.amount.decimal),
        payment_ref=sent(payment.payment_ref),
        external_ref=if_any(payment.external_ref) if with_external else ABSENT,
        description=sent(payment.description[:LONGEST_DESCRIPTION]),
        hold=sent(False),
        documents_to_apply=rows_to_apply(payment),
        charges=tuple(_charge_body(one) for one in payment.charges),
    )


def _charge_body(charge: PaymentCharge) -> wire.PaymentChargeWire:
    return wire.PaymentChargeWire(
        entry_type_id=sent(charge.entry_type), amount=exact(charge.amount.decimal)
    )


def applications_body(payment: ArPayment, ref: ErpRef) -> wire.PaymentWire:
    """What a payment that exists already shall settle."""
    kind, reference = erp_keys(ref)
    return wire.PaymentWire(
        type=sent(kind), reference_nbr=sent(reference), documents_to_apply=rows_to_apply(payment)
    )


def rows_to_apply(payment: ArPayment) -> tuple[wire.ApplyWire, ...]:
    """What a payment settles, a row each."""
    return tuple(_application_body(one) for one in payment.applications)


def _application_body(application: Application) -> wire.ApplyWire:
    kind, reference = erp_keys(application.document)
    return wire.ApplyWire(
        doc_type=sent(kind),
        reference_nbr=sent(reference),
        amount_paid=exact(application.amount.decimal),
    )


def payment_document(record: wire.PaymentWire) -> ErpDocument:
    """The keys, id and status of a payment, and how much of it is applied."""
    applied = record.applied_to_documents
    return ErpDocument(
        record.id,
        _payment_ref(record),
        text(record.status),
        None if applied == ABSENT else number(applied),
    )


def _payment_ref(record: wire.PaymentWire) -> ErpRef:
    return erp_ref(held(record.type, "Type"), held(record.reference_nbr, "ReferenceNbr"))


def payment(record: wire.PaymentWire) -> ErpPayment:
    """A payment as read back."""
    currency = held(record.currency_id, "CurrencyID").strip()
    left = record.available_balance
    return ErpPayment(
        id=record.id,
        ref=_payment_ref(record),
        status=text(record.status),
        customer_id=text(record.customer_id),
        payment_method=text(record.payment_method),
        cash_account=text(record.cash_account),
        branch=text(record.branch),
        day=required_day(record.application_date, "ApplicationDate"),
        amount=Money.of(held(record.payment_amount, "PaymentAmount"), currency),
        unapplied=Money.of(number(left), currency) if left.known else None,
        payment_ref=text(record.payment_ref),
        external_ref=text(record.external_ref),
        description=text(record.description),
        applications=_applications(record, currency),
        modified=instant(record.last_modified_date_time),
        charges=tuple(
            ErpCharge(text(row.entry_type_id), Money.of(number(row.amount), currency))
            for row in record.charges
        ),
    )


def _applications(record: wire.PaymentWire, currency: str) -> tuple[Application, ...]:
    """Per document, what is posted and what waits; a reversed application sums to nothing.

    A voided payment settles nothing any more, whatever its history still tells.
    """
    if text(record.status) == "Voided":
        return ()
    sums: dict[ErpRef, Money] = {}
    rows = [
        *((row.doc_type, row.reference_nbr, row.amount_paid) for row in record.documents_to_apply),
        *(_history_row(row) for row in record.application_history),
    ]
    for kind, reference, amount in rows:
        ref = erp_ref(text(kind), text(reference))
        paid = Money.of(number(amount), currency)
        sums[ref] = sums.get(ref, Money.zero(currency)) + paid
    return tuple(Application(ref, paid) for ref, paid in sums.items() if paid)


def _history_row(row: wire.HistoryWire) -> tuple[Field[str], Field[str], Field[Decimal]]:
    """The document that was settled; older builds fill only the adjusted one."""
    if text(row.display_ref_nbr):
        return row.display_doc_type, row.display_ref_nbr, row.amount_paid
    return row.adjusted_doc_type, row.adjusted_ref_nbr, row.amount_paid


def payment_method(record: wire.PaymentMethodWire) -> ErpPaymentMethod:
    """A payment method with its cash accounts."""
    return ErpPaymentMethod(
        id=text(record.payment_method_id),
        active=flag(record.active),
        integrated=flag(record.integrated_processing),
        use_in_ar=flag(record.use_in_ar),
        cash_accounts=tuple(
            CashAccountUse(
                cash_account=text(row.cash_account),
                branch=text(row.branch),
                use_in_ar=flag(row.use_in_ar),
                ar_default=flag(row.ar_default),
            )
            for row in record.allowed_cash_accounts
        ),
    )


def account(record: wire.AccountWire) -> ErpAccount:
    """A general-ledger account; its control module only where it was asked for and told."""
    beside = record.custom.get("AccountRecords", {})
    module = beside.get("ControlAccountModule")
    manual = beside.get("AllowManualEntry")
    return ErpAccount(
        account=text(record.account_cd),
        description=text(record.description),
        type=text(record.type),
        active=flag(record.active),
        currency=text(record.currency_id),
        cash_account=flag(record.cash_account),
        control=None if module is None else str(module.value or "").strip(),
        manual=manual is not None and manual.value is True,
    )
