"""The entity endpoint: reading, upserting, deleting and acting on records of one version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any, cast
from uuid import UUID

from ml_sandbox.acumatica.contract import Endpoint, EntityType
from ml_sandbox.acumatica.errors import (
    HAS_ERRORS,
    Problem,
    Refused,
    bad_query,
    business,
    malformed,
    missing,
    not_optimized,
)
from ml_sandbox.acumatica.files import Files
from ml_sandbox.acumatica.forms.base import Form
from ml_sandbox.acumatica.forms.inquiries import INQUIRIES, inquire
from ml_sandbox.acumatica.query import Filter, compile_filter
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.render import NOT_IN_LISTS, Node, Renderer, plan, shifted
from ml_sandbox.acumatica.values import Body, decode, read_body
from ml_sandbox.acumatica.wire import Json
from ml_sandbox.acumatica.world import Unit, World


@dataclass(slots=True)
class Call:
    """What an entity request carries besides its path."""

    query: dict[str, str]
    headers: Mapping[str, str]
    salt: int
    branch: str


class Entities:
    """All entities of one endpoint version."""

    def __init__(
        self,
        world: World,
        endpoint: Endpoint,
        renderer: Renderer,
        forms: dict[str, Form],
        files: Files,
    ) -> None:
        self._world = world
        self.endpoint = endpoint
        self.renderer = renderer
        self._forms = forms
        self._files = files
        self._filters: dict[tuple[str, str, bool], Filter] = {}

    def form(self, entity: EntityType) -> Form:
        """The form behind an entity."""
        return self._forms[entity.name]

    # ---- reading -------------------------------------------------------------------------

    def read_list(self, entity: EntityType, call: Call) -> list[Json]:
        """GET of the collection: filter, then skip and top, then JSON."""
        node = plan(self.endpoint, entity, call.query)
        for name in node.children:
            if (entity.name, name) in NOT_IN_LISTS:
                raise not_optimized(f"{entity.name}.{name}")
        if node.custom and not self._world.switches.custom_in_lists:
            raise not_optimized(f"{entity.name}.{node.custom[0]}")
        found = self._sorted(entity, self._matching(entity, call), call)
        skip, top = _count(call.query, "$skip"), _count(call.query, "$top")
        found = found[skip or 0 : None if top is None else (skip or 0) + top]
        return [
            self.renderer.record(
                record,
                entity,
                node,
                number=number,
                salt=call.salt,
                files=self._files.of(record.id, self.renderer.root) if node.files else None,
            )
            for number, record in enumerate(found, start=1)
        ]

    def _matching(self, entity: EntityType, call: Call) -> list[Record]:
        if entity.name in INQUIRIES:
            raise not_optimized(entity.name)
        table = self._world.tables[entity.name]
        text = call.query.get("$filter")
        if not text:
            return list(table)
        compiled = self._filter(entity, text)
        if compiled.on_details:
            return [] if self._world.switches.detail_filter == "empty" else list(table)
        for name, value in compiled.equal.items():
            candidates = table.indexed(name, value)
            if candidates is not None:
                return [record for record in candidates if compiled.test(record)]
        return [record for record in table if compiled.test(record)]

    def _filter(self, entity: EntityType, text: str) -> Filter:
        sensitive = self._world.switches.case_sensitive_filters
        name = (entity.name, text, sensitive)
        found = self._filters.get(name)
        if found is None:
            if len(self._filters) > 500:
                self._filters.clear()
            found = compile_filter(text, self.endpoint, entity, case_sensitive=sensitive)
            self._filters[name] = found
        return found

    def _sorted(self, entity: EntityType, found: list[Record], call: Call) -> list[Record]:
        order = call.query.get("$orderby")
        if order and self._world.switches.orderby_honoured:
            for part in reversed(order.split(",")):
                name, _, way = part.strip().partition(" ")
                each = entity.fields.get(name)
                if each is None or each.kind != "scalar":
                    raise bad_query(
                        f"Could not find a property named '{name}' on type 'Default.{entity.name}'."
                    )
                keyed = [(_order(record.values.get(name)), record) for record in found]
                keyed.sort(key=itemgetter(0), reverse=way.strip().lower() == "desc")
                found = [record for _, record in keyed]
        elif self._world.switches.shuffle_lists:
            self._world.random.shuffle(found)
        return found

    def locate(self, entity: EntityType, keys: list[str]) -> Record:
        """The record that URL segments name, by id or by keys; raises the 500 of a missing one."""
        if entity.name in INQUIRIES:
            raise missing()
        table = self._world.tables[entity.name]
        found = None
        if len(keys) == 1:
            found = table.by_id.get(_as_guid(keys[0]) or "")
            if found is None and "|" in keys[0]:
                keys = keys[0].split("|")
        if found is None and len(keys) == len(table.keys):
            found = table.find(*keys)
        if found is None:
            raise missing()
        return found

    def read_one(self, entity: EntityType, keys: list[str], call: Call) -> Json:
        """GET of one record."""
        node = plan(self.endpoint, entity, call.query)
        return self._show(entity, self.locate(entity, keys), node, call)

    def _show(self, entity: EntityType, record: Record, node: Node, call: Call) -> Json:
        files = self._files.of(record.id, self.renderer.root) if node.files else None
        return self.renderer.record(record, entity, node, salt=call.salt, files=files)

    # ---- writing -------------------------------------------------------------------------

    def put(self, entity: EntityType, raw: bytes, call: Call) -> Json:
        """PUT: update the record that keys, id or $filter name, else insert."""
        body = self._body(entity, raw, call.salt)
        node = plan(self.endpoint, entity, {k: v for k, v in call.query.items() if k != "$filter"})
        if entity.name in INQUIRIES:
            return self._inquiry(entity, body, node, call)
        return self._save(entity, body, node, call, self._target(entity, body, call))

    def patch(self, entity: EntityType, raw: bytes, call: Call) -> Json:
        """PATCH: update only; a missing record is a 404."""
        body = self._body(entity, raw, call.salt)
        node = plan(self.endpoint, entity, call.query)
        found = self._target(entity, body, call)
        if found is None:
            raise Problem(404, "No entity satisfies the condition.")
        return self._save(entity, body, node, call, found)

    def _save(
        self, entity: EntityType, body: Body, node: Node, call: Call, found: Record | None
    ) -> Json:
        if found is not None and call.headers.get("if-none-match") == "*":
            raise Problem(412, "The record already exists.")
        if found is None and call.headers.get("if-match") == "*":
            raise Problem(412, "The record does not exist.")
        record = self.save(entity, body, call, found, node)
        return self._show(entity, record, node, call)

    def save(
        self, entity: EntityType, body: Body, call: Call, found: Record | None, node: Node
    ) -> Record:
        """Inserts or updates in one unit; a refused record raises with its echo."""
        form = self.form(entity)
        unit = self.unit(call)
        if found is None:
            draft = form.insert(unit, body)
        else:
            draft = form.open(unit, found)
            form.update(unit, draft, body)
        if draft.failed():
            raise self._refusal(entity, form.show(unit, draft), node, call, new=found is None)
        if found is None:
            form.assign_key(unit, draft)
        elif draft.same(self._world.tables[draft.entity].by_id[draft.id]):
            return found
        self._world.conflicts.check(
            entity.name, form.label, draft, self._world.tables[draft.entity].keys
        )
        unit.commit()
        return self._world.tables[entity.name].by_id[draft.id]

    def _refusal(
        self, entity: EntityType, draft: Record, node: Node, call: Call, *, new: bool
    ) -> Exception:
        verb = "Inserting " if new else "Updating "
        own = draft.error
        draft.error = (
            f"{verb} '{self.form(entity).label}' record raised at least one error."
            " Please review the errors."
        )
        if own:
            draft.error += f" {own}"
        sentence = " ".join(draft.sentences())
        if self._world.switches.validation_status != 422:
            return Problem(500, sentence, HAS_ERRORS)
        shown = Node(children=dict(node.children))
        for name, value in draft.values.items():
            rows = cast("list[object]", value) if isinstance(value, list) else [value]
            if any(isinstance(row, Row) and row.failed() for row in rows):
                shown.children.setdefault(name, Node())
        return Refused(self._show(entity, draft, shown, call), sentence)

    def unit(self, call: Call) -> Unit:
        """A unit of work with the request's business date and branch."""
        sent = call.headers.get("px-cbapibusinessdate", "")
        try:
            day = date.fromisoformat(sent.replace("/", "-")[:10]) if sent else None
        except ValueError:
            raise malformed("PX-CbApiBusinessDate", f"{sent} is not a date.") from None
        name = call.headers.get("px-cbapibranch", "")
        codes = {text: code for code, text in self._world.setup.branches.items()}
        branch = codes.get(name, name if name in self._world.setup.branches else call.branch)
        return self._world.unit(day=day, branch=branch)

    def _body(self, entity: EntityType, raw: bytes, salt: int) -> Body:
        body = read_body(
            self.endpoint,
            entity,
            decode(raw),
            truncate=self._world.switches.long_strings == "truncate",
        )
        _unshift(body, salt)
        return body

    def _target(self, entity: EntityType, body: Body, call: Call) -> Record | None:
        if entity.name in INQUIRIES:
            return None
        table = self._world.tables[entity.name]
        if body.id is not None and body.id in table.by_id:
            return table.by_id[body.id]
        text = call.query.get("$filter")
        if text:
            found = self._matching(entity, call)
            if len(found) > 1:
                raise business("More than one entity satisfies the condition.")
            return found[0] if found else None
        keys = [
            str(body.get(name) or _DEFAULT_KEYS.get((entity.name, name)) or "")
            for name in table.keys
        ]
        return table.find(*keys) if keys and all(keys) else None

    def _inquiry(self, entity: EntityType, body: Body, node: Node, call: Call) -> Json:
        record = inquire(self._world, entity.name, body)
        if record.failed():
            raise self._refusal(entity, record, node, call, new=False)
        return self._show(entity, record, node, call)

    def delete(self, entity: EntityType, keys: list[str], call: Call) -> None:
        """DELETE by keys or id, where the form allows it."""
        record = self.locate(entity, keys)
        unit = self.unit(call)
        self.form(entity).delete(unit, record)
        unit.commit()

    # ---- actions -------------------------------------------------------------------------

    def prepare(self, entity: EntityType, raw: bytes, action: str, call: Call) -> "Prepared | None":
        """Checks an action's body and button; None when there is nothing to do."""
        sent = decode(raw).get("entity")
        if not isinstance(sent, dict):
            raise malformed("entity", "The entity is required.")
        body = read_body(self.endpoint, entity, cast("Json", sent))
        _unshift(body, call.salt)
        found = self._target(entity, body, call)
        if found is None:
            raise missing()
        unit = self.unit(call)
        form = self.form(entity)
        draft = form.open(unit, found)
        if self._says_more(entity, body):
            form.update(unit, draft, body)
        if draft.failed():
            raise self._refusal(entity, form.show(unit, draft), Node(), call, new=False)
        if not form.guard(unit, form.show(unit, draft), action):
            return None
        return Prepared(self, entity, found.id, body, action, call)

    def _says_more(self, entity: EntityType, body: Body) -> bool:
        """Whether an action's body carries more than keys; only then is the form filled in."""
        keys = self._world.tables[entity.name].keys
        details = any(rows for rows in body.details.values())
        return details or bool(body.linked) or any(name not in keys for name in body.values)

    def act(self, prepared: "Prepared") -> None:
        """Applies the sent values, runs the action and saves, all or nothing."""
        form = self.form(prepared.entity)
        record = self._world.tables[prepared.entity.name].by_id.get(prepared.record_id)
        if record is None:
            raise missing()
        unit = self.unit(prepared.call)
        draft = form.open(unit, record)
        if self._says_more(prepared.entity, prepared.body):
            form.update(unit, draft, prepared.body)
        if draft.failed():
            raise business(" ".join(draft.sentences()))
        if draft.same(self._world.tables[draft.entity].by_id[draft.id]):
            unit.forget(draft)
        form.act(unit, record, prepared.action)
        unit.commit()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An action that may run: on which record, with which values."""

    entities: Entities
    entity: EntityType
    record_id: str
    body: Body
    action: str
    call: Call

    def run(self) -> None:
        """Runs it now."""
        self.entities.act(self)


_DEFAULT_KEYS = {("JournalTransaction", "Module"): "GL"}


def _unshift(body: Body, salt: int) -> None:
    for rows in body.details.values():
        for row in rows:
            if row.id is not None:
                row.id = shifted(row.id, salt)
            _unshift(row, salt)
    for linked in body.linked.values():
        _unshift(linked, salt)


def _as_guid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _count(query: dict[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise bad_query(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _order(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        return True, value.casefold()
    return value is not None, value if value is not None else 0
