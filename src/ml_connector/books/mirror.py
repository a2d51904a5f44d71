"""What makes Stripe's side say the same as the ERP's: customers and finalized invoices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from ml_connector.basics.currencies import largest_charge, least_charge, smallest_step
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books import link_place
from ml_connector.books.records import ErpInvoice, ErpLine, ErpTax, StripeInvoice


class Adopt(StrEnum):
    """What becomes of a Stripe customer that has a new customer's exact e-mail address."""

    ASK = "ask"
    """A person marks it as the customer's, or as nobody's."""
    AUTOMATIC = "automatic"
    """One that stands alone is taken over."""
    NEVER = "never"
    """It is left alone; a new one is made."""


class WhenReopened(StrEnum):
    """What becomes of an invoice that was paid in Stripe and is owed again: the money came back."""

    ASK = "ask"
    """A person is told; the paid Stripe invoice cannot ask again."""
    AGAIN = "again"
    """A new Stripe invoice asks for the balance; the old one is kept as history."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which values are for the mirror: those included (all, when none is named) and not excluded.

    Capitals do not matter.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, value: str) -> bool:
        """Whether a value is for the mirror."""
        named = value.casefold()
        wanted = {one.casefold() for one in self.include}
        return (not wanted or named in wanted) and named not in {
            one.casefold() for one in self.exclude
        }


@dataclass(frozen=True, slots=True)
class MirrorPolicies:
    """What a firm decides about its mirror; the `[mirror]` table of the mapping.

    With `send` Stripe mails each invoice; `source` is the form through which one is read.
    `write_link` is where in the ERP its address goes: `note`, a field (`View.Field`), or a plain
    field of the form's contract. A
    customer whose attribute `opt_out` has one of the values `opt_out_values` is left out.
    """

    adopt: Adopt = Adopt.ASK
    customer_classes: Selection = Selection()
    branches: Selection = Selection()
    terms: Selection = Selection()
    send: bool = False
    source: Literal["Invoice", "SalesInvoice"] = "Invoice"
    reopened: WhenReopened = WhenReopened.ASK
    write_link: str = link_place.NO_LINK
    opt_out: str = ""
    opt_out_values: tuple[str, ...] = ("true", "1", "yes")

    def leaves_out(self, invoice: ErpInvoice) -> str:
        """Why a document is not for the mirror, as a sentence; empty when it is."""
        for what, chosen, value in (
            ("branch", self.branches, invoice.branch),
            ("terms", self.terms, invoice.terms),
        ):
            if not chosen.takes(value):
                return f"The mapping leaves out the {what} {value!r} of {invoice.number}."
        return ""

    def leaves_out_customer(self, customer_id: str, customer_class: str, opt_out: str) -> str:
        """Why a customer and its invoices are not for the mirror; empty when they are."""
        if self.opted_out(opt_out):
            return (
                f"Customer {customer_id} is left out: its attribute {self.opt_out} says"
                f" {opt_out!r}."
            )
        if not self.customer_classes.takes(customer_class):
            return f"The mapping leaves out the class {customer_class!r} of customer {customer_id}."
        return ""

    def opted_out(self, value: str) -> bool:
        """Whether a customer's own attribute says that Stripe is not to know it."""
        values = {one.casefold() for one in self.opt_out_values}
        return bool(self.opt_out) and value.casefold() in values

    def problems(self) -> list[str]:
        """What is wrong with the choices by themselves, a sentence each."""
        wrong = link_place.problem(self.write_link)
        return [wrong] if wrong else []


LARGEST_NUMBER_OF_LINES = 250
LARGEST_NUMBER_OF_TAXES = 20
"""On one line, which carries all the taxes of the document (fact S3.3)."""
LONGEST_NUMBER = 26
LONGEST_DESCRIPTION = 1500
LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class PlannedTax:
    """A tax that the ERP computed, passed through as an amount; `percentage` is for display."""

    name: str
    percentage: Decimal
    amount: Money
    taxable: Money


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One line of the Stripe invoice; `amount` is extended and before tax."""

    description: str
    amount: Money
    taxes: tuple[PlannedTax, ...]


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """A Stripe invoice as it shall be created: its `total` is the ERP balance, to the minor unit.

    `due` is an aware instant in the future; `effective` the ERP document's own date.
    """

    number: str
    description: str
    total: Money
    due: datetime
    effective: date
    metadata: Mapping[str, str]
    lines: tuple[PlannedLine, ...]


class CannotMirror(AskAPerson):
    """An invoice that must not be sent as it stands; it waits, shown with the reason."""


def plan_invoice(
    invoice: ErpInvoice, *, connection: str, now: datetime, converted: bool = False
) -> InvoicePlan:
    """How a finalized invoice shall look in Stripe; raises CannotMirror with the reason.

    The plan is for the balance, not the amount: what is still owed. `converted`: by the mapping,
    its currency settles in another one.
    """
    _refuse_impossible_amounts(invoice, converted=converted)
    return InvoicePlan(
        number=invoice.number[:LONGEST_NUMBER],
        description=invoice.description[:LONGEST_DESCRIPTION],
        total=invoice.balance,
        due=due_at(invoice, now),
        effective=invoice.issued,
        metadata={"erp_ref": invoice.ref, "erp_customer": invoice.customer_id, "mlc": connection},
        lines=_lines(invoice),
    )


def _refuse_impossible_amounts(invoice: ErpInvoice, *, converted: bool) -> None:
    balance, code = invoice.balance, invoice.balance.currency
    least = Money(least_charge(code), code)
    safe = Money(least_charge(code, converted=converted), code)
    if least <= balance < safe:
        raise CannotMirror(
            f"Invoice {invoice.number} of {balance} may be below Stripe's minimum charge: {code}"
            f" settles in another currency, and only from {safe} on is it surely above that.",
            cause=f"invoice.below_minimum:{invoice.ref}",
            remedy="Collect it another way or join it with another invoice; Stripe would mark it"
            " paid without any money.",
        )
    if balance < least:
        raise CannotMirror(
            f"Invoice {invoice.number} of {balance} is below Stripe's minimum charge of {least}.",
            cause=f"invoice.below_minimum:{invoice.ref}",
            remedy="Collect it another way or join it with another invoice; Stripe would mark it"
            " paid without any money.",
        )
    if balance.minor > largest_charge(code):
        raise CannotMirror(
            f"Invoice {invoice.number} of {balance} is above what Stripe can charge at once.",
            cause=f"invoice.above_maximum:{invoice.ref}",
            remedy="Split the invoice, or collect it another way.",
        )
    if balance.minor % smallest_step(code):
        raise CannotMirror(
            f"Invoice {invoice.number} of {balance} has an amount that Stripe cannot charge.",
            cause=f"invoice.step:{invoice.ref}",
            remedy=f"Stripe takes {code} only in steps of {Money(smallest_step(code), code)}:"
            " round the invoice in the ERP, or collect it another way.",
        )


def due_at(invoice: ErpInvoice, now: datetime) -> datetime:
    """The end of the ERP's due day, but no sooner than in a day: Stripe refuses the past."""
    tomorrow = now + timedelta(days=1)
    if invoice.due_date is None:
        return tomorrow
    return max(datetime.combine(invoice.due_date, time(23, 59, 59), UTC), tomorrow)


LINK_OUTLIVES_DUE = timedelta(days=30)
LINK_LIVES = timedelta(days=120)
FRESH_LINK_LIVES = timedelta(days=10)


def link_ends(sent: StripeInvoice, finalized: datetime, read: datetime) -> datetime:
    """Until when the payment link of an invoice works that was read at a moment (fact S3.8)."""
    due = finalized if sent.due is None else sent.due
    return max(min(due + LINK_OUTLIVES_DUE, finalized + LINK_LIVES), read + FRESH_LINK_LIVES)


def _lines(invoice: ErpInvoice) -> tuple[PlannedLine, ...]:
    """The ERP's own lines when they add up to the balance; else one line for the balance.

    With the discounts and freight of the document, or without where the lines hold them already.
    """
    for lines in ((*invoice.lines, *invoice.extras), invoice.lines):
        with_money = tuple(line for line in lines if line.amount)
        if _fit(invoice, with_money):
            return _with_taxes(with_money, invoice.taxes)
    text = f"Balance of invoice {invoice.number}"
    return (PlannedLine(description=text, amount=invoice.balance, taxes=()),)


def _fit(invoice: ErpInvoice, lines: tuple[ErpLine, ...]) -> bool:
    """Whether lines and taxes are few enough for Stripe and add up to the balance.

    Taxes that the prices include do not add up, and become the one line.
    """
    code = invoice.balance.currency
    charged = [tax.amount for tax in invoice.taxes if tax.amount]
    few = 0 < len(lines) <= LARGEST_NUMBER_OF_LINES and len(charged) <= LARGEST_NUMBER_OF_TAXES
    return few and total([*(line.amount for line in lines), *charged], code) == invoice.balance


def _with_taxes(lines: tuple[ErpLine, ...], taxes: tuple[ErpTax, ...]) -> tuple[PlannedLine, ...]:
    """The lines, the document's taxes riding on the first of them (the ERP gives no split)."""
    planned = [PlannedLine(_line_text(line), line.amount, ()) for line in lines]
    planned[0] = PlannedLine(
        planned[0].description,
        planned[0].amount,
        tuple(PlannedTax(t.tax_id, t.rate, t.amount, t.taxable) for t in taxes if t.amount),
    )
    return tuple(planned)


def _line_text(line: ErpLine) -> str:
    text = line.description or f"Line {line.number}"
    if line.quantity not in (Decimal(0), Decimal(1)):
        text = f"{text} ({line.quantity.normalize():f} x {line.unit_price.normalize():f})"
    return text[:LONGEST_LINE]


def is_the_same(invoice: ErpInvoice, found: StripeInvoice) -> bool:
    """Whether an open Stripe invoice asks for exactly this document: by its mark or its number.

    It must ask for the balance to the minor unit, with nothing paid or deducted; a veto or the
    mark of another document is respected.
    """
    mark = found.metadata.get("erp_ref", "")
    named = mark == invoice.ref or (not mark and found.number == invoice.number)
    untouched = not found.amount_paid and not found.starting_balance
    return named and untouched and found.status == "open" and found.amount_due == invoice.balance


class DoesNotAddUp(AskAPerson):
    """Stripe's total is not the ERP's balance: the invoice is not sent and waits."""


def check_finalized(invoice: ErpInvoice, sent: StripeInvoice) -> None:
    """Refuses an invoice whose amount due is not the ERP balance to the minor unit.

    Raises DoesNotAddUp; a foreign balance of the Stripe customer is named as such (rule 18).
    """
    check_customer_balance(invoice, sent.customer, sent.starting_balance)
    if paid_without_money(sent):
        raise DoesNotAddUp(
            f"Stripe marked invoice {invoice.number} of {invoice.balance} as paid without any"
            " money, as it is below the minimum charge of the currency that it settles in.",
            cause=f"invoice.below_minimum:{invoice.ref}",
            remedy="Collect it another way; what Stripe put onto its customer's balance was taken"
            " off again.",
        )
    if sent.amount_due != invoice.balance:
        raise DoesNotAddUp(
            f"Invoice {invoice.number} is {invoice.balance} in Acumatica but {sent.amount_due}"
            " in Stripe.",
            cause=f"invoice.amount_differs:{invoice.ref}",
            remedy="Look for discounts or taxes that Stripe added on its side, then replay it.",
        )


def check_customer_balance(invoice: ErpInvoice, customer: StripeId, balance: Money | None) -> None:
    """Refuses an invoice whose amount due a balance of the Stripe customer would change.

    Raises DoesNotAddUp, with the customer in its cause.
    """
    if balance:
        raise DoesNotAddUp(
            f"The Stripe customer of invoice {invoice.number} holds a balance of"
            f" {balance}, which changes what the buyer would pay.",
            cause=f"invoice.customer_balance:{customer}",
            remedy="Set that customer's credit balance in Stripe to zero, then replay the invoice.",
        )


def paid_without_money(sent: StripeInvoice) -> bool:
    """Whether finalizing put the debt onto the customer's balance instead of asking for it."""
    return sent.status == "paid" and not sent.amount_paid and bool(sent.total)
