"""What the connector asks of Acumatica, in neutral terms; each method says what it costs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from ml_connector.acumatica import corrections, inquiries, memos, translate, wire
from ml_connector.acumatica.calendar import calendar
from ml_connector.acumatica.calls import Endpoint
from ml_connector.acumatica.calls import made as _made
from ml_connector.acumatica.calls import write as _write
from ml_connector.acumatica.changes import every_change
from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    Changed,
    ErpDocument,
    ErpJournal,
    ErpMemo,
    ErpPayment,
    voided,
)
from ml_connector.acumatica.errors import Call, Missing, NotReleasable
from ml_connector.acumatica.fields import Field, held, number, sent, text
from ml_connector.acumatica.queries import addressable, keys_of, moment, quoted
from ml_connector.acumatica.session import Session
from ml_connector.acumatica.tenant import TenantForms
from ml_connector.acumatica.versions import EndpointVersion, Site, check_offered
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.calendar import Calendar
from ml_connector.books.drift import Movement
from ml_connector.books.postings import ArPayment, ArRefund, CreditMemo, Journal
from ml_connector.books.records import ErpCustomer, ErpInvoice
from ml_connector.books.tenant import ErpAccount, ErpPaymentMethod
from ml_connector.http.transport import Timeouts

Polled = Literal["Customer", "Invoice", "Payment"]
InvoiceView = Literal["Invoice", "SalesInvoice"]

KEYS: dict[str, tuple[str, ...]] = {
    "Customer": ("CustomerID",),
    "Invoice": ("Type", "ReferenceNbr"),
    "SalesInvoice": ("Type", "ReferenceNbr"),
    "Payment": ("Type", "ReferenceNbr"),
    "JournalTransaction": ("Module", "BatchNbr"),
    "PaymentMethod": ("PaymentMethodID",),
    "Account": ("AccountCD",),
    "Ledger": ("LedgerID",),
}
"""The key fields of each form, in its order."""

NEEDED = ("Customer", "Invoice", "Payment", "JournalTransaction")
CONTACTS = "MainContact,MainContact/Address,BillingContact,BillingContact/Address"
PAGE_SIZE = 500

TIMEOUTS = Timeouts(read=300.0)
"""For the transport: a queued request may be answered minutes later, and that is an answer."""


class AcumaticaClient:
    """One Acumatica tenant through one endpoint version and one signed-in session.

    A posting is four calls: put, release, one question for its end, read back. Raises the family
    of `basics.errors`; a record that is not there raises `Missing`.
    """

    def __init__(
        self,
        url: str,
        endpoint: str,
        session: Session,
        *,
        ledger: str = "ACTUAL",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.version = EndpointVersion.parse(endpoint)
        self._session = session
        self._endpoint = Endpoint(url, self.version, session, sleep=sleep)
        self.tenant = TenantForms(self._endpoint)
        self._ledger = ledger
        self._base = ""

    async def endpoints(self) -> Site:
        """The site's build and the endpoints that it offers."""
        return await self._endpoint.site()

    async def check(self, entities: Sequence[str] = NEEDED) -> Site:
        """Proves address, version, sign-in and the rights to each form; one call and one each.

        Raises Misconfigured with the sentence and the remedy.
        """
        site = await self.endpoints()
        check_offered(site, self.version)
        for entity in entities:
            query = {"$select": KEYS[entity][0], "$top": "1"}
            await self._rows(entity, f"a list of {entity}", wire.ChangedWire, query)
        return site

    async def aclose(self) -> None:
        """Ends the session where that is due."""
        await self._session.aclose()

    # -- customers and invoices

    async def customer(self, customer_id: str, opt_out: str = "") -> ErpCustomer:
        """A customer with both contacts, and the attribute `opt_out` if one is named: one call."""
        query = {"$expand": f"{CONTACTS},Attributes" if opt_out else CONTACTS}
        found = await self._one("Customer", ErpRef(customer_id), wire.CustomerWire, query)
        return translate.customer(found, opt_out)

    async def invoice(self, ref: ErpRef, source: InvoiceView = "Invoice") -> ErpInvoice:
        """An AR document with lines, taxes and currency, through either view: one call.

        `modified` is `fields.NEVER` where the version's sales view does not tell it.
        """
        if source == "SalesInvoice":
            query = {"$expand": "Details,TaxDetails,DiscountDetails,FinancialDetails"}
        else:
            expand = "Details,TaxDetails,DiscountDetails,ApplicationsDefault"
            query = {"$expand": expand, "$custom": "Document.CuryID"}
        return translate.invoice(await self._one(source, ref, wire.InvoiceWire, query))

    async def note(self, ref: ErpRef) -> str:
        """What people wrote on an AR document: one call."""
        query = {"$select": "Type,ReferenceNbr"}
        found = await self._one("Invoice", ref, wire.InvoiceTextWire, query)
        return "" if found.note is None else text(found.note)

    async def write_note(self, ref: ErpRef, note: str) -> None:
        """Replaces the note of an AR document: one call. Saying it twice does no harm."""
        await self._write_text(ref, note=sent(note))

    async def write_field(self, ref: ErpRef, place: str, value: str) -> None:
        """Fills a field of the form that no contract shows, by `View.Field`: one call."""
        view, _, name = place.partition(".")
        await self._write_text(ref, custom={view: {name: sent(value)}})

    async def _write_text(
        self,
        ref: ErpRef,
        *,
        note: Field[str] | None = None,
        custom: dict[str, dict[str, Field[str]]] | None = None,
    ) -> None:
        kind, reference = erp_keys(ref)
        body = wire.InvoiceTextWire(
            type=sent(kind), reference_nbr=sent(reference), note=note, custom=custom or {}
        )
        call = _write("Invoice", f"the payment link of {ref}", ref)
        await self._endpoint.put(call, body, wire.InvoiceTextWire)

    def changed(
        self, entity: Polled, since: datetime, top: int = PAGE_SIZE
    ) -> AsyncIterator[Changed]:
        """The records changed at `since` or later, keys only, in no promised order.

        An invoice's balance comes along: what is level needs no call of its own.
        """
        keys = KEYS[entity]
        shown = (*keys, "Status", *(("Balance",) if entity == "Invoice" else ()))
        fixed = {
            "$filter": f"LastModifiedDateTime ge {moment(since)}",
            "$select": ",".join((*shown, "LastModifiedDateTime")),
            "$orderby": ",".join(keys),
        }

        async def fetch(limit: int | None, skip: int) -> list[Changed]:
            page = {"$top": str(limit)} if limit is not None else {}
            if skip:
                page["$skip"] = str(skip)
            what = f"the changes of {entity}"
            rows = await self._rows(entity, what, wire.ChangedWire, {**fixed, **page})
            return [translate.changed(row) for row in rows]

        return every_change(fetch, top)

    # -- payments

    async def put_payment(self, payment: ArPayment) -> ErpDocument:
        """Creates a payment with its applications, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_payments` before any new try.
        """
        call = _write("Payment", f"the payment {payment.payment_ref}", payment.payment_ref)
        body = translate.payment_body(payment, self.version)
        record = await self._endpoint.put(call, body, wire.PaymentWire)
        return _made(call, translate.payment_document, record)

    async def apply_payment(self, ref: ErpRef, payment: ArPayment) -> None:
        """Adds the applications to a payment that took none when it was made: one call.

        Some sites honour them only in a second request (fact 6.5). Saying it twice does no harm.
        """
        call = _write("Payment", f"the applications of {payment.payment_ref}", payment.payment_ref)
        body = translate.applications_body(payment, ref)
        await self._endpoint.put(call, body, wire.PaymentWire)

    async def correct_payment(self, ref: ErpRef, payment: ArPayment) -> None:
        """Gives a payment before its release another date, and less to settle: one call."""
        call = _write("Payment", f"the correction of {payment.payment_ref}", payment.payment_ref)
        body = corrections.payment_body(payment, ref)
        await self._endpoint.put(call, body, wire.PaymentWire)

    async def release_payment(self, ref: ErpRef) -> None:
        """Puts a payment into the ledger; two calls when the learned wait fits.

        A payment that is in the ledger already is fine: its status is then looked up.
        """
        await self._release("Payment", "ReleasePayment", ref, PAYMENT_RELEASED)

    async def void_payment(self, ref: ErpRef) -> ErpRef:
        """Begins to undo a released payment; two calls when the learned wait fits.

        Returns the voiding document, which takes effect only by `release_payment` of it.
        """
        call = _write("Payment", f"the voiding of {ref}", ref)
        kind, reference = erp_keys(ref)
        await self._endpoint.act(call, "VoidPayment", {"Type": kind, "ReferenceNbr": reference})
        return erp_ref(voided(kind), reference)

    async def payment(self, which: ErpRef | str) -> ErpPayment:
        """A payment with everything it settles and its charges, by keys or id: one call."""
        charges = ",Charges" if self.version.supports("Payment.Charges") else ""
        query = {"$expand": f"DocumentsToApply,ApplicationHistory{charges}"}
        return translate.payment(await self._one("Payment", ErpRef(which), wire.PaymentWire, query))

    async def find_payments(self, payment_ref: str) -> list[ErpDocument]:
        """Every payment document with this reference, voided ones too: one call.

        The database may ignore case, Stripe's ids do not: only exact matches count.
        """
        query = {
            "$filter": f"PaymentRef eq {quoted(payment_ref)}",
            "$select": "Type,ReferenceNbr,Status,PaymentRef",
        }
        what = f"the payments with reference {payment_ref}"
        rows = await self._rows("Payment", what, wire.PaymentWire, query)
        exact = [row for row in rows if text(row.payment_ref) == payment_ref]
        return [translate.payment_document(row) for row in exact]

    async def payments_bearing(self, *references: str) -> list[ErpDocument]:
        """Every payment document with one of these in either reference: one call.

        The database may ignore case, Stripe's ids do not: only exact matches count.
        """
        fields = ["PaymentRef"]
        if self.version.supports("Payment.ExternalRef"):
            fields.append("ExternalRef")
        terms = [f"{name} eq {quoted(one)}" for name in fields for one in references]
        query = {
            "$filter": " or ".join(terms),
            "$select": ",".join(("Type", "ReferenceNbr", "Status", *fields)),
        }
        what = f"the payments that bear {references[0]}"
        rows = await self._rows("Payment", what, wire.PaymentWire, query)
        return [
            translate.payment_document(row)
            for row in rows
            if {text(row.payment_ref), text(row.external_ref)}.intersection(references)
        ]

    async def voided_payments(self, method: str) -> list[ErpDocument]:
        """Every payment and refund by this method that was voided, by anyone: one call."""
        query = {
            "$filter": f"(Type eq 'Payment' or Type eq '{memos.REFUND}') and Status eq 'Voided'"
            f" and PaymentMethod eq {quoted(method)}",
            "$select": "Type,ReferenceNbr,Status,PaymentRef",
        }
        rows = await self._rows("Payment", "the voided payments", wire.PaymentWire, query)
        return [translate.payment_document(row) for row in rows]

    # -- refunds

    async def put_memo(self, memo: CreditMemo) -> ErpDocument:
        """Creates a credit memo, not released; its answer tells what it is of: one call.

        Raises OutcomeUnknown when no answer came: look with `find_memos` before any new try.
        """
        call = _write("Invoice", f"the credit memo of {memo.order}", memo.order)
        body = memos.memo_body(memo, self.version)
        record = await self._endpoint.put(call, body, wire.InvoiceWire, memos.SHOWN)
        return _made(call, memos.memo_document, record)

    async def release_memo(self, ref: ErpRef) -> None:
        """Puts a credit memo into the ledger; two calls when the learned wait fits."""
        await self._release("Invoice", "ReleaseInvoice", ref, MEMO_RELEASED)

    async def memo(self, ref: ErpRef) -> ErpMemo:
        """A credit memo with its lines: one call."""
        return memos.memo(await self._one("Invoice", ref, wire.InvoiceWire, memos.SHOWN))

    async def find_memos(self, order: str) -> list[ErpDocument]:
        """Every credit memo with this customer order: one call. Only exact matches count."""
        query = {
            "$filter": f"Type eq '{memos.CREDIT_MEMO}' and CustomerOrder eq {quoted(order)}",
            "$select": "Type,ReferenceNbr,Status,CustomerOrder",
        }
        rows = await self._rows("Invoice", f"the memos of {order}", wire.InvoiceWire, query)
        return [memos.memo_document(row) for row in rows if text(row.customer_order) == order]

    async def put_refund(
        self, refund: ArRefund, memo: ErpRef, label: str = memos.REFUND
    ) -> ErpDocument:
        """Creates a refund that pays a memo out, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_payments` before any new try.
        """
        call = _write("Payment", f"the refund {refund.payment_ref}", refund.payment_ref)
        body = memos.refund_body(refund, memo, self.version, label)
        record = await self._endpoint.put(call, body, wire.PaymentWire)
        return _made(call, translate.payment_document, record)

    async def apply_refund(self, ref: ErpRef, refund: ArRefund, memo: ErpRef) -> None:
        """Names the memo to a refund that took none when it was made: one call."""
        call = _write("Payment", f"the memo of {refund.payment_ref}", refund.payment_ref)
        body = memos.paid_out_body(ref, refund, memo)
        await self._endpoint.put(call, body, wire.PaymentWire)

    # -- journals

    async def put_journal(self, journal: Journal, tag: str) -> ErpDocument:
        """Creates a batch that carries `tag`, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_journals` before any new try.
        """
        call = _write("JournalTransaction", f"the journal {tag}", tag)
        body = translate.journal_body(journal, tag, self._ledger)
        record = await self._endpoint.put(call, body, wire.JournalWire)
        return _made(call, translate.journal_document, record)

    async def correct_journal(self, ref: ErpRef, journal: Journal, tag: str) -> None:
        """Gives a batch before its release another date: one call."""
        call = _write("JournalTransaction", f"the date of the journal {tag}", tag)
        body = corrections.journal_body(journal, ref, tag)
        await self._endpoint.put(call, body, wire.JournalWire)

    async def release_journal(self, ref: ErpRef) -> None:
        """Puts a batch into the ledger; two calls when the learned wait fits."""
        action = "ReleaseJournalTransaction"
        await self._release("JournalTransaction", action, ref, JOURNAL_RELEASED)

    async def journal(self, which: ErpRef | str) -> ErpJournal:
        """A batch with its lines, by keys or id: one call."""
        query = {"$expand": "Details"}
        return translate.journal(
            await self._one("JournalTransaction", ErpRef(which), wire.JournalWire, query)
        )

    async def find_journals(self, tag: str) -> list[ErpDocument]:
        """Every general-ledger batch whose description carries `tag`: one call."""
        query = {
            "$filter": f"Module eq 'GL' and substringof({quoted(tag)},Description)",
            "$select": "Module,BatchNbr,Status,Description",
        }
        what = f"the journals with mark {tag}"
        rows = await self._rows("JournalTransaction", what, wire.JournalWire, query)
        return [translate.journal_document(row) for row in rows if tag in text(row.description)]

    # -- set-up

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
        asked = wire.SummaryWire(ledger=sent(self._ledger), period=sent(period.replace("-", "")))
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

    async def movements(self, account: str, currency: str, period: str) -> list[Movement]:
        """Every posted line of an account in a period (`MMYYYY`): one call.

        Raises AskAPerson where a line is kept neither in `currency` nor in a ledger of it.
        """
        rows = await inquiries.lines_of(
            self._endpoint, self._ledger, account, first=period, last=period
        )
        foreign = [row for row in rows if text(row.currency) != currency]
        if foreign and await self.ledger_currency() != currency:
            raise other_currency(account, currency)
        return [inquiries.movement(row, currency) for row in rows]

    async def ledger_currency(self) -> str:
        """The currency that the ledger is kept in: one call, then remembered."""
        if not self._base:
            ledger = await self._one("Ledger", ErpRef(self._ledger), wire.LedgerWire)
            self._base = held(ledger.currency, "Currency").strip()
        return self._base

    async def periods(self) -> Calendar:
        """The financial periods of every generated year: one call."""
        what = "the financial periods"
        query = {"$expand": "Details"}
        return calendar(await self._rows("FinancialPeriod", what, wire.FinancialYearWire, query))

    # -- shared

    async def _one(
        self, entity: str, ref: ErpRef, kind: type[wire.R], query: dict[str, str] | None = None
    ) -> wire.R:
        call = Call(entity, f"{entity} {ref}", writes=False, resource=ref)
        return await self._endpoint.get(call, await self._place(entity, ref), kind, query)

    async def _place(self, entity: str, ref: ErpRef) -> str:
        """Where a record is; one whose keys hold a slash is found by its id (one more call)."""
        if addressable(ref):
            return f"{entity}/{keys_of(ref)}"
        terms = zip(KEYS[entity], erp_keys(ref), strict=True)
        query = {
            "$filter": " and ".join(f"{name} eq {quoted(key)}" for name, key in terms),
            "$select": KEYS[entity][0],
        }
        rows = await self._rows(entity, f"{entity} {ref}", wire.ChangedWire, query)
        if not rows:
            raise Missing(
                f"Acumatica has no {entity} {ref}.", cause=f"acumatica.not_found:{entity}"
            )
        return f"{entity}/{rows[0].id}"

    async def _rows(
        self, entity: str, what: str, kind: type[wire.R], query: dict[str, str]
    ) -> list[wire.R]:
        call = Call(entity, what, writes=False)
        return await self._endpoint.get(call, entity, list[kind], query)

    async def _release(
        self, entity: str, action: str, ref: ErpRef, released: frozenset[str]
    ) -> None:
        call = _write(entity, f"the release of {ref}", ref)
        keys = dict(zip(KEYS[entity], erp_keys(ref), strict=True))
        try:
            await self._endpoint.act(call, action, keys)
        except NotReleasable:
            status = {"$select": ",".join((*KEYS[entity], "Status"))}
            found = await self._one(entity, ref, wire.ChangedWire, status)
            if text(found.status) not in released:
                raise


def other_currency(account: str, currency: str) -> AskAPerson:
    """An account whose amounts are not known in a currency."""
    return AskAPerson(
        f"Account {account} is not kept in {currency}, so its balance is not known in it.",
        cause=f"acumatica.account_currency:{account}",
        remedy=f"Map an account that is kept in {currency}.",
    )
