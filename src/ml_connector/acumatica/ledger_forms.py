"""What the ledger and the set-up forms tell: accounts, balances, lines, periods."""

from datetime import datetime
from decimal import Decimal
from itertools import count

from ml_connector.acumatica import inquiries, ledger, translate, wire
from ml_connector.acumatica.calendar import calendar
from ml_connector.acumatica.documents import (
    LedgerLine,
    QuotedPayment,
    Settled,
)
from ml_connector.acumatica.errors import Call
from ml_connector.acumatica.fields import held, number, sent, text
from ml_connector.acumatica.forms import Forms
from ml_connector.acumatica.queries import moment
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money
from ml_connector.books.calendar import Calendar
from ml_connector.books.drift import Movement
from ml_connector.books.tenant import ErpAccount, ErpPaymentMethod

SETTLED_AT_ONCE = 500
APPLIED = ",".join(f"ApplicationsDefault/{x}" for x in ("DocType", "ReferenceNbr", "AmountPaid"))


class LedgerForms(Forms):
    """The accounts, what stands on them, and the calendar."""

    async def payment_method(self, method: str) -> ErpPaymentMethod:
        """A payment method with the cash accounts that it may use: one call."""
        query = {"$expand": "AllowedCashAccounts"}
        return translate.payment_method(
            await self._one("PaymentMethod", ErpRef(method), wire.PaymentMethodWire, query)
        )

    async def account(self, account: str) -> ErpAccount:
        """A general-ledger account: one call."""
        return translate.account(await self._one("Account", ErpRef(account), wire.AccountWire))

    async def account_balance(self, account: str, currency: str, period: str) -> Money:
        """An account's balance at the end of a period (`MMYYYY`), all subaccounts together.

        Rows kept in `currency` count by their own amounts, rows without a currency by the
        ledger's; raises AskAPerson when those are of another currency. One call, and once one
        more for the ledger's currency. Debit balances of asset accounts are positive.
        """
        call = Call("AccountSummaryInquiry", f"the balance of account {account}", writes=False)
        asked = wire.SummaryWire(ledger=sent(self.ledger), period=sent(period.replace("-", "")))
        answer = await self._endpoint.put(call, asked, wire.SummaryWire, {"$expand": "Results"})
        rows = [row for row in answer.results if text(row.account) == account]
        own = [row for row in rows if text(row.currency_id) == currency]
        base = [row for row in rows if not text(row.currency_id)]
        if base and await self.ledger_currency() != currency:
            raise other_currency(account, currency)
        amounts = [
            *(number(row.currency_ending_balance) for row in own),
            *(number(row.ending_balance) for row in base),
        ]
        return Money.of(sum(amounts, Decimal(0)), currency)

    async def movements(
        self, account: str, currency: str, period: str, *, unposted: bool = False
    ) -> list[Movement]:
        """Every posted line of an account in a period (`MMYYYY`): one call.

        By wish those too that are released and not posted yet. Raises AskAPerson where a line is
        kept neither in `currency` nor in a ledger of it.
        """
        found = await inquiries.lines(self._endpoint, self.ledger, period, unposted=unposted)
        rows = [row for row in found if text(row.account) == account]
        foreign = [row for row in rows if text(row.currency) != currency]
        if foreign and await self.ledger_currency() != currency:
            raise other_currency(account, currency)
        return [inquiries.movement(row, currency) for row in rows]

    async def ledger_lines(self, period: str) -> list[LedgerLine]:
        """Every line of the batches released in a period (`MMYYYY`), of all accounts: one call."""
        found = await inquiries.lines(self._endpoint, self.ledger, period, unposted=True)
        return [ledger.line(row) for row in found]

    async def quoted_payments(self, since: datetime) -> list[QuotedPayment]:
        """The payments entered or changed since, whoever did it, with what they quote: one call."""
        shown = ["Type", "ReferenceNbr", "PaymentRef", "Description"]
        if self.version.supports("Payment.ExternalRef"):
            shown.append("ExternalRef")
        query = {
            "$filter": f"LastModifiedDateTime ge {moment(since)}",
            "$select": ",".join(shown),
        }
        rows = await self._rows("Payment", "the payments", wire.PaymentWire, query)
        return [ledger.quoted_payment(row) for row in rows]

    async def settled(self, since: datetime) -> list[Settled]:
        """What payments have settled of the documents changed since: one call for each page.

        Asked from the documents' side: the list of payments does not take their applications.
        Raises where a site does not list these either.
        """
        query = {
            "$filter": f"LastModifiedDateTime ge {moment(since)}",
            "$select": f"Type,ReferenceNbr,{APPLIED}",
            "$expand": "ApplicationsDefault",
            "$top": str(SETTLED_AT_ONCE),
        }
        found: list[Settled] = []
        for skip in count(0, SETTLED_AT_ONCE):
            page = await self._rows(
                "Invoice", "what was settled", wire.InvoiceWire, query | {"$skip": str(skip)}
            )
            found += [one for record in page for one in ledger.settled(record)]
            if len(page) < SETTLED_AT_ONCE:
                break
        return found

    async def ledger_currency(self) -> str:
        """The currency that the ledger is kept in: one call, then remembered."""
        if not self._base:
            ledger = await self._one("Ledger", ErpRef(self.ledger), wire.LedgerWire)
            self._base = held(ledger.currency, "Currency").strip()
        return self._base

    async def periods(self) -> Calendar:
        """The financial periods of every generated year: one call."""
        what = "the financial periods"
        query = {"$expand": "Details"}
        return calendar(await self._rows("FinancialPeriod", what, wire.FinancialYearWire, query))


def other_currency(account: str, currency: str) -> AskAPerson:
    """An account whose amounts are not known in a currency."""
    return AskAPerson(
        f"Account {account} is not kept in {currency}, so its balance is not known in it.",
        cause=f"acumatica.account_currency:{account}",
        remedy=f"Map an account that is kept in {currency}.",
    )
