"""What the clerks do in the ERP: customers, invoices, checks, wires, credit memos."""

from dataclasses import dataclass
from decimal import Decimal

from ml_sandbox.month.acting import customer_body, invoice_body
from ml_sandbox.month.sandboxes import CannotGoOn, Json
from ml_sandbox.scenarios.clerk import Invoice
from ml_sandbox.year.fates import CONVERTED
from ml_sandbox.year.life import Issued, Life
from ml_sandbox.year.plan import Step
from ml_sandbox.year.tally import as_text, in_minor

BANKS = {"USD": "10200WH", "EUR": "10240WH", "GBP": "10250WH", "JPY": "10230WH"}
"""The firm's own bank accounts, by currency."""


@dataclass(frozen=True, slots=True)
class _Paper:
    """A list of documents, the form in which they are released, and what names one there."""

    shown: str
    form: str
    keys: tuple[str, str]


_PAPERS = (
    _Paper("Invoice", "Invoice", ("Type", "ReferenceNbr")),
    _Paper("Payment", "Payment", ("Type", "ReferenceNbr")),
    _Paper("JournalTransaction", "JournalTransaction", ("Module", "BatchNbr")),
)


def enter(life: Life, key: int) -> None:
    """A clerk enters a customer."""
    saved = life.erp.enter("Customer", customer_body(life.year.clients[key]))
    life.customers[key] = str(saved["CustomerID"])
    life.tally.counts["customers"] += 1


def enter_known(life: Life, step: Step) -> None:
    """A clerk enters a customer whose e-mail address Stripe knows already."""
    client = life.year.clients[step.about]
    known = {"name": f"{client.name} (web shop)", "email": client.email}
    life.stage.at_the_dashboard("customers", known)
    enter(life, step.about)


def mark(life: Life, step: Step) -> None:
    """A person says which customer of Stripe's it is, unless one bears the mark by now."""
    issued = life.issued[step.about]
    client = life.year.clients[life.year.invoices[step.about].client]
    life.stage.a_while()
    if life.stage.marked(issued.customer) is None:
        twin = life.stage.with_email(client.email)
        said = {"metadata[erp_customer]": issued.customer, "metadata[mlc]": life.mark}
        life.stage.at_the_dashboard(f"customers/{twin}", said)


def edit(life: Life, step: Step) -> None:
    """A clerk writes down a customer's new address, and in every second month a new e-mail."""
    client = life.year.clients[step.about]
    contact: Json = {
        "Address": {
            "AddressLine1": f"{step.day.month} New Street",
            "City": client.place.city,
            "Country": client.place.country,
        }
    }
    if step.day.month % 2:
        contact["Email"] = f"invoices.{step.day:%Y%m}@client{client.key:03d}.example"
    changed: Json = {"CustomerID": life.customers[step.about], "MainContact": contact}
    life.erp.enter("Customer", changed)
    life.tally.counts["edits"] += 1


def issue(life: Life, step: Step) -> None:
    """A clerk enters an invoice and releases it; raises CannotGoOn when it is not open then."""
    invoice = life.year.invoices[step.about]
    customer = life.customers[invoice.client]
    currency = life.year.clients[invoice.client].currency
    saved = life.erp.enter("Invoice", invoice_body(invoice, customer), release=True)
    if saved["Status"] != "Open":
        raise CannotGoOn(f"Invoice {saved['ReferenceNbr']} is {saved['Status']}, not Open.")
    total = in_minor(saved["Amount"], currency)
    life.issued[step.about] = Issued(f"Invoice|{saved['ReferenceNbr']}", customer, currency, total)
    life.left[step.about] = total
    life.tally.add("invoices", "invoiced", currency, total)


def check(life: Life, step: Step) -> None:
    """A check over a share is recorded and applied, once the buyer has been asked."""
    _paid_at_home(life, step, "CHECK")
    life.tally.counts["checks"] += 1


def wire(life: Life, step: Step) -> None:
    """A wire over a share is recorded and applied."""
    _paid_at_home(life, step, "WIRE")
    life.tally.counts["wires"] += 1


def _paid_at_home(life: Life, step: Step, method: str) -> None:
    life.sent(step.about)
    issued, amount = life.issued[step.about], life.share_of(step.about, step.share)
    paid = Decimal(as_text(amount, issued.currency))
    applied = {"DocType": "Invoice", "ReferenceNbr": issued.number, "AmountPaid": paid}
    body: Json = {
        "Type": "Payment",
        "CustomerID": issued.customer,
        "PaymentMethod": method,
        "CashAccount": BANKS[issued.currency],
        "PaymentRef": f"{method} {issued.number}",
        "PaymentAmount": paid,
        "ApplicationDate": step.day,
        "Hold": False,
        "DocumentsToApply": [applied],
    }
    life.erp.enter("Payment", body, release=True)
    life.left[step.about] -= amount
    life.tally.money[issued.currency, "checked"] += amount


def void_ours(life: Life, step: Step) -> None:
    """An accountant voids the connector's payment of the month before, where one is released."""
    posted = life.stage.clerk.payment_of(life.charged[step.about].charge)
    if posted is not None:
        life.stage.clerk.void_payment(str(posted["ReferenceNbr"]))
        life.tally.counts["voided_ours"] += 1
        converted = life.charged[step.about].currency == CONVERTED
        life.tally.counts["voided_converted"] += converted


def credit(life: Life, step: Step) -> None:
    """A credit memo over a share is released and applied."""
    life.sent(step.about)
    issued, amount = life.issued[step.about], life.share_of(step.about, step.share)
    owed = Invoice(issued.ref, issued.customer, issued.currency)
    life.stage.clerk.credit_memo(owed, as_text(amount, issued.currency))
    life.left[step.about] -= amount
    life.tally.add("credit_memos", "credited", issued.currency, amount)


def release_what_waits(life: Life) -> int:
    """An accountant releases every balanced document; how many there were."""
    found = [(paper, one) for paper in _PAPERS for one in life.stage.clerk.documents(paper.shown)]
    waiting = [(paper, one) for paper, one in found if one.get("Status") == "Balanced"]
    for paper, one in waiting:
        life.stage.clerk.release(paper.form, {key: one[key] for key in paper.keys})
    return len(waiting)
