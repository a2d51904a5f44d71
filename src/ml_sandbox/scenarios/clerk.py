"""The clerk at the ERP's forms: writes, releases, applies, voids, and reads what stands there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ml_sandbox.month.sandboxes import ControlPlane, Erp, Json

_IN_THE_LEDGER = frozenset(("Open", "Closed", "Posted", "Unposted"))


@dataclass(frozen=True, slots=True)
class Invoice:
    """A sales invoice as it stands in the ERP; `ref` is its type and number."""

    ref: str
    customer: str
    currency: str

    @property
    def number(self) -> str:
        """The reference number."""
        return self.ref.partition("|")[2]


class Clerk:
    """Entries are not counted as API calls; every refusal raises CannotGoOn."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._form = Erp(control)

    def customer(self, name: str, currency: str = "USD", **facts: object) -> str:
        """A new customer; its id."""
        contact = {"Email": f"{name.lower()}@example.com"}
        body: Json = {"CustomerName": name, "CurrencyID": currency, "MainContact": contact}
        return str(self._form.enter("Customer", body | facts)["CustomerID"])

    def invoice(
        self, prices: Sequence[str], customer: str, currency: str, day: datetime, facts: Json
    ) -> Invoice:
        """A released invoice with a line for each price, exempt from tax unless told otherwise."""
        lines = [_line(text, number) for number, text in enumerate(prices, start=1)]
        body: Json = {"Type": "Invoice", "Customer": customer, "Hold": False}
        body |= {"Date": day.date(), "Details": lines} | facts
        made = self._form.enter("Invoice", body, release=True)
        return Invoice(f"{made['Type']}|{made['ReferenceNbr']}", customer, currency)

    def check(self, invoice: Invoice, amount: str) -> str:
        """The customer pays by check, recorded and applied in the ERP; the payment's number."""
        body = {
            "Type": "Payment",
            "CustomerID": invoice.customer,
            "PaymentMethod": "CHECK",
            "CashAccount": "10200WH",
            "PaymentRef": f"CHECK {invoice.number}",
            "PaymentAmount": Decimal(amount),
            "ApplicationDate": self._form.now().date(),
            "Hold": False,
            "DocumentsToApply": [_applied(invoice, amount)],
        }
        return str(self._form.enter("Payment", body, release=True)["ReferenceNbr"])

    def credit_memo(self, invoice: Invoice, amount: str) -> None:
        """A credit memo for a part of an invoice, released and applied to it."""
        day = self._form.now()
        facts = {"Type": "Credit Memo"}
        memo = self.invoice((amount,), invoice.customer, invoice.currency, day, facts)
        body = {"Type": "Credit Memo", "ReferenceNbr": memo.number, "CustomerID": invoice.customer}
        body |= {"DocumentsToApply": [_applied(invoice, amount)]}
        self._form.enter("Payment", body, release=True)

    def void_payment(self, number: str) -> None:
        """Voids a released payment: what it paid is owed again."""
        asked = {"Type": "Payment", "ReferenceNbr": number}
        self._act("Payment", asked, "voidcheck")
        self._act("Payment", {"Type": "Voided Payment", "ReferenceNbr": number}, "release")

    def release(self, form: str, keys: Json) -> None:
        """Releases a document that waits for it."""
        self._act(form, keys, "release")

    def opening_balance(self, amount: str, day: datetime) -> None:
        """What Stripe held on the day of the beginning, entered in the clearing account."""
        lines = [
            {"Account": "10650", "DebitAmount": Decimal(amount)},
            {"Account": "81000", "CreditAmount": Decimal(amount)},
        ]
        common = {"Subaccount": "000000", "BranchID": "HEADOFFICE"}
        body: Json = {"LedgerID": "ACTUAL", "TransactionDate": day.date(), "CurrencyID": "USD"}
        body |= {"Description": "Opening balance of the clearing account", "Hold": False}
        body |= {"Details": [common | line for line in lines], "BranchID": "HEADOFFICE"}
        self._form.enter("JournalTransaction", body, release=True)

    def period(self, code: str, *, closed: bool) -> None:
        """Closes or opens a period (`102026`) for receivables, cash and the ledger."""
        for module in ("AR", "CA", "GL"):
            self._control.post("periods", {"period": code, "module": module, "closed": closed})

    def payment_of(self, charge: str) -> Json | None:
        """The released payment that carries a charge, values by name."""
        for one in self.documents("Payment"):
            if one.get("PaymentRef") == charge and one.get("Status") in _IN_THE_LEDGER:
                return one
        return None

    def journals(self, beginning: str) -> int:
        """How many journals in the ledger begin with these words."""
        return sum(
            str(one.get("Description")).startswith(beginning)
            and one.get("Status") in _IN_THE_LEDGER
            for one in self.documents("JournalTransaction")
        )

    def documents(self, kind: str) -> list[Json]:
        """Every document of a type, its own values by name."""
        return [_values(one) for one in self._control.get(f"documents?type={kind}")]

    def balance(self, account: str, currency: str = "USD") -> Decimal:
        """What an account of the ledger holds in a currency."""
        rows: list[Json] = self._control.get("ledger")["rows"]
        mine = [row for row in rows if (row["account"], row["currency"]) == (account, currency)]
        return sum((Decimal(str(row["balance"])) for row in mine), Decimal(0))

    def _act(self, entity: str, body: Json, action: str) -> None:
        wrapped = {name: {"value": value} for name, value in body.items()}
        self._control.post("write", {"entity": entity, "body": wrapped, "action": action})


def _line(price: str, number: int) -> Json:
    return {
        "TransactionDescription": f"Service {number}",
        "Account": "40000",
        "Qty": 1,
        "UnitPrice": Decimal(price),
        "TaxCategory": "EXEMPT",
    }


def _applied(invoice: Invoice, amount: str) -> Json:
    return {
        "DocType": "Invoice",
        "ReferenceNbr": invoice.number,
        "AmountPaid": Decimal(amount),
    }


def _values(record: dict[str, Any]) -> Json:
    return {
        name: value["value"]
        for name, value in record.items()
        if isinstance(value, dict) and "value" in value
    }
