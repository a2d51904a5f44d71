"""Line amounts, taxes and totals of an invoice or memo."""

from decimal import Decimal

from ml_sandbox.acumatica.forms.base import CURRENCY, money
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.setup import Tax
from ml_sandbox.acumatica.world import Unit

MANUAL = "Transactions.ManualExtPrice"
_PERCENT = Decimal(100)


def recalculate(unit: Unit, draft: Record, zone: str | None) -> None:
    """Sets line amounts, tax rows, TaxTotal, Amount and Balance of an unreleased document."""
    currency = draft.custom[CURRENCY]
    for line in draft.rows("Details"):
        price_line(unit, line, currency)
    total = sum((money(line.get("Amount")) for line in draft.rows("Details")), ZERO)
    tax = _tax_rows(unit, draft, zone, currency)
    draft.set(TaxTotal=tax, Amount=total + tax, Balance=total + tax, IsTaxValid=True)
    draft.custom["Document.CuryLineTotal"] = total


def price_line(unit: Unit, line: Row, currency: str) -> None:
    """Extended price is quantity times price unless it was entered itself."""
    if not line.custom.get(MANUAL):
        product = money(line.get("Qty")) * money(line.get("UnitPrice"))
        line.set(ExtendedPrice=unit.setup.round(product, currency))
    else:
        line.set(ExtendedPrice=unit.setup.round(money(line.get("ExtendedPrice")), currency))
    discount = unit.setup.round(money(line.get("DiscountAmount")), currency)
    line.set(DiscountAmount=discount, Amount=line.values["ExtendedPrice"] - discount)


def _tax_rows(unit: Unit, draft: Record, zone: str | None, currency: str) -> Decimal:
    taxable = sum(
        (
            money(line.get("Amount"))
            for line in draft.rows("Details")
            if line.get("TaxCategory") == "TAXABLE"
        ),
        ZERO,
    )
    old = {row.get("TaxID"): row for row in draft.rows("TaxDetails")}
    rows = [
        _tax_row(unit, old.get(tax.code) or unit.row(), tax, taxable, currency)
        for tax in (unit.setup.taxes_of(zone) if taxable else ())
    ]
    draft.values["TaxDetails"] = rows
    return sum((row.values["TaxAmount"] for row in rows), ZERO)


def _tax_row(unit: Unit, row: Row, tax: Tax, taxable: Decimal, currency: str) -> Row:
    amount = unit.setup.round(taxable * tax.rate / _PERCENT, currency)
    row.set(TaxID=tax.code, TaxRate=tax.rate, TaxableAmount=taxable, TaxAmount=amount)
    return row
