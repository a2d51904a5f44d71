"""What an invoice adds up to: its lines, its taxes and what is due."""

from collections.abc import Iterable

from ml_sandbox.stripe import customer_balance
from ml_sandbox.stripe.listing import whole
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def lines_of(world: World, invoice: Obj) -> list[Obj]:
    """The lines of an invoice, in the order they were added."""
    return world.tables["line_item"].where("invoice", invoice["id"])


def refresh(world: World, invoice: Obj) -> None:
    """Recomputes a draft's totals from its lines; total = subtotal + exclusive taxes."""
    lines = lines_of(world, invoice)
    taxes = [tax for line in lines for tax in line["taxes"]]
    exclusive = sum(t["amount"] for t in taxes if t["tax_behavior"] == "exclusive")
    inclusive = sum(t["amount"] for t in taxes if t["tax_behavior"] == "inclusive")
    subtotal = sum(line["amount"] for line in lines)
    invoice["subtotal"] = subtotal
    invoice["subtotal_excluding_tax"] = subtotal - inclusive
    invoice["total"] = subtotal + exclusive
    invoice["total_excluding_tax"] = subtotal - inclusive
    invoice["total_taxes"] = joined(taxes)
    invoice["lines"] = whole(f"/v1/invoices/{invoice['id']}/lines", lines)
    held = customer_balance.held(world, invoice["customer"], invoice["currency"])
    invoice["starting_balance"] = held
    invoice["amount_due"] = max(0, invoice["total"] + held)
    invoice["amount_remaining"] = invoice["amount_due"]


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
