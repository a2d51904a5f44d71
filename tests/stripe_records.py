"""Small plans and answers for tests of the Stripe client."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from ml_connector.basics.money import Money
from ml_connector.books.mirror import InvoicePlan, PlannedLine, PlannedTax
from ml_connector.books.records import Address, ErpCustomer
from ml_connector.stripe.client import StripeClient

Connect = Callable[..., StripeClient]

CUSTOMER = b'{"id": "cus_1", "object": "customer", "name": "Ace", "email": null, "metadata": {}}'
INVOICE_FACTS = {
    "id": "in_1", "object": "invoice", "customer": "cus_1", "status": "open", "currency": "usd",
    "total": 10825, "amount_due": 10825, "amount_paid": 0, "amount_remaining": 10825,
    "starting_balance": 0, "number": "000123", "metadata": {"erp_ref": "Invoice|000123"},
}  # fmt: skip
INVOICE = json.dumps(INVOICE_FACTS).encode()
STAMP = datetime(2026, 11, 20, 8, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money.of(Decimal(amount), "USD")


def erp_customer(**changes: str) -> ErpCustomer:
    ace = ErpCustomer(
        customer_id="C000012",
        name="Ace Hardware",
        email="pay@ace.example",
        phone="+1 206 555 0100",
        address=Address("1 Main St", "", "Seattle", "WA", "98101", "US"),
        currency="USD",
        status="Active",
        customer_class="LOCAL",
        modified=STAMP,
    )
    return replace(ace, **changes)


def plan(*, number: str = "000123", count: int = 1, due: datetime | None = None) -> InvoicePlan:
    """A plan of `count` lines of 100.00 with 8.25 of tax on the first."""
    tax = PlannedTax("NYSTATE", Decimal("8.25"), usd("8.25"), usd("100"))
    lines = [
        PlannedLine(f"Line {n}", usd("100"), (tax,) if n == 1 else ()) for n in range(1, count + 1)
    ]
    return InvoicePlan(
        number=number,
        description="Order 4711",
        total=usd("8.25") + Money.wire(10000 * count, "usd"),
        due=due or datetime(2099, 12, 31, 10, tzinfo=UTC),
        effective=date(2026, 11, 20),
        metadata={"erp_ref": f"Invoice|{number}", "erp_customer": "C000012", "mlc": "main"},
        lines=tuple(lines),
    )
