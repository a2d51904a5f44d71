"""What the acts of a year share: the stage, who is who by now, and the tally."""

from dataclasses import dataclass

from ml_sandbox.month.sandboxes import Erp, Json
from ml_sandbox.scenarios.stage import Stage
from ml_sandbox.year.fates import CONVERTED
from ml_sandbox.year.plan import Year
from ml_sandbox.year.tally import Tally, as_text


@dataclass(frozen=True, slots=True)
class Issued:
    """A released invoice: its reference at Stripe's side, whose it is, its total in minor units."""

    ref: str
    customer: str
    currency: str
    total: int

    @property
    def number(self) -> str:
        """The reference number, as a person quotes it."""
        return self.ref.partition("|")[2]


@dataclass(frozen=True, slots=True)
class Charged:
    """A payment that went through; minor units."""

    charge: str
    currency: str
    amount: int


class Life:
    """The firm's present: filled by the acts, read by the acts that follow.

    `mark` is the name with which a person marks a customer of Stripe's as the connector's.
    """

    def __init__(self, year: Year, stage: Stage, mark: str) -> None:
        self.year = year
        self.stage = stage
        self.mark = mark
        self.erp = Erp(stage.erp)
        self.tally = Tally()
        self.customers: dict[int, str] = {}
        self.issued: dict[int, Issued] = {}
        self.left: dict[int, int] = {}
        """By invoice, what the ERP is owed of it by now, in minor units."""
        self.charged: dict[int, Charged] = {}
        self.disputes: dict[int, str] = {}
        self.payouts: list[str] = []
        """Those of the newest run."""
        self.topup = ""

    def asked_for(self, key: int) -> str:
        """The Stripe invoice, once it asks for exactly what is left; raises NotDone."""
        issued, left = self.issued[key], self.left[key]
        what = f"Stripe asks for {as_text(left, issued.currency)} {issued.currency} of {issued.ref}"

        def look() -> str | None:
            row = self._newest(issued.ref)
            if row is None or row["status"] != "open" or row["amount_remaining"] != left:
                return None
            return str(row["id"])

        return self.stage.until(look, what)

    def sent(self, key: int) -> None:
        """Waits until an invoice is at Stripe, whatever has become of it; raises NotDone."""
        ref = self.issued[key].ref

        def look() -> bool | None:
            row = self._newest(ref)
            return None if row is None or row["status"] == "draft" else True

        self.stage.until(look, f"{ref} is at Stripe")

    def _newest(self, ref: str) -> Json | None:
        rows: list[Json] = self.stage.stripe.get("invoices")["invoices"]
        mine = [row for row in rows if row["metadata"].get("erp_ref") == ref]
        return mine[-1] if mine else None

    def settle(self, key: int, charge: str, amount: int) -> None:
        """A payment went through: what it settles is not owed any more."""
        issued = self.issued[key]
        self.charged[key] = Charged(charge, issued.currency, amount)
        self.left[key] = max(0, self.left[key] - amount)
        self.tally.add("settled", "paid", issued.currency, amount)
        self.tally.counts["converted"] += issued.currency == CONVERTED

    def share_of(self, key: int, share: int) -> int:
        """A share of an invoice's total in minor units; 100 is all that is left of it."""
        return self.left[key] if share == 100 else self.issued[key].total * share // 100

    def settles_in(self, client: int) -> str:
        """A currency in which Stripe settles, by a client's own: dollars for Canadian ones."""
        currency = self.year.clients[client].currency
        return "USD" if currency == CONVERTED else currency
