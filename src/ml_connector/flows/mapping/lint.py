"""The lint: a mapping beside the live tenant, one call for each list; nothing is written."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from ml_connector.acumatica.errors import Missing
from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import ConnectorError
from ml_connector.books.finding import Finding
from ml_connector.books.link_place import is_plain
from ml_connector.books.lint import findings
from ml_connector.books.tenant import ErpPaymentMethod, ErpTaxCategory, Tenant
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.left_behind import in_force, standing_in
from ml_connector.flows.mapping.mapping_text import mapping_of
from ml_connector.store import connections, mapping, postings

T = TypeVar("T")


async def lint(c: Connected) -> list[Finding]:
    """What does not fit between the connection's mapping and its tenant.

    Raises when the tenant cannot be asked at all.
    """
    return findings(c.mapping, await read_tenant(c))


@dataclass(slots=True)
class _Reader:
    """Reads what may be missing on some sites, and keeps why it was not told."""

    unread: dict[str, str] = field(default_factory=dict[str, str])

    async def optional(self, what: str, read: Awaitable[T]) -> T | None:
        try:
            return await read
        except ConnectorError as error:
            self.unread[what] = error.sentence
            return None


async def read_tenant(c: Connected) -> Tenant:
    """The tenant's lists, ten calls at most."""
    forms, reader = c.acumatica.tenant, _Reader()
    accounts = await forms.accounts()
    method = await _method(c)
    branches = await reader.optional("branch", forms.branches())
    code = c.mapping.subaccount
    async with c.store.transaction() as tx:
        replaced = await in_force(tx, c.id, c.record.time_zone)
        holds = {} if replaced is None else await standing_in(tx, c.id, replaced)
    return Tenant(
        today=day_in(c.clock.now(), c.mapping.zone),
        accounts={one.account: one for one in accounts},
        method=method,
        ledger_currency=await reader.optional("ledger", c.acumatica.ledger_currency()),
        branches=None if branches is None else {one.branch: one for one in branches},
        subaccounts=await reader.optional("subaccount", forms.subaccounts(code)) if code else None,
        periods=await reader.optional("period", forms.periods()),
        unread=reader.unread,
        elsewhere=await _elsewhere(c),
        link_fields=await _link_fields(c, reader),
        in_force=replaced,
        standing=holds,
        tax_categories=await _tax_categories(c, reader),
        entry_types=await _entry_types(c),
    )


async def _method(c: Connected) -> ErpPaymentMethod | None:
    try:
        return await c.acumatica.payment_method(c.mapping.payment_method)
    except Missing:
        return None


async def _link_fields(c: Connected, reader: _Reader) -> frozenset[str] | None:
    chosen = c.mapping.mirror
    if not is_plain(chosen.write_link):
        return None
    read = c.acumatica.tenant.fields(chosen.source)
    return await reader.optional("mirror.write_link", read)


async def _tax_categories(c: Connected, reader: _Reader) -> list[ErpTaxCategory] | None:
    name = c.mapping.refunds_tax_category
    if not name:
        return None
    return await reader.optional("refunds_tax_category", c.acumatica.tenant.tax_categories(name))


async def _entry_types(c: Connected) -> frozenset[str]:
    """Those of the mapping that Acumatica has taken on a payment before; no call."""
    names = sorted(set(c.mapping.entry_types.values()))
    async with c.store.transaction() as tx:
        return frozenset([one for one in names if await postings.charged_with(tx, c.id, one)])


async def _elsewhere(c: Connected) -> dict[str, str]:
    """The clearing cash accounts of the other connections to the same tenant."""
    found: dict[str, str] = {}
    mine = c.record.acumatica
    async with c.store.transaction() as tx:
        for other in await connections.every(tx):
            theirs = other.acumatica
            same = (theirs.url, theirs.tenant) == (mine.url, mine.tenant)
            version = await mapping.current(tx, other.id) if same and other.id != c.id else None
            if version is not None:
                books = mapping_of(version.body, version.version, other.time_zone)
                found |= dict.fromkeys(
                    (one.clearing_cash for one in books.currencies.values()), other.id
                )
    return found
