"""The endpoint versions: which entities, fields and actions each of them knows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from ml_sandbox.acumatica.wire import Json

VERSIONS = (
    "20.200.001",
    "22.200.001",
    "23.200.001",
    "24.200.001",
    "25.200.001",
    "26.200.001",
)
CONTRACT_5 = frozenset(("26.200.001",))
SCALARS = frozenset(
    "string decimal boolean int short long byte double datetime guid choice day".split(),
)


@dataclass(frozen=True, slots=True)
class FieldType:
    """One field: a scalar type, a linked entity, or a list of details."""

    name: str
    kind: str  # "scalar" | "linked" | "detail"
    type: str  # scalar type name, or the entity behind it
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """An action of an entity: its name, the form's own name for it, and its parameters."""

    name: str
    graph: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity as one endpoint version shows it."""

    name: str
    kind: str
    screen: str
    keys: tuple[str, ...]
    fields: dict[str, FieldType]
    actions: dict[str, Action]
    backing: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def scalars(self) -> list[FieldType]:
        """The fields that hold one value each."""
        return [each for each in self.fields.values() if each.kind == "scalar"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A system endpoint: name, version and its entities by name."""

    name: str
    version: str
    entities: dict[str, EntityType]
    by_lower: dict[str, EntityType]

    @property
    def contract(self) -> int:
        """The system contract version: 4, or 5 for the endpoints of 2026 R2."""
        return 5 if self.version in CONTRACT_5 else 4

    def top(self, name: str) -> EntityType | None:
        """The addressable entity of that name, in any case."""
        found = self.by_lower.get(name.lower())
        return found if found is not None and found.kind == "top" else None


def _load(name: str) -> Json:
    path = resources.files("ml_sandbox.acumatica").joinpath("contract", name)
    return json.loads(path.read_text("utf-8"))


def _field(text: str, lengths: dict[str, int]) -> FieldType:
    name, _, kind = text.partition(":")
    if kind in SCALARS:
        return FieldType(name, "scalar", kind, lengths.get(name))
    if kind.endswith("[]"):
        return FieldType(name, "detail", kind[:-2])
    return FieldType(name, "linked", kind)


def _fields(raw: Json, version: str, lengths: dict[str, int]) -> dict[str, FieldType]:
    found: dict[str, FieldType] = {}
    for since in VERSIONS:
        if since > version:
            break
        for text in raw["fields"].get(since, "").split():
            each = _field(text, lengths)
            found[each.name] = each
        for name in raw.get("gone", {}).get(since, "").split():
            found.pop(name, None)
    return found


def _actions(raw: Json) -> dict[str, Action]:
    listed: dict[str, Any] = raw.get("actions", {})
    return {
        name: Action(name, each["graph"], dict(each["parameters"])) for name, each in listed.items()
    }


@cache
def load_endpoints() -> Mapping[str, Endpoint]:
    """The Default endpoints by version, read once from the package's data files."""
    raw, backing, lengths = _load("fields.json"), _load("backing.json"), _load("lengths.json")
    endpoints: dict[str, Endpoint] = {}
    for version in VERSIONS:
        entities: dict[str, EntityType] = {}
        for name, each in raw.items():
            fields = _fields(each, version, lengths.get(name, {}))
            if fields:
                entities[name] = EntityType(
                    name=name,
                    kind=each["kind"],
                    screen=each.get("screen", ""),
                    keys=tuple(each.get("keys", ())),
                    fields=fields,
                    actions=_actions(each),
                    backing=dict(backing.get(name, {})),
                )
        lower = {name.lower(): each for name, each in entities.items()}
        endpoints[version] = Endpoint("Default", version, entities, lower)
    return endpoints
