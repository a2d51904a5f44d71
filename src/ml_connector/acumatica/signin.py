"""The OAuth server of an Acumatica site: the sign-in address and the three ways to get tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec

from ml_connector.acumatica.errors import Call, explain
from ml_connector.acumatica.fields import decode
from ml_connector.acumatica.site_wire import TokenErrorWire, TokenWire
from ml_connector.acumatica.tokens import Tokens
from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import Misconfigured
from ml_connector.http.transport import Request, Response, Transport

SCOPE = "api offline_access"


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """A connected application (SM303010) of one tenant; `client_id` is `GUID@Tenant`.

    With user name and password the session can sign in by itself when its tokens have died.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)


class DeadGrant(Misconfigured):
    """The refresh token or code is used up, revoked or too old: only a new sign-in helps."""


def authorize_url(app: OAuthApp, *, redirect_uri: str, state: str, challenge: str) -> str:
    """Where a person is sent to sign in; `challenge` is the S256 of the code verifier."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{app.url.rstrip('/')}/identity/connect/authorize?{urlencode(query)}"


class TokenServer:
    """The token endpoint of one site."""

    def __init__(self, app: OAuthApp, transport: Transport, clock: Clock) -> None:
        self._app = app
        self._transport = transport
        self._clock = clock

    async def by_refresh(self, refresh_token: str, version: int) -> Tokens:
        """Trades the refresh token, which is used up by it, for new tokens."""
        return await self._granted(
            {"grant_type": "refresh_token", "refresh_token": refresh_token}, version
        )

    async def by_password(self, version: int) -> Tokens:
        """Signs in with user name and password; opens a new server session."""
        form = {
            "grant_type": "password",
            "username": self._app.username,
            "password": self._app.password,
            "scope": SCOPE,
        }
        return await self._granted(form, version)

    async def by_code(self, code: str, redirect_uri: str, verifier: str, version: int) -> Tokens:
        """Trades the code that the sign-in page gave for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return await self._granted(form, version)

    async def _granted(self, form: Mapping[str, str], version: int) -> Tokens:
        client = {"client_id": self._app.client_id, "client_secret": self._app.client_secret}
        request = Request(
            "POST",
            f"{self._app.url.rstrip('/')}/identity/connect/token",
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode({**form, **client}).encode(),
            repeatable=False,
        )
        asked = self._clock.now()
        response = await self._transport.send(request, control=True)
        if response.status != HTTPStatus.OK:
            raise _refusal(response)
        try:
            wire = decode(response.body, TokenWire)
        except msgspec.DecodeError:
            raise explain(response, Call("", "the sign-in", writes=False)) from None
        return Tokens(
            access_token=wire.access_token,
            refresh_token=wire.refresh_token,
            expires_at=asked + timedelta(seconds=wire.expires_in),
            version=version,
        )


def _refusal(response: Response) -> Exception:
    """What the token endpoint's no means."""
    try:
        wire = decode(response.body, TokenErrorWire)
    except msgspec.DecodeError:
        wire = TokenErrorWire()
    if wire.error == "invalid_grant":
        return DeadGrant(
            "The sign-in to Acumatica is used up, revoked or too old.",
            cause="acumatica.sign_in",
            remedy="Sign in to Acumatica again: ml-connector authorize NAME.",
        )
    if wire.error:
        return Misconfigured(
            f"Acumatica's sign-in refused the connected application ({wire.error}).",
            cause=f"acumatica.oauth:{wire.error}",
            remedy="Check client ID, secret and scopes on Connected Applications (SM303010).",
        )
    return explain(response, Call("", "the sign-in", writes=False))
