"""The OpenAPI document and the ad-hoc schema of the served entities."""

from typing import Any

from ml_sandbox.acumatica.contract import Endpoint, EntityType, FieldType
from ml_sandbox.acumatica.forms.workflow import BUTTONS
from ml_sandbox.acumatica.wire import Json, encode

_WRAPPERS: dict[str, tuple[str, Json]] = {
    "string": ("StringValue", {"type": "string"}),
    "decimal": ("DecimalValue", {"type": "number", "format": "double"}),
    "double": ("DoubleValue", {"type": "number", "format": "double"}),
    "boolean": ("BooleanValue", {"type": "boolean"}),
    "int": ("IntValue", {"type": "integer", "format": "int32"}),
    "short": ("ShortValue", {"type": "integer", "format": "int32"}),
    "long": ("LongValue", {"type": "integer", "format": "int64"}),
    "byte": ("ByteValue", {"type": "integer", "format": "int32"}),
    "datetime": ("DateTimeValue", {"type": "string", "format": "date-time"}),
    "guid": ("GuidValue", {"type": "string", "format": "uuid"}),
    "choice": ("StringSingleSelectValue", {"type": "string"}),
    "day": ("DateOnlyValue", {"type": "string", "format": "date"}),
}
_CUSTOM = {
    "string": "CustomStringField",
    "decimal": "CustomDecimalField",
    "boolean": "CustomBooleanField",
    "int": "CustomIntField",
    "short": "CustomShortField",
    "long": "CustomLongField",
    "datetime": "CustomDateTimeField",
    "guid": "CustomGuidField",
    "choice": "CustomStringField",
    "day": "CustomDateTimeField",
}
_QUERY = ("$select", "$filter", "$expand", "$custom", "$skip", "$top")


def document(endpoint: Endpoint) -> bytes:
    """swagger.json of one endpoint version."""
    schemas: Json = {"Entity": _entity_base()}
    for wrapper, value in _WRAPPERS.values():
        schemas[wrapper] = {
            "type": "object",
            "properties": {"value": value, "error": {"type": "string"}},
        }
    paths: Json = {}
    for entity in endpoint.entities.values():
        schemas[entity.name] = _schema(entity)
        if entity.kind == "top":
            _paths(paths, schemas, entity, newest=endpoint.version >= "25")
    return encode(
        {
            "openapi": "3.0.1",
            "info": {
                "title": f"{endpoint.name}/{endpoint.version}",
                "version": str(endpoint.contract),
            },
            "servers": [{"url": f"/entity/{endpoint.name}/{endpoint.version}"}],
            "paths": paths,
            "components": {"schemas": schemas, "parameters": _shared_parameters()},
        }
    )


def instance_document(versions: list[str]) -> Json:
    """The instance-level swagger.json: signing in, signing out and the list of endpoints."""
    login = {
        name: {"type": "string"} for name in ("name", "password", "tenant", "branch", "locale")
    }

    def answers(codes: str) -> Json:
        return {code: {"description": code} for code in codes.split()}

    return {
        "openapi": "3.0.1",
        "info": {"title": "Contract-based REST API", "version": "1"},
        "servers": [{"url": "/entity"}],
        "paths": {
            "/": {"get": {"operationId": "GetEndpoints", "responses": answers("200 429 500")}},
            "/auth/login": {
                "post": {
                    "operationId": "Login",
                    "requestBody": _content({"type": "object", "properties": login}),
                    "responses": answers("204 400 429 500"),
                }
            },
            "/auth/logout": {"post": {"operationId": "Logout", "responses": answers("204")}},
        },
        "tags": [{"name": f"Default/{version}"} for version in versions],
    }


def _entity_base() -> Json:
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "rowNumber": {"type": "integer", "format": "int64"},
            "note": {"$ref": "#/components/schemas/StringValue"},
            "custom": {"type": "object"},
            "error": {"type": "string", "readOnly": True},
            "_links": {"type": "object", "readOnly": True},
        },
    }


def _schema(entity: EntityType) -> Json:
    properties = {each.name: _property(each) for each in entity.fields.values()}
    own: Json = {"type": "object", "properties": properties}
    return {"allOf": [{"$ref": "#/components/schemas/Entity"}, own]}


def _property(each: FieldType) -> Json:
    if each.kind == "scalar":
        return {"$ref": f"#/components/schemas/{_WRAPPERS[each.type][0]}"}
    reference = {"$ref": f"#/components/schemas/{each.type}"}
    return {"type": "array", "items": reference} if each.kind == "detail" else reference


def _parameters(*path: str, query: tuple[str, ...] = ()) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name.lstrip('$')}"} for name in (*path, *query)]


def _shared_parameters() -> Json:
    text = {"type": "string"}
    shared: Json = {
        name: {"name": name, "in": "path", "required": True, "schema": text}
        for name in ("id", "ids", "filename")
    }
    for name in _QUERY:
        shared[name.lstrip("$")] = {"name": name, "in": "query", "schema": text}
    return shared


def _content(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(
    entity: EntityType,
    name: str,
    statuses: str,
    *,
    answer: Json | None = None,
    body: Json | None = None,
    parameters: list[Json] | None = None,
) -> Json:
    responses: dict[str, Any] = {code: {"description": code} for code in statuses.split()}
    if answer is not None:
        responses["200"].update(_content(answer))
    operation: Json = {
        "tags": [entity.name],
        "operationId": f"{entity.name}_{name}",
        "parameters": parameters or [],
        "responses": responses,
    }
    if body is not None:
        operation["requestBody"] = _content(body)
    return operation


def _paths(paths: Json, schemas: Json, entity: EntityType, *, newest: bool) -> None:
    own: Json = {"$ref": f"#/components/schemas/{entity.name}"}
    many: Json = {"type": "array", "items": own}
    fields = ("$select", "$expand", "$custom")
    collection: Json = {
        "put": _operation(
            entity,
            "PutEntity",
            "200 400 401 412 422 500",
            answer=own,
            body=own,
            parameters=_parameters(query=("$select", "$filter", "$expand", "$custom")),
        ),
    }
    collection["get"] = _operation(
        entity, "GetList", "200 401 500", answer=many, parameters=_parameters(query=_QUERY)
    )
    if newest:
        collection["patch"] = _operation(
            entity,
            "PatchEntity",
            "200 400 401 404 409 412 422 500",
            answer=own,
            body=own,
            parameters=_parameters(query=fields),
        )
    paths[f"/{entity.name}"] = collection
    for name, where in (("ById", "id"), ("ByKeys", "ids")):
        paths[f"/{entity.name}/{{{where}}}"] = {
            "get": _operation(
                entity,
                f"Get{name}",
                "200 401 500",
                answer=own,
                parameters=_parameters(where, query=fields),
            ),
            "delete": _operation(
                entity, f"Delete{name}", "204 401 500", parameters=_parameters(where)
            ),
        }
    paths[f"/{entity.name}/{{ids}}/files/{{filename}}"] = {
        "put": _operation(
            entity, "PutFile", "204 400 401 500", parameters=_parameters("ids", "filename")
        )
    }
    paths[f"/{entity.name}/$adHocSchema"] = {
        "get": _operation(entity, "GetAdHocSchema", "200 401 500", answer=own)
    }
    for action in entity.actions.values():
        schemas[action.name] = _action_schema(own, action.parameters)
        paths[f"/{entity.name}/{action.name}"] = {
            "post": _operation(
                entity,
                f"InvokeAction_{action.name}",
                "202 204 400 401 412 422 500",
                body={"$ref": f"#/components/schemas/{action.name}"},
            )
        }


def _action_schema(own: Json, parameters: dict[str, str]) -> Json:
    properties: Json = {"entity": own}
    if parameters:
        named = {
            name: {"$ref": f"#/components/schemas/{_WRAPPERS[kind][0]}"}
            for name, kind in parameters.items()
        }
        properties["parameters"] = {"type": "object", "properties": named}
    return {"type": "object", "required": ["entity"], "properties": properties}


def ad_hoc_schema(endpoint: Endpoint, entity: EntityType) -> Json:
    """An empty record of the entity with the custom fields that can be asked for."""
    shown: Json = {"note": {}}
    for each in entity.fields.values():
        shown[each.name] = _empty(endpoint, each)
    custom: Json = {}
    for name, behind in entity.backing.items():
        each = entity.fields.get(name)
        if each is not None and each.kind == "scalar":
            view, _, field_name = behind.partition(".")
            kind = _CUSTOM.get(each.type, "CustomStringField")
            custom.setdefault(view, {})[field_name] = {"type": kind}
    shown["custom"] = custom
    held = "Hold" in entity.fields
    shown["_workflowActions"] = [{"name": name} for name in BUTTONS] if held else []
    return shown


def _empty(endpoint: Endpoint, each: FieldType) -> Any:
    if each.kind == "scalar":
        return {}
    inner = endpoint.entities[each.type]
    row: Json = {one.name: {} for one in inner.scalars}
    row["custom"] = {}
    return [row] if each.kind == "detail" else row
