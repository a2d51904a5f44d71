"""Records as JSON: wrapped values, expansion, selection, custom fields and links."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from ml_sandbox.acumatica.contract import Endpoint, EntityType
from ml_sandbox.acumatica.errors import bad_query
from ml_sandbox.acumatica.query import custom_value
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Writer
from ml_sandbox.acumatica.wire import Json

_GRAPHS = {
    "Customer": "PX.Objects.AR.CustomerMaint/BAccount",
    "Invoice": "PX.Objects.AR.ARInvoiceEntry/Document",
    "Payment": "PX.Objects.AR.ARPaymentEntry/Document",
    "SalesInvoice": "PX.Objects.SO.SOInvoiceEntry/Document",
    "JournalTransaction": "PX.Objects.GL.JournalEntry/BatchModule",
    "CashTransaction": "PX.Objects.CA.CATranEntry/CAAdjRecords",
    "NonStockItem": "PX.Objects.IN.NonStockItemMaint/Item",
}
NOT_IN_LISTS = frozenset((("Payment", "ApplicationHistory"),))


@dataclass
class Node:
    """What to show of one entity: chosen scalars (None is all) and expanded children."""

    select: set[str] | None = None
    children: dict[str, "Node"] = field(default_factory=dict[str, "Node"])
    custom: list[str] = field(default_factory=list[str])
    files: bool = False


def plan(endpoint: Endpoint, entity: EntityType, query: dict[str, str]) -> Node:
    """The tree of $expand, $select and $custom; unknown names raise the service's 500."""
    root = Node()
    wanted = query.get("$expand")
    if wanted and endpoint.contract == 5:
        wanted = flat(wanted)
    for path in _names(wanted):
        _expand(endpoint, entity, root, path)
    selected = _names(query.get("$select"))
    if selected:
        root.select = set()
    for path in selected:
        if path.startswith("custom."):
            continue
        _select(endpoint, entity, root, path)
    for path in _names(query.get("$custom")):
        _custom(entity, root, path)
    return root


_SPECIAL = frozenset(("Translations",))
_ALWAYS = frozenset(("id", "rowNumber", "note", "custom", "files"))


def flat(expand: str) -> str:
    """Contract 5's `A($expand=B,C($expand=D))` as the older `A,A/B,A/C,A/C/D`."""
    found: list[str] = []
    path: list[str] = []
    for name, opening, closing in re.findall(r"([\w]+)?\s*(\(\$expand=)?([),]*)", expand):
        if name:
            found.append("/".join([*path, name]))
        if opening:
            path.append(name)
        for _ in range(closing.count(")")):
            if path:
                path.pop()
    return ",".join(found)


def _names(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _child_type(endpoint: Endpoint, entity: EntityType, name: str, option: str) -> EntityType:
    each = entity.fields.get(name)
    if each is None or each.kind == "scalar":
        raise bad_query(
            f"Could not find a property named '{name}' on type 'Default.{entity.name}' ({option})."
        )
    return endpoint.entities[each.type]


def _expand(endpoint: Endpoint, entity: EntityType, root: Node, path: str) -> None:
    node = root
    for name in path.split("/"):
        if name == "files":
            node.files = True
        if name == "files" or name in _SPECIAL:
            return
        entity = _child_type(endpoint, entity, name, "$expand")
        node = node.children.setdefault(name, Node())


def _select(endpoint: Endpoint, entity: EntityType, root: Node, path: str) -> None:
    *parents, name = path.split("/")
    node = root
    for parent in parents:
        entity = _child_type(endpoint, entity, parent, "$select")
        child = node.children.get(parent)
        if child is None:
            raise bad_query(f"The entity '{parent}' is selected but not expanded.")
        if child.select is None:
            child.select = set()
        node = child
    each = entity.fields.get(name)
    if each is None and name not in _ALWAYS and name not in _SPECIAL:
        raise bad_query(
            f"Could not find a property named '{name}' on type 'Default.{entity.name}' ($select)."
        )
    if node.select is not None and each is not None and each.kind == "scalar":
        node.select.add(name)


def _custom(entity: EntityType, root: Node, path: str) -> None:
    *parents, name = path.split("/")
    view, _, custom_field = name.partition(".")
    if not view or not custom_field:
        raise bad_query(f"'{path}' is not a custom field name of {entity.name}.")
    node = root
    for parent in parents:
        child = node.children.get(parent)
        if child is None:
            raise bad_query(f"The entity '{parent}' is not expanded.")
        node = child
    node.custom.append(name)


class Renderer:
    """Writes records for one site and one endpoint version."""

    def __init__(self, endpoint: Endpoint, writer: Writer, *, root: str, links: bool) -> None:
        self.endpoint = endpoint
        self._writer = writer
        self._links = links
        self.root = root
        self._mark = object()

    def record(
        self,
        record: Record,
        entity: EntityType,
        node: Node,
        *,
        number: int = 1,
        salt: int = 0,
        files: list[Json] | None = None,
    ) -> Json:
        """One top-level record as JSON."""
        shown: Json = {"id": record.id, "rowNumber": number, "note": {"value": record.note}}
        if record.error:
            shown["error"] = record.error
        if node.select is None and not node.children and not record.errors:
            shown.update(self._header(record, entity))
        else:
            self._fields(shown, record, entity, node, salt)
        if node.files:
            shown["files"] = files or []
        shown["custom"] = self._custom_of(record, entity, node.custom)
        if self._links:
            shown["_links"] = self._links_of(record)
        return shown

    def _header(self, record: Record, entity: EntityType) -> Json:
        name = (self._mark, entity.name)
        cached = record.cache.get(name)
        if cached is None:
            cached = {each.name: self._wrapped(record, each.name) for each in entity.scalars}
            record.cache[name] = cached
        return cached

    def _wrapped(self, row: Row, name: str) -> Json:
        value = row.values.get(name)
        wrapped: Json = {} if value is None else {"value": self._writer.plain(value)}
        if name in row.errors:
            wrapped["error"] = row.errors[name]
        return wrapped

    def _fields(self, shown: Json, row: Row, entity: EntityType, node: Node, salt: int) -> None:
        for name, each in entity.fields.items():
            if each.kind == "scalar":
                if node.select is None or name in node.select:
                    shown[name] = self._wrapped(row, name)
                continue
            child = node.children.get(name)
            if child is None:
                continue
            inner = self.endpoint.entities[each.type]
            value: Any = row.values.get(name)
            if each.kind == "detail":
                rows: list[Row] = value or []
                shown[name] = [
                    self._row(one, inner, child, number, salt)
                    for number, one in enumerate(rows, start=1)
                ]
            else:
                shown[name] = None if value is None else self._row(value, inner, child, 1, salt)

    def _row(self, row: Row, entity: EntityType, node: Node, number: int, salt: int) -> Json:
        shown: Json = {
            "id": shifted(row.id, salt),
            "rowNumber": number,
            "note": {"value": row.note} if row.note else None,
        }
        if row.error:
            shown["error"] = row.error
        self._fields(shown, row, entity, node, salt)
        if node.files:
            shown["files"] = []
        shown["custom"] = self._custom_of(row, entity, node.custom)
        return shown

    def _custom_of(self, row: Row, entity: EntityType, names: list[str]) -> Json:
        shown: Json = {}
        for name in names:
            view, _, custom_field = name.partition(".")
            value = (
                custom_value(row, entity, name) if isinstance(row, Record) else row.custom.get(name)
            )
            wrapped: Json = {"type": _custom_type(value)}
            if value is not None:
                wrapped["value"] = self._writer.plain(value)
            shown.setdefault(view, {})[custom_field] = wrapped
        return shown

    def _links_of(self, record: Record) -> Json:
        links: Json = {"self": f"{self.root}/{record.entity}/{record.id}"}
        graph = _GRAPHS.get(record.entity)
        if graph:
            links["files:put"] = f"{self.root}/files/{graph}/{record.id}/{{filename}}"
        return links


def _custom_type(value: Any) -> str:
    if isinstance(value, bool):
        return "CustomBooleanField"
    if isinstance(value, Decimal):
        return "CustomDecimalField"
    if isinstance(value, int):
        return "CustomIntField"
    if isinstance(value, date):
        return "CustomDateTimeField"
    return "CustomStringField"


def shifted(row_id: str, salt: int) -> str:
    """A detail row's id as one session sees it; shifting twice gives it back."""
    return str(UUID(int=UUID(row_id).int ^ salt)) if salt else row_id
