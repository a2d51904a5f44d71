"""A signed-in session by OAuth: one renewal at a time, each rotation stored before it is used."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol, TypeGuard

from ml_connector.acumatica.errors import BY_ITSELF
from ml_connector.acumatica.signin import DeadGrant, OAuthApp, TokenServer
from ml_connector.acumatica.tokens import Tokens, TokenStore
from ml_connector.acumatica.turns import Turns, TurnTaking
from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.http.transport import Request, Response, Transport


class Session(Protocol):
    """Anything that sends signed requests in one server session."""

    async def send(self, request: Request, *, resource: str = "") -> Response:
        """Sends with the sign-in; a 401 renews it and sends once more (it was not carried out)."""
        ...

    def call(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for an ordinary call on a form."""
        ...

    def conversation(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for calls that need the form for themselves: an action and its polls."""
        ...

    async def aclose(self) -> None:
        """Ends the session where that is due; the transport stays open."""
        ...


def with_headers(request: Request, **headers: str) -> Request:
    """The request with headers added; an underscore in a name stands for a dash."""
    added = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **added})


class OAuthSession:
    """Signs requests with an access token that is renewed for all workers together.

    A grant with `api offline_access` is one server session, which needs no sign-out (fact A2.1).
    """

    def __init__(
        self,
        app: OAuthApp,
        *,
        tokens: TokenStore,
        transport: Transport,
        clock: Clock,
        turns: TurnTaking | None = None,
    ) -> None:
        self._server = TokenServer(app, transport, clock)
        self._has_password = bool(app.username and app.password)
        self._store = tokens
        self._transport = transport
        self._clock = clock
        self._turns: TurnTaking = turns or Turns()
        self._renewing = asyncio.Lock()
        self._held: Tokens | None = None

    def call(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn for an ordinary call on a form."""
        return self._turns.ordinary(form)

    def conversation(self, form: str) -> AbstractAsyncContextManager[None]:
        """A turn that has the form for itself."""
        return self._turns.alone(form)

    async def send(self, request: Request, *, resource: str = "") -> Response:
        """Sends with the bearer token; renews once on a 401.

        Raises Misconfigured when only a person can sign in again.
        """
        tokens = self._held
        if tokens is None or not tokens.fresh(self._clock.now()):
            tokens = await self._renewed(tokens)
        response = await self._signed(request, tokens, resource)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        return await self._signed(request, await self._renewed(tokens), resource)

    async def sign_in(self, code: str, *, redirect_uri: str, verifier: str) -> None:
        """Trades the code of a person's sign-in for tokens and stores them."""
        async with self._renewing, self._store.lock():
            stored = await self._store.read()
            version = stored.version if stored else 0
            tokens = await self._server.by_code(code, redirect_uri, verifier, version + 1)
            await self._keep(tokens, version)

    async def aclose(self) -> None:
        """Nothing to end: the server session belongs to the grant and is used again."""

    async def _signed(self, request: Request, tokens: Tokens, resource: str) -> Response:
        signed = with_headers(request, Authorization=f"Bearer {tokens.access_token}")
        return await self._transport.send(signed, resource=resource)

    async def _renewed(self, stale: Tokens | None) -> Tokens:
        """Tokens that are not `stale`: somebody else's renewal where there was one."""
        async with self._renewing:
            if self._usable(self._held, stale):
                return self._held
            async with self._store.lock():
                stored = await self._store.read()
                if self._usable(stored, stale):
                    self._held = stored
                    return stored
                fresh = await self._seen(stored)
                return await self._keep(fresh, stored.version if stored else 0)

    def _usable(self, tokens: Tokens | None, stale: Tokens | None) -> TypeGuard[Tokens]:
        if tokens is None or not tokens.fresh(self._clock.now()):
            return False
        return stale is None or tokens.access_token != stale.access_token

    async def _keep(self, fresh: Tokens, expected_version: int) -> Tokens:
        """Stores a rotation before anybody uses it; a lost race means the other's tokens hold."""
        if await self._store.replace(fresh, expected_version):
            self._held = fresh
            return fresh
        self._held = await self._store.read()
        if self._held is not None and self._held.fresh(self._clock.now()):
            return self._held
        raise TryAgain(
            "Another worker is renewing the sign-in.",
            cause="acumatica.sign_in_race",
            remedy=BY_ITSELF,
        )

    async def _seen(self, stored: Tokens | None) -> Tokens:
        """New tokens; a sign-in without an answer says nothing about the call that waits for it."""
        try:
            return await self._granted(stored)
        except OutcomeUnknown as lost:
            raise TryAgain(
                lost.sentence, cause="acumatica.sign_in_unanswered", remedy=BY_ITSELF
            ) from lost

    async def _granted(self, stored: Tokens | None) -> Tokens:
        """New tokens by refresh, else by password; raises Misconfigured when neither can be."""
        version = (stored.version if stored else 0) + 1
        if stored is not None and stored.refresh_token:
            try:
                return await self._refreshed(stored.refresh_token, version)
            except DeadGrant:
                if not self._has_password:
                    raise
        if self._has_password:
            return await self._server.by_password(version)
        raise Misconfigured(
            "Nobody has signed in to Acumatica for this connection.",
            cause="acumatica.sign_in",
            remedy="Sign in to Acumatica: ml-connector authorize NAME.",
        )

    async def _refreshed(self, refresh_token: str, version: int) -> Tokens:
        """Refreshes; when the answer was lost, asks once more with the same token (fact A2.1)."""
        try:
            return await self._server.by_refresh(refresh_token, version)
        except OutcomeUnknown:
            return await self._server.by_refresh(refresh_token, version)
