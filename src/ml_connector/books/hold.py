"""Hold lists: what a person keeps out of the books and of the mirror for the time being."""

from collections.abc import Iterable
from dataclasses import dataclass

from ml_connector.basics.errors import AskAPerson
from ml_connector.books.matching import Match

CHARGES, CUSTOMERS, INVOICES = "charges", "customers", "invoices"
CHARGE_MARKS = ("ch_", "py_")
"""How the id of a charge begins at Stripe; `py_` is one that was not paid by card."""


class OnHold(AskAPerson):
    """Something that a hold list names; it goes on by itself when it is taken off the list."""

    def __init__(self, what: str, of: str, one: str) -> None:
        super().__init__(
            f"{what} waits: {one} is on the hold list.",
            cause=f"hold.{of}:{one}",
            remedy=f"Take {one} off {of} in the table [hold] of the mapping"
            " (ml-connector mapping edit); then it goes on by itself.",
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """The `[hold]` table of the mapping: charges by id, customers by theirs, invoices by number.

    Money of what is listed is not booked; a customer or an invoice is not mirrored nor levelled.
    """

    charges: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()

    def refuse_charge(self, charge: str | None, what: str = "") -> None:
        """Raises OnHold where money of a charge is to wait; `what` names the money."""
        if charge is not None and charge in self.charges:
            raise OnHold(what or f"The payment {charge}", CHARGES, charge)

    def refuse_match(self, match: Match) -> None:
        """Raises OnHold where a payment is of a customer, or on an invoice, that is to wait."""
        what = f"The payment {match.charge.id} of {match.charge.amount}"
        self._refuse(what, CUSTOMERS, [match.customer_id])
        numbers = [one.document.partition("|")[2] for one in match.applications]
        self._refuse(what, INVOICES, numbers)

    def refuse_customer(self, customer: str | None, what: str = "") -> None:
        """Raises OnHold where a customer is to wait; `what` names what would have been done."""
        if customer is not None:
            self._refuse(what or f"Customer {customer}", CUSTOMERS, [customer])

    def refuse_invoice(self, number: str, customer: str | None = None) -> None:
        """Raises OnHold where an invoice, or its customer, is to wait."""
        self._refuse(f"Invoice {number}", INVOICES, [number])
        self.refuse_customer(customer, f"Invoice {number}")

    def _refuse(self, what: str, of: str, named: Iterable[str]) -> None:
        listed = self.customers if of == CUSTOMERS else self.invoices
        for one in named:
            if one in listed:
                raise OnHold(what, of, one)

    def problems(self) -> list[str]:
        """What is wrong with the lists by themselves, a sentence each."""
        return [
            f"hold.charges names {one!r}, which is no charge of Stripe's (ch_... or py_...)."
            for one in self.charges
            if not one.startswith(CHARGE_MARKS)
        ]
