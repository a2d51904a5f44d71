"""The lines of an invoice (AR301000): what an item brings, what is typed over it."""

from ml_sandbox.acumatica.forms.base import (
    cannot_be_found,
    check_account,
    check_branch,
    money,
    take,
)
from ml_sandbox.acumatica.forms.taxes import MANUAL
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit


def fill_line(unit: Unit, draft: Record, row: Row, sent: Body, *, new: bool) -> None:
    """Take what is sent of one line; the price is the item's until one is typed."""
    if new:
        row.set(Branch=draft.get("LinkBranch"), Qty=ZERO, UnitPrice=ZERO, DiscountAmount=ZERO)
        row.set(Account=unit.setup.sales, Subaccount="000000", CalculateDiscountsOnImport=False)
        row.set(TaxCategory=unit.switches.default_tax_category or None)
    if sent.get("InventoryID"):
        _item(unit, row, str(sent.get("InventoryID")))
    take(row, sent, ("TransactionDescription", "Qty", "UnitPrice", "UOM", "DiscountAmount"))
    take(row, sent, ("TaxCategory", "Account", "Subaccount", "Branch", "CostCode", "ProjectTask"))
    extended = sent.get("ExtendedPrice")
    if extended is None and "UnitPrice" not in sent.values:
        extended = sent.get("Amount")
    if extended is not None:
        row.set(ExtendedPrice=extended)
        row.custom[MANUAL] = True
    elif "UnitPrice" in sent.values or "Qty" in sent.values:
        row.custom[MANUAL] = False
    check_account(unit, row, "Account", manual=True)
    check_branch(unit, row, "Branch")
    if unit.find("Subaccount", str(row.get("Subaccount"))) is None:
        row.fail("Subaccount", cannot_be_found("Subaccount"))


def _item(unit: Unit, row: Row, code: str) -> None:
    item = unit.find("NonStockItem", code) or unit.find("StockItem", code)
    row.set(InventoryID=code)
    if item is None:
        row.fail("InventoryID", cannot_be_found("Inventory ID"))
        return
    row.set(
        InventoryID=item.get("InventoryID"),
        TransactionDescription=item.get("Description"),
        UOM=item.get("SalesUnit") or item.get("SalesUOM"),
        UnitPrice=money(item.get("DefaultPrice")),
        TaxCategory=item.get("TaxCategory"),
        Account=item.get("SalesAccount") or unit.setup.sales,
    )
