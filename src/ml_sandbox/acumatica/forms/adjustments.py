"""What changes an invoice's total beside its lines: document discounts, and freight of a sale."""

from decimal import Decimal

from ml_sandbox.acumatica.forms.base import CURRENCY, merge_rows, money, take
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

FREIGHT = "CurrentDocument.CuryFreightAmt"
_SENT = ("Description", "DiscountCode", "ExternalDiscountCode", "DiscountAmount", "SkipDiscount")


def fill_discounts(unit: Unit, draft: Record, body: Body) -> None:
    """Takes the discounts that were entered by hand for the whole document."""

    def fill(row: Row, sent: Body, new: bool) -> None:
        if new:
            row.set(Type="Document", ManualDiscount=True, SkipDiscount=False)
        take(row, sent, _SENT)

    sent = body.details.get("DiscountDetails", [])
    merge_rows(unit, draft.rows("DiscountDetails"), sent, key=("DiscountCode",), fill=fill)


def discount_total(unit: Unit, draft: Record) -> Decimal:
    """The discounts that count, in document currency."""
    rows = (row for row in draft.rows("DiscountDetails") if not row.get("SkipDiscount"))
    amount = sum((money(row.get("DiscountAmount")) for row in rows), ZERO)
    return unit.setup.round(amount, draft.custom[CURRENCY])


def freight_price(unit: Unit, draft: Record) -> Decimal:
    """What is charged for freight, in document currency."""
    return unit.setup.round(money(draft.custom.get(FREIGHT)), draft.custom[CURRENCY])


def adjust(unit: Unit, draft: Record) -> None:
    """Moves the totals of an unreleased document by its discounts and its freight."""
    change = freight_price(unit, draft) - discount_total(unit, draft)
    draft.set(Amount=money(draft.get("Amount")) + change)
    draft.set(Balance=draft.get("Amount"))
