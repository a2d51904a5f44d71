"""A tenant's own set-up: the lists that a mapping is compared with, a call or two each."""

from typing import TypeVar

import msgspec

from ml_connector.acumatica import translate, wire
from ml_connector.acumatica.calendar import calendar
from ml_connector.acumatica.calls import Endpoint
from ml_connector.acumatica.errors import Call
from ml_connector.acumatica.fields import flag, text
from ml_connector.acumatica.queries import quoted
from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.books.calendar import Calendar
from ml_connector.books.tenant import ErpAccount, ErpBranch, ErpSubaccount, ErpTaxCategory

T = TypeVar("T")

ACCOUNT = "AccountCD,Description,Type,Active,CashAccount,CurrencyID"
BESIDE = "AccountRecords.ControlAccountModule,AccountRecords.AllowManualEntry"
"""Not in the contract; a site may refuse to list it."""


class TenantForms:
    """Reads of set-up forms; raises the family of `basics.errors`.

    Cash accounts, entry types and branches have no entity of their own in the contract.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def accounts(self) -> list[ErpAccount]:
        """The chart of accounts: one call, two where control modules cannot be listed."""
        query = {"$select": ACCOUNT}
        try:
            rows = await self._rows("Account", wire.AccountWire, query | {"$custom": BESIDE})
        except TryAgain:
            raise
        except ConnectorError:
            rows = await self._rows("Account", wire.AccountWire, query)
        return [translate.account(row) for row in rows]

    async def branches(self) -> list[ErpBranch]:
        """Every branch of every company: one call."""
        call = Call("CompaniesStructure", "the list of branches", writes=False)
        asked, query = wire.StructureWire(), {"$expand": "Results"}
        answer = await self._endpoint.put(call, asked, wire.StructureWire, query)
        return [
            ErpBranch(text(row.branch_id), flag(row.branch_status), text(row.base_currency_id))
            for row in answer.results
        ]

    async def subaccounts(self, code: str) -> list[ErpSubaccount]:
        """The subaccount of that code; any other one where there is none: one call, or two."""
        query = {"$select": "SubaccountCD,Active"}
        mine = {"$filter": f"SubaccountCD eq {quoted(code)}"}
        rows = await self._rows("Subaccount", wire.SubaccountWire, query | mine)
        if not rows:
            rows = await self._rows("Subaccount", wire.SubaccountWire, query | {"$top": "1"})
        return [ErpSubaccount(text(row.subaccount_cd), flag(row.active)) for row in rows]

    async def tax_categories(self, name: str) -> list[ErpTaxCategory]:
        """The tax category of that name; empty where there is none: one call."""
        mine = {"$select": "TaxCategoryID,Active", "$filter": f"TaxCategoryID eq {quoted(name)}"}
        rows = await self._rows("TaxCategory", wire.TaxCategoryWire, mine)
        return [ErpTaxCategory(text(row.tax_category_id), flag(row.active)) for row in rows]

    async def periods(self) -> Calendar:
        """The periods of the master calendar, all years: one call."""
        query = {"$expand": "Details"}
        return calendar(await self._rows("FinancialPeriod", wire.FinancialYearWire, query))

    async def fields(self, form: str) -> frozenset[str] | None:
        """The names of a form's fields, as its newest record shows them: one call.

        None when there is no record yet.
        """
        rows = await self._rows(form, dict[str, msgspec.Raw], {"$top": "1"})
        return frozenset(rows[0]) if rows else None

    async def _rows(self, entity: str, kind: type[T], query: dict[str, str]) -> list[T]:
        call = Call(entity, f"the list of {entity}", writes=False)
        return await self._endpoint.get(call, entity, list[kind], query)
