"""What the connector asks of Acumatica, in neutral terms; each method says what it costs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from ml_connector.acumatica import translate, wire
from ml_connector.acumatica.calls import Endpoint
from ml_connector.acumatica.changes import every_change
from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    PAYMENT_RELEASED,
    Changed,
    ErpAccount,
    ErpDocument,
    ErpJournal,
    ErpPayment,
    ErpPaymentMethod,
)
from ml_connector.acumatica.errors import LOOKS_FIRST, Call, Missing, NotReleasable
from ml_connector.acumatica.fields import held, number, sent, text
from ml_connector.acumatica.queries import addressable, keys_of, moment, quoted
from ml_connector.acumatica.session import Session
from ml_connector.acumatica.versions import EndpointVersion, Site, check_offered
from ml_connector.basics.errors import AskAPerson, Bug, OutcomeUnknown
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import ArPayment, Journal
from ml_connector.books.records import ErpCustomer, ErpInvoice
from ml_connector.http.transport import Timeouts

Polled = Literal["Customer", "Invoice", "Payment", "JournalTransaction"]
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

ALSO_SHOWN = {"Invoice": ("Balance",), "JournalTransaction": ("Description",)}
"""What a list of changes shows beside keys, status and stamp."""

NEEDED = ("Customer", "Invoice", "Payment", "JournalTransaction")
CONTACTS = "MainContact,MainContact/Address,BillingContact,BillingContact/Address"
PAGE_SIZE = 500
VOIDED_PAYMENT = "Voided Payment"

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

    async def customer(self, customer_id: str) -> ErpCustomer:
        """A customer with both contacts: one call."""
        query = {"$expand": CONTACTS}
        return translate.customer(
            await self._one("Customer", ErpRef(customer_id), wire.CustomerWire, query)
        )

    async def invoice(self, ref: ErpRef, source: InvoiceView = "Invoice") -> ErpInvoice:
        """An AR document with lines, taxes and currency, through either view: one call.

        `modified` is `fields.NEVER` where the version's sales view does not tell it.
        """
        if source == "SalesInvoice":
            query = {"$expand": "Details,TaxDetails,FinancialDetails"}
        else:
            expand = "Details,TaxDetails,ApplicationsDefault"
            query = {"$expand": expand, "$custom": "Document.CuryID"}
        return translate.invoice(await self._one(source, ref, wire.InvoiceWire, query))

    def changed(
        self, entity: Polled, since: datetime, top: int = PAGE_SIZE
    ) -> AsyncIterator[Changed]:
        """The records changed at `since` or later, keys only, in no promised order.

        An invoice's balance and a journal's description come along: what is level, or not ours,
        needs no call of its own. Of journals only those of the general ledger are listed.
        """
        keys = KEYS[entity]
        shown = (*keys, "Status", *ALSO_SHOWN.get(entity, ()))
        only = "Module eq 'GL' and " if entity == "JournalTransaction" else ""
        fixed = {
            "$filter": f"{only}LastModifiedDateTime ge {moment(since)}",
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
        return erp_ref(VOIDED_PAYMENT, reference)

    async def payment(self, which: ErpRef | str) -> ErpPayment:
        """A payment with everything it settles, by keys or id: one call."""
        query = {"$expand": "DocumentsToApply,ApplicationHistory"}
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

    # -- journals

    async def put_journal(self, journal: Journal, tag: str) -> ErpDocument:
        """Creates a batch that carries `tag`, not released: one call.

        Raises OutcomeUnknown when no answer came: look with `find_journals` before any new try.
        """
        call = _write("JournalTransaction", f"the journal {tag}", tag)
        body = translate.journal_body(journal, tag, self._ledger)
        record = await self._endpoint.put(call, body, wire.JournalWire)
        return _made(call, translate.journal_document, record)

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
            raise AskAPerson(
                f"Account {account} is not kept in {currency}, so its balance is not known in it.",
                cause=f"acumatica.account_currency:{account}",
                remedy=f"Map an account that is kept in {currency}.",
            )
        amounts = [
            *(number(row.currency_ending_balance) for row in own),
            *(number(row.ending_balance) for row in base),
        ]
        return Money.of(sum(amounts, Decimal(0)), currency)

    async def ledger_currency(self) -> str:
        """The currency that the ledger is kept in: one call, then remembered."""
        if not self._base:
            ledger = await self._one("Ledger", ErpRef(self._ledger), wire.LedgerWire)
            self._base = held(ledger.currency, "Currency").strip()
        return self._base

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


def _made(call: Call, read: Callable[[wire.R], ErpDocument], record: wire.R) -> ErpDocument:
    """The document that a write made; one whose keys were not told has to be looked for."""
    try:
        return read(record)
    except Bug as nameless:
        raise OutcomeUnknown(
            f"Acumatica took {call.what} but did not tell its number.",
            cause="acumatica.outcome_unknown",
            remedy=LOOKS_FIRST,
        ) from nameless


def _write(entity: str, what: str, resource: str) -> Call:
    return Call(entity, what, writes=True, resource=resource)
