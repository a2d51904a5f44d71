"""The dispatcher: from a path to the identity server, sign-in, entities and actions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ml_sandbox.acumatica import swagger
from ml_sandbox.acumatica.calls import CallLog
from ml_sandbox.acumatica.contract import CONTRACT_5, Endpoint, EntityType
from ml_sandbox.acumatica.entities import Call, Entities
from ml_sandbox.acumatica.errors import Problem, Refused, shaped
from ml_sandbox.acumatica.files import Files
from ml_sandbox.acumatica.forms.base import Form
from ml_sandbox.acumatica.forms.workflow import BUTTONS
from ml_sandbox.acumatica.oauth import Identity
from ml_sandbox.acumatica.operations import Operations, check_idle
from ml_sandbox.acumatica.render import Renderer
from ml_sandbox.acumatica.sessions import Session, Sessions
from ml_sandbox.acumatica.values import Writer, decode
from ml_sandbox.acumatica.wire import Answer, Request, json_answer
from ml_sandbox.acumatica.world import World

_BUILD = {"acumaticaBuildVersion": "26.101.0225", "databaseVersion": "26.101.0225"}
_LOGIN_PAGE = (
    '<html><body><form><input type="hidden" name="txtSingleCompany" value="{}"/></form></body>'
    "</html>"
)


class SignInNeededError(Exception):
    """A request without a good session or token."""


@dataclass
class Signed:
    """A signed-in request's session; `by_cookie` ones get their cookies refreshed."""

    session: Session
    by_cookie: bool


class Site:
    """One Acumatica site under a virtual directory (or at the root)."""

    def __init__(
        self,
        world: World,
        endpoints: Mapping[str, Endpoint],
        forms: dict[str, Form],
        *,
        path: str,
        seed: int,
    ) -> None:
        self.world = world
        self.path = path
        self.endpoints = endpoints
        self.sessions = Sessions(world, path)
        self.identity = Identity(world, self.sessions, seed)
        self.operations = Operations(world)
        self.files = Files(world)
        self.calls: Counter[str] = Counter()
        self.log = CallLog()
        self._forms = forms
        self._swagger: dict[str, bytes] = {}
        self.entities: dict[str, Entities] = {}
        self.refresh_writers()

    def refresh_writers(self) -> None:
        """Takes over switches that shape answers."""
        switches = self.world.switches
        for version, endpoint in self.endpoints.items():
            writer = Writer(
                moment_offset=switches.modified_offset_minutes,
                date_offset=switches.date_offset_minutes,
                bare_dates=endpoint.contract == 5,
            )
            root = f"{self.path}/entity/Default/{version}"
            renderer = Renderer(endpoint, writer, root=root, links=switches.links)
            self.entities[version] = Entities(
                self.world, endpoint, renderer, self._forms, self.files
            )

    def listed(self) -> list[str]:
        """The Default versions that this site offers."""
        hidden = {part.strip() for part in self.world.switches.hidden_versions.split(",")}
        if not self.world.switches.offer_contract_5:
            hidden |= CONTRACT_5
        return [version for version in self.endpoints if version not in hidden]

    def handle(self, request: Request, origin: str) -> Answer:
        """Answers one request; never raises."""
        try:
            return self._route(request, origin)
        except Problem as problem:
            return shaped(problem, self.world.switches)
        except Refused as refused:
            return json_answer(refused.echo, 422)
        except SignInNeededError:
            return self._unauthorized()

    def _unauthorized(self) -> Answer:
        kind = self.world.switches.unauthorized_body
        if kind == "html":
            return Answer(401, b"<html><body>401 - Unauthorized</body></html>", [_HTML])
        if kind == "empty":
            return Answer(401)
        return json_answer({"message": "You are not logged in."}, 401)

    def _count(self, request: Request, template: str) -> None:
        self.calls[f"{request.method} {template}"] += 1

    def _route(self, request: Request, origin: str) -> Answer:
        segments = request.segments
        head = segments[0].lower() if segments else ""
        if head == "entity":
            return self._entity_route(request, segments[1:])
        if head == "identity":
            return self._identity_route(request, segments[1:], origin)
        if head == "frames" and segments[1:] and segments[1].lower() == "login.aspx":
            self._count(request, "/Frames/Login.aspx")
            page = _LOGIN_PAGE.format(self.world.tenant)
            return Answer(200, page.encode(), [_HTML])
        self._count(request, "/{unknown}")
        raise Problem(404, "The resource cannot be found.")

    def _identity_route(self, request: Request, rest: list[str], origin: str) -> Answer:
        place = "/".join(rest).lower()
        self._count(request, f"/identity/{place}")
        if place == ".well-known/openid-configuration":
            return self.identity.discovery(f"{origin}{self.path}/identity")
        if place == "connect/authorize" and request.method == "GET":
            return self.identity.authorize(request.query)
        if place == "connect/authorize" and request.method == "POST":
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
            return self.identity.decide({**request.query, **form})
        if place == "connect/token" and request.method == "POST":
            return self.identity.token(request.body, request.headers.get("authorization", ""))
        raise Problem(404, "The resource cannot be found.")

    def _entity_route(self, request: Request, rest: list[str]) -> Answer:
        if not rest or rest == [""]:
            self._count(request, "/entity")
            return self._endpoint_list()
        if rest[0].lower() == "auth" and len(rest) == 2:
            return self._auth_route(request, rest[1].lower())
        if len(rest) == 1 and rest[0].lower() == "swagger.json":
            self._count(request, "/entity/swagger.json")
            return json_answer(swagger.instance_document(self.listed()))
        return self._endpoint_route(request, rest)

    def _endpoint_list(self) -> Answer:
        listed = [
            {
                "name": "Default",
                "version": version,
                "href": f"{self.path}/entity/Default/{version}/",
            }
            for version in self.listed()
        ]
        if self.world.switches.bare_endpoint_list:
            return json_answer(listed)
        return json_answer({"version": _BUILD, "endpoints": listed})

    def _auth_route(self, request: Request, what: str) -> Answer:
        self._count(request, f"/entity/auth/{what}")
        if request.method != "POST":
            raise Problem(405, "The requested resource does not support the http method.")
        if what == "login":
            return self.sessions.sign_in(decode(request.body))
        if what == "logout":
            if "content-length" not in request.headers:
                return Answer(
                    411, b"<html><body>HTTP Error 411. Length Required</body></html>", [_HTML]
                )
            signed = self._signed(request)
            return self.sessions.sign_out(signed.session if signed else None)
        raise Problem(404, "The resource cannot be found.")

    def _signed(self, request: Request) -> Signed | None:
        cookies = request.headers.get("cookie", "")
        authorization = request.headers.get("authorization", "")
        if authorization.startswith("Bearer "):
            token = authorization[7:]
            session = self.identity.session_of(token, cookies)
            return session and Signed(session, self.identity.is_concurrent(token))
        session = self.sessions.by_cookie(cookies)
        return session and Signed(session, True)

    def _endpoint_route(self, request: Request, rest: list[str]) -> Answer:
        template = _template(request.method, rest)
        self._count(request, template)
        if len(rest) < 3:
            raise Problem(404, "The resource cannot be found.")
        signed = self._signed(request)
        if signed is None:
            raise SignInNeededError
        name, version, what = rest[0], rest[1], rest[2]
        if name.lower() != "default" or version not in self.listed():
            raise Problem(
                self.world.switches.unknown_endpoint_status,
                f"The {name} endpoint of version {version} cannot be found.",
            )
        endpoint = self.endpoints[version]
        if what.lower() == "swagger.json":
            answer = self._swagger_of(endpoint)
        elif what.lower() == "files":
            answer = self.files.handle(request, rest[3:])
        else:
            entity = endpoint.top(what)
            if entity is None:
                raise Problem(404, f"The {what} entity is not found.")
            answer = self._entity(request, self.entities[version], entity, rest[3:], signed.session)
        if signed.by_cookie:
            answer.headers.extend(signed.session.cookies)
        return answer

    def _swagger_of(self, endpoint: Endpoint) -> Answer:
        found = self._swagger.get(endpoint.version)
        if found is None:
            found = self._swagger[endpoint.version] = swagger.document(endpoint)
        return Answer(200, found, [(b"content-type", b"application/json; charset=utf-8")])

    def _entity(
        self,
        request: Request,
        entities: Entities,
        entity: EntityType,
        rest: list[str],
        session: Session,
    ) -> Answer:
        if len(rest) == 3 and rest[1].lower() == "status":
            trace = self.world.switches.stack_traces
            return self.operations.status(session, rest[2], with_trace=trace)
        self.world.users.check(session.user, entity.screen)
        if entity.name in self.world.switches.forbidden_entities.split(","):
            raise Problem(403, f"The feature behind the {entity.name} entity is disabled.")
        check_idle(session, entity.screen)
        call = Call(request.query, request.headers, session.salt, session.branch)
        if request.method == "GET":
            return self._get(entities, entity, rest, call)
        if request.method == "POST" and len(rest) == 1:
            return self._act(request, entities, entity, rest[0], session, call=call)
        return self._write(request, entities, entity, rest, call)

    def _write(
        self, request: Request, entities: Entities, entity: EntityType, rest: list[str], call: Call
    ) -> Answer:
        method = request.method
        if method == "PUT" and not rest:
            return json_answer(entities.put(entity, request.body, call))
        if method == "PUT" and len(rest) >= 3 and rest[-2].lower() == "files":
            record = entities.locate(entity, rest[:-2])
            return self.files.store(record.id, entity.name, rest[-1], request)
        if method == "PATCH" and not rest and self.world.switches.patch_supported:
            return json_answer(entities.patch(entity, request.body, call))
        if method == "DELETE" and rest:
            entities.delete(entity, rest, call)
            return Answer(204)
        status = 406 if method == "POST" else 405
        raise Problem(status, "The requested resource does not support the http method.")

    def _get(self, entities: Entities, entity: EntityType, rest: list[str], call: Call) -> Answer:
        if not rest:
            return json_answer(entities.read_list(entity, call))
        if len(rest) == 1 and rest[0].lower() == "$adhocschema":
            return json_answer(swagger.ad_hoc_schema(entities.endpoint, entity))
        return json_answer(entities.read_one(entity, rest, call))

    def _act(
        self,
        request: Request,
        entities: Entities,
        entity: EntityType,
        name: str,
        session: Session,
        *,
        call: Call,
    ) -> Answer:
        action = _action(entity, name)
        if action is None:
            raise Problem(404, f"The {name} action of the {entity.name} entity is not found.")
        prepared = entities.prepare(entity, request.body, action, call)
        if prepared is None:
            return Answer(204)
        quick = self.world.switches.void_answer if action == "voidcheck" else 202
        if quick != 202:
            prepared.run()
            if quick == 204:
                return Answer(204)
            return json_answer({})
        operation = self.operations.start(session, entity.screen, prepared.run)
        version = entities.endpoint.version
        place = f"{self.path}/entity/Default/{version}/{entity.name}/{name}/status/{operation}"
        return Answer(202, b"", [(b"location", place.encode())])


_HTML = (b"content-type", b"text/html; charset=utf-8")


def _action(entity: EntityType, name: str) -> str | None:
    for action in entity.actions.values():
        if name.lower() in {action.name.lower(), action.graph.lower()}:
            return action.graph.lower()
    # Workflow actions are called by the graph's own name; documents that can be held have them.
    return name.lower() if "Hold" in entity.fields and name.lower() in BUTTONS else None


def _template(method: str, rest: list[str]) -> str:
    head = "/entity/" + "/".join(rest[:3])
    tail = rest[3:]
    if not tail:
        return head
    if tail[0].startswith("$") or (method == "POST" and len(tail) == 1):
        return f"{head}/{tail[0]}"
    if len(tail) == 3 and tail[1].lower() == "status":
        return f"{head}/{tail[0]}/status/{{id}}"
    return f"{head}/{{keys}}"
