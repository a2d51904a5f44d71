"""One call on the endpoint: address, send in turn, judge the answer, read it; and actions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec

from ml_connector.acumatica import site_wire, wire
from ml_connector.acumatica.documents import ErpDocument
from ml_connector.acumatica.errors import (
    LOOKS_FIRST,
    PAGE,
    Call,
    Missing,
    NoSuchPlace,
    explain,
    is_page,
)
from ml_connector.acumatica.fields import Sendable, decode, encode, sent
from ml_connector.acumatica.patience import Patience
from ml_connector.acumatica.queries import Addresses
from ml_connector.acumatica.session import Session
from ml_connector.acumatica.versions import EndpointVersion, Site, not_offered
from ml_connector.basics.errors import Bug, ConnectorError, OutcomeUnknown, TryAgain
from ml_connector.http.transport import Request, Response

W = TypeVar("W")
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
ACCEPT = {"Accept": "application/json"}
DONE = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)


class Endpoint:
    """One endpoint of one site, spoken through one session.

    `sleep` is how it waits between questions about a long operation.
    """

    def __init__(
        self,
        url: str,
        version: EndpointVersion,
        session: Session,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.version = version
        self._session = session
        self._addresses = Addresses(url, version)
        self._sleep = sleep
        self._patience: dict[str, Patience] = {}

    async def site(self) -> Site:
        """What the site offers (`GET /entity`); raises what an unsuccessful answer stands for."""
        call = Call("", "the list of endpoints", writes=False)
        request = Request("GET", self._addresses.site, ACCEPT, None, repeatable=True)
        response = await self._session.send(request)
        if response.status != HTTPStatus.OK or is_page(response):
            raise explain(response, call)
        return _site(_read(response, call, msgspec.Raw))

    async def get(
        self,
        call: Call,
        path: str,
        kind: type[W],
        query: Mapping[str, str] | None = None,
    ) -> W:
        """Reads a record or a list."""
        url = self._addresses.of(path, query)
        request = Request("GET", url, ACCEPT, None, repeatable=True)
        return _read(await self._ordinary(request, call), call, kind)

    async def put(
        self,
        call: Call,
        record: Sendable,
        kind: type[W],
        query: Mapping[str, str] | None = None,
    ) -> W:
        """Writes a record, or asks an inquiry, which is a PUT that changes nothing."""
        url = self._addresses.of(call.entity, query)
        request = Request("PUT", url, JSON, encode(record), repeatable=not call.writes)
        return _read(await self._ordinary(request, call), call, kind)

    async def act(self, call: Call, action: str, keys: Mapping[str, str]) -> None:
        """Runs an action on a record and waits until it is done, with the form to itself.

        Raises OutcomeUnknown when its end cannot be seen: the document then tells.
        """
        body = encode(site_wire.ActionWire({name: sent(value) for name, value in keys.items()}))
        url = self._addresses.of(f"{call.entity}/{action}")
        request = Request("POST", url, JSON, body, repeatable=False)
        async with self._session.conversation(call.entity):
            response = await self._session.send(request, resource=call.resource)
            if response.status == HTTPStatus.ACCEPTED:
                await self._finished(response, call, action)
            elif response.status not in DONE or is_page(response):
                raise await self._trouble(response, call)

    async def _finished(self, accepted: Response, call: Call, action: str) -> None:
        """Asks for the operation's status, first after the wait that it usually takes."""
        patience = self._patience.setdefault(f"{call.entity}/{action}", Patience())
        location = accepted.headers.get("location", "")
        if not location:
            raise OutcomeUnknown(
                f"Acumatica began {call.what} without saying where to ask for its end.",
                cause="acumatica.outcome_unknown",
                remedy=LOOKS_FIRST,
            )
        url = self._addresses.operation(location)
        waited = 0.0
        for questions, wait in enumerate(patience.waits(), start=1):
            await self._sleep(wait)
            waited += wait
            if await self._done(url, call):
                patience.learn(waited, questions)
                return
        raise OutcomeUnknown(
            f"Acumatica has not finished {call.what} within {waited:.0f} seconds.",
            cause="acumatica.slow_operation",
            remedy=LOOKS_FIRST,
        )

    async def _done(self, url: str, call: Call) -> bool:
        """Whether the operation has ended well; raises its failure."""
        request = Request("GET", url, ACCEPT, None, repeatable=True)
        try:
            response = await self._session.send(request, resource=call.resource)
        except TryAgain as lost:
            raise self._unseen(call, lost.sentence) from lost
        if response.status == HTTPStatus.ACCEPTED:
            return False
        if response.status in DONE and not is_page(response):
            return True
        trouble = explain(response, call)
        if isinstance(trouble, NoSuchPlace | Missing):
            raise self._unseen(call, "its status is not known to this session")
        raise trouble

    def _unseen(self, call: Call, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Acumatica began {call.what}, but its end was not seen: {why}.",
            cause="acumatica.outcome_unknown",
            remedy=LOOKS_FIRST,
        )

    async def _ordinary(self, request: Request, call: Call) -> Response:
        async with self._session.call(call.entity):
            response = await self._session.send(request, resource=call.resource)
        if response.status != HTTPStatus.OK or is_page(response):
            raise await self._trouble(response, call)
        return response

    async def _trouble(self, response: Response, call: Call) -> ConnectorError:
        """The error; where the place itself is in doubt, what the site offers decides."""
        error = explain(response, call)
        if not isinstance(error, NoSuchPlace) and error.cause != PAGE:
            return error
        try:
            site = await self.site()
        except ConnectorError:
            return error
        return error if site.offers(self.version) else not_offered(self.version, site.endpoints)


def _read(response: Response, call: Call, kind: type[W]) -> W:
    try:
        return decode(response.body, kind)
    except msgspec.DecodeError as wrong:
        sentence = f"Acumatica's answer to {call.what} could not be read: {wrong}."
        if call.writes:
            cause = "acumatica.unreadable"
            raise OutcomeUnknown(sentence, cause=cause, remedy=LOOKS_FIRST) from wrong
        raise Bug(sentence, cause="acumatica.unreadable") from wrong


def _site(raw: msgspec.Raw) -> Site:
    """The list of endpoints; older builds answer with a bare array (fact A1.3)."""
    body = bytes(raw)
    if body.lstrip()[:1] == b"[":
        listed = site_wire.SiteWire(decode(body, tuple[site_wire.EndpointWire, ...]))
    else:
        listed = decode(body, site_wire.SiteWire)
    return Site(
        build=listed.version.build if listed.version else "",
        endpoints=tuple(EndpointVersion(one.name, one.version) for one in listed.endpoints),
    )


def made(call: Call, read: Callable[[wire.R], ErpDocument], record: wire.R) -> ErpDocument:
    """The document that a write made; one whose keys were not told has to be looked for."""
    try:
        return read(record)
    except Bug as nameless:
        raise OutcomeUnknown(
            f"Acumatica took {call.what} but did not tell its number.",
            cause="acumatica.outcome_unknown",
            remedy=LOOKS_FIRST,
        ) from nameless


def write(entity: str, what: str, resource: str) -> Call:
    """A call that writes, with the resource that it is for."""
    return Call(entity, what, writes=True, resource=resource)
