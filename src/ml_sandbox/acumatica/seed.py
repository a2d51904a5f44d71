"""The tenant that a fresh sandbox starts with: a small SweetLife with Stripe clearing accounts."""

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from ml_sandbox.acumatica.chart import (
    ACCOUNTS,
    BRANCHES,
    CASH,
    COMPANIES,
    CURRENCIES,
    CUSTOMERS,
    ENTRIES,
    ITEMS,
)
from ml_sandbox.acumatica.forms.customers import CustomerForm, main_location
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Row, Table
from ml_sandbox.acumatica.seed_reference import add_reference
from ml_sandbox.acumatica.setup import CashAccount, Periods, Rates, Setup, Tax, Terms
from ml_sandbox.acumatica.switches import Switches
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit, World
from ml_sandbox.clock import SandboxClock

_KEYS: dict[str, tuple[str, ...]] = {
    "Account": ("AccountCD",),
    "Bill": ("Type", "ReferenceNbr"),
    "CashSale": ("Type", "ReferenceNbr"),
    "CashTransaction": (),
    "CompanyFinancialPeriod": ("Company", "FinancialYear"),
    "Currency": ("CurrencyID",),
    "Customer": ("CustomerID",),
    "CustomerClass": ("ClassID",),
    "CustomerLocation": ("Customer", "LocationID"),
    "CustomerPaymentMethod": ("InstanceID",),
    "FinancialPeriod": ("FinancialYear",),
    "FinancialYear": ("FirstFinancialYear",),
    "Invoice": ("Type", "ReferenceNbr"),
    "JournalTransaction": ("Module", "BatchNbr"),
    "Ledger": ("LedgerID",),
    "NonStockItem": ("InventoryID",),
    "Payment": ("Type", "ReferenceNbr"),
    "PaymentMethod": ("PaymentMethodID",),
    "SalesInvoice": ("Type", "ReferenceNbr"),
    "StockItem": ("InventoryID",),
    "Subaccount": ("SubaccountCD",),
    "Tax": ("TaxID",),
    "TaxCategory": ("TaxCategoryID",),
    "TaxZone": ("TaxZoneID",),
    "Vendor": ("VendorID",),
}
_INDEXED = {
    "Invoice": ("Customer", "ReferenceNbr", "CustomerOrder"),
    "SalesInvoice": ("CustomerID", "ReferenceNbr", "CustomerOrder"),
    "Payment": ("CustomerID", "ReferenceNbr", "PaymentRef", "ExternalRef"),
    "JournalTransaction": ("BatchNbr", "Description"),
    "Customer": ("AccountRef", "Email"),
    "CashTransaction": ("ExternalReferenceNumber",),
    "Bill": ("Vendor", "VendorRef"),
}
_BORN = datetime(2025, 1, 1, 8, 0, tzinfo=UTC)


def build_setup() -> Setup:
    """The set-up of the U100-flavoured tenant."""
    rates = Rates("USD")
    for code, _, _, rows in CURRENCIES:
        for day, rate in rows:
            rates.add(code, day, Decimal(rate))
    return Setup(
        base="USD",
        periods=Periods(2025, 2027),
        rates=rates,
        precisions={code: precision for code, precision, _, _ in CURRENCIES},
        branches=dict(BRANCHES),
        companies=COMPANIES,
        cash_accounts={cash.code: cash for cash in CASH},
        entry_types={entry.code: entry for entry in ENTRIES},
        taxes={
            tax.code: tax
            for tax in (
                Tax("NYSALES", Decimal("8.875")),
                Tax("JPCT", Decimal(10)),
                Tax("DEVAT", Decimal(19)),
                Tax("CAGST", Decimal(5)),
            )
        },
        zones={
            "NYSTATE": ("NYSALES",),
            "JAPAN": ("JPCT",),
            "GERMANY": ("DEVAT",),
            "CANADA": ("CAGST",),
            "FOREIGN": (),
        },
        terms={
            "30D": Terms(30),
            "NET30": Terms(30),
            "NET15": Terms(15),
            "COD": Terms(0),
            "210N30": Terms(30, Decimal(2), 10),
        },
    )


def build_world(clock: SandboxClock, switches: Switches, seed: int, tenant: str = "U100") -> World:
    """A world with all reference data and four customers; no documents."""
    world = World(
        clock=clock,
        switches=switches,
        setup=build_setup(),
        tables={name: Table(name, keys, _INDEXED.get(name, ())) for name, keys in _KEYS.items()},
        random=Random(seed if tenant == "U100" else f"{tenant} {seed}"),
        tenant=tenant,
    )
    unit = world.unit()
    _accounts(unit)
    _money(unit)
    _calendar(unit)
    _class_and_items(unit)
    add_reference(unit)
    unit.commit()
    world.mirrors["Customer"] = main_location
    _customers(world)
    return world


def _add(unit: Unit, entity: str, **values: Any) -> None:
    unit.create(entity).set(**values, CreatedDateTime=_BORN)


def _accounts(unit: Unit) -> None:
    behind = {cash.account for cash in CASH}
    for number, (code, name, kind, currency, module) in enumerate(ACCOUNTS, start=1001):
        account = unit.create("Account")
        account.set(
            AccountCD=code,
            AccountID=number,
            Description=name,
            Type=kind,
            AccountClass={"Asset": "CASHASSET" if code in behind else "ASSET"}.get(
                kind, kind.upper()
            ),
            Active=True,
            CashAccount=code in behind,
            CurrencyID=currency,
            PostOption="Detail",
            RequireUnits=False,
            Secured=False,
            UseDefaultSubaccount=False,
            CreatedDateTime=_BORN,
        )
        account.custom["AccountRecords.ControlAccountModule"] = module
        account.custom["AccountRecords.AllowManualEntry"] = False
    _add(
        unit,
        "Subaccount",
        SubaccountCD="000000",
        SubaccountID=1,
        Description="Default",
        Active=True,
        Secured=False,
    )


def _rows(unit: Unit, values: list[dict[str, Any]]) -> list[Row]:
    rows: list[Row] = []
    for each in values:
        row = unit.row()
        row.set(**each)
        rows.append(row)
    return rows


def _money(unit: Unit) -> None:
    for code, precision, symbol, _ in CURRENCIES:
        _add(
            unit,
            "Currency",
            CurrencyID=code,
            DecimalPrecision=precision,
            CurrencySymbol=symbol,
            Description=code,
            Active=True,
            UseForAccounting=True,
        )
    for company in unit.setup.companies:
        _add(
            unit,
            "Ledger",
            LedgerID=company.ledger,
            Description=f"Actual {company.base}",
            Type="Actual",
            Currency=company.base,
            ConsolidationSource=False,
            Branches=_rows(
                unit,
                [
                    {
                        "BranchID": code,
                        "BranchName": unit.setup.branches[code],
                        "Active": True,
                        "CompanyName": company.name,
                    }
                    for code in company.branches
                ],
            ),
            Companies=_rows(
                unit, [{"Company": company.code, "CompanyName": company.name, "Active": True}]
            ),
        )
    clearing = [cash for cash in CASH if cash.code.endswith("ST")]
    banks = [cash for cash in CASH if cash.code.endswith("WH")]
    europe = [cash for cash in CASH if cash.code.endswith("EU")]
    _method(unit, "STRIPE", "Stripe", "Cash/Check", clearing)
    _method(unit, "CHECK", "Check", "Cash/Check", banks)
    _method(unit, "WIRE", "Wire", "Cash/Check", banks)
    _method(unit, "EUBANK", "Banks of the European company", "Cash/Check", europe)
    _method(
        unit, "VISA", "Visa through a processing center", "Credit Card", clearing[:1], cards=True
    )


def _method(
    unit: Unit, code: str, name: str, means: str, allowed: list[CashAccount], *, cards: bool = False
) -> None:
    rows = _rows(
        unit,
        [
            {
                "PaymentMethod": code,
                "CashAccount": cash.code,
                "Branch": cash.branch,
                "Description": cash.description,
                "UseInAR": True,
                "UseInAP": False,
                "ARDefault": number == 0,
                "ARDefaultForRefund": number == 0,
                "ARSuggestNextNbr": False,
                "APDefault": False,
                "APSuggestNextNbr": False,
            }
            for number, cash in enumerate(allowed)
        ],
    )
    _add(
        unit,
        "PaymentMethod",
        PaymentMethodID=code,
        Description=name,
        Active=True,
        MeansOfPayment=means,
        IntegratedProcessing=cards,
        UseInAR=True,
        UseInAP=False,
        UseInPR=False,
        AllowedCashAccounts=rows,
    )


def _calendar(unit: Unit) -> None:
    for year in ("2025", "2026", "2027"):
        periods = [p for p in unit.setup.periods.by_code.values() if p.code.endswith(year)]
        rows = _rows(
            unit,
            [
                {
                    "FinancialPeriodID": period.code,
                    "PeriodNbr": period.code[:2],
                    "Description": period.start.strftime("%B"),
                    "StartDate": period.start,
                    "EndDate": period.end,
                    "LengthInDays": (period.end - period.start).days + 1,
                    "Status": "Open",
                    "AdjustmentPeriod": False,
                    "ClosedInAP": False,
                    "ClosedInAR": False,
                    "ClosedInCA": False,
                    "ClosedInFA": False,
                    "ClosedInIN": False,
                }
                for period in periods
            ],
        )
        _add(
            unit,
            "FinancialPeriod",
            FinancialYear=year,
            NbrOfPeriods=12,
            StartDate=periods[0].start,
            UserDefinedPeriods=False,
            Details=rows,
        )


def _class_and_items(unit: Unit) -> None:
    _add(
        unit,
        "CustomerClass",
        ClassID="DEFAULT",
        Description="Default customers",
        ARAccount="11000",
        ARSubaccount="000000",
        SalesAccount="40000",
        SalesSubaccount="000000",
        PrepaymentAccount="11000",
        CashDiscountAccount="61300",
        CurrencyID="USD",
        EnableCurrencyOverride=True,
        EnableRateOverride=False,
        EnableWriteOffs=True,
        WriteOffLimit=Decimal(30),
        PaymentMethod="CHECK",
        Terms="30D",
        StatementCycleID="EOM",
        Country="US",
    )
    for code, name, uom, price, category in ITEMS:
        _add(
            unit,
            "NonStockItem",
            InventoryID=code,
            Description=name,
            ItemStatus="Active",
            ItemType="Service",
            ItemClass="SERVICE",
            BaseUnit=uom,
            SalesUnit=uom,
            PurchaseUnit=uom,
            DefaultPrice=Decimal(price),
            CurySpecificPrice=Decimal(price),
            TaxCategory=category,
            SalesAccount="40000",
            SalesSubaccount="000000",
            CurrentCost=ZERO,
        )


def _customers(world: World) -> None:
    form = CustomerForm()
    for code, name, currency, zone, email in CUSTOMERS:
        unit = world.unit()
        values: dict[str, Any] = {
            "CustomerName": name,
            "CurrencyID": currency,
            "TaxZone": zone,
            "Email": email,
        }
        draft = form.insert(unit, Body(values=values))
        form.assign_key(unit, draft)
        draft.set(CustomerID=code)
        unit.commit()
    world.sequences["CUSTOMER"] = 0
