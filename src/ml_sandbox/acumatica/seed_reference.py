"""Reference data beside the money: items in stock, vendors, taxes, calendars of companies."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.world import Unit

_BORN = datetime(2025, 1, 1, 8, 0, tzinfo=UTC)
STOCK = (
    ("APJAM08", "Apple jam 8 oz", "PIECE", "3.99"),
    ("APJAM32", "Apple jam 32 oz", "PIECE", "10.49"),
    ("APJAM96", "Apple jam 96 oz", "PIECE", "23.00"),
    ("CHERJAM32", "Cherry jam 32 oz", "PIECE", "13.49"),
    ("PLUMJAM96", "Plum jam 96 oz", "PIECE", "28.90"),
    ("AALEGO500", "Building bricks, 500 pieces", "EA", "45.00"),
    ("EJECTOR03", "Juicer ejector", "EA", "120.00"),
)
VENDORS = (
    ("SQUEEZO", "Squeezo Inc.", "30D"),
    ("ALLFRUITS", "All Fruits Mart", "30D"),
    ("STATOFFICE", "Stationery and Office Supplies", "COD"),
    ("NYTAXDEP", "New York State Department of Taxation", "COD"),
)


def add_reference(unit: Unit) -> None:
    """Adds everything; the unit is committed by the caller."""
    _stock(unit)
    _vendors(unit)
    _taxes(unit)
    _calendars(unit)


def add(unit: Unit, entity: str, **values: Any) -> Record:
    """A seeded record, created when the tenant was."""
    record = unit.create(entity)
    record.set(**values, CreatedDateTime=_BORN)
    return record


def rows(unit: Unit, values: list[dict[str, Any]]) -> list[Row]:
    """Detail rows from plain values."""
    found: list[Row] = []
    for each in values:
        row = unit.row()
        row.set(**each)
        found.append(row)
    return found


def _stock(unit: Unit) -> None:
    for code, name, uom, price in STOCK:
        add(
            unit,
            "StockItem",
            InventoryID=code,
            Description=name,
            ItemStatus="Active",
            ItemType="Finished Good",
            ItemClass="STOCKITEM",
            BaseUOM=uom,
            SalesUOM=uom,
            PurchaseUOM=uom,
            DefaultPrice=Decimal(price),
            CurySpecificPrice=Decimal(price),
            TaxCategory="TAXABLE",
            SalesAccount="40000",
            SalesSubaccount="000000",
            DefaultWarehouseID="WHOLESALE",
            LastModified=_BORN,
            WarehouseDetails=rows(
                unit, [{"WarehouseID": "WHOLESALE", "QtyOnHand": Decimal(100), "Status": "Active"}]
            ),
            UOMConversions=rows(
                unit,
                [
                    {
                        "FromUOM": "BOX",
                        "ToUOM": uom,
                        "ConversionFactor": Decimal(12),
                        "MultiplyOrDivide": "Multiply",
                    }
                ],
            ),
        )


def _vendors(unit: Unit) -> None:
    for code, name, terms in VENDORS:
        contact = unit.row()
        address = unit.row()
        address.set(Country="US", Validated=False)
        contact.set(CompanyName=name, Address=address)
        add(
            unit,
            "Vendor",
            VendorID=code,
            VendorName=name,
            LegalName=name,
            VendorClass="DEFAULT",
            Status="Active",
            CurrencyID="USD",
            Terms=terms,
            APAccount="20000",
            APSubaccount="000000",
            PaymentMethod="CHECK",
            CashAccount="10200WH",
            VendorIsTaxAgency=code.endswith("TAXDEP"),
            MainContact=contact,
        )


def _taxes(unit: Unit) -> None:
    setup = unit.setup
    zones = setup.zones.items()
    for tax in setup.taxes.values():
        own = [code for code, taxes in zones if tax.code in taxes]
        add(
            unit,
            "Tax",
            TaxID=tax.code,
            Description=tax.code,
            TaxType="VAT" if tax.code == "DEVAT" else "Sales",
            CalculateOn="Exclude from Extended Cost/Price",
            CashDiscount="Reduces Taxable Amount",
            TaxAgency="NYTAXDEP" if tax.code == "NYSALES" else None,
            TaxPayableAccount=tax.account,
            TaxPayableSubaccount="000000",
            TaxSchedule=rows(
                unit,
                [
                    {
                        "StartDate": date(2020, 1, 1),
                        "TaxRate": tax.rate,
                        "ReportingGroup": "Default Output Group",
                    }
                ],
            ),
            Zones=rows(unit, [{"TaxZoneID": code, "Description": code} for code in own]),
        )
    for code, taxes in zones:
        applicable = [{"TaxID": each, "Description": each} for each in taxes]
        add(
            unit,
            "TaxZone",
            TaxZoneID=code,
            Description=code.capitalize(),
            ApplicableTaxes=rows(unit, applicable),
        )
    for code, listed in (("TAXABLE", list(setup.taxes)), ("EXEMPT", [])):
        add(
            unit,
            "TaxCategory",
            TaxCategoryID=code,
            Description=code.capitalize(),
            Active=True,
            ExcludeListedTaxes=False,
            Details=rows(unit, [{"TaxID": each, "Description": each} for each in listed]),
        )


def _calendars(unit: Unit) -> None:
    for company in unit.setup.companies:
        for year in ("2025", "2026", "2027"):
            master = unit.find("FinancialPeriod", year)
            if master is None:
                continue
            details = [row.copy() for row in master.rows("Details")]
            for row in details:
                row.id = unit.row().id
            add(
                unit,
                "CompanyFinancialPeriod",
                Company=company.code,
                FinancialYear=year,
                NbrOfPeriods=12,
                StartDate=master.get("StartDate"),
                Details=details,
            )
    add(
        unit,
        "FinancialYear",
        FirstFinancialYear="2025",
        FinancialYearStartsOn=date(2025, 1, 1),
        FirstPeriodStartDate=date(2025, 1, 1),
        NbrOfFinancialPeriods=12,
        PeriodType="Month",
        HasAdjustmentPeriod=False,
        UserDefinedPeriods=False,
        Details=rows(
            unit,
            [
                {
                    "PeriodNbr": period.code[:2],
                    "Description": period.start.strftime("%B"),
                    "StartDate": period.start.replace(year=2025),
                    "EndDate": period.end.replace(year=2025),
                }
                for period in unit.setup.periods.by_code.values()
                if period.code.endswith("2025")
            ],
        ),
    )
