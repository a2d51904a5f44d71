"""What the people of a lived life remember, and whom an act concerns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from build.sandboxes import Json
from build.world import CUSTOMER, World
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.connected import Connected

WITHOUT_CENTS = frozenset({"JPY"})
DAY = 24 * 60


@dataclass
class Bill:
    """An invoice as the ERP's clerk knows it; amounts in minor units of its currency."""

    ref: ErpRef
    customer: str
    currency: str
    total: int
    settled_in_erp: int = 0
    """By checks and credit memos."""


@dataclass
class Place:
    """A world with what its people remember."""

    world: World
    policies: dict[str, str]
    always: Callable[[Connected], Connected] = lambda c: c
    """What stands between the connector and both sides for all its life, where a test wants it."""
    customers: dict[str, str] = field(default_factory=lambda: {"USD": CUSTOMER})
    bills: list[Bill] = field(default_factory=list[Bill])
    disturbed: set[str] = field(default_factory=set[str])
    """Charges whose payment in the ERP people have changed."""
    undone: list[str] = field(default_factory=list[str])
    """Balance transactions that a controller has undone."""

    @property
    def _key(self) -> str:
        return self.world.new.secrets.stripe_key

    def _bill(self, which: int) -> Bill | None:
        return self.bills[which % len(self.bills)] if self.bills else None

    def rows(self, table: str) -> list[Json]:
        return list(self.world.stripe_app.world.tables[table])

    def _one(self, table: str, which: int) -> Json | None:
        rows = self.rows(table)
        return rows[which % len(rows)] if rows else None

    def _charge(self, which: int) -> Json | None:
        """A payment of which something is left."""
        whole = [
            c for c in self.rows("charge")
            if c["status"] == "succeeded" and c["amount_refunded"] < c["amount"]
        ]  # fmt: skip
        return whole[which % len(whole)] if whole else None

    async def _asked(self, which: int) -> Json | None:
        """A Stripe invoice that can be paid."""
        rows = (await self.world.stripe.ask("invoices"))["invoices"]
        open_ = [row for row in rows if row["status"] == "open" and row["amount_remaining"]]
        return open_[which % len(open_)] if open_ else None

    def _stripe_customer(self, code: str) -> str | None:
        rows = self.rows("customer")
        return next((r["id"] for r in rows if r["metadata"].get("erp_customer") == code), None)


def number(ref: ErpRef) -> str:
    return ref.partition("|")[2]


def minor(amount: Decimal, currency: str) -> int:
    return int(amount if currency in WITHOUT_CENTS else amount * 100)


def major(amount: int, currency: str) -> Decimal:
    return Decimal(amount) if currency in WITHOUT_CENTS else Decimal(amount) / 100
