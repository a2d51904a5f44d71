"""What every page of the window needs: the tenant's world, links, amounts as people read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from ml_sandbox.acumatica.clerk import Clerk
from ml_sandbox.acumatica.forms.base import CURRENCY
from ml_sandbox.acumatica.ledger import Batch
from ml_sandbox.acumatica.push import Push
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.wire import Request
from ml_sandbox.acumatica.world import World
from ml_sandbox.page import Content, Html, join, link, panel, table, tag

ROOT = "/_window"
PAGE = 50
LINKS = (
    ((), "Overview"),
    (("customers",), "Customers"),
    (("invoices",), "Invoices"),
    (("payments",), "Payments"),
    (("journals",), "Journals"),
    (("accounts",), "Accounts"),
    (("periods",), "Periods"),
    (("push",), "Push"),
    (("calls",), "Calls"),
    (("switches",), "Switches"),
)


@dataclass(frozen=True, slots=True)
class View:
    """The tenant behind the pages, and the request being answered."""

    site: Site
    push: Push
    clerk: Clerk
    request: Request

    @property
    def world(self) -> World:
        """The tenant's state."""
        return self.site.world

    def place(self, *parts: str, **query: str) -> str:
        """The address of a page; it stays with the tenant."""
        if self.world.tenant != "U100":
            query["tenant"] = self.world.tenant
        path = "/".join([ROOT, *(quote(part, safe="") for part in parts)])
        return f"{path}?{urlencode(query)}" if query else path

    def to(self, record: Record) -> Html:
        """A link to a document, by its number."""
        kind, number = str(record.get("Type")), str(record.get("ReferenceNbr"))
        where = "invoices" if record.entity == "Invoice" else "payments"
        return link(self.place(where, kind, number), number)

    def customer(self, code: object) -> Html:
        """A link to a customer."""
        return link(self.place("customers", str(code)), str(code)) if code else Html()

    def account(self, code: object) -> Html:
        """A link to an account's card."""
        return link(self.place("accounts", str(code)), str(code)) if code else Html()

    def batch(self, module: str, number: str) -> Html:
        """A link to a journal batch."""
        return link(self.place("journals", module, number), f"{module} {number}")

    def batches(self, batches: Iterable[Batch]) -> Html:
        """The GL entries of a document as one table."""
        rows = [
            (
                self.batch(batch.module, batch.number),
                batch.day.isoformat(),
                self.account(line.account),
                line.branch,
                line.description,
                amount(max(line.amount, Decimal(0)), batch.currency, blank=True),
                amount(max(-line.amount, Decimal(0)), batch.currency, blank=True),
            )
            for batch in batches
            for line in batch.lines
        ]
        columns = ("!Batch", "!Date", "Account", "Branch", "Description", "#Debit", "#Credit")
        return panel("In the general ledger", table(columns, rows, empty="Nothing is posted yet."))


def amount(value: Any, currency: str = "", *, blank: bool = False, show: bool = False) -> str:
    """An amount with thousands separated; `blank` leaves zero out, `show` adds the currency."""
    if not isinstance(value, Decimal) or (blank and not value):
        return ""
    places = 0 if currency == "JPY" else 2
    shown = f"{value:,.{places}f}".replace("-", "\N{MINUS SIGN}")
    return f"{shown} {currency}" if show else shown


def day(value: object) -> str:
    """A calendar day, or nothing."""
    return value.isoformat()[:10] if isinstance(value, date) else ""


def moment(value: object) -> str:
    """A moment in UTC to the second."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else ""


def currency_of(record: Record) -> str:
    """A document's currency."""
    return str(record.custom.get(CURRENCY) or record.get("CurrencyID") or "")


def paged(
    view: View, columns: Sequence[str], records: Sequence[Record], row: Any, *where: str
) -> Html:
    """One page of records as a table, with links to the pages before and after."""
    text = view.request.query.get("page", "1")
    number = max(int(text) if text.isdigit() else 1, 1)
    start = (number - 1) * PAGE
    shown = table(columns, [row(each) for each in records[start : start + PAGE]])
    kept = {k: v for k, v in view.request.query.items() if k in {"status", "q"} and v}
    links: list[Content] = []
    if number > 1:
        links.append(link(view.place(*where, **kept, page=str(number - 1)), "Newer"))
    if len(records) > start + PAGE:
        links.append(link(view.place(*where, **kept, page=str(number + 1)), "Older"))
    if len(records) > PAGE:
        links.insert(0, f"{start + 1} to {min(start + PAGE, len(records))} of {len(records)}")
    if not links:
        return shown
    return join([shown, tag("div", *(tag("span", each) for each in links), class_="pages")])
