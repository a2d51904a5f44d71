"""What the connector asks of Acumatica, in neutral terms; each method says what it costs."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ml_connector.acumatica import translate, wire
from ml_connector.acumatica.calls import write
from ml_connector.acumatica.changes import every_change
from ml_connector.acumatica.documents import (
    Changed,
)
from ml_connector.acumatica.errors import NotTaken
from ml_connector.acumatica.fields import Field, decode, sent, text
from ml_connector.acumatica.forms import KEYS
from ml_connector.acumatica.journals import Journals
from ml_connector.acumatica.ledger_forms import LedgerForms
from ml_connector.acumatica.memo_forms import Memos
from ml_connector.acumatica.payments import Payments
from ml_connector.acumatica.queries import moment
from ml_connector.acumatica.versions import Site, check_offered
from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.books.records import ErpCustomer, ErpInvoice
from ml_connector.http.transport import Timeouts

Polled = Literal["Customer", "Invoice", "Payment", "JournalTransaction"]
InvoiceView = Literal["Invoice", "SalesInvoice"]

ALSO_SHOWN = {"Invoice": ("Balance", "DueDate"), "JournalTransaction": ("Description",)}
"""What a list of changes shows beside keys, status and stamp."""

NEEDED = ("Customer", "Invoice", "Payment", "JournalTransaction")
CONTACTS = "MainContact,MainContact/Address,BillingContact,BillingContact/Address"
PAGE_SIZE = 500

TIMEOUTS = Timeouts(read=300.0)
"""For the transport: a queued request may be answered minutes later, and that is an answer."""


class AcumaticaClient(Payments, Memos, Journals, LedgerForms):
    """One Acumatica tenant through one endpoint version and one signed-in session.

    A posting is four calls: put, release, one question for its end, read back. Raises the family
    of `basics.errors`; a record that is not there raises `Missing`.
    """

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

    async def write_plain(self, ref: ErpRef, form: InvoiceView, name: str, value: str) -> None:
        """Fills a field of the form's contract: two calls. Saying it twice does no harm.

        The document is looked up first, as a write by keys that the form does not show would make
        a new one. Raises AskAPerson when the answer says that the field was not taken: Acumatica
        ignores unknown names, and fields that are closed, without a word.
        """
        found = await self._one(form, ref, wire.InvoiceTextWire)
        body = {"id": found.id, name: sent(value)}
        call = write(form, f"the payment link of {ref}", ref)
        answer = await self._endpoint.put(call, body, dict[str, msgspec.Raw])
        told = decode(bytes(answer.get(name, b"{}")), Field[object])
        if told.value != value:
            raise NotTaken(ref, name)

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
        call = write("Invoice", f"the payment link of {ref}", ref)
        await self._endpoint.put(call, body, wire.InvoiceTextWire)

    def changed(
        self, entity: Polled, since: datetime, top: int = PAGE_SIZE
    ) -> AsyncIterator[Changed]:
        """The records changed at `since` or later, keys only, in no promised order.

        An invoice's balance and due date and a journal's description come along: what is level, or
        not ours, needs no call of its own. Of journals only those of the general ledger are listed.
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
