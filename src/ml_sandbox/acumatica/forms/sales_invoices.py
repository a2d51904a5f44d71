"""Sales invoices (SO303000): the sales-order view of an AR invoice, same document, other names."""

from typing import Any

from ml_sandbox.acumatica.forms.adjustments import FREIGHT, discount_total, freight_price
from ml_sandbox.acumatica.forms.base import CURRENCY, ORIGIN, money
from ml_sandbox.acumatica.forms.invoices import InvoiceForm, released
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_SAME = (
    "Type ReferenceNbr Amount Balance CustomerOrder Date Description DueDate Hold"
    " IsTaxValid Project Status TaxTotal BillToContactOverride ExternalRef"
).split()
_LINE_SAME = (
    "Account Amount CalculateDiscountsOnImport CostCode DiscountAmount InventoryID LineNbr"
    " ProjectTask Qty TaxCategory UnitPrice UOM Subitem"
).split()
_LINE_NAMES = {"BranchID": "Branch", "SubAccount": "Subaccount"}
_TEXT = ("TransactionDescr", "Description")


class SalesInvoiceForm(InvoiceForm):
    """Invoices of sales-order origin; every change is made on the AR document."""

    origin = "SO"
    pattern = "INV{:06d}"

    def __init__(self) -> None:
        self.entity = "SalesInvoice"
        self.label = "AR Invoice/Memo"

    def open(self, unit: Unit, record: Record) -> Record:
        """The AR invoice behind the view."""
        return unit.edit(unit.world.tables["Invoice"].by_id[record.id])

    def insert(self, unit: Unit, body: Body) -> Record:
        """A new AR invoice of SO origin."""
        return super().insert(unit, _as_invoice(unit, body))

    def update(self, unit: Unit, draft: Record, body: Body) -> None:
        """Changes the AR invoice."""
        super().update(unit, draft, _as_invoice(unit, body))

    def show(self, unit: Unit, draft: Record) -> Record:
        """The AR draft as a sales invoice."""
        return project(unit, draft)

    def guard(self, unit: Unit, record: Record, action: str) -> bool:
        """The same buttons as on the AR invoice."""
        return super().guard(unit, unit.world.tables["Invoice"].by_id[record.id], action)

    def act(self, unit: Unit, record: Record, action: str) -> None:
        """Releases the AR invoice."""
        super().act(unit, unit.world.tables["Invoice"].by_id[record.id], action)

    def delete(self, unit: Unit, record: Record) -> None:
        """Deletes the document in both views."""
        super().delete(unit, unit.world.tables["Invoice"].by_id[record.id])
        unit.drop(record)


def _as_invoice(unit: Unit, body: Body) -> Body:
    values = {name: body.values[name] for name in _SAME if name in body.values}
    if "CustomerID" in body.values:
        values["Customer"] = body.values["CustomerID"]
    other = Body(values=values, id=body.id, note=body.note, custom=dict(body.custom))
    if body.get("Currency"):
        other.custom[CURRENCY] = body.get("Currency")
    if "FreightPrice" in body.values:
        other.custom[FREIGHT] = body.get("FreightPrice")
    other.details["DiscountDetails"] = body.details.get("DiscountDetails", [])
    other.details["Details"] = [
        _with_original(unit, _line_as_invoice(row), row) for row in body.details.get("Details", [])
    ]
    return other


def _line_as_invoice(row: Body) -> Body:
    values: dict[str, Any] = {name: row.values[name] for name in _LINE_SAME if name in row.values}
    values.update({ar: row.values[so] for so, ar in _LINE_NAMES.items() if so in row.values})
    text = next((row.values[name] for name in _TEXT if row.values.get(name)), None)
    if text is not None:
        values["TransactionDescription"] = text
    return Body(values=values, id=row.id, note=row.note, delete=row.delete)


def _with_original(unit: Unit, line: Body, row: Body) -> Body:
    """A memo line that names an invoice line takes what it does not say from there."""
    number = row.get("OrigInvNbr")
    found = unit.find("Invoice", row.get("OrigInvType") or "Invoice", number) if number else None
    if found is None:
        return line
    for each in found.rows("Details"):
        if each.get("LineNbr") == row.get("OrigInvLineNbr"):
            for name in (
                "InventoryID",
                "TransactionDescription",
                "UnitPrice",
                "UOM",
                "Account",
                "TaxCategory",
                "Qty",
            ):
                line.values.setdefault(name, each.get(name))
    return line


def mirror(unit: Unit, invoice: Record) -> None:
    """Keeps the views of an AR document: the sales invoice, and a memo's payment side."""
    if invoice.custom.get(ORIGIN) == "SO":
        project(unit, invoice)
    if invoice.get("Type") == "Credit Memo" and released(invoice):
        _as_payment(unit, invoice)


def project(unit: Unit, invoice: Record) -> Record:
    """The sales-invoice view of an AR invoice, as a draft of the unit."""
    old = unit.world.tables["SalesInvoice"].by_id.get(invoice.id)
    view = unit.edit(old) if old is not None else unit.create("SalesInvoice", invoice.id)
    view.note, view.error = invoice.note, invoice.error
    view.custom = dict(invoice.custom)
    view.errors = {("CustomerID" if k == "Customer" else k): v for k, v in invoice.errors.items()}
    view.set(**{name: invoice.get(name) for name in _SAME})
    taxable = sum((money(row.get("TaxableAmount")) for row in invoice.rows("TaxDetails")), ZERO)
    total = invoice.custom.get("Document.CuryLineTotal", ZERO)
    view.set(
        CustomerID=invoice.get("Customer"),
        Currency=invoice.custom.get(CURRENCY),
        CashDiscount=ZERO,
        CreditHold=False,
        DetailTotal=total,
        DiscountTotal=discount_total(unit, invoice) if CURRENCY in invoice.custom else ZERO,
        FreightPrice=freight_price(unit, invoice) if CURRENCY in invoice.custom else ZERO,
        DiscountDetails=[row.copy() for row in invoice.rows("DiscountDetails")],
        PaymentTotal=money(invoice.get("Amount")) - money(invoice.get("Balance")),
        VATExemptTotal=ZERO,
        VATTaxableTotal=taxable,
        TaxCalcMode="Tax Settings",
        Details=[_line_view(row) for row in invoice.rows("Details")],
        TaxDetails=[row.copy() for row in invoice.rows("TaxDetails")],
        ApplicationsInvoice=[
            _application_view(invoice, number, row)
            for number, row in enumerate(invoice.rows("ApplicationsDefault"), start=1)
        ],
        FinancialDetails=_financial(unit, view, invoice),
    )
    if invoice.get("BillToContact") is not None:
        view.set(BillToContact=invoice.values["BillToContact"].copy())
    return view


def _financial(unit: Unit, view: Record, invoice: Record) -> Row:
    row: Row = view.get("FinancialDetails") or unit.row()
    row.set(BatchNbr=invoice.custom.get("Document.BatchNbr"), Branch=invoice.get("LinkBranch"))
    return row


def _line_view(row: Row) -> Row:
    view = Row(row.id, {name: row.get(name) for name in _LINE_SAME})
    view.set(**{so: row.get(ar) for so, ar in _LINE_NAMES.items()})
    view.set(TransactionDescr=row.get("TransactionDescription"), NoteID=row.id)
    view.error, view.errors = row.error, row.errors
    return view


def _application_view(invoice: Record, number: int, row: Row) -> Row:
    view = Row(row.id)
    view.set(
        AdjustedDocReferenceNbr=invoice.get("ReferenceNbr"),
        AdjustingDocReferenceNbr=row.get("ReferenceNbr"),
        AdjustmentNbr=number,
        AmountPaid=row.get("AmountPaid"),
        Balance=row.get("Balance"),
        CashDiscountTaken=ZERO,
        Currency=invoice.custom.get(CURRENCY),
        Customer=invoice.get("Customer"),
        DocType=row.get("DocType"),
        DocumentType=invoice.get("Type"),
        PaymentDate=row.get("PaymentDate"),
        Status=row.get("Status"),
    )
    return view


def _as_payment(unit: Unit, memo: Record) -> None:
    """A released memo is also a document of Payments and Applications."""
    old = unit.world.tables["Payment"].by_id.get(memo.id)
    view = unit.edit(old) if old is not None else unit.create("Payment", memo.id)
    left = money(memo.get("Balance"))
    view.custom.update(memo.custom)
    view.custom["Document.CuryDocBal"] = left
    view.set(
        Type="Credit Memo",
        ReferenceNbr=memo.get("ReferenceNbr"),
        Status=memo.get("Status"),
        CustomerID=memo.get("Customer"),
        CustomerLocationID=memo.get("LocationID"),
        CurrencyID=memo.custom[CURRENCY],
        ApplicationDate=view.get("ApplicationDate") or memo.get("Date"),
        PaymentAmount=memo.get("Amount"),
        Description=memo.get("Description"),
        AppliedToDocuments=money(memo.get("Amount")) - left,
        AppliedToOrders=ZERO,
        AvailableBalance=left,
        Branch=memo.get("LinkBranch"),
        BranchID=memo.get("LinkBranch"),
        Hold=False,
        IsCCPayment=False,
        NoteID=memo.id,
    )
