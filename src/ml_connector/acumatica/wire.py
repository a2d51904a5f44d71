"""Acumatica's records as JSON holds them: only the members that we read or write.

Members that a version lacks, or that `$select` left out, read as absent fields. Names follow the
contract by rule: `customer_id` is `CustomerID`.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

from ml_connector.acumatica.fields import ABSENT, Field

R = TypeVar("R")
_CAPITALS = {"id": "ID", "cd": "CD", "uom": "UOM", "ar": "AR", "ca": "CA"}
_BARE = frozenset(
    ("id", "error", "custom", "note", "name", "version", "endpoints", "entity", "delete")
)


def contract_name(name: str) -> str:
    """The contract's name of a member: `use_in_ar` is `UseInAR`; record members stay bare."""
    if name in _BARE:
        return name
    return "".join(_CAPITALS.get(word, word.capitalize()) for word in name.split("_"))


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename=contract_name, kw_only=True):
    """What every record and row may carry."""

    id: str = ""


class AddressWire(Record, frozen=True):
    """A postal address."""

    address_line1: Field[str] = ABSENT
    address_line2: Field[str] = ABSENT
    city: Field[str] = ABSENT
    state: Field[str] = ABSENT
    postal_code: Field[str] = ABSENT
    country: Field[str] = ABSENT


class ContactWire(Record, frozen=True):
    """A person or office of a customer, with its address when it was expanded."""

    email: Field[str] = ABSENT
    phone1: Field[str] = ABSENT
    address: AddressWire | None = None


class AttributeWire(Record, frozen=True):
    """An attribute of a record, such as a firm defines them."""

    attribute_id: Field[str] = ABSENT
    value: Field[str] = ABSENT


class CustomerWire(Record, frozen=True):
    """A customer (AR303000)."""

    customer_id: Field[str] = ABSENT
    customer_name: Field[str] = ABSENT
    customer_class: Field[str] = ABSENT
    currency_id: Field[str] = ABSENT
    email: Field[str] = ABSENT
    status: Field[str] = ABSENT
    last_modified_date_time: Field[str] = ABSENT
    main_contact: ContactWire | None = None
    billing_contact: ContactWire | None = None
    attributes: tuple[AttributeWire, ...] = ()


class CustomWire(msgspec.Struct, frozen=True):
    """A field outside the contract, asked for with `$custom`."""

    value: str | None = None


class InvoiceLineWire(Record, frozen=True):
    """A line of an AR document; the sales view names its text differently."""

    line_nbr: Field[int] = ABSENT
    transaction_description: Field[str] = ABSENT
    transaction_descr: Field[str] = ABSENT
    account: Field[str] = ABSENT
    subaccount: Field[str] = ABSENT
    branch: Field[str] = ABSENT
    tax_category: Field[str] = ABSENT
    qty: Field[Decimal] = ABSENT
    unit_price: Field[Decimal] = ABSENT
    amount: Field[Decimal] = ABSENT


class TaxWire(Record, frozen=True):
    """A tax of an AR document; the sales view tells no rate."""

    tax_id: Field[str] = ABSENT
    tax_rate: Field[Decimal] = ABSENT
    taxable_amount: Field[Decimal] = ABSENT
    tax_amount: Field[Decimal] = ABSENT


class DiscountWire(Record, frozen=True):
    """A discount on a group of lines or on the whole document."""

    description: Field[str] = ABSENT
    discount_code: Field[str] = ABSENT
    discount_amount: Field[Decimal] = ABSENT
    skip_discount: Field[bool] = ABSENT


class SettledWire(Record, frozen=True):
    """A document that has settled a part of an AR document."""

    doc_type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    amount_paid: Field[Decimal] = ABSENT


class FinancialWire(Record, frozen=True):
    """Where a sales invoice is booked."""

    branch: Field[str] = ABSENT


class InvoiceWire(Record, frozen=True):
    """An AR document through either view (AR301000 Invoice, SO303000 SalesInvoice)."""

    type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    status: Field[str] = ABSENT
    customer: Field[str] = ABSENT
    customer_id: Field[str] = ABSENT
    customer_order: Field[str] = ABSENT
    date: Field[str] = ABSENT
    due_date: Field[str] = ABSENT
    description: Field[str] = ABSENT
    link_branch: Field[str] = ABSENT
    terms: Field[str] = ABSENT
    currency: Field[str] = ABSENT
    hold: Field[bool] = ABSENT
    amount: Field[Decimal] = ABSENT
    balance: Field[Decimal] = ABSENT
    tax_total: Field[Decimal] = ABSENT
    last_modified_date_time: Field[str] = ABSENT
    details: tuple[InvoiceLineWire, ...] = ()
    tax_details: tuple[TaxWire, ...] = ()
    discount_details: tuple[DiscountWire, ...] = ()
    freight_price: Field[Decimal] = ABSENT
    applications_default: tuple[SettledWire, ...] | None = None
    financial_details: FinancialWire | None = None
    custom: dict[str, dict[str, CustomWire]] = msgspec.field(
        default_factory=dict[str, dict[str, CustomWire]]
    )


class InvoiceTextWire(Record, frozen=True):
    """What is written onto an AR document beside its figures: its note, or fields of a form."""

    type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    note: Field[str] | None = None
    custom: dict[str, dict[str, Field[str]]] = msgspec.field(
        default_factory=dict[str, dict[str, Field[str]]]
    )


class ApplyWire(Record, frozen=True):
    """A document that a payment settles and that is not posted yet; `delete` takes it out."""

    delete: bool = False
    doc_type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    amount_paid: Field[Decimal] = ABSENT


class HistoryWire(Record, frozen=True):
    """A posted application of a payment."""

    display_doc_type: Field[str] = ABSENT
    display_ref_nbr: Field[str] = ABSENT
    adjusted_doc_type: Field[str] = ABSENT
    adjusted_ref_nbr: Field[str] = ABSENT
    amount_paid: Field[Decimal] = ABSENT


class PaymentChargeWire(Record, frozen=True):
    """A fee that rides on a payment; the entry type decides the account."""

    entry_type_id: Field[str] = ABSENT
    amount: Field[Decimal] = ABSENT


class PaymentWire(Record, frozen=True):
    """A payment (AR302000)."""

    type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    status: Field[str] = ABSENT
    customer_id: Field[str] = ABSENT
    payment_method: Field[str] = ABSENT
    cash_account: Field[str] = ABSENT
    currency_id: Field[str] = ABSENT
    payment_amount: Field[Decimal] = ABSENT
    available_balance: Field[Decimal] = ABSENT
    applied_to_documents: Field[Decimal] = ABSENT
    application_date: Field[str] = ABSENT
    payment_ref: Field[str] = ABSENT
    external_ref: Field[str] = ABSENT
    description: Field[str] = ABSENT
    branch: Field[str] = ABSENT
    hold: Field[bool] = ABSENT
    last_modified_date_time: Field[str] = ABSENT
    documents_to_apply: tuple[ApplyWire, ...] = ()
    application_history: tuple[HistoryWire, ...] = ()
    charges: tuple[PaymentChargeWire, ...] = ()


class JournalLineWire(Record, frozen=True):
    """A line of a batch; `description` would be the account's, so it is not kept."""

    branch_id: Field[str] = ABSENT
    account: Field[str] = ABSENT
    subaccount: Field[str] = ABSENT
    debit_amount: Field[Decimal] = ABSENT
    credit_amount: Field[Decimal] = ABSENT
    transaction_description: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT


class JournalWire(Record, frozen=True):
    """A general-ledger batch (GL301000)."""

    module: Field[str] = ABSENT
    batch_nbr: Field[str] = ABSENT
    status: Field[str] = ABSENT
    branch_id: Field[str] = ABSENT
    ledger_id: Field[str] = ABSENT
    currency_id: Field[str] = ABSENT
    transaction_date: Field[str] = ABSENT
    description: Field[str] = ABSENT
    hold: Field[bool] = ABSENT
    last_modified_date_time: Field[str] = ABSENT
    details: tuple[JournalLineWire, ...] = ()


class AllowedCashAccountWire(Record, frozen=True):
    """A cash account that a payment method may use."""

    cash_account: Field[str] = ABSENT
    branch: Field[str] = ABSENT
    use_in_ar: Field[bool] = ABSENT
    ar_default: Field[bool] = msgspec.field(default=ABSENT, name="ARDefault")


class PaymentMethodWire(Record, frozen=True):
    """A payment method (CA204000)."""

    payment_method_id: Field[str] = ABSENT
    active: Field[bool] = ABSENT
    integrated_processing: Field[bool] = ABSENT
    use_in_ar: Field[bool] = ABSENT
    allowed_cash_accounts: tuple[AllowedCashAccountWire, ...] = ()


class BesideWire(msgspec.Struct, frozen=True):
    """A field of a form outside the contract: a text or a tick."""

    value: str | bool | None = None


class AccountWire(Record, frozen=True):
    """A general-ledger account (GL202500)."""

    account_cd: Field[str] = ABSENT
    description: Field[str] = ABSENT
    type: Field[str] = ABSENT
    active: Field[bool] = ABSENT
    cash_account: Field[bool] = ABSENT
    currency_id: Field[str] = ABSENT
    custom: dict[str, dict[str, BesideWire]] = msgspec.field(
        default_factory=dict[str, dict[str, BesideWire]]
    )


class SubaccountWire(Record, frozen=True):
    """A subaccount (GL203000)."""

    subaccount_cd: Field[str] = ABSENT
    active: Field[bool] = ABSENT


class TaxCategoryWire(Record, frozen=True):
    """A tax category (TX205500)."""

    tax_category_id: Field[str] = ABSENT
    active: Field[bool] = ABSENT


class BranchWire(Record, frozen=True):
    """A branch with its company's base currency."""

    branch_id: Field[str] = ABSENT
    branch_status: Field[bool] = ABSENT
    base_currency_id: Field[str] = ABSENT


class StructureWire(Record, frozen=True):
    """The inquiry of companies and branches (CS401000): nothing going in, rows coming out."""

    results: tuple[BranchWire, ...] = ()


class SummaryRowWire(Record, frozen=True):
    """One account of the summary inquiry, with balances in the ledger's and its own currency."""

    account: Field[str] = ABSENT
    currency_id: Field[str] = ABSENT
    ending_balance: Field[Decimal] = ABSENT
    currency_ending_balance: Field[Decimal] = ABSENT


class SummaryWire(Record, frozen=True):
    """The account summary inquiry (GL401000): parameters going in, rows coming out."""

    ledger: Field[str] = ABSENT
    period: Field[str] = ABSENT
    results: tuple[SummaryRowWire, ...] = ()


class DetailRowWire(Record, frozen=True):
    """One line of the details inquiry: what a document did to one account."""

    account: Field[str] = ABSENT
    module: Field[str] = ABSENT
    batch_number: Field[str] = ABSENT
    ref_number: Field[str] = ABSENT
    currency: Field[str] = ABSENT
    customer_vendor: Field[str] = ABSENT
    transaction_date: Field[str] = ABSENT
    transaction_description: Field[str] = ABSENT
    transaction_type: Field[str] = ABSENT
    debit_amount: Field[Decimal] = ABSENT
    credit_amount: Field[Decimal] = ABSENT
    debit_amount_in_base_currency: Field[Decimal] = ABSENT
    credit_amount_in_base_currency: Field[Decimal] = ABSENT


class DetailsWire(Record, frozen=True):
    """The account details inquiry (GL404001): parameters going in, lines coming out."""

    ledger: Field[str] = ABSENT
    from_period: Field[str] = ABSENT
    to_period: Field[str] = ABSENT
    include_unposted: Field[bool] = ABSENT
    results: tuple[DetailRowWire, ...] = ()


class PeriodWire(Record, frozen=True):
    """A financial period of a year."""

    financial_period_id: Field[str] = ABSENT
    start_date: Field[str] = ABSENT
    end_date: Field[str] = ABSENT
    status: Field[str] = ABSENT
    closed_in_ar: Field[bool] = ABSENT
    closed_in_ca: Field[bool] = ABSENT
    adjustment_period: Field[bool] = ABSENT


class FinancialYearWire(Record, frozen=True):
    """A year of the master calendar (GL201000)."""

    details: tuple[PeriodWire, ...] = ()


class LedgerWire(Record, frozen=True):
    """A ledger (GL201500)."""

    ledger_id: Field[str] = ABSENT
    currency: Field[str] = ABSENT


class ChangedWire(Record, frozen=True):
    """A row of a list of changes: the keys of any entity, its status and when it changed."""

    type: Field[str] = ABSENT
    reference_nbr: Field[str] = ABSENT
    customer_id: Field[str] = ABSENT
    module: Field[str] = ABSENT
    batch_nbr: Field[str] = ABSENT
    description: Field[str] = ABSENT
    status: Field[str] = ABSENT
    balance: Field[Decimal] = ABSENT
    due_date: Field[str] = ABSENT
    last_modified_date_time: Field[str] = ABSENT
