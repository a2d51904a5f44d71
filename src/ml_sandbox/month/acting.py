"""Acts a planned month out: the clerk, the buyers, the back office and Stripe's calendar."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal

from ml_sandbox.month.people import Client
from ml_sandbox.month.plan import LAST, Bill, Contest, Month, Return, Visit, days
from ml_sandbox.month.sandboxes import CannotGoOn, Erp, Json, Mirrored, Stripe
from ml_sandbox.month.tally import Tally, as_text, in_minor
from ml_sandbox.month.work import Invoice, Line

MORNING, AFTERNOON, EVENING = (time_of_day(hour, tzinfo=UTC) for hour in (8, 16, 20))
POLL_SECONDS = 0.075
MISCHIEF: Json = {
    "duplicate": 0.08,
    "drop": 0.03,
    "never_generated": 0.02,
    "shuffle": True,
    "delay_scale": 0.02,
}
Tell = Callable[[date, Tally], None]


class NotMirrored(Exception):
    """The connector has not done what the month waits for; the text names what is missing."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A released invoice: its reference at Stripe's side, and its total in minor units."""

    ref: str
    currency: str
    total: int


@dataclass(frozen=True, slots=True)
class Charged:
    """A payment that went through."""

    charge: str
    currency: str
    amount: int


class Performance:
    """Plays one month. Everything is decided in the plan; here it only happens, in its order."""

    def __init__(self, month: Month, stripe: Stripe, erp: Erp, *, patience: float) -> None:
        self._month = month
        self._stripe = stripe
        self._erp = erp
        self._patience = patience
        self._customers: dict[int, str] = {}
        self._issued: dict[int, Issued] = {}
        self._payable: dict[int, Mirrored] = {}
        self._left: dict[int, int] = {}
        self._charged: dict[int, Charged] = {}
        self.tally = Tally()

    def play(self, seed: int, tell: Tell) -> Tally:
        """The whole month; `tell` hears of each day's end.

        Raises NotMirrored after the patience (seconds) without any progress, CannotGoOn when
        a sandbox refuses something.
        """
        self._stripe.misbehave(MISCHIEF | {"seed": seed})
        self._move(days()[0], MORNING)
        self._check_clocks()
        for client in self._month.clients:
            self._enter_client(client)
        for day in days():
            self._live(day)
            tell(day, self.tally)
        self._wait_for(self._issued, LAST)
        return self.tally

    def _live(self, day: date) -> None:
        """One day. The clock moves between its parts, so that what is due happens in its part."""
        self._move(day, MORNING)
        for invoice in self._month.invoices:
            if invoice.day == day:
                self._issue(invoice)
        visits = [visit for visit in self._month.visits if visit.day == day]
        self._wait_for({visit.invoice for visit in visits}, day)
        for visit in visits:
            self._visit(visit)
        self._after_sales(day)
        if day in self._month.payout_days:
            self._move(day, AFTERNOON)
            self._pay_out()
        self._move(day, EVENING)

    def _after_sales(self, day: date) -> None:
        """What comes of earlier payments, and what Stripe wants for itself."""
        for row in self._month.returns:
            if row.day == day:
                self._refund(row)
        for row in self._month.contests:
            if row.day == day:
                self._dispute(row)
        for row in self._month.bills:
            if row.day == day:
                self._bill(row)

    def _move(self, day: date, part: time_of_day) -> None:
        self._stripe.move_clock(datetime.combine(day, part))

    def _check_clocks(self) -> None:
        if abs(self._stripe.now() - self._erp.now()).total_seconds() > 60:
            raise CannotGoOn(
                "The two sandboxes do not share one clock; start both with: python -m ml_sandbox up"
            )

    def _enter_client(self, client: Client) -> None:
        saved = self._erp.enter("Customer", customer_body(client))
        self._customers[client.key] = str(saved["CustomerID"])
        self.tally.counts["customers"] += 1

    def _issue(self, invoice: Invoice) -> None:
        client = self._month.clients[invoice.client]
        body = invoice_body(invoice, self._customers[client.key])
        saved = self._erp.enter("Invoice", body, release=True)
        if saved["Status"] != "Open":
            raise CannotGoOn(f"Invoice {saved['ReferenceNbr']} is {saved['Status']}, not Open.")
        total = in_minor(Decimal(str(saved["Amount"])), client.currency)
        self._issued[invoice.key] = Issued(
            f"Invoice|{saved['ReferenceNbr']}", client.currency, total
        )
        self._left[invoice.key] = total
        self.tally.add("invoices", "invoiced", client.currency, total)

    def _wait_for(self, keys: Iterable[int], day: date) -> None:
        """Waits until these invoices can be paid at Stripe; patience starts anew with progress."""
        missing = sorted(set(keys) - self._payable.keys())
        waited_since, seen = time.monotonic(), -1
        while missing:
            found = self._stripe.invoices()
            for key in list(missing):
                mirrored = found.get(self._issued[key].ref)
                if mirrored is not None and mirrored.status != "draft":
                    self._accept(key, mirrored)
                    missing.remove(key)
            if len(found) != seen:
                waited_since, seen = time.monotonic(), len(found)
            if missing and time.monotonic() - waited_since > self._patience:
                raise self._stuck(missing, day)
            if missing:
                time.sleep(POLL_SECONDS)

    def _accept(self, key: int, mirrored: Mirrored) -> None:
        issued = self._issued[key]
        shown = (mirrored.amount_due, mirrored.currency)
        if shown != (issued.total, issued.currency):
            raise NotMirrored(
                f"{issued.ref} is {as_text(issued.total, issued.currency)} {issued.currency} in the"
                f" ERP, but Stripe asks for {mirrored.amount_due} minor units of"
                f" {mirrored.currency}."
            )
        self._payable[key] = mirrored

    def _stuck(self, missing: list[int], day: date) -> NotMirrored:
        names = ", ".join(self._issued[key].ref for key in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        return NotMirrored(
            f"Nothing was mirrored to Stripe for {self._patience:g} seconds; on {day} these"
            f" released invoices are missing there: {names}{more}."
            " Is the connector running and connected to both sandboxes?"
        )

    def _visit(self, visit: Visit) -> None:
        """A buyer tries a card; the plan knows what comes of it."""
        issued, left = self._issued[visit.invoice], self._left[visit.invoice]
        amount = left if visit.percent == 100 else issued.total * visit.percent // 100
        asked = None if visit.percent == 100 else amount
        charge = self._stripe.pay(self._payable[visit.invoice].id, visit.card, asked)
        if (charge is not None) != visit.succeeds:
            came = "declined" if charge is None else "accepted"
            raise CannotGoOn(f"Card {visit.card} was {came} for {issued.ref}.")
        if charge is None:
            self.tally.counts["declines"] += 1
            return
        self._charged[visit.key] = Charged(charge, issued.currency, amount)
        self._left[visit.invoice] -= amount
        self.tally.paid_in_full += self._left[visit.invoice] == 0
        self.tally.add("payments", "paid", issued.currency, amount)

    def _refund(self, row: Return) -> None:
        paid = self._charged[row.visit]
        amount = max(1, paid.amount * row.percent // 100)
        self._stripe.refund(paid.charge, amount)
        self.tally.add("refunds", "refunded", paid.currency, amount)

    def _dispute(self, row: Contest) -> None:
        self._stripe.dispute(self._charged[row.visit].charge)
        self.tally.counts["disputes"] += 1

    def _bill(self, row: Bill) -> None:
        self._stripe.bill(row.cents, row.text)
        self.tally.counts["stripe_bills"] += 1

    def _pay_out(self) -> None:
        for currency, amount in self._stripe.pay_out():
            self.tally.add("payouts", "paid_out", currency, amount)


def customer_body(client: Client) -> Json:
    """A client as the clerk enters it on the Customers form."""
    place = client.place
    return {
        "CustomerName": client.name,
        "CurrencyID": client.currency,
        "TaxZone": place.zone,
        "Terms": client.terms,
        "MainContact": {
            "Email": client.email,
            "Attention": client.attention,
            "Address": {
                "AddressLine1": client.street,
                "City": place.city,
                "State": place.state or None,
                "PostalCode": place.postal_code,
                "Country": place.country,
            },
        },
    }


def invoice_body(invoice: Invoice, customer: str) -> Json:
    """An invoice as the clerk enters it on the Invoices and Memos form, off hold."""
    return {
        "Type": "Invoice",
        "Customer": customer,
        "Date": invoice.day,
        "Terms": invoice.terms,
        "DueDate": invoice.due,
        "CustomerOrder": invoice.order,
        "Description": invoice.description,
        "Hold": False,
        "Details": [_line_body(line) for line in invoice.lines],
    }


def _line_body(line: Line) -> Json:
    return {
        "TransactionDescription": line.text,
        "Qty": line.quantity,
        "UnitPrice": line.price,
        "UOM": line.unit,
        "TaxCategory": "TAXABLE" if line.taxable else "EXEMPT",
    }
