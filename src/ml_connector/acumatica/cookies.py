"""A signed-in session by cookies: it counts against the licence, so it is always ended."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from ml_connector.acumatica.errors import Call, explain
from ml_connector.acumatica.session import with_headers
from ml_connector.acumatica.turns import Turns
from ml_connector.basics.errors import ConnectorError, OutcomeUnknown, TryAgain
from ml_connector.http.transport import Request, Response, Transport

LOGIN = Call("", "the sign-in", writes=False)


@dataclass(frozen=True, slots=True)
class CookieLogin:
    """Who signs in where; `tenant` is the tenant's login name, `branch` a branch ID."""

    url: str
    username: str
    password: str = field(repr=False)
    tenant: str = ""
    branch: str = ""

    def body(self) -> bytes:
        """The JSON of the login call."""
        known = {
            "name": self.username,
            "password": self.password,
            "tenant": self.tenant,
            "branch": self.branch,
        }
        return msgspec.json.encode({name: value for name, value in known.items() if value})


class Jar:
    """The cookies of one session; later answers renew or expire them."""

    def __init__(self) -> None:
        self._cookies: dict[str, str] = {}

    def take(self, set_cookies: Iterable[str]) -> None:
        """Keeps what Set-Cookie headers say; an empty value expires the cookie."""
        for line in set_cookies:
            name, _, value = line.partition(";")[0].strip().partition("=")
            if value:
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)

    def clear(self) -> None:
        """Forgets everything."""
        self._cookies.clear()

    def header(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


class CookieSession:
    """Signs in at the first call, again after a 401, and out in `aclose`."""

    def __init__(self, login: CookieLogin, *, transport: Transport) -> None:
        self._login = login
        self._base = login.url.rstrip("/")
        self._transport = transport
        self._turns = Turns()
        self._jar = Jar()
        self._signing = asyncio.Lock()
        self._sign_ins = 0
        self._open = False

    def call(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for an ordinary call on a form."""
        return self._turns.ordinary(form)

    def conversation(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn that has the form for itself."""
        return self._turns.alone(form)

    async def send(self, request: Request, *, resource: str = "") -> Response:
        """Sends with the session's cookies; a 401 means it was closed: signs in again, once."""
        if not self._open:
            await self._signed_in(self._sign_ins)
        before = self._sign_ins
        response = await self._with_cookies(request, resource)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        await self._signed_in(before)
        return await self._with_cookies(request, resource)

    async def aclose(self) -> None:
        """Signs out when signed in; a sign-out that fails is left to the site's idle limit."""
        if not self._open:
            return
        self._open = False
        request = Request(
            "POST",
            f"{self._base}/entity/auth/logout",
            {"Content-Length": "0"},
            b"",
            repeatable=True,
        )
        try:
            await self._transport.send(
                with_headers(request, Cookie=self._jar.header()), control=True
            )
        except ConnectorError:
            return
        finally:
            self._jar.clear()

    async def _signed_in(self, seen: int) -> None:
        """Signs in unless another call has done so since `seen` was read."""
        async with self._signing:
            if self._open and self._sign_ins != seen:
                return
            self._jar.clear()
            request = Request(
                "POST",
                f"{self._base}/entity/auth/login",
                {"Content-Type": "application/json"},
                self._login.body(),
                repeatable=False,
            )
            try:
                response = await self._transport.send(request, control=True)
            except OutcomeUnknown as lost:  # of the sign-in, not of the call that waits for it
                raise TryAgain(lost.sentence, cause="acumatica.sign_in_unanswered") from lost
            if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.OK):
                raise explain(response, LOGIN)
            self._jar.take(response.set_cookies)
            self._sign_ins += 1
            self._open = True

    async def _with_cookies(self, request: Request, resource: str) -> Response:
        signed = with_headers(request, Cookie=self._jar.header())
        response = await self._transport.send(signed, resource=resource)
        self._jar.take(response.set_cookies)
        return response
