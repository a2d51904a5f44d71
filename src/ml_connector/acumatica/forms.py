"""What all forms share: where a record is, how lists are read, how documents are released."""

import asyncio
from collections.abc import Awaitable, Callable

from ml_connector.acumatica import wire
from ml_connector.acumatica.calls import Endpoint, write
from ml_connector.acumatica.errors import Call, Missing, NotReleasable
from ml_connector.acumatica.fields import text
from ml_connector.acumatica.queries import addressable, keys_of, quoted
from ml_connector.acumatica.session import Session
from ml_connector.acumatica.tenant import TenantForms
from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.ids import ErpRef, erp_keys

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


class Forms:
    """The forms of one tenant through one endpoint version and one signed-in session."""

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
        self.ledger = ledger
        self._base = ""

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
        call = write(entity, f"the release of {ref}", ref)
        keys = dict(zip(KEYS[entity], erp_keys(ref), strict=True))
        try:
            await self._endpoint.act(call, action, keys)
        except NotReleasable:
            status = {"$select": ",".join((*KEYS[entity], "Status"))}
            found = await self._one(entity, ref, wire.ChangedWire, status)
            if text(found.status) not in released:
                raise
