"""What an invoice adds up to: its lines, discounts, shipping, taxes and what is due."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ml_sandbox.stripe import customer_balance, discounts, tax_rates
from ml_sandbox.stripe.listing import whole
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def lines_of(world: World, invoice: Obj) -> list[Obj]:
    """The lines of an invoice, in the order they were added."""
    return world.tables["line_item"].where("invoice", invoice["id"])


def refresh(world: World, invoice: Obj) -> None:
    """Recomputes a draft: total = subtotal - discounts + shipping + exclusive taxes."""
    lines = lines_of(world, invoice)
    discounts.spread(world, invoice, lines)
    tax_by_rates(world, invoice, lines)
    taxes = [tax for line in lines for tax in line["taxes"]]
    exclusive = sum(t["amount"] for t in taxes if t["tax_behavior"] == "exclusive")
    inclusive = sum(t["amount"] for t in taxes if t["tax_behavior"] == "inclusive")
    subtotal = sum(line["amount"] for line in lines)
    invoice["total_discount_amounts"] = discounts.totals(lines)
    off = sum(row["amount"] for row in invoice["total_discount_amounts"])
    cost: Obj = invoice["shipping_cost"] or {}
    shipping: int = cost.get("amount_total", 0)
    invoice["amount_shipping"] = shipping
    invoice["subtotal"] = subtotal
    invoice["subtotal_excluding_tax"] = subtotal - inclusive
    invoice["total"] = subtotal - off + shipping + exclusive
    invoice["total_excluding_tax"] = subtotal - off + shipping - inclusive
    invoice["total_taxes"] = joined(taxes)
    invoice["lines"] = whole(f"/v1/invoices/{invoice['id']}/lines", lines)
    held = customer_balance.held(world, invoice["customer"], invoice["currency"])
    invoice["starting_balance"] = held
    invoice["amount_due"] = max(0, invoice["total"] + held)
    invoice["amount_remaining"] = invoice["amount_due"]


def tax_by_rates(world: World, invoice: Obj, lines: Sequence[Obj]) -> None:
    """Taxes the lines that rates apply to, on what discounts leave of them."""
    automatic = automatic_rate(world, invoice)
    items = world.tables["invoiceitem"].rows
    default = [rate["id"] for rate in invoice["default_tax_rates"]]
    for line in lines:
        item = items.get(line["parent"]["invoice_item_details"]["invoice_item"], {})
        own = [rate["id"] for rate in item.get("tax_rates", [])]
        rates = automatic or own or default
        if rates:
            line["taxes"] = tax_rates.computed_taxes(world, discounts.left(line), rates)


def automatic_rate(world: World, invoice: Obj) -> list[str]:
    """The rate of automatic tax: one fixed percentage stands for the real calculation."""
    percent = world.switches.automatic_tax_percent
    if not invoice["automatic_tax"]["enabled"] or not percent:
        return []
    data: Obj = {"display_name": "Sales Tax", "inclusive": False, "percentage": Decimal(percent)}
    return [tax_rates.for_data(world, data)["id"]]


def joined(taxes: Iterable[Obj]) -> list[Obj]:
    """Taxes added up per rate, behaviour and reason."""
    sums: dict[tuple[str, str, str], Obj] = {}
    for tax in taxes:
        key = (
            tax["tax_rate_details"]["tax_rate"],
            tax["tax_behavior"],
            tax["taxability_reason"],
        )
        if key not in sums:
            sums[key] = dict(tax)
        else:
            sums[key]["amount"] += tax["amount"]
            sums[key]["taxable_amount"] += tax["taxable_amount"] or 0
    return list(sums.values())
