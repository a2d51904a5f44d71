"""What discounts take off the lines of an invoice."""

from collections.abc import Sequence
from decimal import Decimal

from ml_sandbox.stripe.money import rounded
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def spread(world: World, invoice: Obj, lines: Sequence[Obj]) -> None:
    """Recomputes every line's discount amounts: its own discounts first, the invoice's then."""
    for line in lines:
        line["discount_amounts"] = []
    for line in lines:
        for key in line["discounts"]:
            take_off(world, key, [line], invoice["currency"])
    chosen = [line for line in lines if line["discountable"] and line["amount"] > 0]
    for key in invoice["discounts"]:
        take_off(world, key, chosen, invoice["currency"])


def take_off(world: World, key: str, lines: Sequence[Obj], currency: str) -> None:
    """Takes one discount off some lines."""
    discount = world.tables["discount"].rows[key]
    coupon = world.tables["coupon"].rows.get(discount["source"]["coupon"])
    if coupon is None:
        return  # a deleted coupon gives nothing to invoices that are still drafts
    rest = [left(line) for line in lines]
    if coupon["percent_off"] is not None:
        amounts = [rounded(Decimal(n) * Decimal(coupon["percent_off"]) / 100) for n in rest]
    elif coupon["currency"] == currency:
        amounts = shares(min(coupon["amount_off"], sum(rest)), rest)
    else:
        return
    for line, amount in zip(lines, amounts, strict=True):
        if amount:
            line["discount_amounts"].append({"amount": amount, "discount": key})


def left(line: Obj) -> int:
    """What remains of a line after the discounts so far."""
    return line["amount"] - sum(row["amount"] for row in line["discount_amounts"])


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount divided by weights, to the last minor unit."""
    total = sum(weights)
    out: list[int] = []
    done = weighed = 0
    for weight in weights:
        weighed += weight
        upto = rounded(Decimal(amount) * weighed / total) if total else 0
        out.append(upto - done)
        done = upto
    return out


def totals(lines: Sequence[Obj]) -> list[Obj]:
    """Discount amounts added up per discount."""
    sums: dict[str, int] = {}
    for line in lines:
        for row in line["discount_amounts"]:
            sums[row["discount"]] = sums.get(row["discount"], 0) + row["amount"]
    return [{"amount": amount, "discount": key} for key, amount in sums.items()]
